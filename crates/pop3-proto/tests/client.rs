//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

use std::num::NonZeroU32;

use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::{Command, Digest, Invalid, Lang, Name, Password};
use postkey_pop3_proto::{Client, Config, InitialResponse, Misuse, Security};
use sasl::ClientMechanism;
use wire::testkit::{Outcome, Subject as _, check, run};
use wire::{InBuf, Machine as _, Need, Tick};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";
const BLOB: &str = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";

fn xoauth2() -> Action {
    let mechanism: Box<dyn ClientMechanism> =
        Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap());
    Action::Authenticate(mechanism)
}

fn oauthbearer() -> Action {
    Action::Authenticate(Box::new(
        sasl::oauthbearer::Client::new(Some("ana"), TOKEN.into(), Some(("pop.example", 995))).unwrap(),
    ))
}

fn plain() -> Action {
    Action::Authenticate(Box::new(sasl::plain::Client::new("ana", "hunter2".into()).unwrap()))
}

fn password(text: &str) -> Password {
    Password::new(text.as_bytes().to_vec().into()).unwrap()
}

fn login() -> Action {
    Action::Login(Name::new("mrose").unwrap(), password(TOKEN))
}

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn retr(n: u32) -> Command {
    Command::Retr(number(n))
}

fn send(command: Command) -> Action {
    Action::Send(command)
}

/// What a server says, each reply in its turn, every line of a multi-line reply with its status line.
fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::<&[u8]>::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        if line.starts_with('+') || line.starts_with("-E") {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
        at += line.len();
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

/// Runs a script in the clear, so that the tests need not repeat STLS.
fn clear(script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &turns(server), &[TOKEN, "hunter2"])
}

/// The same, signed in.
fn inside(commands: &[Command], server: &str) -> Outcome {
    let script = || {
        let mut script = vec![login()];
        script.extend(commands.iter().cloned().map(Action::Send));
        script
    };
    clear(script, &format!("+OK hi\r\n+OK\r\n+OK\r\n{server}"))
}

fn sent(outcome: &Outcome) -> String {
    String::from_utf8(outcome.sent.clone()).unwrap()
}

fn last(outcome: &Outcome) -> &str {
    outcome.transcript.last().map_or("", String::as_str)
}

fn has(outcome: &Outcome, what: &str) -> bool {
    outcome.transcript.iter().any(|l| l.contains(what))
}

fn count(outcome: &Outcome, what: &str) -> usize {
    outcome.transcript.iter().filter(|l| l.contains(what)).count()
}

#[test]
fn the_session_of_rfc_1939_section_10() {
    let server = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n\
        +OK mrose's maildrop has 2 messages (320 octets)\r\n+OK 2 320\r\n\
        +OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n\
        +OK 120 octets\r\nthe first message\r\n..\r\n.\r\n+OK message 1 deleted\r\n\
        +OK 200 octets\r\nthe second message\r\n.\r\n+OK message 2 deleted\r\n\
        +OK dewey POP3 server signing off (maildrop empty)\r\n";
    let digest = "c4c9334bac560ecc979e58001b3e22fb";
    let script = || {
        vec![
            Action::Apop(Name::new("mrose").unwrap(), Digest::new(&digest.into()).unwrap()),
            send(Command::Stat),
            send(Command::List(None)),
            send(retr(1)),
            send(Command::Dele(number(1))),
            send(retr(2)),
            send(Command::Dele(number(2))),
            send(Command::Quit),
        ]
    };
    let o = check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &turns(server), &[digest]);
    assert_eq!(
        sent(&o),
        format!("APOP mrose {digest}\r\nSTAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n")
    );
    assert!(has(&o, "entry: Scan(ScanListing { number: 1, octets: 120 })"), "{:#?}", o.transcript);
    assert!(has(&o, "entry: Scan(ScanListing { number: 2, octets: 200 })"));
    assert!(has(&o, "data:the first message\\r\\n.\\r\\n"));
    assert!(has(&o, "data:the second message\\r\\n"));
    assert!(last(&o).contains("signing off (maildrop empty)"));
    assert_eq!(o.end, Need::Close);
    assert!(!has(&o, "error"));
}

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
fn auth_waits_for_the_plus_with_or_without_a_blank() {
    // exchange-online D.3: an initial response makes Exchange close the connection.
    for plus in ["+\r\n", "+ \r\n"] {
        let o = clear(
            || vec![xoauth2()],
            &format!(
                "+OK The Microsoft Exchange POP3 service is ready. [QgBO]\r\n{plus}+OK User successfully logged on.\r\n"
            ),
        );
        assert!(sent(&o).starts_with("AUTH XOAUTH2\r\ndXNlcj1"), "{}", sent(&o));
        assert!(has(&o, "User successfully logged on."), "{:#?}", o.transcript);
    }
}

#[test]
fn an_initial_response_rides_only_within_255_octets() {
    // RFC 5034 section 4; the whole line with its CRLF counts.
    let line = |password_len: usize| {
        let script = || {
            let secret = "p".repeat(password_len);
            vec![Action::Authenticate(Box::new(
                sasl::plain::Client::new("ana", secret.as_str().into()).unwrap(),
            ))]
        };
        let mut config = Config::new(Security::DangerousPlaintext);
        config.initial_response = InitialResponse::WhenShort;
        let o = check(
            || ScriptedClient::with_config(config, script()),
            &turns("+OK hi\r\n+ \r\n+OK in\r\n"),
            &["ppppp"],
        );
        sent(&o).split_inclusive("\r\n").next().unwrap().len()
    };
    // "AUTH PLAIN " and CRLF are 13 octets, so 240 octets of Base64 fit and the next group does not.
    let longest = 240 / 4 * 3 - "\0ana\0".len();
    assert_eq!(line(longest), 253);
    assert_eq!(line(longest + 1), "AUTH PLAIN\r\n".len());
    assert_eq!(line(4), "AUTH PLAIN AGFuYQBwcHBw\r\n".len());
}

#[test]
fn the_initial_response_of_rfc_5034() {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = InitialResponse::WhenShort;
    let mechanism = || sasl::plain::Client::new("test", "test".into()).unwrap().acting_as("test").unwrap();
    let o = check(
        || ScriptedClient::with_config(config, [Action::Authenticate(Box::new(mechanism()))]),
        &turns("+OK pop.example.com BlurdyBlurp POP3 server ready\r\n+OK Maildrop locked and ready\r\n"),
        &[],
    );
    assert_eq!(sent(&o), "AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=\r\n");
}

#[test]
fn an_error_challenge_is_answered_and_its_status_is_known() {
    // SA-02; Gmail and Dovecot.
    let server = "+OK hi\r\n+ \r\n+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJ4In0=\r\n\
        -ERR [AUTH] Authentication failed.\r\n";
    let o = clear(|| vec![xoauth2()], server);
    assert!(sent(&o).ends_with("\r\n\r\n"), "XOAUTH2 answers with an empty line");
    assert!(has(&o, "status: \"400\"") && has(&o, "Some(Auth)"), "{:#?}", o.transcript);
    let o = clear(|| vec![oauthbearer()], server);
    assert!(sent(&o).ends_with("\r\nAQ==\r\n"), "OAUTHBEARER answers with 0x01");
}

#[test]
fn challenges_that_are_none_are_cancelled_and_challenges_without_end_given_up() {
    // SA-01
    let o = clear(|| vec![xoauth2()], "+OK hi\r\n+ %%%not base64\r\n-ERR cancelled\r\n");
    assert_eq!(sent(&o), "AUTH XOAUTH2\r\n*\r\n");
    assert!(has(&o, "InvalidBase64"), "{:#?}", o.transcript);
    // SA-05
    let o = clear(|| vec![xoauth2()], &format!("+OK hi\r\n{}", "+ \r\n".repeat(50)));
    assert!(last(&o).starts_with("error: Sasl("), "{:#?}", o.transcript);
    // SA-03
    let server = format!("+OK hi\r\n+ {}", "QUFB".repeat(30_000));
    let mut client = ScriptedClient::new(Security::DangerousPlaintext, [xoauth2()]);
    let o = run(&mut client, &turns(&server), &mut |n| n.min(5_000));
    assert_eq!(last(&o), "error: Limit(SaslChallenge)");
}

#[test]
fn success_before_the_credentials_is_no_success() {
    // SA-09
    let o = clear(|| vec![xoauth2()], "+OK hi\r\n+OK done\r\n");
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn an_echoed_secret_is_blotted_out() {
    // PO-11, LG-02, LG-03
    let half = &TOKEN[TOKEN.len() - 12..];
    let o = clear(|| vec![xoauth2()], &format!("+OK hi\r\n+ \r\n-ERR bad {TOKEN} {BLOB} {half}\r\n"));
    let all = o.transcript.join("\n");
    assert!(!all.contains(half) && !all.contains(&BLOB[20..40]), "{all}");
    assert!(all.matches("(redacted)").count() >= 3, "{all}");
    let o = clear(|| vec![login()], &format!("+OK hi\r\n+OK\r\n-ERR [AUTH] bad password {TOKEN}\r\n"));
    assert!(has(&o, "bad password (redacted)"), "{:#?}", o.transcript);
    // What comes later can echo too.
    let echo = format!(
        "+OK hi\r\n+OK\r\n+OK\r\n+OK\r\nX-ECHO {TOKEN}\r\n.\r\n+OK\r\nen {TOKEN}\r\n.\r\n+OKnonsense {TOKEN}\r\n"
    );
    let commands =
        || vec![login(), send(Command::Capa), send(Command::Lang(Lang::List)), send(Command::Noop)];
    let o = clear(commands, &echo);
    assert_eq!(count(&o, "(redacted)"), 3, "{:#?}", o.transcript);
}

#[test]
fn a_refused_name_keeps_the_password() {
    let o = clear(|| vec![login()], "+OK hi\r\n-ERR never heard of mrose\r\n");
    assert_eq!(sent(&o), "USER mrose\r\n");
    assert!(has(&o, "never heard of mrose"));
    let o = clear(|| vec![login()], "+OK hi\r\n+OK\r\n-ERR [IN-USE] locked\r\n");
    assert_eq!(sent(&o), format!("USER mrose\r\nPASS {TOKEN}\r\n"));
    assert!(has(&o, "Some(InUse)"), "{:#?}", o.transcript);
}

#[test]
fn credentials_need_tls() {
    // ST-21, ST-22, ST-23
    let digest = || Digest::new(&"0123456789abcdef0123456789abcdef".into()).unwrap();
    let script = || {
        vec![
            send(Command::Capa),
            Action::Stls,
            xoauth2(),
            login(),
            plain(),
            Action::Apop(Name::new("ana").unwrap(), digest()),
        ]
    };
    let o = check(
        || ScriptedClient::new(Security::StartTls, script()),
        &turns("+OK ready <1.2@x>\r\n-ERR no\r\n-ERR no\r\n"),
        &[TOKEN, "hunter2"],
    );
    assert_eq!(sent(&o), "CAPA\r\nSTLS\r\n");
    assert_eq!(count(&o, "gives Err(NoTls)"), 4, "{:#?}", o.transcript);
}

#[test]
fn stls_forgets_what_was_said_before() {
    let script = || {
        vec![
            send(Command::Capa),
            Action::Stls,
            Action::Apop(
                Name::new("ana").unwrap(),
                Digest::new(&"0123456789abcdef0123456789abcdef".into()).unwrap(),
            ),
            xoauth2(),
        ]
    };
    let make = || ScriptedClient::new(Security::StartTls, script());
    let flights: [&[u8]; 5] = [
        b"+OK ready <1.2@x>\r\n",
        b"+OK\r\nSTLS\r\nPIPELINING\r\nSASL EVIL\r\nX-EVIL\r\n.\r\n",
        b"+OK begin TLS\r\n",
        b"+ \r\n",
        b"+OK in\r\n",
    ];
    let o = check(make, &flights, &[TOKEN]);
    assert!(!has(&o, "EVIL"), "nothing said in the clear is shown: {:#?}", o.transcript);
    assert!(has(&o, "gives Err(NoTimestamp)"), "{:#?}", o.transcript);
    assert!(sent(&o).starts_with("CAPA\r\nSTLS\r\nAUTH XOAUTH2\r\ndXNl"));
    // The machine knew the capabilities before and does not know them after.
    let mut subject = make();
    let mut input = InBuf::new(1 << 16);
    let mut transcript = vec![];
    let mut flights = flights.iter();
    let mut known = vec![];
    loop {
        match subject.machine().advance(&mut input, Tick::ZERO) {
            Need::Event => subject.event(&input, &mut transcript),
            Need::App => {
                known.push((
                    subject.client.capabilities().map(|c| c.len()),
                    subject.client.timestamp().is_some(),
                ));
                if !subject.app(&mut transcript) {
                    break;
                }
            }
            Need::Upgrade(_) => subject.machine().upgraded(wire::Upgraded::tls()),
            Need::Input => match flights.next() {
                Some(flight) => assert_eq!(input.extend(flight), flight.len()),
                None => break,
            },
            Need::Close => break,
        }
    }
    assert_eq!(known[..3], [(None, true), (Some(4), true), (None, false)]);
}

#[test]
fn octets_behind_stls_end_the_connection() {
    for behind in ["+OK in\r\n", "-ERR no\r\n", " "] {
        let reply = format!("+OK begin TLS\r\n{behind}");
        let o = check(
            || ScriptedClient::new(Security::StartTls, vec![Action::Stls, xoauth2()]),
            &[b"+OK hi\r\n", reply.as_bytes()],
            &[TOKEN],
        );
        assert_eq!(last(&o), "error: StlsInjection");
        assert_eq!(o.end, Need::Close);
        assert_eq!(sent(&o), "STLS\r\n");
    }
}

#[test]
fn stls_must_not_follow_utf8() {
    // RFC 6856 section 2.1
    let o = check(
        || ScriptedClient::new(Security::StartTls, vec![send(Command::Utf8), Action::Stls]),
        &[b"+OK hi\r\n", b"+OK UTF8 enabled\r\n"],
        &[],
    );
    assert_eq!(last(&o), "gives Err(State)");
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
    // exchange-online D.3 and D.5, interop.md
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
fn the_first_octets_say_whether_it_is_pop3() {
    for other in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "* OK IMAP4rev1 ready\r\n",
        "220 mail ESMTP\r\n",
        "+OKAY\r\n",
        "+ hi\r\n",
    ] {
        let o = clear(Vec::new, other);
        assert!(last(&o).starts_with("error: NotPop3"), "{other}: {}", last(&o));
    }
    let o = clear(Vec::new, "-ERR [SYS/TEMP] too busy\r\n");
    assert!(last(&o).starts_with("error: Unwelcome(") && last(&o).contains("SysTemp"), "{}", last(&o));
}

#[test]
fn a_status_line_that_is_none_ends_the_connection() {
    // PO-13
    for bad in ["OK 1 2\r\n", "+ok 1 2\r\n", "+OK1 2\r\n", "\r\n", "250 ok\r\n", "+ \r\n", "+OK a\0b\r\n"] {
        let make = || ScriptedClient::new(Security::DangerousPlaintext, [login(), send(Command::Stat)]);
        let o = check(make, &[b"+OK hi\r\n", b"+OK\r\n", b"+OK\r\n", bad.as_bytes()], &[TOKEN]);
        assert!(last(&o).starts_with("error: Peer { rule: \"status\""), "{bad:?}: {}", last(&o));
        assert_eq!(o.end, Need::Close);
    }
}

#[test]
fn a_status_line_without_end_is_cut_where_it_stands() {
    let o = clear(Vec::new, &format!("+OK {}", "x".repeat(4_096)));
    assert_eq!(o.transcript, ["error: Limit(Line)"]);
    let o = clear(Vec::new, &format!("+OK {}\r\n", "x".repeat(4_096 - "+OK \r\n".len())));
    assert!(o.transcript[0].starts_with("Greeting("), "4 KiB with its end are taken");
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
fn what_comes_unasked_is_not_taken_for_a_reply() {
    let o = check(|| ScriptedClient::new(Security::DangerousPlaintext, []), &[b"+OK hi\r\n"], &[]);
    assert_eq!(o.end, Need::App);
    // Two replies to one command: what comes next would be off by one for good.
    let mut client =
        ScriptedClient::new(Security::DangerousPlaintext, [login(), send(Command::Noop), send(retr(7))]);
    let o = run(
        &mut client,
        &[b"+OK hi\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK noop\r\n-ERR Session timed out\r\n"],
        &mut |n| n,
    );
    assert_eq!(last(&o), "error: Unasked { text: \"-ERR Session timed out\" }");
    assert!(!sent(&o).contains("RETR"));
    // Half a line is enough to hold the next command back.
    let mut client =
        ScriptedClient::new(Security::DangerousPlaintext, [login(), send(Command::Noop), send(retr(7))]);
    let o = run(
        &mut client,
        &[b"+OK hi\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK noop\r\n-ERR Sess", b"ion timed out\r\n"],
        &mut |n| n,
    );
    assert_eq!(last(&o), "error: Unasked { text: \"-ERR Session timed out\" }");
    assert!(!sent(&o).contains("RETR"));
}

#[test]
fn commands_go_one_by_one_until_the_server_says_pipelining() {
    let together = || Action::Together(vec![Command::Stat, retr(1), retr(2), Command::Dele(number(1))]);
    let replies = "+OK 2 9\r\n+OK\r\none\r\n.\r\n+OK\r\ntwo\r\n.\r\n+OK gone\r\n";
    let sign_in = "+OK hi\r\n+OK\r\n+OK\r\n";
    // Without: what has been sent when each reply comes.
    let flights = |capa: &str| format!("{sign_in}{capa}{replies}");
    let o = clear(|| vec![login(), together()], &flights(""));
    assert!(sent(&o).ends_with("STAT\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\n"));
    let sent_at_once = |capa: &str, script: Vec<Action>| {
        let mut client = ScriptedClient::new(Security::DangerousPlaintext, script);
        let server = format!("{sign_in}{capa}");
        let o = run(&mut client, &turns(&server), &mut |n| n);
        let sent = sent(&o);
        sent.lines().filter(|l| ["STAT", "RETR", "DELE"].iter().any(|c| l.starts_with(c))).count()
    };
    assert_eq!(sent_at_once("", vec![login(), together()]), 1);
    let capa = "+OK\r\nPIPELINING\r\n.\r\n";
    assert_eq!(sent_at_once(capa, vec![login(), send(Command::Capa), together()]), 4);
    // With: all replies in one flight, in order.
    let script = || vec![login(), send(Command::Capa), together()];
    let mut whole: Vec<&[u8]> = turns(sign_in);
    whole.extend([capa.as_bytes(), replies.as_bytes()]);
    let o = check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &whole, &[TOKEN]);
    let order: Vec<_> = o.transcript.iter().filter(|l| l.contains("data:") || l.contains("gone")).collect();
    assert!(order[0].contains("one") && order[1].contains("two") && order[2].contains("gone"), "{order:#?}");
}

#[test]
fn pipelined_commands_wait_for_a_sign_in_and_for_quit() {
    let make = || {
        let mut client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut input = InBuf::new(1 << 16);
        input.extend(b"+OK hi\r\n");
        assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Event);
        client.event(&input).unwrap().unwrap();
        (client, input)
    };
    let (mut client, mut input) = make();
    client.send(&Command::Capa).unwrap();
    client.login(&Name::new("ana").unwrap(), &password("hunter2")).unwrap();
    client.send(&Command::Stat).unwrap();
    client.send(&Command::Quit).unwrap();
    assert_eq!(client.send(&Command::Noop), Err(Misuse::State), "nothing goes behind QUIT");
    let mut step = |reply: &[u8]| {
        assert_eq!(input.extend(reply), reply.len());
        while client.advance(&mut input, Tick::ZERO) == Need::Event {
            client.event(&input).unwrap().unwrap();
        }
        let sent = String::from_utf8(client.output().pending().to_vec()).unwrap();
        let n = sent.len();
        client.output().sent(n);
        sent
    };
    assert_eq!(step(b""), "CAPA\r\n");
    assert_eq!(step(b"+OK\r\nPIPELINING\r\n.\r\n"), "USER ana\r\n");
    assert_eq!(step(b"+OK\r\n"), "PASS hunter2\r\n");
    assert_eq!(step(b"+OK\r\n"), "STAT\r\n");
    assert_eq!(step(b"+OK 0 0\r\n"), "QUIT\r\n");
}

#[test]
fn quit_tells_whether_the_messages_are_gone() {
    // PO-09
    let o = inside(&[Command::Dele(number(1)), Command::Quit], "+OK\r\n-ERR not deleted\r\n");
    assert!(last(&o).contains("not deleted"), "{:#?}", o.transcript);
    assert_eq!(o.end, Need::Close);
    let o = inside(&[Command::Dele(number(1)), Command::Quit], "+OK\r\n");
    assert_eq!(last(&o), "error: Closed(Quit)");
    // Nothing marked: nobody minds.
    for before in [vec![], vec![Command::Dele(number(1)), Command::Rset], vec![Command::Dele(number(9))]] {
        let replies = match before.len() {
            1 => "-ERR no such message\r\n",
            2 => "+OK\r\n+OK\r\n",
            _ => "",
        };
        let mut commands = before.clone();
        commands.push(Command::Quit);
        let o = inside(&commands, replies);
        assert!(!has(&o, "error") && o.end == Need::Close, "{:#?}", o.transcript);
    }
}

#[test]
fn a_value_that_could_break_a_line_is_refused_before_an_octet_is_sent() {
    // INJ-07, INJ-10
    let refused = |e: Result<(), Invalid>| assert!(e.is_err());
    for bad in ["ana\r\nDELE 1", "ana\n", "a\0b", "", " ana", "ana ", "a\rb", &"x".repeat(300)] {
        refused(Name::new(bad).map(drop));
    }
    for bad in ["hun\r\nter2", "hun\0ter2", "hunter2\n", ""] {
        refused(Password::new(bad.as_bytes().to_vec().into()).map(drop));
    }
    for bad in [
        "",
        "c4c9334bac560ecc979e58001b3e22f",
        "c4c9334bac560ecc979e58001b3e22fb0",
        "c4c9334bac560ecc979e58001b3e2\r\nb",
    ] {
        refused(Digest::new(&bad.into()).map(drop));
    }
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    let mut input = InBuf::new(1 << 16);
    input.extend(b"+OK <1@x>\r\n");
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Event);
    client.event(&input).unwrap().unwrap();
    let digest = Digest::new(&"c4c9334bac560ecc979e58001b3e22fb".into()).unwrap();
    let two_words = Name::new("ana maria").unwrap();
    assert!(matches!(client.apop(&two_words, &digest), Err(Misuse::Invalid(_))));
    assert!(client.output().is_empty());
    assert!(client.login(&two_words, &password("two words")).is_ok());
}

#[test]
fn the_wrong_time_for_a_command() {
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    for command in [Command::Stat, Command::Noop, retr(1), Command::Rset, Command::Uidl(None)] {
        assert_eq!(client.send(&command), Err(Misuse::State), "{command:?}");
    }
    let user = Command::User(Name::new("ana").unwrap());
    for command in [user, Command::Stls, Command::Pass(password("x"))] {
        assert_eq!(client.send(&command), Err(Misuse::State), "it has a method of its own");
    }
    assert!(matches!(
        client.apop(
            &Name::new("ana").unwrap(),
            &Digest::new(&"c4c9334bac560ecc979e58001b3e22fb".into()).unwrap()
        ),
        Err(Misuse::NoTimestamp)
    ));
    let o = inside(&[Command::Utf8, Command::Noop], "+OK\r\n");
    assert!(has(&o, "gives Err(State)"));
    let mut config = Config::new(Security::Tls);
    config.limits.commands = 2;
    let mut client = Client::new(config);
    client.send(&Command::Capa).unwrap();
    client.send(&Command::Capa).unwrap();
    assert_eq!(client.send(&Command::Capa), Err(Misuse::TooManyCommands));
}

#[test]
fn exchange_online_as_it_was_seen() {
    // exchange-online D.3
    let greeting = "+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20.9999). [QgBOADAAUAAyADgA]\r\n";
    let capa = "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n";
    let script =
        || vec![send(Command::Capa), xoauth2(), Action::Together(vec![Command::Stat, Command::Uidl(None)])];
    let server = format!(
        "{greeting}{capa}+\r\n+OK User successfully authenticated.\r\n+OK 1 5000\r\n+OK\r\n1 AAAAAGa+b/=\r\n.\r\n"
    );
    let o = clear(script, &server);
    assert!(has(&o, "Sasl([PLAIN, XOAUTH2])") && has(&o, "id: \"AAAAAGa+b/=\""), "{:#?}", o.transcript);
    assert!(has(&o, "code: None, text: \"Microsoft Exchange"), "a bracket at the end is no code");
    // Signed in and not connected: a refusal, not the end of the conversation.
    let server =
        format!("{greeting}{capa}+\r\n+OK in\r\n-ERR User is authenticated but not connected.\r\n-ERR\r\n");
    let o = clear(script, &server);
    assert!(has(&o, "User is authenticated but not connected.") && !has(&o, "error"), "{:#?}", o.transcript);
    let server = format!("{greeting}{capa}-ERR Protocol error. Connection is closed. 10\r\n");
    let o = clear(script, &server);
    assert!(has(&o, "Protocol error. Connection is closed. 10"), "{:#?}", o.transcript);
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

#[test]
fn a_silent_server_is_given_up_after_its_own_time_for_each_wait() {
    // Time is virtual: the test jumps to the deadline the machine names.
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    let mut input = InBuf::new(1 << 16);
    let expire = |client: &mut Client, input: &mut InBuf, seconds: u64| {
        assert_eq!(client.advance(input, Tick::ZERO), Need::Input);
        let deadline = client.deadline().unwrap();
        assert_eq!(deadline.as_millis(), seconds * 1_000);
        match client.advance(input, deadline) {
            Need::Event => client.event(input).unwrap().unwrap_err().to_string(),
            Need::Close => "closed".to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(expire(&mut client, &mut input, 30), "the server sent no greeting in time");
    let start = |script: &[Command], replies: &[u8]| {
        let mut client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut input = InBuf::new(1 << 16);
        client.login(&Name::new("ana").unwrap(), &password("hunter2")).unwrap();
        for command in script {
            client.send(command).unwrap();
        }
        for line in replies.split_inclusive(|o| *o == b'\n') {
            input.extend(line);
            while client.advance(&mut input, Tick::ZERO) == Need::Event {
                client.event(&input).unwrap().unwrap();
            }
        }
        (client, input)
    };
    let (mut client, mut input) = start(&[], b"+OK hi\r\n");
    assert_eq!(expire(&mut client, &mut input, 60), "the server did not finish the sign-in in time");
    let (mut client, mut input) = start(&[Command::Stat], b"+OK hi\r\n+OK\r\n+OK\r\n");
    assert_eq!(expire(&mut client, &mut input, 60), "the server stopped answering");
    let (mut client, mut input) = start(&[Command::Quit], b"+OK hi\r\n+OK\r\n+OK\r\n");
    assert_eq!(expire(&mut client, &mut input, 2), "closed");
    let (mut client, mut input) =
        start(&[Command::Dele(number(1)), Command::Quit], b"+OK hi\r\n+OK\r\n+OK\r\n+OK\r\n");
    assert!(expire(&mut client, &mut input, 60).contains("may be there still"));
}
