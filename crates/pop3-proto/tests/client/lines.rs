//! Multi-line replies: messages and listings.

use crate::{TOKEN, clear, count, has, inside, last, login, number, retr, send, sent, turns};
use postkey_pop3_proto::testkit::ScriptedClient;
use postkey_pop3_proto::types::{Command, Lang};
use postkey_pop3_proto::{Config, Security};
use wire::testkit::{check, run};

#[test]
fn what_stat_and_single_listings_say() {
    use postkey_pop3_proto::grammar::reply;
    use postkey_pop3_proto::types::{DropListing, ScanListing, UniqueId, UniqueIdListing};
    // The examples of RFC 1939 sections 5 and 7.
    assert_eq!(reply(b"+OK 2 320").unwrap().drop_listing(), Ok(DropListing { messages: 2, octets: 320 }));
    let scan = ScanListing { number: number(2), octets: 200 };
    assert_eq!(reply(b"+OK 2 200").unwrap().scan_listing(), Ok(scan));
    let id = UniqueId::new("QhdPYR:00WBw1Ph7x7").unwrap();
    let id = UniqueIdListing { number: number(2), id };
    assert_eq!(reply(b"+OK 2 QhdPYR:00WBw1Ph7x7").unwrap().unique_id_listing(), Ok(id));
    // PO-01
    for bad in [
        "-1 -1",
        "99999999999999999999 1",
        "1 99999999999999999999",
        "4294967296 1",
        "garbage",
        "2",
        "",
        "2 -3",
    ] {
        let line = format!("+OK {bad}");
        assert!(reply(line.as_bytes()).unwrap().drop_listing().is_err(), "{bad}");
    }
}

#[test]
fn a_success_that_cannot_be_read_says_so() {
    // PO-01: a server that says +OK without the two numbers that STAT is about.
    for bad in ["-1 99999999999999999999", "garbage", "2", "4294967296 1"] {
        let o = inside(&[Command::Stat, Command::Noop], &format!("+OK {bad}\r\n+OK fine\r\n"));
        assert_eq!(
            count(&o, "unreadable: Some(ParseError { rule: \"drop-listing\""),
            1,
            "{:#?}",
            o.transcript
        );
        // It is about this command; the connection is in step.
        assert!(last(&o).contains("fine") && last(&o).contains("unreadable: None"), "{}", last(&o));
    }
    let o = inside(&[Command::List(Some(number(2)))], "+OK 2 many\r\n");
    assert_eq!(count(&o, "unreadable: Some(ParseError { rule: \"scan-listing\""), 1, "{:#?}", o.transcript);
    let o = inside(&[Command::Uidl(Some(number(2)))], "+OK 2\r\n");
    assert_eq!(
        count(&o, "unreadable: Some(ParseError { rule: \"unique-id-listing\""),
        1,
        "{:#?}",
        o.transcript
    );
    // A refusal is one whatever its words; numbers may have more behind them (RFC 1939 section 5).
    let good = [Command::Stat, Command::Stat, Command::List(Some(number(2))), Command::Uidl(Some(number(2)))];
    let o = inside(&good, "-ERR [SYS/TEMP] later\r\n+OK 2 320 octets\r\n+OK 2 200\r\n+OK 2 QhdPYR\r\n");
    assert_eq!(count(&o, "unreadable: Some"), 0, "{:#?}", o.transcript);
}

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    // PO-05
    let o = inside(
        &[retr(1), Command::Noop],
        "+OK\r\nSubject: x\r\n\r\nline\n.\nstill\n.\r\nbody\r.\r\r\n.\r\r\n..\r\n.\r\n+OK\r\n",
    );
    assert!(
        has(&o, "data:Subject: x\\r\\n\\r\\nline\\n.\\nstill\\n.\\r\\nbody\\r.\\r\\r\\n\\r\\r\\n.\\r\\n"),
        "{:#?}",
        o.transcript
    );
    assert_eq!(count(&o, "Completed("), 2);
}

#[test]
fn a_message_without_its_end_is_none() {
    // PO-04
    let o = inside(&[retr(1), Command::Dele(number(1))], "+OK 100\r\nSubject: x\r\n\r\nbody\r\n");
    assert_eq!(last(&o), "error: Closed(Message)");
    assert!(!has(&o, "End(") && !sent(&o).contains("DELE"), "{:#?}", o.transcript);
}

#[test]
fn a_refused_message_leaves_the_others() {
    // PO-07
    let o = inside(
        &[retr(1), retr(2), retr(3)],
        "+OK\r\none\r\n.\r\n-ERR [SYS/TEMP] no\r\n+OK\r\nthree\r\n.\r\n",
    );
    assert!(has(&o, "Some(SysTemp)") && has(&o, "data:one") && has(&o, "data:three"), "{:#?}", o.transcript);
    assert_eq!(count(&o, "End("), 2);
}

#[test]
fn listings_are_told_line_by_line_and_a_bad_line_costs_nothing_else() {
    // PO-03, PO-15
    let o = inside(
        &[Command::List(None)],
        "+OK\r\n-5 10\r\n0 10\r\n4294967296 1\r\n2 46\r\n3 7 extra\r\n\r\n.\r\n",
    );
    assert_eq!(count(&o, "malformed"), 4, "{:#?}", o.transcript);
    assert!(has(&o, "number: 2, octets: 46") && has(&o, "number: 3, octets: 7"));
    let long = "u".repeat(71);
    let o = inside(
        &[Command::Uidl(None)],
        &format!(
            "+OK\r\n-5 a\r\n0 b\r\n4294967296 c\r\n2 a b c\r\n3 dup\r\n4 dup\r\n5 {long}\r\n6 a\x01b\r\n7 {}\r\n8\r\n..9 x\r\n.\r\n",
            &long[..70]
        ),
    );
    assert_eq!(count(&o, "malformed"), 8, "{:#?}", o.transcript);
    assert_eq!(count(&o, "id: \"dup\""), 2);
    assert!(has(&o, "TooLong { max: 70 }") && has(&o, &format!("id: \"{}\"", &long[..70])));
    assert!(last(&o).starts_with("End("));
}

#[test]
fn a_line_of_megabytes_in_a_listing_is_cut_short_and_the_next_is_read() {
    // PO-03: a unique-id of 1 MiB
    let server = format!(
        "+OK hi\r\n+OK\r\n+OK\r\n+OK\r\n1 {}\r\n2 ok\r\n{}\r\n3 ok\r\n.\r\n",
        "u".repeat(1 << 20),
        "v".repeat(4_095)
    );
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [login(), send(Command::Uidl(None))]);
    let whole = run(&mut make(), &turns(&server), &mut |n| n);
    for piece in [1_000, 4_096, 65_537] {
        let cut = run(&mut make(), &turns(&server), &mut |n| n.min(piece));
        assert!(cut == whole, "it depends on the cuts");
    }
    assert_eq!(count(&whole, "TooLong { max: 4096 }"), 2);
    assert!(whole.transcript.iter().all(|l| l.len() < 5_000));
    assert!(has(&whole, "id: \"ok\" })") && has(&whole, "number: 3"), "{:?}", whole.transcript.last());
}

#[test]
fn capa_is_bounded_before_and_after_sign_in() {
    // PO-12
    let capa = format!("+OK\r\n{}", "X-CAP foo\r\n".repeat(10_000));
    for (script, server, error) in [
        (0, format!("+OK hi\r\n{capa}"), "error: Limit(PreAuthTotal)"),
        (1, format!("+OK hi\r\n+OK\r\n+OK\r\n{capa}"), "error: Limit(Lines)"),
        (0, format!("+OK hi\r\n+OK\r\nX{}\r\n.\r\n", "x".repeat(5_000)), "error: Limit(Line)"),
    ] {
        let make = || {
            let script =
                if script == 1 { vec![login(), send(Command::Capa)] } else { vec![send(Command::Capa)] };
            ScriptedClient::new(Security::DangerousPlaintext, script)
        };
        let whole = run(&mut make(), &turns(&server), &mut |n| n);
        assert!(whole == run(&mut make(), &turns(&server), &mut |n| n.min(777)));
        assert_eq!(last(&whole), error);
    }
}

#[test]
fn capabilities_of_real_servers() {
    // What Gmail and Dovecot say, in one answer.
    let o = clear(
        || vec![send(Command::Capa)],
        "+OK hi\r\n+OK\r\nUSER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\nUIDL\r\nX-GOOGLE-RICO\r\n\
         SASL PLAIN XOAUTH2 OAUTHBEARER\r\nIMPLEMENTATION Dovecot ready.\r\nAUTH-RESP-CODE\r\nUTF8 USER\r\nLANG\r\n.\r\n",
    );
    for known in [
        "Capability(User)",
        "Capability(RespCodes)",
        "Expire { after: Days(0), per_user: false }",
        "LoginDelay { seconds: 300, per_user: false }",
        "Other(\"X-GOOGLE-RICO\")",
        "Sasl([PLAIN, XOAUTH2, OAUTHBEARER])",
        "Implementation(\"Dovecot ready.\")",
        "Capability(AuthRespCode)",
        "Utf8 { user: true }",
        "Capability(Lang)",
    ] {
        assert!(has(&o, known), "{known}: {:#?}", o.transcript);
    }
}

#[test]
fn a_message_beyond_the_limit_is_refused_at_the_limit() {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.limits.body = 20;
    for (message, ends) in [("0123456789\r\n012345\r\n", true), ("0123456789\r\n0123456\r\n", false)] {
        let server = format!("+OK hi\r\n+OK\r\n+OK\r\n+OK\r\n{message}.\r\n");
        let o = check(
            || ScriptedClient::with_config(config, [login(), send(retr(1))]),
            &turns(&server),
            &[TOKEN],
        );
        assert_eq!(has(&o, "End("), ends, "{:#?}", o.transcript);
        assert_eq!(last(&o) == "error: Limit(Body)", !ends);
    }
}

#[test]
fn an_echo_in_a_line_that_cannot_be_parsed_is_blotted_out_too() {
    let o = inside(
        &[Command::Uidl(None)],
        &format!("+OK\r\n1 {TOKEN} x\r\n2 {}{TOKEN}\r\n.\r\n", "y".repeat(5_000)),
    );
    assert_eq!(count(&o, "malformed"), 2, "{:#?}", o.transcript);
    assert!(has(&o, "1 (redacted) x"), "{:#?}", o.transcript);
}

#[test]
fn languages() {
    // The examples of RFC 6856 section 3.
    let o = clear(
        || vec![send(Command::Lang(Lang::List)), send(Command::Lang(Lang::Default))],
        "+OK hi\r\n+OK Language listing follows:\r\nen English\r\nen-boont English Boontling dialect\r\nde Deutsch\r\ni-default Default language\r\n.\r\n\
         +OK es Idioma cambiado\r\n",
    );
    assert_eq!(sent(&o), "LANG\r\nLANG *\r\n");
    assert_eq!(count(&o, "entry: Language("), 4, "{:#?}", o.transcript);
    let reply = postkey_pop3_proto::grammar::reply(b"+OK es Idioma cambiado").unwrap();
    assert_eq!(reply.language().unwrap().tag.as_str(), "es");
}
