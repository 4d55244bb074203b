//! How long a client may take.

use std::time::Duration;

use postkey_imap_proto::Security;
use postkey_imap_proto::server::{Error, Wait};
use wire::testkit::Subject as _;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, Running, TOKEN};

struct Clock {
    running: Running,
    input: InBuf,
    now: Tick,
}

impl Clock {
    fn new(app: &App) -> Self {
        Self { running: app.start(), input: InBuf::new(1 << 20), now: Tick::ZERO }
    }

    /// Lets time pass and octets arrive; serves the machine until it waits. `Err` when it gave up.
    fn after(&mut self, wait: Duration, octets: &[u8]) -> Result<Option<Tick>, Error> {
        self.now = self.now + wait;
        self.input.extend(octets);
        loop {
            match self.running.server.advance(&mut self.input, self.now) {
                Need::Event => {
                    let mut transcript = vec![];
                    self.running.event(&self.input, &mut transcript);
                    for wait in [Wait::SignIn, Wait::Stall, Wait::Idle] {
                        if transcript.iter().any(|t| *t == format!("error: {:?}", Error::TimedOut(wait))) {
                            return Err(Error::TimedOut(wait));
                        }
                    }
                }
                Need::App => assert!(self.running.app(&mut vec![])),
                Need::Input => {
                    let n = self.running.server.output().len();
                    if n == 0 {
                        return Ok(self.running.server.deadline());
                    }
                    self.running.server.output().sent(n);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_stranger_has_a_minute_however_busy() {
    let mut c = Clock::new(&App::new(Security::Tls));
    for _ in 0..5 {
        assert_eq!(c.after(secs(10), b"a NOOP\r\n"), Ok(Some(Tick::ZERO + secs(70))));
    }
    assert_eq!(c.after(secs(10), b"a NO").unwrap(), Some(Tick::ZERO + secs(70)));
    assert_eq!(c.after(secs(9), b"OP\r\n").unwrap(), Some(Tick::ZERO + secs(70)));
    assert_eq!(c.after(secs(1), b""), Err(Error::TimedOut(Wait::SignIn)));
    assert_eq!(c.running.server.advance(&mut c.input, c.now), Need::Close);
}

#[test]
fn signed_in_one_may_be_idle_for_half_an_hour() {
    let mut c = Clock::new(&App::new(Security::Tls));
    let login = format!("a LOGIN ana {TOKEN}\r\n");
    assert_eq!(c.after(secs(10), login.as_bytes()).unwrap(), Some(c.now + secs(30 * 60)));
    assert_eq!(c.after(secs(29 * 60), b"b IDLE\r\n").unwrap(), Some(c.now + secs(30 * 60)));
    assert_eq!(c.after(secs(29 * 60), b"DONE\r\n").unwrap(), Some(c.now + secs(30 * 60)));
    assert_eq!(c.after(secs(30 * 60 - 1), b"").unwrap(), Some(c.now + secs(1)));
    assert_eq!(c.after(secs(1), b""), Err(Error::TimedOut(Wait::Idle)));
}

#[test]
fn inside_a_command_patience_is_shorter() {
    let mut c = Clock::new(&App::preauth());
    assert_eq!(c.after(secs(0), b"a APPEND INBOX {100}\r\nx").unwrap(), Some(c.now + secs(300)));
    assert_eq!(c.after(secs(299), b"x").unwrap(), Some(c.now + secs(300)));
    assert_eq!(c.after(secs(300), b""), Err(Error::TimedOut(Wait::Stall)));
}

#[test]
fn a_command_that_drips_is_as_dead_as_one_that_stands_still() {
    let mut c = Clock::new(&App::preauth());
    assert_eq!(c.after(secs(0), b"a NOOP").unwrap(), Some(c.now + secs(300)));
    assert!(c.after(secs(150), b" ").is_ok());
    assert_eq!(c.after(secs(150), b" "), Err(Error::TimedOut(Wait::Stall)));
    // One octet a second is slow, and not dead.
    let mut c = Clock::new(&App::preauth());
    assert!(c.after(secs(0), b"a NOOP").is_ok());
    assert!(c.after(secs(299), &[b' '; 300]).is_ok());
    assert_eq!(c.after(secs(1), b"").unwrap(), Some(c.now + secs(300)));
}

#[test]
fn a_client_that_does_not_read_its_replies_is_given_up() {
    let mut running = App::preauth().start();
    let mut input = InBuf::new(1 << 20);
    let now = Tick::ZERO;
    assert_eq!(running.server.advance(&mut input, now), Need::Input);
    // The greeting is still in the outbox.
    assert_eq!(running.server.deadline(), Some(now + secs(300)));
    let n = running.server.output().len();
    running.server.output().sent(n);
    assert_eq!(running.server.advance(&mut input, now), Need::Input);
    assert_eq!(running.server.deadline(), Some(now + secs(1800)));
}

#[test]
fn the_applications_own_time_does_not_count() {
    let mut c = Clock::new(&App::preauth());
    c.input.extend(b"a NOOP\r\n");
    assert_eq!(c.running.server.advance(&mut c.input, c.now), Need::Event);
    c.running.event(&c.input, &mut vec![]);
    for _ in 0..10 {
        c.now = c.now + secs(3600);
        assert_eq!(c.running.server.advance(&mut c.input, c.now), Need::App);
        assert_eq!(c.running.server.deadline(), None);
    }
    assert_eq!(c.after(secs(0), b"").unwrap(), Some(c.now + secs(1800)));
}
