//! How much a client may send, and how long it may take.

use crate::{BEGIN, accepted, app, codes, converse, expect, lines};
use postkey_smtp_proto::Security;
use postkey_smtp_proto::server::{Config, Error, Timeouts, Wait};
use postkey_smtp_proto::testkit::App;
use wire::testkit::run;
use wire::{InBuf, Machine as _, Need, Tick};

#[test]
fn recipients_lines_and_strangers_have_limits() {
    // SV-19
    let many = format!("EHLO x\r\nMAIL FROM:<a@b>\r\n{}", "RCPT TO:<c@d>\r\n".repeat(10_000));
    let (_, o) = accepted(&app(), &[many.as_bytes()]);
    let codes_ = codes(&o);
    assert_eq!(codes_.iter().filter(|c| *c == "250 2.1.5").count(), 1_000);
    assert_eq!(codes_.iter().filter(|c| *c == "452 4.5.3").count(), 9_000);
    for verb in ["VRFY ", "EXPN ", "EHLO ", "MAIL FROM:<", "NOOP ", "AUTH PLAIN "] {
        let client = format!("EHLO x\r\n{verb}{}\r\nNOOP\r\n", "x".repeat(1 << 20));
        let mut running = app().start();
        let o = run(&mut running, &lines(&client), &mut |n| n.min(4_000));
        assert_eq!(codes(&o)[1..], ["500 5.5.2", "250 2.0.0"], "{verb}");
    }
    let endless = format!("NOOP {}", "x".repeat(3 << 20));
    let o = run(&mut app().start(), &[endless.as_bytes()], &mut |n| n.min(50_000));
    assert_eq!((codes(&o), o.end), (vec!["500 5.5.2".to_owned()], Need::Close));
    for line in ["VRFY a\0b\r\n", "MAIL FROM:<a\0b@c>\r\n", "EXPN \r\r\n"] {
        let o = converse(&app(), &format!("EHLO x\r\n{line}"));
        assert_eq!(codes(&o)[1], "500 5.5.2", "{line:?}");
    }
    let mut stranger = app();
    stranger.config.require_auth = true;
    let o = expect(&stranger, "EHLO x\r\nMAIL FROM:<a@b>\r\n", &["250", "530 5.7.0"]);
    assert_eq!(o.end, Need::Close);
    let chatter = format!("EHLO x\r\n{}", "NOOP\r\n".repeat(20_000));
    let (_, o) = accepted(&stranger, &[chatter.as_bytes()]);
    assert_eq!(codes(&o).last().unwrap(), "500 5.5.2");
    assert_eq!(o.end, Need::Close);
}

#[test]
fn waits_have_ends() {
    let mut config = Config::new(Security::DangerousPlaintext);
    let t = Timeouts::default();
    let error = |config: Config, said: &[u8], after| {
        let app = App { config, ..app() };
        let mut running = app.start();
        use wire::testkit::Subject as _;
        let mut input = InBuf::new(1 << 16);
        input.extend(said);
        let mut transcript = vec![];
        loop {
            match running.server.advance(&mut input, Tick::ZERO) {
                Need::Event => running.event(&input, &mut transcript),
                Need::App => assert!(running.app(&mut transcript)),
                _ => {
                    let n = running.server.output().len();
                    if n == 0 {
                        break;
                    }
                    running.server.output().sent(n);
                }
            }
        }
        let at = running.server.deadline().unwrap();
        assert_eq!(at, Tick::ZERO + after);
        assert_eq!(running.server.advance(&mut input, at), Need::Event);
        let Some(Err(error)) = running.server.event(&input) else { panic!() };
        assert_eq!(running.server.advance(&mut input, at), Need::Close);
        error
    };
    assert_eq!(error(config, b"", t.idle), Error::TimedOut(Wait::Idle));
    assert_eq!(error(config, b"NO", t.stall), Error::TimedOut(Wait::Stall));
    let message = [BEGIN.as_bytes(), b"BDAT 100\r\nabc"].concat();
    assert_eq!(error(config, &message, t.stall), Error::TimedOut(Wait::Stall));
    config.require_auth = true;
    assert_eq!(error(config, b"EHLO x\r\nNOOP\r\nNO", t.sign_in), Error::TimedOut(Wait::SignIn));
}

#[test]
fn the_end_of_the_stream_is_named() {
    for (client, whence) in [
        ("", "Idle"),
        ("EHLO x\r\nMAI", "Command"),
        ("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r", "Message"),
        ("EHLO x\r\nAUTH PLAIN\r\nabc", "SignIn"),
    ] {
        let o = converse(&app(), client);
        assert_eq!(o.transcript.last().unwrap(), &format!("error: Closed({whence})"));
    }
}
