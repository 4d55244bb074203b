//! How long a server may take.

use postkey_imap_proto::types::{AString, Command, Mailbox};
use postkey_imap_proto::{Config, Security};
use wire::Need;

use super::by_hand::ByHand;
use super::*;

#[test]
fn a_silent_server_is_given_up_after_its_own_time_for_each_wait() {
    // IS-06, IS-13; time is virtual: the kit jumps to the deadline the machine names.
    use postkey_imap_proto::Client;
    use wire::{InBuf, Machine, Tick};
    let config = Config::new(Security::DangerousPlaintext);
    let mut client = Client::new(config);
    let mut input = InBuf::new(1 << 20);
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
    let at = client.deadline().unwrap();
    assert_eq!(at.as_millis(), 30_000);
    assert_eq!(client.advance(&mut input, at), Need::Event);
    let error = client.event(&input).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the server sent no greeting in time");

    let mut client = Client::new(config);
    input.extend(b"* PREAUTH hi\r\n");
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Event);
    client.event(&input).unwrap().unwrap();
    client.send(&Command::Logout).unwrap();
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
    let at = client.deadline().unwrap();
    assert_eq!(at.as_millis(), 2_000);
    assert_eq!(client.advance(&mut input, at), Need::Close, "a LOGOUT without answer is nobody's loss");
}

#[test]
fn a_body_that_drips_is_given_up_and_one_that_flows_is_not() {
    // DU-11, IS-07
    use postkey_imap_proto::Client;
    use wire::{InBuf, Machine, Tick};
    for (per_second, survives) in [(1usize, false), (1000, true)] {
        let mut client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut input = InBuf::new(1 << 20);
        let mut now = Tick::ZERO;
        input.extend(b"* PREAUTH hi\r\n");
        let mut alive = true;
        let mut begun = false;
        for second in 0..300u64 {
            now = Tick::from_millis(second * 1000);
            loop {
                match client.advance(&mut input, now) {
                    Need::Event => alive &= client.event(&input).unwrap().is_ok(),
                    Need::App if !begun => {
                        client.send(&Command::Noop).unwrap();
                        input.extend(b"* 1 FETCH (UID 1 BODY[] {400000}\r\n");
                        begun = true;
                    }
                    Need::Input | Need::Close => break,
                    other => panic!("{other:?}"),
                }
            }
            if !alive {
                break;
            }
            let n = client.output().len();
            client.output().sent(n);
            input.extend(&vec![b'x'; per_second]);
        }
        assert_eq!(alive, survives, "{per_second} octets per second, gave up at {now:?}");
    }
}

#[test]
fn the_caller_s_own_time_is_not_the_server_s() {
    use wire::Machine as _;
    let late = |c: &mut ByHand| match c.client.advance(&mut c.input, c.now) {
        Need::Event => c.client.event(&c.input).unwrap().err(),
        _ => None,
    };
    // Between the reply to one command and the next.
    let mut c = ByHand::new();
    c.input.extend(b"* PREAUTH hi\r\n");
    assert_eq!(c.client.advance(&mut c.input, c.now), Need::Event);
    c.client.event(&c.input).unwrap().unwrap();
    c.later(3_600);
    c.client.send(&Command::Noop).unwrap();
    assert_eq!(late(&mut c), None);
    c.input.extend(b"A1 OK done\r\n");
    assert_eq!(c.client.advance(&mut c.input, c.now), Need::Event);
    c.client.event(&c.input).unwrap().unwrap();
    c.later(3_600);
    c.client.send(&Command::Noop).unwrap();
    assert_eq!(late(&mut c), None);
    assert_eq!(c.client.deadline(), Some(c.now + std::time::Duration::from_secs(60)));

    // While it holds octets of a message.
    c.input.extend(b"* 1 FETCH (BODY[] {20}\r\n0123456789");
    for _ in 0..3 {
        assert_eq!(c.client.advance(&mut c.input, c.now), Need::Event);
        c.client.event(&c.input).unwrap().unwrap();
    }
    c.later(3_600);
    assert_eq!(late(&mut c), None);
    // A server that says no more has had its time all the same.
    c.later(60);
    let error = late(&mut c);
    assert_eq!(error, Some(postkey_imap_proto::Error::TimedOut(postkey_imap_proto::Wait::Command)));

    // While it makes up what it writes.
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.append(Mailbox::INBOX, Default::default(), None, 20).unwrap();
    c.sends();
    assert_eq!(c.hear("+ go\r\n"), None);
    for _ in 0..2 {
        assert_eq!(c.client.write_body(b"0123456789"), Ok(10));
        assert_eq!(late(&mut c), None);
        c.sends();
        c.later(3_600);
    }
}

#[test]
fn each_sign_in_has_its_own_time() {
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n"), None);
    c.client.authenticate(xoauth2()).unwrap();
    assert!(c.sends().starts_with("A1 AUTHENTICATE"));
    c.later(40);
    c.input.extend(b"A1 NO expired\r\n");
    assert_eq!(c.client.advance(&mut c.input, c.now), Need::Event);
    c.client.event(&c.input).unwrap().unwrap();
    c.client.authenticate(xoauth2()).unwrap();
    assert!(c.sends().starts_with("A2 AUTHENTICATE"));
    assert_eq!(c.client.deadline(), Some(c.now + std::time::Duration::from_secs(60)));
}

#[test]
fn a_login_that_waits_for_its_literals_has_the_time_of_a_sign_in() {
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK hi\r\n"), None);
    let password = "gr\u{fc}n".as_bytes().to_vec().into();
    c.client.send(&Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password }).unwrap();
    assert_eq!(c.sends(), "A1 LOGIN ana {5}\r\n");
    let until = c.now + std::time::Duration::from_secs(60);
    assert_eq!(c.client.deadline(), Some(until));
    c.later(30);
    assert_eq!(c.hear("* OK patience\r\n"), None);
    assert_eq!(c.client.deadline(), Some(until), "talk does not prolong it");
    assert_eq!(c.hear("+ go\r\n"), None);
    assert_eq!(c.client.deadline(), Some(until), "it is the same sign-in");
}

#[test]
fn a_server_may_be_silent_for_as_long_as_it_likes_once_it_has_accepted_idle() {
    use wire::Machine as _;
    for accepted in [false, true] {
        let mut c = ByHand::new();
        assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
        c.client.idle().unwrap();
        c.sends();
        if accepted {
            assert_eq!(c.hear("+ idling\r\n"), None);
        }
        c.later(60);
        let need = c.client.advance(&mut c.input, c.now);
        assert_eq!((need == Need::Event, c.client.deadline().is_some()), (!accepted, !accepted));
        if accepted {
            c.client.done().unwrap();
            assert_eq!(c.sends(), "DONE\r\n");
            assert!(c.client.deadline().is_some(), "the reply has its time");
        } else {
            let error = c.client.event(&c.input).unwrap().unwrap_err();
            assert_eq!(error, postkey_imap_proto::Error::TimedOut(postkey_imap_proto::Wait::Command));
        }
    }
}
