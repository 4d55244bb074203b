//! The order of commands, and what is offered to whom.

use crate::{BEGIN, accepted, app, codes, converse, expect, lmtp};
use postkey_smtp_proto::server::{Config, Event, HelloKind, Server};
use postkey_smtp_proto::testkit::App;
use postkey_smtp_proto::types::{Reply, ReplyCode};
use postkey_smtp_proto::{Misuse, Security, State};
use wire::{InBuf, Machine as _, Need, Tick};

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
fn the_service_may_close_at_any_answer() {
    for at in 1..8 {
        let app = App { quits_at: Some(at), ..app() };
        let client = format!("{BEGIN}NOOP\r\nVRFY x\r\nRSET\r\nQUIT\r\n");
        let o = converse(&app, &client);
        assert!(codes(&o).last().unwrap().starts_with("421"), "{at}");
        assert_eq!(o.end, Need::Close);
    }
}

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
