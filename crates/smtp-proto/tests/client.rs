//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

use postkey_smtp_proto::testkit::{Action, Message, ScriptedClient};
use postkey_smtp_proto::types::*;
use postkey_smtp_proto::{
    BareNewline, Client, Config, Dialect, Error, InitialResponse, Misuse, Security, Whence,
};
use sasl::ClientMechanism;
use wire::testkit::{Outcome, check, run};
use wire::{InBuf, Machine as _, Need, Tick};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";
const PASSWORD: &str = "hunter2-canary";
const EHLO: &str = "220 mx ready\r\n250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 AUTH XOAUTH2 PLAIN LOGIN\r\n";
const PLAIN: &str = "220 mx ready\r\n250-mx\r\n250 SIZE 1000\r\n";

fn xoauth2() -> Box<dyn ClientMechanism> {
    Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap())
}

fn address(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn message(to: &[&str]) -> Message {
    Message {
        envelope: Envelope::new(address("smith@bar.com"), to.iter().map(|t| address(t))),
        body: Body::default(),
        octets: b"Blah blah blah...\r\n.etc. etc. etc.\r\n".to_vec(),
        cut: 0,
    }
}

fn partial(to: &[&str]) -> Message {
    let mut m = message(to);
    m.envelope.partial = Partial::Accept;
    m
}

fn bdat(to: &[&str]) -> Message {
    let mut m = message(to);
    m.body.transfer = Transfer::Bdat;
    m
}

/// What a server says, reply by reply, each in its turn.
fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        at += line.len();
        if line.as_bytes().get(3) != Some(&b'-') {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

fn with(config: Config, script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::with_config(config, script()), &turns(server), &[TOKEN, PASSWORD])
}

/// Runs a script in the clear behind EHLO, so that the tests need not repeat TLS.
fn plain(hello: &str, script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    let script = || [vec![Action::Hello], script()].into_iter().flatten().collect();
    with(Config::new(Security::DangerousPlaintext), script, &format!("{hello}{server}"))
}

/// Sends messages.
fn sends(hello: &str, messages: impl Fn() -> Vec<Message>, server: &str) -> Outcome {
    plain(hello, || vec![Action::Send(messages())], server)
}

fn sent(outcome: &Outcome) -> String {
    String::from_utf8(outcome.sent.clone()).unwrap()
}

/// What was sent behind EHLO.
fn behind(outcome: &Outcome) -> String {
    sent(outcome).strip_prefix("EHLO client.example\r\n").unwrap().to_owned()
}

fn last(outcome: &Outcome) -> &str {
    outcome.transcript.last().map_or("", String::as_str)
}

#[track_caller]
fn saw(outcome: &Outcome, what: &str) {
    assert!(outcome.transcript.iter().any(|l| l.contains(what)), "no {what:?} in {:#?}", outcome.transcript);
}

#[track_caller]
fn saw_not(outcome: &Outcome, what: &str) {
    assert!(!outcome.transcript.iter().any(|l| l.contains(what)), "{what:?} in {:#?}", outcome.transcript);
}

const ONE: &str = "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<jones@foo.com>\r\nDATA\r\n";
const BODY: &str = "Blah blah blah...\r\n..etc. etc. etc.\r\n.\r\n";

#[test]
fn the_typical_scenario_of_rfc_5321() {
    // Appendix D.1, one of the three recipients unknown, the others wanted all the same; without PIPELINING.
    let server = "250 OK\r\n250 OK\r\n550 No such user here\r\n250 OK\r\n354 Start mail input; end with <CRLF>.<CRLF>\r\n250 OK\r\n\
        221 foo.com Service closing transmission channel\r\n";
    let script = || {
        vec![Action::Send(vec![partial(&["Jones@foo.com", "Green@foo.com", "Brown@foo.com"])]), Action::Quit]
    };
    let o = plain(PLAIN, script, server);
    assert_eq!(
        behind(&o),
        "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRCPT TO:<Brown@foo.com>\r\nDATA\r\n\
         Blah blah blah...\r\n..etc. etc. etc.\r\n.\r\nQUIT\r\n"
    );
    saw(&o, "recipient 0: 250 OK");
    saw(&o, "recipient 1: 550 No such user here");
    saw(&o, "recipient 2: 250 OK");
    saw(&o, "accepted: 250 OK");
    assert_eq!(o.end, Need::Close);
    saw_not(&o, "error");
}

#[test]
fn the_aborted_transaction_of_rfc_5321() {
    // Appendix D.2: the recipient is refused, RSET, QUIT. SM-09: nothing is sent to the rest unless that is asked for.
    for hello in [PLAIN, EHLO] {
        let script = || vec![Action::Send(vec![message(&["Jones@foo.com", "Green@foo.com"])]), Action::Quit];
        let o = plain(hello, script, "250 OK\r\n250 OK\r\n550 No such user here\r\n250 OK\r\n221 bye\r\n");
        assert_eq!(
            behind(&o),
            "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRSET\r\nQUIT\r\n"
        );
        saw(&o, "rejected at Recipients: 550 No such user here");
        saw_not(&o, "wants body");
    }
}

#[test]
fn with_pipelining_all_commands_go_in_one_group() {
    // RFC 2920 section 4: one recipient, or a sender that is content with some.
    let mut c = ScriptedClient::new(
        Security::DangerousPlaintext,
        [Action::Hello, Action::Send(vec![message(&["jones@foo.com"])])],
    );
    let o = run(&mut c, &turns(EHLO), &mut |n| n);
    assert_eq!(behind(&o), ONE, "before any reply");
    let o =
        sends(EHLO, || vec![message(&["jones@foo.com"])], "250 a\r\n250 b\r\n354 go\r\n250 2.0.0 queued\r\n");
    assert_eq!(behind(&o), format!("{ONE}{BODY}"));
    saw(&o, "accepted: 250 2.0.0 queued");
    // Several recipients, all wanted: DATA must wait.
    let mut c = ScriptedClient::new(
        Security::DangerousPlaintext,
        [Action::Hello, Action::Send(vec![message(&["a@foo.com", "b@foo.com"])])],
    );
    let o = run(&mut c, &turns(EHLO), &mut |n| n);
    assert_eq!(behind(&o), "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<a@foo.com>\r\nRCPT TO:<b@foo.com>\r\n");
}

#[test]
fn the_next_message_rides_with_the_end_of_the_one_before() {
    // RFC 2920 section 3.1: the end of a message may be the first of a group.
    let two = || vec![message(&["jones@foo.com"]), message(&["jones@foo.com"])];
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(two())]);
    let o = run(&mut c, &turns(&format!("{EHLO}250 a\r\n250 b\r\n354 go\r\n")), &mut |n| n);
    assert_eq!(behind(&o), format!("{ONE}{BODY}{ONE}"), "before the first one's reply");
    let o = sends(
        EHLO,
        two,
        "250 a\r\n250 b\r\n354 go\r\n250 q1\r\n250 a\r\n250 b\r\n354 go\r\n550 5.7.1 no\r\n",
    );
    assert_eq!(behind(&o), format!("{ONE}{BODY}{ONE}{BODY}"));
    saw(&o, "CommandId(2) accepted: 250 q1");
    saw(&o, "CommandId(3) rejected at Message: 550 5.7.1 no");
    // The first one is refused: the second one is not touched by that.
    let server =
        "250 a\r\n550 5.1.1 no\r\n503 no recipients\r\n250 reset\r\n250 a\r\n250 b\r\n354 go\r\n250 q2\r\n";
    let o = sends(EHLO, two, server);
    assert_eq!(behind(&o), format!("{ONE}RSET\r\n{ONE}{BODY}"));
    saw(&o, "CommandId(2) rejected at Recipients: 550 5.1.1 no");
    saw(&o, "CommandId(3) accepted: 250 q2");
}

/// A client driven by hand.
struct ByHand {
    client: Client,
    input: InBuf,
}

impl ByHand {
    /// Behind EHLO.
    fn greeted(extensions: &str) -> Self {
        let client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut this = Self { client, input: InBuf::new(1 << 20) };
        this.hear("220 hi\r\n");
        this.client.hello(&EhloName::new("x").unwrap()).unwrap();
        this.hear(&format!("250-mx\r\n250 {extensions}\r\n"));
        this
    }

    /// Sends what is to be sent, then hears this (the end of the stream if it is empty); gives back how the connection ended.
    fn hear(&mut self, octets: &str) -> Option<Error> {
        assert_ne!(self.client.advance(&mut self.input, Tick::ZERO), Need::Event);
        let n = self.client.output().len();
        self.client.output().sent(n);
        self.input.extend(octets.as_bytes());
        if octets.is_empty() {
            self.input.close();
        }
        while self.client.advance(&mut self.input, Tick::ZERO) == Need::Event {
            if let Err(error) = self.client.event().unwrap() {
                return Some(error);
            }
        }
        None
    }
}

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
fn nobody_left_and_the_server_wants_the_message_all_the_same() {
    // RFC 2920 section 3.1: a dot alone.
    let o = sends(
        EHLO,
        || vec![message(&["jones@foo.com"])],
        "250 a\r\n550 no\r\n354 go\r\n554 nobody\r\n250 reset\r\n",
    );
    assert_eq!(behind(&o), format!("{ONE}.\r\nRSET\r\n"));
    saw(&o, "rejected at Recipients: 550 no");
    saw_not(&o, "wants body");
    // Even if it takes that for a success.
    let o = sends(
        EHLO,
        || vec![partial(&["jones@foo.com"])],
        "250 a\r\n450 no\r\n354 go\r\n250 thanks\r\n250 reset\r\n",
    );
    saw(&o, "rejected at Recipients: 450 no");
    saw_not(&o, "accepted");
}

#[test]
fn a_refused_sender_is_a_refused_message() {
    for (hello, server) in [(PLAIN, "550 5.7.60 no\r\n"), (EHLO, "550 5.7.60 no\r\n503 x\r\n503 x\r\n")] {
        let o = sends(hello, || vec![message(&["jones@foo.com"])], server);
        saw(&o, "rejected at Sender: 550 5.7.60 no");
        saw_not(&o, "recipient");
        assert!(!behind(&o).contains("RSET"));
    }
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
fn replies_out_of_step_end_the_connection() {
    // SM-17
    for (hello, server, verb) in [
        (PLAIN, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n", "Some(\"DATA\")"),
        (EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n", "Some(\"DATA\")"),
        (EHLO, "354 ok\r\n", "Some(\"MAIL\")"),
        (EHLO, "250 ok\r\n235 ok\r\n", "Some(\"RCPT\")"),
    ] {
        let o = sends(hello, || vec![message(&["jones@foo.com"])], server);
        assert!(last(&o).starts_with(&format!("error: Desync {{ command: {verb}")), "{}", last(&o));
        saw_not(&o, "wants body");
    }
    // One too many behind a message: the next one is out of step, which shows before anything of it is sent.
    let two = || vec![message(&["jones@foo.com"]), message(&["jones@foo.com"])];
    let o = sends(EHLO, two, "250 a\r\n250 b\r\n354 go\r\n250 queued\r\n250 again\r\n250 a\r\n250 b\r\n");
    saw(&o, "accepted: 250 queued");
    assert!(last(&o).starts_with("error: Desync { command: Some(\"DATA\")"), "{}", last(&o));
    assert!(!o.transcript.contains(&"wants body CommandId(3)".to_owned()));
    // Unasked, in the same piece as the reply.
    let flights: Vec<&[u8]> = vec![b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n250 ok\r\n"];
    let script = || vec![Action::Hello, Action::Noop, Action::Noop];
    let o = run(&mut ScriptedClient::new(Security::DangerousPlaintext, script()), &flights, &mut |n| n);
    assert!(last(&o).starts_with("error: Desync { command: None"), "{:#?}", o.transcript);
}

#[test]
fn replies_without_end_are_cut() {
    // SM-01, SM-02
    let script = || vec![Action::Hello];
    let make = || ScriptedClient::new(Security::DangerousPlaintext, script());
    let lines = "250-AUTH PLAIN\r\n".repeat(1_000);
    let o = run(&mut make(), &[b"220 x\r\n", lines.as_bytes()], &mut |n| n.min(1_000));
    assert_eq!(last(&o), "error: ReplyTooLong");
    let long = format!("250-{}\r\n", "x".repeat(8_000)).repeat(20);
    let o = run(&mut make(), &[b"220 x\r\n", long.as_bytes()], &mut |n| n);
    assert_eq!(last(&o), "error: ReplyTooLong");
    let line = format!("250 {}", "x".repeat(1 << 20));
    let o = run(&mut make(), &[b"220 x\r\n", line.as_bytes()], &mut |n| n.min(1_000));
    assert_eq!(last(&o), "error: Limit(Line)");
    let o = with(Config::new(Security::Tls), script, "220 x\r\n2xx ok\r\n");
    assert_eq!(last(&o), "error: Peer { rule: \"Reply-line\", found: \"2xx ok\" }");
}

#[test]
fn line_ends_of_every_kind_end_a_line() {
    // SM-16
    let o = plain("220 mx\n250-x\n250-AUTH PLAIN\r\r\n250 SIZE 1000000\n", || vec![Action::Noop], "250 ok\n");
    saw(&o, "NOOP 250 ok");
}

#[test]
fn greetings_that_are_none() {
    // SM-13
    for greeting in ["554 go away\r\n", "421 later\r\n", "250 hi\r\n", "354 go\r\n"] {
        let o = with(Config::new(Security::Tls), || vec![Action::Hello], greeting);
        assert_eq!(o.transcript.len(), 1);
        assert!(last(&o).starts_with("error: Greeting"), "{}", last(&o));
        assert!(o.sent.is_empty());
    }
    for greeting in ["* OK IMAP4rev1 ready\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "999 x\r\n"] {
        let o = with(Config::new(Security::Tls), || vec![Action::Hello], greeting);
        assert!(last(&o).starts_with("error: NotSmtp"), "{}", last(&o));
    }
}

#[test]
fn the_service_may_close_at_any_step() {
    // SM-10
    let steps = ["250 a\r\n", "250 b\r\n", "354 go\r\n"];
    for n in 0..=steps.len() {
        let server = format!("{}421 4.3.2 bye\r\n", steps[..n].concat());
        for hello in [PLAIN, EHLO] {
            let o = sends(hello, || vec![message(&["jones@foo.com"])], &server);
            assert!(last(&o).starts_with("error: ServiceClosing"), "{n}: {:#?}", o.transcript);
            let stage = ["Sender", "Recipients", "Data", "Message"][n];
            saw(&o, &format!("rejected at {stage}: 421 4.3.2 bye"));
        }
    }
    let o = plain(EHLO, || vec![Action::Noop], "421 bye\r\n");
    saw(&o, "NOOP 421 bye");
    assert!(last(&o).starts_with("error: ServiceClosing"));
    let o = plain(EHLO, || vec![Action::Authenticate(xoauth2)], "421 bye\r\n");
    saw(&o, "AUTH 421 bye");
}

#[test]
fn what_can_be_known_is_known_before_anything_is_sent() {
    let refused = |hello: &str, m: Message, misuse: &str| {
        let o = sends(hello, || vec![m.clone()], "");
        saw(&o, &format!("gives Err({misuse}"));
        assert_eq!(behind(&o), "", "{misuse}");
    };
    // SM-14
    let mut m = message(&["a@b"]);
    m.body.size = Some(1_001);
    refused(EHLO, m.clone(), "TooLarge { size: 1001, limit: 1000 }");
    m.body.size = Some(1_000);
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(vec![m])]);
    assert!(
        behind(&run(&mut c, &turns(EHLO), &mut |n| n)).starts_with("MAIL FROM:<smith@bar.com> SIZE=1000\r\n")
    );
    // INJ-17
    refused(EHLO, message(&["ä@b.example"]), "NeedsSmtpUtf8");
    refused(EHLO, message(&["a@ö.example"]), "NeedsSmtpUtf8");
    let mut m = message(&["a@b"]);
    m.envelope.from = address("ä@b.example").into();
    refused(EHLO, m.clone(), "NeedsSmtpUtf8");
    let utf8 = EHLO.replace("250-8BITMIME", "250-SMTPUTF8");
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(vec![m])]);
    assert!(
        behind(&run(&mut c, &turns(&utf8), &mut |n| n)).starts_with("MAIL FROM:<ä@b.example> SMTPUTF8\r\n")
    );
    // Every parameter needs its extension.
    type Set = fn(&mut MailParams);
    let sets: [(&str, Set); 8] = [
        ("8BITMIME", |p| p.body = Some(BodyType::EightBitMime)),
        ("BINARYMIME", |p| p.body = Some(BodyType::BinaryMime)),
        ("SMTPUTF8", |p| p.smtputf8 = true),
        ("AUTH", |p| p.submitter = Some(Submitter::Unknown)),
        ("DSN", |p| p.ret = Some(Ret::Full)),
        ("REQUIRETLS", |p| p.require_tls = true),
        ("DELIVERBY", |p| p.by = DeliverBy::new(60, ByMode::Return, false).ok()),
        ("FUTURERELEASE", |p| p.hold = HoldSeconds::new(60).ok().map(Hold::For)),
    ];
    for (extension, set) in sets {
        let mut m = message(&["a@b"]);
        set(&mut m.envelope.params);
        refused("220 x\r\n250 x\r\n", m, &format!("Unsupported {{ extension: \"{extension}\" }}"));
    }
    let mut m = message(&["a@b"]);
    m.envelope.recipients[0].params.notify = Some(Notify::Never);
    refused(EHLO, m, "Unsupported { extension: \"DSN\" }");
    refused("220 x\r\n250 x\r\n", bdat(&["a@b"]), "Unsupported { extension: \"CHUNKING\" }");
    let mut m = message(&["a@b"]);
    m.envelope.params.body = Some(BodyType::BinaryMime);
    refused(EHLO, m, "Invalid(");
    refused(EHLO, message(&[]), "NoRecipients");
    // RFC 9422
    let limits = "220 x\r\n250-x\r\n250 LIMITS MAILMAX=1 RCPTMAX=2 RCPTDOMAINMAX=1\r\n";
    refused(limits, message(&["a@b", "c@b", "d@b"]), "ServerLimit { name: \"RCPTMAX\", limit: 2 }");
    refused(limits, message(&["a@b", "c@d"]), "ServerLimit { name: \"RCPTDOMAINMAX\", limit: 1 }");
    let o = sends(limits, || vec![message(&["a@b", "c@B"]), message(&["a@b"])], "");
    saw(&o, "gives Err(ServerLimit { name: \"MAILMAX\", limit: 1 }");
}

#[test]
fn a_bare_newline_is_refused_or_made_canonical() {
    let of = |bare_newline, transfer| {
        move || {
            let mut m = message(&["jones@foo.com"]);
            m.octets = b"a\n.\nb\r.c".to_vec();
            m.body.bare_newline = bare_newline;
            m.body.transfer = transfer;
            vec![m]
        }
    };
    let data = "250 a\r\n250 b\r\n354 go\r\n250 queued\r\n";
    let o = sends(EHLO, of(BareNewline::Normalise, Transfer::Data), data);
    assert_eq!(behind(&o), format!("{ONE}a\r\n..\r\nb\r\n..c\r\n.\r\n"));
    let o = sends(EHLO, of(BareNewline::Refuse, Transfer::Data), data);
    assert_eq!(behind(&o), ONE);
    saw(&o, "BareNewline { offset: 1 }");
    assert_eq!(last(&o), "error: Aborted");
    let o = sends(EHLO, of(BareNewline::Normalise, Transfer::Bdat), "250 a\r\n250 b\r\n250 queued\r\n");
    assert!(behind(&o).ends_with("BDAT 13 LAST\r\na\r\n.\r\nb\r\n.c\r\n"), "{}", behind(&o));
    let o = sends(EHLO, of(BareNewline::Refuse, Transfer::Bdat), "250 a\r\n250 b\r\n250 queued\r\n");
    saw(&o, "BareNewline { offset: 1 }");
    assert!(!behind(&o).contains("BDAT"));
}

/// A message in several chunks.
fn chunked() -> (Config, Message) {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.chunk = 1 << 10;
    let mut m = bdat(&["jones@foo.com"]);
    m.octets = b"0123456\r\n.......".repeat(200);
    (config, m)
}

#[test]
fn chunks_are_counted_and_answered() {
    let script = || vec![Action::Hello, Action::Send(vec![chunked().1]), Action::Noop];
    let server = format!("{EHLO}250 a\r\n250 b\r\n250 1\r\n250 2\r\n250 3\r\n250 queued\r\n250 noop\r\n");
    for pipelining in [true, false] {
        let config = Config { pipelining, ..chunked().0 };
        let o = with(config, script, &server);
        let s = behind(&o);
        let s = s.strip_prefix("MAIL FROM:<smith@bar.com>\r\nRCPT TO:<jones@foo.com>\r\n").unwrap();
        let mut rest = s.as_bytes();
        let mut message = Vec::new();
        for line in ["BDAT 1024\r\n", "BDAT 1024\r\n", "BDAT 1024\r\n", "BDAT 130 LAST\r\n"] {
            rest = rest.strip_prefix(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let n: usize = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
            message.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
        }
        assert_eq!(rest, b"NOOP\r\n");
        assert_eq!(message, [&chunked().1.octets[..], b"\r\n"].concat());
        saw(&o, "accepted: 250 queued");
    }
}

#[test]
fn a_refused_chunk_ends_the_message_and_not_the_connection() {
    // SM-08 by BDAT
    let script = || vec![Action::Hello, Action::Send(vec![chunked().1]), Action::Noop];
    let late =
        "250 a\r\n250 b\r\n250 1\r\n552 5.3.4 too large\r\n503 x\r\n503 x\r\n250 reset\r\n250 noop\r\n";
    let o = with(chunked().0, script, &format!("{EHLO}{late}"));
    saw(&o, "rejected at Message: 552 5.3.4 too large");
    saw(&o, "NOOP 250 noop");
    assert!(sent(&o).ends_with("RSET\r\nNOOP\r\n"));
    // Chunk by chunk.
    let early = "250 a\r\n250 b\r\n250 1\r\n552 5.3.4 too large\r\n250 reset\r\n250 noop\r\n";
    let o = with(Config { pipelining: false, ..chunked().0 }, script, &format!("{EHLO}{early}"));
    saw(&o, "rejected at Message: 552 5.3.4 too large");
    saw(&o, "NOOP 250 noop");
    assert_eq!(sent(&o).matches("BDAT").count(), 2);
}

#[test]
fn binary_goes_as_it_is() {
    let m = || {
        let mut m = bdat(&["jones@foo.com"]);
        m.envelope.params.body = Some(BodyType::BinaryMime);
        m.body.bare_newline = BareNewline::Refuse;
        m.octets = b"\0\r.\n\n\r".to_vec();
        vec![m]
    };
    let o = sends(EHLO, m, "250 a\r\n250 b\r\n250 queued\r\n");
    assert!(
        behind(&o).ends_with(" BODY=BINARYMIME\r\nRCPT TO:<jones@foo.com>\r\nBDAT 6 LAST\r\n\0\r.\n\n\r")
    );
}

#[test]
fn lmtp_replies_for_each_recipient() {
    // RFC 2033 section 4.2
    let mut config = Config::new(Security::DangerousPlaintext);
    config.dialect = Dialect::Lmtp;
    let script = || {
        vec![
            Action::Hello,
            Action::Send(vec![partial(&["pat@foo.edu", "jones@foo.edu", "green@foo.edu"])]),
            Action::Quit,
        ]
    };
    let server = "220 foo.edu LMTP server ready\r\n250-foo.edu\r\n250-PIPELINING\r\n250 SIZE\r\n250 OK\r\n250 OK\r\n550 No such user here\r\n\
        250 OK\r\n354 Start mail input\r\n250 OK\r\n452 <green@foo.edu> is temporarily over quota\r\n221 foo.edu closing connection\r\n";
    let o = with(config, script, server);
    assert!(sent(&o).starts_with("LHLO client.example\r\n"));
    saw(&o, "recipient 1: 550 No such user here");
    saw(&o, "recipient 0 last=false: 250 OK");
    saw(&o, "recipient 2 last=true: 452 <green@foo.edu> is temporarily over quota");
    saw_not(&o, "accepted");
    // One of two replies, then the end: what is known is known.
    let cut = server.split("452").next().unwrap();
    let o = with(config, script, cut);
    saw(&o, "recipient 0 last=false: 250 OK");
    assert!(last(&o).starts_with("error: Unknown"), "{}", last(&o));
}

#[test]
fn starttls_forgets_what_was_said_before() {
    let script =
        || vec![Action::Hello, Action::StartTls, Action::Send(vec![message(&["a@b"])]), Action::Hello];
    let server =
        "220 mx\r\n250-mx\r\n250-STARTTLS\r\n250 AUTH EVIL\r\n220 go\r\n250-mx\r\n250 AUTH XOAUTH2\r\n";
    let o = with(Config::new(Security::StartTls), script, server);
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\n");
    saw(&o, "STARTTLS 220 go");
    saw(&o, "gives Err(State)");
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    for behind in ["250 x\r\n", "235 Authenticated\r\n250 ok\r\n", " "] {
        let reply = format!("220 go\r\n{behind}");
        let script = || vec![Action::Hello, Action::StartTls, Action::Hello];
        let o = check(
            || ScriptedClient::new(Security::StartTls, script()),
            &[b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", reply.as_bytes()],
            &[],
        );
        assert_eq!(last(&o), "error: StarttlsInjection");
        assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\n");
    }
}

#[test]
fn without_tls_nothing_of_value_is_sent() {
    // ST-31, ST-32, ST-33
    let script = || {
        vec![
            Action::Hello,
            Action::StartTls,
            Action::Helo,
            Action::Authenticate(xoauth2),
            Action::Send(vec![message(&["a@b"])]),
        ]
    };
    let o = with(Config::new(Security::StartTls), script, "220 mx\r\n502 no\r\n454 no\r\n250 x\r\n");
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\nHELO client.example\r\n");
    assert_eq!(o.transcript.iter().filter(|l| *l == "gives Err(NoTls)").count(), 2);
    // Replies to commands that were never sent.
    let injected = "454 no\r\n235 Authenticated\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n";
    let flights: Vec<&[u8]> = vec![b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", injected.as_bytes()];
    let o = run(&mut ScriptedClient::new(Security::StartTls, script()), &flights, &mut |n| n);
    saw(&o, "STARTTLS 454 no");
    assert!(last(&o).starts_with("error: Desync"), "{}", last(&o));
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\n");
}

const BLOB: &str = "dXNlcj1hbmFAY29udG9zby5leGFtcGxl";

#[test]
fn a_short_initial_response_rides_on_the_command_and_a_long_one_waits() {
    let o = plain(EHLO, || vec![Action::Authenticate(xoauth2)], "235 2.7.0 Authentication successful\r\n");
    assert!(behind(&o).starts_with(&format!("AUTH XOAUTH2 {BLOB}")), "{}", behind(&o));
    saw(&o, "AUTH 235 2.7.0 Authentication successful");
    // exchange-online.md D.4: 334 with and without a blank, with text that is no base64 and with text that looks like it.
    for invitation in ["334 \r\n", "334\r\n", "334 go ahead\r\n", "334 Continue\r\n"] {
        let mut config = Config::new(Security::DangerousPlaintext);
        config.initial_response = InitialResponse::Never;
        let script = || vec![Action::Hello, Action::Authenticate(xoauth2)];
        let o = with(config, script, &format!("{EHLO}{invitation}235 in\r\n"));
        assert!(behind(&o).starts_with(&format!("AUTH XOAUTH2\r\n{BLOB}")), "{invitation:?}: {}", behind(&o));
        saw(&o, "AUTH 235 in");
    }
    // The whole line has 512 octets at most, CRLF included (RFC 5321 section 4.5.3.1.4).
    for user in [1, 40, 41, 42, 43, 44, 45, 46, 200] {
        let mechanism = sasl::plain::Client::new(&"u".repeat(user), "p".repeat(320).into()).unwrap();
        let ByHand { mut client, mut input } = ByHand::greeted("AUTH PLAIN");
        client.authenticate(Box::new(mechanism)).unwrap();
        assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
        let n = client.output().len();
        let whole = "AUTH PLAIN \r\n".len() + (user + 322).div_ceil(3) * 4;
        assert_eq!(n, if whole <= 512 { whole } else { "AUTH PLAIN\r\n".len() }, "{user}");
    }
}

#[test]
fn success_before_the_credentials_is_no_success() {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = InitialResponse::Never;
    let o = with(config, || vec![Action::Hello, Action::Authenticate(xoauth2)], &format!("{EHLO}235 in\r\n"));
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn refusals_keep_their_codes_and_lose_the_token() {
    // SM-12, LG-02
    let b64 = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";
    for code in ["535 5.7.3", "432 4.7.12", "454 4.7.0", "535 5.7.139"] {
        let o = plain(
            EHLO,
            || vec![Action::Authenticate(xoauth2), Action::Noop],
            &format!("{code} bad {TOKEN} {b64}\r\n250 still here {TOKEN}\r\n"),
        );
        saw(&o, &format!("AUTH {code} bad (redacted) (redacted)"));
        saw(&o, "NOOP 250 still here (redacted)");
    }
}

#[test]
fn no_credentials_in_the_clear() {
    let script = || vec![Action::Hello, Action::Authenticate(xoauth2)];
    let o = with(Config::new(Security::StartTls), script, EHLO);
    saw(&o, "gives Err(NoTls)");
    assert_eq!(sent(&o), "EHLO client.example\r\n");
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
