//! The server machine by behaviour. Conversations run through `wire::testkit::check`, but for those in which it matters what has already
//! come when a command is read.

use postkey_smtp_proto::server::{Config, Error, Event, HelloKind, Newlines, Server, Timeouts, Wait};
use postkey_smtp_proto::testkit::App;
use postkey_smtp_proto::types::{Reply, ReplyCode};
use postkey_smtp_proto::{Dialect, Misuse, Security, State};
use wire::testkit::{Outcome, check, run};
use wire::{InBuf, Machine as _, Need, Tick};

const SECRET: &str = "canary-5ecre7-canary";

fn app() -> App {
    App::new(Security::DangerousPlaintext)
}

fn lmtp() -> App {
    let mut app = app();
    app.config.dialect = Dialect::Lmtp;
    app
}

/// What a client says, line by line: nothing comes before the reply to what came before it.
fn lines(client: &str) -> Vec<&[u8]> {
    client.as_bytes().split_inclusive(|c| *c == b'\n').collect()
}

fn converse(app: &App, client: &str) -> Outcome {
    check(|| app.start(), &lines(client), &[SECRET])
}

/// The codes of the replies behind the greeting, in order; of several lines the last.
fn codes(outcome: &Outcome) -> Vec<String> {
    let sent = String::from_utf8(outcome.sent.clone()).unwrap();
    let last = sent.split_terminator("\r\n").skip(1).filter(|l| l.as_bytes().get(3) != Some(&b'-'));
    last.map(|l| l.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn expect(app: &App, client: &str, replies: &[&str]) -> Outcome {
    let o = converse(app, client);
    let codes = codes(&o);
    let fits = codes.len() == replies.len() && codes.iter().zip(replies).all(|(c, r)| c.starts_with(r));
    assert!(fits, "{codes:#?} are not {replies:?}\n{:#?}", o.transcript);
    o
}

/// The messages that an application accepts, everything sent at once.
fn accepted(app: &App, flights: &[&[u8]]) -> (Vec<Vec<u8>>, Outcome) {
    let mut running = app.start();
    let outcome = run(&mut running, flights, &mut |n| n);
    (running.messages, outcome)
}

const BEGIN: &str = "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\n";

#[test]
fn the_typical_scenario_of_rfc_5321() {
    // Appendix D.1
    let client = "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<nobody@foo.com>\r\nRCPT TO:<Brown@foo.com>\r\n\
        DATA\r\nBlah blah blah...\r\n..etc.\r\n.\r\nQUIT\r\n";
    let o = expect(
        &app(),
        client,
        &["250", "250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.1.5", "354", "250 2.0.0", "221"],
    );
    assert_eq!(o.end, Need::Close);
    assert!(
        o.transcript.contains(&"data:Blah blah blah...\\r\\n.etc.\\r\\n".to_owned()),
        "{:#?}",
        o.transcript
    );
    assert!(o.transcript.contains(&"BodyEnd { octets: 26, fault: None }".to_owned()));
}

#[test]
fn a_group_of_commands_is_answered_in_order() {
    // RFC 2920 section 4
    let flight = format!("{BEGIN}RCPT TO:<nobody@foo.com>\r\nDATA\r\n");
    let (messages, o) = accepted(&app(), &[flight.as_bytes(), b"x\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n"]);
    assert_eq!(
        codes(&o).join(" "),
        "250 SIZE".replace("SIZE", &codes(&o)[0][4..])
            + " 250 2.1.0 250 2.1.5 550 5.1.1 354 go 250 2.0.0 250 2.1.0 250 2.0.0 221 2.0.0"
    );
    assert_eq!(messages, [b"x\r\n"]);
}

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    // SV-18: whatever somebody else might take for an end must not be one here, and must not go through.
    for end in
        ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\0.\r\n", "\r\n.\r\r\n"]
    {
        let smuggled = format!(
            "x{end}MAIL FROM:<admin@foo.com>\r\nRCPT TO:<b@foo.com>\r\nDATA\r\nevil\r\n.\r\nQUIT\r\n"
        );
        for app in [app(), lmtp()] {
            let hello =
                BEGIN.replace("EHLO", if app.config.dialect == Dialect::Lmtp { "LHLO" } else { "EHLO" });
            let flights = [hello.as_bytes(), b"DATA\r\n", smuggled.as_bytes()];
            let (messages, o) = accepted(&app, &flights);
            let mails = o.transcript.iter().filter(|l| l.starts_with("Mail")).count();
            assert_eq!(mails, 1, "{end:?} ended the message: {:#?}", o.transcript);
            if end.contains('\0') {
                assert_eq!(messages.len(), 1);
            } else {
                assert!(messages.is_empty(), "{end:?} went through");
                assert!(codes(&o).contains(&"550 5.6.11".to_owned()), "{:?}", codes(&o));
            }
        }
    }
    // An application that passes nothing on may look at it.
    let mut keeps = app();
    keeps.config.newlines = Newlines::Keep;
    let (messages, _) = accepted(&keeps, &[BEGIN.as_bytes(), b"DATA\r\n", b"a\n.\nb\r.\rc\r\n.\r\n"]);
    assert_eq!(messages, [b"a\n.\nb\r.\rc\r\n"]);
}

#[test]
fn nothing_is_read_behind_data_before_it_is_asked_for() {
    // SV-18: the message would be read as commands.
    for behind in ["x\r\n.\r\nQUIT\r\n", ".", "MAIL FROM:<admin@foo.com>\r\n"] {
        let flight = format!("{BEGIN}DATA\r\n{behind}");
        let (messages, o) = accepted(&app(), &[flight.as_bytes()]);
        assert_eq!(codes(&o).last().unwrap(), "503 5.5.0");
        assert_eq!(o.end, Need::Close);
        assert!(messages.is_empty());
    }
}

#[test]
fn nothing_is_read_behind_starttls() {
    // SV-03, CVE-2011-0411
    let app = App::new(Security::StartTls);
    for behind in ["MAIL FROM:<a@b>\r\n", "\n", " ", "EHLO x\r\n"] {
        let flight = format!("STARTTLS\r\n{behind}");
        let o = check(|| app.start(), &[b"EHLO x\r\n", flight.as_bytes()], &[]);
        assert_eq!(o.transcript.last().unwrap(), "error: StarttlsInjection");
        assert_eq!(codes(&o).len(), 2);
        assert_eq!(o.end, Need::Close);
    }
}

#[test]
fn what_was_said_before_tls_is_forgotten() {
    let app = App::new(Security::StartTls);
    let o = expect(
        &app,
        "EHLO x\r\nAUTH PLAIN\r\nMAIL FROM:<a@b>\r\nVRFY a\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\nEHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n",
        &["250", "530 5.7.0", "530 5.7.0", "530 5.7.0", "220", "503 5.5.1", "250", "503 5.5.1", "250"],
    );
    let sent = String::from_utf8(o.sent).unwrap();
    assert_eq!(sent.matches("-STARTTLS").count(), 1, "offered once: {sent}");
    let refused = App { unwilling: true, ..app };
    expect(&refused, "EHLO x\r\nSTARTTLS\r\nNOOP\r\n", &["250", "454", "250"]);
}

#[test]
fn commands_have_an_order() {
    let all = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nAUTH PLAIN\r\nBDAT 2\r\nxx";
    expect(&app(), all, &["503", "503", "503", "503", "502"]);
    expect(
        &app(),
        "EHLO x\r\nRCPT TO:<c@d>\r\nDATA\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\nAUTH PLAIN\r\nRCPT TO:<nobody@d>\r\nDATA\r\nRSET\r\nRCPT TO:<c@d>\r\nMAIL FROM:<a@b>\r\nEHLO y\r\nRCPT TO:<c@d>\r\nHELP\r\nEXPN x\r\n",
        &[
            "250", "503", "503", "250", "503", "503", "503", "550", "503", "250", "503", "250", "250", "503",
            "250", "250",
        ],
    );
    expect(
        &app(),
        "LHLO x\r\nHELO x\r\nMAIL FROM:<a@b> SIZE=1\r\nMAIL FROM:<a@b>\r\n",
        &["502", "250", "555", "250"],
    );
    expect(&lmtp(), "EHLO x\r\nHELO x\r\nLHLO x\r\nMAIL FROM:<a@b>\r\n", &["502", "502", "250", "250"]);
    expect(
        &app(),
        "\r\nFOO\r\nNOOP x y\r\nDATA x\r\nMAIL FROM:a@b\r\nRCPT TO:<\r\nNOOP\n",
        &["500", "500", "250", "501", "501", "501", "500"],
    );
}

#[test]
fn only_what_was_offered_is_taken() {
    let mut bare = app();
    bare.extensions = vec!["SIZE 1000"];
    for param in [
        "BODY=8BITMIME",
        "BODY=BINARYMIME",
        "SMTPUTF8",
        "AUTH=<>",
        "RET=FULL",
        "ENVID=x",
        "REQUIRETLS",
        "BY=5;R",
        "HOLDFOR=5",
        "FOO=1",
    ] {
        expect(&bare, &format!("EHLO x\r\nMAIL FROM:<a@b> {param}\r\n"), &["250", "555 5.5.4"]);
    }
    expect(&bare, "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\n", &["250", "250", "555"]);
    expect(
        &bare,
        "EHLO x\r\nAUTH PLAIN\r\nSTARTTLS\r\nBDAT 3\r\nabcNOOP\r\n",
        &["250", "502", "502", "502", "250"],
    );
    // RFC 6531 section 3.5
    expect(
        &app(),
        "EHLO x\r\nMAIL FROM:<ä@b>\r\nMAIL FROM:<ä@b> SMTPUTF8\r\nRCPT TO:<ö@d>\r\n",
        &["250", "553 5.6.7", "250", "250"],
    );
    expect(&app(), "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ö@d>\r\n", &["250", "250", "553 5.6.7"]);
}

#[test]
fn sizes_are_kept() {
    let mut small = app();
    small.extensions = vec!["SIZE 10", "CHUNKING", "BINARYMIME"];
    expect(
        &small,
        "EHLO x\r\nMAIL FROM:<a@b> SIZE=11\r\nMAIL FROM:<a@b> SIZE=10\r\n",
        &["250", "552 5.3.4", "250"],
    );
    let begin = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let fits = format!("{begin}DATA\r\n12345678\r\n.\r\nNOOP\r\n");
    expect(&small, &fits, &["250", "250", "250", "354", "250", "250"]);
    let large = format!("{begin}DATA\r\n123456789\r\n.\r\nNOOP\r\n");
    let o = converse(&small, &large);
    assert!(
        o.transcript.contains(&"BodyEnd { octets: 11, fault: Some(TooLarge) }".to_owned()),
        "{:#?}",
        o.transcript
    );
    assert!(o.transcript.contains(&"data:123456789\\r".to_owned()), "no more than fits is handed over");
    let chunks = format!("{begin}BDAT 6\r\n12345\r\nBDAT 0\r\nNOOP\r\n").replace("12345\r\n", "1234\r\n");
    expect(&small, &chunks, &["250", "250", "250", "250", "250", "250"]);
    // More in one chunk than a message may have: it is not even read.
    let huge = format!("{begin}RSET\r\nBDAT 99999999999\r\n");
    let o = expect(&small, &huge, &["250", "250", "250", "250", "503"]);
    assert_eq!(o.end, Need::Close);
}

#[test]
fn chunks_make_a_message() {
    // RFC 3030 section 4.2; the border may be anywhere, between CR and LF for example.
    let (messages, o) = accepted(
        &app(),
        &[BEGIN.as_bytes(), b"BDAT 4\r\nab\r\rBDAT 0\r\nBDAT 2\r\n\nc", b"BDAT 2 LAST\r\n\r\nNOOP\r\n"],
    );
    assert!(messages.is_empty(), "a bare CR");
    assert_eq!(codes(&o)[3..], ["550 5.6.11", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0"]);
    let client = format!("{BEGIN}BDAT 3\r\nab\rBDAT 0\r\nBDAT 2\r\n\ncBDAT 2 LAST\r\n\r\nNOOP\r\n");
    let (messages, o) = accepted(&app(), &[client.as_bytes()]);
    assert_eq!(messages, [b"ab\r\nc\r\n"]);
    assert_eq!(codes(&o).len(), 8);
    for (chunks, fault) in [
        ("BDAT 1\r\n\rBDAT 1 LAST\r\nx", true),
        ("BDAT 1 LAST\r\n\r", true),
        ("BDAT 1\r\n\rBDAT 0 LAST\r\n", true),
        ("BDAT 0 LAST\r\n", false),
        ("BDAT 1 LAST\r\n\n", true),
        ("BDAT 5 LAST\r\n.\r\n.\r", true),
        ("BDAT 6 LAST\r\n.\r\n.\r\n", false),
    ] {
        let client = format!("{BEGIN}{chunks}");
        let flights = [client.as_bytes()];
        let o = check(|| app().start(), &flights, &[]);
        assert_eq!(codes(&o).last().unwrap(), if fault { "550 5.6.11" } else { "250 2.0.0" }, "{chunks:?}");
        assert_eq!(accepted(&app(), &flights).0.len(), usize::from(!fault));
    }
    // BINARYMIME takes anything, by BDAT only.
    let begin = BEGIN.replace("bar.com>\r\nRCPT", "bar.com> BODY=BINARYMIME\r\nRCPT");
    let client = format!("{begin}DATA\r\n");
    expect(&app(), &client, &["250", "250", "250", "503"]);
    let (messages, _) = accepted(&app(), &[begin.as_bytes(), b"BDAT 4 LAST\r\n\r\0\n\r"]);
    assert_eq!(messages, [b"\r\0\n\r"]);
    // An application that wants no more.
    let unwilling = App { unwilling: true, ..app() };
    let o = converse(&unwilling, "EHLO x\r\nMAIL FROM:<a@b>\r\nBDAT 4\r\nab\r\nNOOP\r\n");
    assert_eq!(
        codes(&o)[1..],
        ["451 4.3.0", "503 5.5.1", "250 2.0.0"],
        "what belongs to a chunk is no command"
    );
    // DATA and BDAT do not mix.
    let client = format!("{BEGIN}BDAT 2\r\n\r\nDATA\r\nMAIL FROM:<a@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\n");
    expect(&app(), &client, &["250", "250", "250", "250", "503", "503", "250", "250"]);
}

#[test]
fn lmtp_replies_for_each_recipient() {
    // RFC 2033 section 4.2
    let client = "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nRCPT TO:<nobody@d>\r\nRCPT TO:<full@d>\r\nDATA\r\nx\r\n.\r\n\
        MAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n";
    let o = converse(&lmtp(), client);
    let rest = [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "354 go",
        "250 2.0.0",
        "452 4.2.2",
        "250 2.1.0",
        "250 2.1.5",
        "250 2.0.0",
        "221 2.0.0",
    ];
    assert_eq!(codes(&o)[1..], rest);
    // A message that cannot be accepted is refused for everyone.
    let client = "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nRCPT TO:<two@d>\r\nDATA\r\nx\n.\r\n\r\n.\r\nNOOP\r\n";
    assert_eq!(codes(&converse(&lmtp(), client))[5..], ["550 5.6.11", "550 5.6.11", "250 2.0.0"]);
}

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
fn a_server_that_greets_by_refusing_only_says_goodbye() {
    // RFC 5321 section 3.1
    let mut server = Server::new(Config::new(Security::Tls));
    let reply = |code: u16| Reply::new(ReplyCode::new(code).unwrap(), None, "x").unwrap();
    assert_eq!(server.greet(&reply(250)), Err(Misuse::State));
    server.greet(&reply(554)).unwrap();
    assert_eq!(server.greet(&reply(220)), Err(Misuse::State));
    let mut input = InBuf::new(1 << 16);
    input.extend(b"EHLO x\r\nQUIT\r\n");
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    let Some(Ok(Event::BadCommand { fault, .. })) = server.event(&input) else { panic!() };
    assert_eq!(server.reply(&reply(250)), Err(Misuse::State), "a fault cannot be accepted");
    server.reply(&fault.reply()).unwrap();
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    assert_eq!(server.event(&input), Some(Ok(Event::Quit)));
    server.reply(&reply(221)).unwrap();
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Close);
    assert_eq!(server.reply(&reply(221)), Err(Misuse::Over));
}

#[test]
fn answers_fit_the_question() {
    let mut server = Server::new(Config::new(Security::Tls));
    let reply = |code: u16| Reply::new(ReplyCode::new(code).unwrap(), None, "x").unwrap();
    server.greet(&reply(220)).unwrap();
    let mut input = InBuf::new(1 << 16);
    let mut next = |server: &mut Server, line: &[u8]| {
        input.extend(line);
        assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
        let name = match server.event(&input).unwrap().unwrap() {
            Event::Hello { kind: HelloKind::Ehlo, .. } => "EHLO",
            Event::Data => "DATA",
            Event::BodyEnd { .. } => "END",
            _ => "other",
        };
        assert_eq!(server.advance(&mut input, Tick::ZERO), Need::App);
        name
    };
    assert_eq!(server.reply(&reply(250)), Err(Misuse::State), "nothing was asked");
    assert_eq!(next(&mut server, b"EHLO x\r\n"), "EHLO");
    assert_eq!(server.reply(&reply(354)), Err(Misuse::State));
    assert_eq!(server.accept_data("go"), Err(Misuse::State));
    server.reply(&reply(250)).unwrap();
    assert_eq!(server.state(), State::Ready);
    next(&mut server, b"MAIL FROM:<>\r\n");
    server.reply(&reply(250)).unwrap();
    next(&mut server, b"RCPT TO:<a@b>\r\n");
    server.reply(&reply(450)).unwrap();
    assert_eq!((server.state(), server.recipients()), (State::Mail, 0));
    next(&mut server, b"RCPT TO:<a@b>\r\n");
    server.reply(&reply(250)).unwrap();
    assert_eq!((server.state(), server.recipients()), (State::Recipients, 1));
    assert_eq!(next(&mut server, b"DATA\r\n"), "DATA");
    assert_eq!(server.reply(&reply(250)), Err(Misuse::State), "354 comes first");
    assert!(matches!(server.accept_data("a\r\nb"), Err(Misuse::Invalid(_))));
    server.accept_data("go").unwrap();
    assert_eq!(next(&mut server, b".\r\n"), "END");
    assert_eq!(server.replies_due(), 1);
    server.reply(&reply(250)).unwrap();
    assert_eq!((server.state(), server.recipients()), (State::Ready, 0));
    next(&mut server, b"NOOP\r\n");
    server.reply(&reply(421)).unwrap();
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Close);
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

#[test]
fn the_service_may_close_at_any_answer() {
    for at in 1..8 {
        let app = App { quits_at: Some(at), ..app() };
        let client = format!("{BEGIN}NOOP\r\nVRFY x\r\nRSET\r\nQUIT\r\n");
        let o = converse(&app, &client);
        assert!(codes(&o).last().unwrap().starts_with("421"), "{at}");
        assert_eq!(o.end, Need::Close);
    }
}
