//! What is known of a message when the connection ends, or the server speaks too early.

use crate::{ByHand, EHLO, bdat, last, message, saw, saw_not, sends, sent, turns};
use postkey_smtp_proto::testkit::{Action, ScriptedClient};
use postkey_smtp_proto::types::{Body, Transfer};
use postkey_smtp_proto::{Config, Error, Misuse, Security, Whence};
use wire::testkit::run;
use wire::{InBuf, Machine as _, Need, Tick};

#[test]
fn the_final_dot_is_in_the_same_buffer_as_the_end_of_the_message() {
    let mut c = ByHand::greeted("PIPELINING");
    c.client.send(&message(&["jones@foo.com"]).envelope, Body::default()).unwrap();
    c.hear("250 a\r\n250 b\r\n354 go\r\n");
    let client = &mut c.client;
    let octets = vec![b'x'; 10_000];
    assert_eq!(client.write_body(&octets), Ok(10_000));
    client.end_body().unwrap();
    assert_eq!(client.output().len(), 10_000 + b"\r\n.\r\n".len());
    assert_eq!(client.write_body(b"more"), Err(Misuse::NoBody));
    assert_eq!(client.end_body(), Err(Misuse::NoBody));
}

#[test]
fn a_cut_behind_the_final_dot_leaves_the_outcome_unknown() {
    // SM-05
    let o = sends(EHLO, || vec![message(&["jones@foo.com"])], "250 a\r\n250 b\r\n354 go\r\n");
    assert_eq!(last(&o), "error: Unknown { id: CommandId(2), cause: Closed(Command) }");
    saw_not(&o, "accepted");
    saw_not(&o, "rejected");
    let o = sends(EHLO, || vec![bdat(&["jones@foo.com"])], "250 a\r\n250 b\r\n");
    assert_eq!(last(&o), "error: Unknown { id: CommandId(2), cause: Closed(Command) }");
    // A reply that cannot be one, and half a reply, say nothing either.
    for (server, cause) in [("354 what\r\n", "Desync"), ("2x0 ok\r\n", "Peer"), ("250-qu", "Closed(Reply)")] {
        let o = sends(
            EHLO,
            || vec![message(&["jones@foo.com"])],
            &format!("250 a\r\n250 b\r\n354 go\r\n{server}"),
        );
        assert!(
            last(&o).starts_with(&format!("error: Unknown {{ id: CommandId(2), cause: {cause}")),
            "{}",
            last(&o)
        );
    }
}

#[test]
fn a_cut_before_the_final_dot_is_handed_out_is_no_delivery() {
    for handed_over in ["", "x\r\n.\r", "x\r\n.\r\n"] {
        let mut c = ByHand::greeted("SIZE");
        c.client.send(&message(&["jones@foo.com"]).envelope, Body::default()).unwrap();
        for reply in ["250 a\r\n", "250 b\r\n", "354 go\r\n"] {
            assert_eq!(c.hear(reply), None);
        }
        c.client.write_body(b"x\r\n").unwrap();
        c.client.end_body().unwrap();
        c.client.output().sent(handed_over.len());
        c.input.close();
        assert_eq!(c.client.advance(&mut c.input, Tick::ZERO), Need::Event);
        let error = c.client.event().unwrap().unwrap_err();
        if handed_over.ends_with('\n') {
            assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
        } else {
            assert_eq!(error, Error::Closed(Whence::Body));
        }
    }
}

#[test]
fn the_reply_to_a_message_has_its_own_time() {
    // SM-06, as a matter of virtual time: the wait for the outcome is longer than the one for a command.
    let t = Config::new(Security::Tls).timeouts;
    assert!(t.outcome > t.command);
    let mut c = ScriptedClient::new(
        Security::DangerousPlaintext,
        [Action::Hello, Action::Send(vec![message(&["jones@foo.com"])])],
    );
    let flights = format!("{EHLO}250 a\r\n250 b\r\n354 go\r\n");
    let mut input = InBuf::new(1 << 20);
    let mut transcript = Vec::new();
    let mut turns = turns(&flights).into_iter();
    use wire::testkit::Subject as _;
    let end = loop {
        match c.client.advance(&mut input, Tick::ZERO) {
            Need::Event => c.event(&input, &mut transcript),
            Need::App => assert!(c.app(&mut transcript)),
            Need::Input => {
                let n = c.client.output().len();
                c.client.output().sent(n);
                match turns.next() {
                    Some(flight) => assert_eq!(input.extend(flight), flight.len()),
                    None => break c.client.deadline().unwrap(),
                }
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end, Tick::ZERO + t.outcome);
    assert_eq!(c.client.advance(&mut input, Tick::ZERO + t.command), Need::Input);
    assert_eq!(c.client.advance(&mut input, end), Need::Event);
    let error = c.client.event().unwrap().unwrap_err();
    assert!(
        matches!(error, Error::Unknown { cause, .. } if *cause == Error::TimedOut(postkey_smtp_proto::Wait::Outcome))
    );
}

#[test]
fn an_early_reply_ends_a_message_that_is_not_complete() {
    // SM-08, the message is being written when it comes.
    let big = || {
        let mut m = message(&["jones@foo.com"]);
        m.octets = vec![b'x'; 500_000];
        m
    };
    for (early, rejected) in [("554 5.7.1 rejected already\r\n", true), ("250 thanks\r\n", false)] {
        let server =
            format!("{}250 a\r\n250 b\r\n354 go\r\n{early}", EHLO.replace("SIZE 1000", "SIZE 1000000"));
        // Both in one piece, as they come from a server in a hurry.
        let mut flights = turns(&server);
        let tail = flights.split_off(flights.len() - 2).concat();
        flights.push(&tail);
        let mut c =
            ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(vec![big()])]);
        let o = run(&mut c, &flights, &mut |n| n);
        assert_eq!(
            o.transcript.iter().any(|l| l.contains("rejected at Message: 554")),
            rejected,
            "{:#?}",
            o.transcript
        );
        assert_eq!(o.transcript.last().unwrap().starts_with("error: Unknown"), !rejected);
        saw(&o, "EarlyReply");
        assert_eq!(o.end, Need::Close);
        assert!(!sent(&o).ends_with("\r\n.\r\n"), "an incomplete message must not be completed");
    }
    // A message that was complete when it came: it is the result.
    let o = sends(
        EHLO,
        || vec![message(&["jones@foo.com"])],
        "250 a\r\n250 b\r\n354 go\r\n554 rejected already\r\n",
    );
    saw(&o, "rejected at Message: 554 rejected already");
}

#[test]
fn a_message_is_in_doubt_from_its_last_octet_to_its_reply() {
    for transfer in [Transfer::Data, Transfer::Bdat] {
        let mut peer = ByHand::greeted("CHUNKING");
        let body = Body { transfer, ..Body::default() };
        let id = peer.client.send(&message(&["jones@foo.com"]).envelope, body).unwrap();
        for reply in ["250 sender\r\n", "250 recipient\r\n", "354 go\r\n"] {
            if reply.starts_with("250") || transfer == Transfer::Data {
                assert_eq!(peer.hear(reply), None);
            }
        }
        assert_eq!(peer.client.write_body(b"x\r\n"), Ok(3));
        peer.client.end_body().unwrap();
        assert_eq!(peer.client.advance(&mut peer.input, Tick::ZERO), Need::Input);
        let n = peer.client.output().len();
        peer.client.output().sent(n - 1);
        assert_eq!(peer.client.in_doubt(), None, "{transfer:?}: an octet is missing");
        peer.client.output().sent(1);
        assert_eq!(peer.client.in_doubt(), Some(id), "{transfer:?}");
        assert_eq!(peer.hear("250 queued\r\n"), None);
        assert_eq!(peer.client.in_doubt(), None, "{transfer:?}: answered");
    }
}

#[test]
fn a_reply_before_all_of_a_message_has_gone_out_is_none_to_it() {
    // The last octets of the message are in the outbox: what the server answers has not been there.
    for (early, rejected) in [("554 5.7.1 rejected already\r\n", true), ("250 thanks\r\n", false)] {
        let mut c = ByHand::greeted("PIPELINING");
        let id = c.client.send(&message(&["jones@foo.com"]).envelope, Body::default()).unwrap();
        assert_eq!(c.hear("250 a\r\n250 b\r\n354 go\r\n"), None);
        c.client.write_body(b"QUIT\r\n").unwrap();
        c.client.end_body().unwrap();
        c.client.output().sent(4);
        c.input.extend(early.as_bytes());
        assert_eq!(c.client.advance(&mut c.input, Tick::ZERO), Need::Event);
        if rejected {
            let event = c.client.event().unwrap().unwrap();
            assert!(
                matches!(event, postkey_smtp_proto::Event::Rejected { id: of, .. } if of == id),
                "{event:?}"
            );
            let error = c.client.event().unwrap().unwrap_err();
            assert!(matches!(error, Error::EarlyReply { .. }), "{error:?}");
        } else {
            let error = c.client.event().unwrap().unwrap_err();
            assert!(
                matches!(&error, Error::Unknown { id: of, cause } if *of == id && matches!(**cause, Error::EarlyReply { .. })),
                "{error:?}"
            );
        }
        // The rest of the message must not be taken for commands.
        assert!(c.client.output().is_empty());
    }
}

#[test]
fn the_caller_s_own_time_is_not_the_server_s() {
    let hour = |n: u64| Tick::from_millis(n * 3_600_000);
    let mut c = ByHand::greeted("PIPELINING");
    // Between two commands.
    c.client.noop().unwrap();
    assert_eq!(c.client.advance(&mut c.input, Tick::ZERO), Need::Input);
    let n = c.client.output().len();
    c.client.output().sent(n);
    c.input.extend(b"250 fine\r\n");
    assert_eq!(c.client.advance(&mut c.input, Tick::ZERO), Need::Event);
    c.client.event().unwrap().unwrap();
    c.client.send(&message(&["jones@foo.com"]).envelope, Body::default()).unwrap();
    assert_eq!(c.client.advance(&mut c.input, hour(1)), Need::Input);
    let n = c.client.output().len();
    c.client.output().sent(n);
    // While it makes up what it writes.
    c.input.extend(b"250 a\r\n250 b\r\n354 go\r\n");
    for _ in 0..2 {
        assert_eq!(c.client.advance(&mut c.input, hour(1)), Need::Event);
        c.client.event().unwrap().unwrap();
    }
    for n in 2..4 {
        c.client.write_body(b"x\r\n").unwrap();
        assert_eq!(c.client.advance(&mut c.input, hour(n)), Need::App, "{n}");
        let n = c.client.output().len();
        c.client.output().sent(n);
    }
    c.client.end_body().unwrap();
    assert_eq!(c.client.advance(&mut c.input, hour(4)), Need::Input);
    assert_eq!(c.client.deadline(), Some(hour(4) + Config::new(Security::Tls).timeouts.outcome));
}
