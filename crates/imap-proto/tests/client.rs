//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::{
    AString, Command, FetchItem, FetchItems, ListPattern, Mailbox, SelectParams, SequenceSet,
};
use postkey_imap_proto::{Config, Security};
use sasl::ClientMechanism;
use wire::Need;
use wire::testkit::{Outcome, check};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";

fn xoauth2() -> Box<dyn ClientMechanism> {
    Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap())
}

fn oauthbearer() -> Box<dyn ClientMechanism> {
    Box::new(sasl::oauthbearer::Client::new(Some("ana"), TOKEN.into(), Some(("imap.example", 993))).unwrap())
}

fn list() -> Command<'static> {
    Command::List {
        reference: Mailbox::new(&b""[..]).unwrap(),
        pattern: ListPattern::new(&b"*"[..]).unwrap(),
    }
}

fn select() -> Command<'static> {
    Command::Select { mailbox: Mailbox::INBOX, params: SelectParams::default() }
}

fn fetch() -> Command<'static> {
    let items = vec![FetchItem::Uid, FetchItem::Flags, FetchItem::PEEK_FULL];
    Command::Fetch { uid: true, set: SequenceSet::all(), items: FetchItems::List(items), changed_since: None }
}

/// What a server says, as it says it: the greeting, then up to each reply or continuation, each in its turn.
fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        at += line.len();
        let tagged = line.starts_with('A') && line.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if from == 0 || tagged || line.starts_with('+') {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

/// Runs a script in the clear, so that the tests need not repeat STARTTLS.
fn plain(script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &turns(server), &[TOKEN])
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

#[test]
fn xoauth2_with_an_initial_response_is_one_line() {
    let o = plain(
        || vec![Action::Authenticate(xoauth2)],
        "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\nA1 OK AUTHENTICATE completed.\r\n",
    );
    assert!(sent(&o).starts_with("A1 AUTHENTICATE XOAUTH2 dXNlcj1hbmFAY29udG9zby5leGFtcGxl"), "{}", sent(&o));
    assert_eq!(sent(&o).matches("\r\n").count(), 1);
    assert!(has(&o, "AUTHENTICATE completed."));
}

#[test]
fn without_sasl_ir_the_response_waits_for_the_plus_with_or_without_a_blank() {
    for plus in ["+\r\n", "+ \r\n"] {
        let o = plain(
            || vec![Action::Authenticate(xoauth2)],
            &format!("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] ready\r\n{plus}A1 OK done\r\n"),
        );
        assert!(sent(&o).starts_with("A1 AUTHENTICATE XOAUTH2\r\ndXNlcj1"), "{}", sent(&o));
    }
}

#[test]
fn an_error_challenge_is_answered_and_its_status_is_known() {
    // SA-02; Gmail and Dovecot.
    let server = "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n\
        + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJ4In0=\r\nA1 NO AUTHENTICATE failed.\r\n";
    let o = plain(|| vec![Action::Authenticate(xoauth2)], server);
    assert!(sent(&o).ends_with("\r\n\r\n"), "XOAUTH2 answers with an empty line");
    assert!(has(&o, "status: \"400\""), "{:#?}", o.transcript);
    let o = plain(|| vec![Action::Authenticate(oauthbearer)], server);
    assert!(sent(&o).ends_with("\r\nAQ==\r\n"), "OAUTHBEARER answers with 0x01");
}

#[test]
fn a_challenge_that_is_no_base64_is_cancelled() {
    // SA-01
    let o = plain(
        || vec![Action::Authenticate(xoauth2)],
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ %%%not base64\r\nA1 BAD cancelled\r\n",
    );
    assert!(sent(&o).ends_with("\r\n*\r\n"));
    assert!(has(&o, "InvalidBase64"), "{:#?}", o.transcript);
}

#[test]
fn a_challenge_without_end_is_cut_at_its_own_limit() {
    // SA-03
    let mut server = b"* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ ".to_vec();
    server.extend(b"QUFB".repeat(20_000));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Authenticate(xoauth2)]);
    let o =
        wire::testkit::run(&mut make(), &turns(std::str::from_utf8(&server).unwrap()), &mut |n| n.min(5000));
    assert_eq!(last(&o), "error: Limit(SaslChallenge)");
}

#[test]
fn challenges_without_end_are_given_up() {
    // SA-05
    let server = format!("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n{}", "+ \r\n".repeat(50));
    let o = plain(|| vec![Action::Authenticate(xoauth2)], &server);
    assert!(has(&o, "error: Sasl("), "{:#?}", o.transcript);
}

#[test]
fn success_before_the_credentials_is_no_success() {
    // SA-09
    let o = plain(|| vec![Action::Authenticate(xoauth2)], "* OK [CAPABILITY IMAP4rev1] hi\r\nA1 OK done\r\n");
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn an_echoed_token_is_blotted_out() {
    // SA-06, LG-02, LG-03
    let b64 = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";
    let half = &TOKEN[TOKEN.len() - 12..];
    let server = format!(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n* OK [ALERT] you sent {TOKEN}\r\n* NO {half}\r\nA1 NO bad {b64}\r\n"
    );
    let o = plain(|| vec![Action::Authenticate(xoauth2)], &server);
    let all = o.transcript.join("\n");
    assert!(!all.contains(half) && !all.contains(&b64[20..40]), "{all}");
    assert_eq!(all.matches("(redacted)").count(), 3, "{all}");
}

#[test]
fn credentials_need_tls() {
    let server = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n";
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    let script = || vec![Action::Authenticate(xoauth2), Action::Send(login())];
    let o = check(
        || ScriptedClient::new(Security::StartTls, script()),
        &[server.as_bytes()],
        &[TOKEN, "hunter2"],
    );
    assert_eq!(o.transcript.iter().filter(|l| *l == "gives Err(NoTls)").count(), 2);
    assert!(o.sent.is_empty());
}

#[test]
fn logindisabled_forbids_login_and_only_login() {
    let server = "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR] hi\r\nA1 OK in\r\n";
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    let o = plain(|| vec![Action::Send(login()), Action::Authenticate(xoauth2)], server);
    assert_eq!(o.transcript[1], "gives Err(LoginDisabled)");
    assert!(sent(&o).starts_with("A1 AUTHENTICATE"));
}

#[test]
fn starttls_forgets_what_was_said_before() {
    // ST-14: nothing said in the clear is an event.
    let before = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL] hi\r\n* LIST () \"/\" EVIL\r\n\
        * STATUS EVIL (MESSAGES 5)\r\n* 5 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* FLAGS (\\Evil)\r\n\
        * SEARCH 1 2 3\r\n* OK [ALERT] EVIL\r\nA1 OK go\r\n";
    let after = "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nA2 OK done\r\n";
    let script = || vec![Action::StartTls, Action::Send(Command::Capability)];
    let mut flights = turns(before);
    flights.push(after.as_bytes());
    let o = check(|| ScriptedClient::new(Security::StartTls, script()), &flights, &[]);
    let behind: Vec<_> = o.transcript.iter().skip(1).collect();
    assert!(
        !behind.iter().any(|l| l.contains("EVIL") || l.contains("Evil") || l.contains("Fetch")),
        "{behind:#?}"
    );
    assert!(has(&o, "XOAuth2") || has(&o, "XOAUTH2"), "{:#?}", o.transcript);
    assert_eq!(sent(&o), "A1 STARTTLS\r\nA2 CAPABILITY\r\n");
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    // ST-01, ST-02, ST-04
    for behind in ["* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA2 OK done\r\n", "* OK [ALERT] call\r\n", " "] {
        let greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n";
        let reply = format!("A1 OK begin TLS\r\n{behind}");
        let script = || vec![Action::StartTls, Action::Authenticate(xoauth2)];
        let o = check(
            || ScriptedClient::new(Security::StartTls, script()),
            &[greeting, reply.as_bytes()],
            &[TOKEN],
        );
        assert_eq!(last(&o), "error: StarttlsInjection");
        assert_eq!(o.end, Need::Close);
        assert_eq!(sent(&o), "A1 STARTTLS\r\n");
    }
}

#[test]
fn preauth_where_tls_was_wanted_sends_nothing() {
    // ST-10
    let o = check(
        || ScriptedClient::new(Security::StartTls, [Action::StartTls]),
        &[b"* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n"],
        &[],
    );
    assert_eq!(o.transcript, ["error: PreauthWithoutTls"]);
    assert!(o.sent.is_empty());
}

#[test]
fn bodies_stream_and_what_looks_like_a_response_inside_is_data() {
    // FR-03, FR-04, FR-06, FR-12
    let server = "* PREAUTH hi\r\nA1 OK selected\r\n\
        * 1 FETCH (UID 7 BODY[] {30}\r\n* 99 EXPUNGE\r\nA2 OK x\r\n012345 FLAGS (\\Seen))\r\n\
        * 2 FETCH (BODY[] {0}\r\n UID 8)\r\n\
        * 3 FETCH (FLAGS ())\r\n\
        * 4 FETCH (UID 9 BODY[] NIL)\r\n\
        A2 OK done\r\n";
    let o = plain(|| vec![Action::Send(select()), Action::Send(fetch())], server);
    assert!(has(&o, "data:* 99 EXPUNGE\\r\\nA2 OK x\\r\\n012345"), "{:#?}", o.transcript);
    assert!(!has(&o, "Expunge("));
    assert!(has(&o, "data: None"), "NIL is not an empty body: {:#?}", o.transcript);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("BodyEnd")).count(), 2);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("Fetch(End)")).count(), 4);
}

#[test]
fn free_text_announces_no_literal() {
    let server = "* PREAUTH hi\r\n* OK quota is {5}\r\nA1 NO limit {10}\r\nA2 OK fine\r\n";
    let o = plain(|| vec![Action::Send(Command::Noop), Action::Send(Command::Noop)], server);
    assert!(has(&o, "quota is {5}") && has(&o, "limit {10}") && has(&o, "fine"), "{:#?}", o.transcript);
}

#[test]
fn a_literal_beyond_the_limit_is_refused_at_once() {
    // MEM-02, MEM-03, MEM-19
    for (line, error) in [
        ("* 1 FETCH (UID 1 BODY[] {18446744073709551615}\r\nxx", "error: Limit(Body)"),
        ("* LIST () \"/\" {1048577}\r\n", "error: Limit(Literal)"),
    ] {
        let o = plain(|| vec![Action::Send(list())], &format!("* PREAUTH hi\r\n{line}"));
        assert_eq!(last(&o), error);
    }
    let o = plain(
        || vec![Action::Send(list())],
        "* PREAUTH hi\r\n* 1 FETCH (BODY[] {99999999999999999999999}\r\nzz",
    );
    assert!(last(&o).starts_with("error: Peer { rule: \"literal\""), "{}", last(&o));
    let o = plain(std::vec::Vec::new, "* OK [CAPABILITY {100000000}\r\n");
    assert_eq!(last(&o), "error: Limit(Literal)");
}

#[test]
fn lines_without_end_are_cut_where_they_stand() {
    // MEM-06, MEM-07, MEM-18
    let long = "x".repeat(70_000);
    let o = plain(std::vec::Vec::new, &format!("* OK {}", &long[..9_000]));
    assert_eq!(o.transcript, ["error: Limit(Line)"]);
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let server = format!("* PREAUTH hi\r\n* OK {long}");
    let o = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n.min(3000));
    assert_eq!(last(&o), "error: Limit(Line)");
}

#[test]
fn nesting_without_end_costs_one_response_not_the_session() {
    // MEM-11, MEM-12
    let deep = "(".repeat(300);
    let server = format!(
        "* PREAUTH hi\r\n* 1 FETCH (UID 1 BODYSTRUCTURE {deep}\r\n* 2 FETCH (UID 2)\r\nA1 OK done\r\n"
    );
    let o = plain(|| vec![Action::Send(Command::Noop)], &server);
    assert!(has(&o, "NestingTooDeep"), "{:#?}", o.transcript);
    assert!(has(&o, "Abandoned") && has(&o, "Start(2)") && has(&o, "done"), "{:#?}", o.transcript);
}

#[test]
fn too_many_literals_in_one_response() {
    // MEM-10
    let server = format!("* PREAUTH hi\r\n* 1 FETCH (UID 1 FLAGS ({}))\r\n", "{1}\r\nx ".repeat(10_001));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let o = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n);
    assert_eq!(last(&o), "error: Limit(Literals)");
}

#[test]
fn a_search_result_is_streamed_whatever_its_length() {
    // MEM-14 in small
    let numbers: Vec<String> = (1..30_000).map(|n| n.to_string()).collect();
    let server = format!("* PREAUTH hi\r\n* SEARCH {}\r\nA1 OK done\r\n", numbers.join(" "));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let whole = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n);
    let cut = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n.min(1009));
    assert!(whole == cut, "the numbers depend on the cuts");
    let line = whole.transcript.iter().find(|l| l.starts_with("data:")).unwrap();
    assert_eq!(line.matches("Number(").count(), 29_999);
    assert!(line.ends_with("Ok(Number(29999))"));
}

#[test]
fn quirks_of_exchange_do_not_end_a_session() {
    // exchange-online D.2 quirks 1, 12, 15; FR-22, FR-23
    let server = "* OK The Microsoft Exchange IMAP4 service is ready. [UABSADMAUAAyADUAMABDAEEA]\r\n\
        A1 OK [Error=\"x: y\" Auth=0 Proxy=a.b:1993:SSL] done\r\n\
        [COPYUID 55 31 6]\r\n";
    let o = plain(|| vec![Action::Authenticate(xoauth2)], server);
    assert!(has(&o, "Greeting("), "{:#?}", o.transcript);
    let server =
        "* PREAUTH hi\r\nServer Unavailable. 15\r\n* STATUS INBOX (MESSAGES 1) \r\n*\r\n* OK\r\nA1 OK\r\n";
    let o = plain(|| vec![Action::Send(Command::Noop)], server);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("Unrecognised")).count(), 2, "{:#?}", o.transcript);
    assert!(has(&o, "MailboxStatus"), "{:#?}", o.transcript);
    assert!(has(&o, "Completed("), "{:#?}", o.transcript);
}

#[test]
fn the_first_octets_say_whether_it_is_imap() {
    // IS-01, IS-05
    let o = plain(std::vec::Vec::new, "HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(last(&o).starts_with("error: NotImap"), "{}", last(&o));
    let o = plain(std::vec::Vec::new, "* BYE too many connections\r\n");
    assert_eq!(o.transcript, ["error: Bye { text: \"too many connections\" }"]);
    let o = plain(std::vec::Vec::new, "* 5 EXISTS\r\n");
    assert!(last(&o).starts_with("error: NotImap"), "{}", last(&o));
}

#[test]
fn a_reply_to_a_command_that_was_never_given() {
    // IS-03
    for tag in ["zzz", "A2", "a1"] {
        let o = plain(|| vec![Action::Send(Command::Noop)], &format!("* PREAUTH hi\r\n{tag} OK done\r\n"));
        assert_eq!(last(&o), format!("error: UnexpectedTag {{ tag: \"{tag}\" }}"));
    }
}

#[test]
fn goodbye_is_an_error_unless_it_was_asked_for() {
    let o = plain(|| vec![Action::Send(Command::Logout)], "* PREAUTH hi\r\n* BYE bye\r\nA1 OK done\r\n");
    assert_eq!(o.end, Need::Close);
    assert!(!has(&o, "error"), "{:#?}", o.transcript);
    let o = plain(
        || vec![Action::Send(Command::Noop)],
        "* PREAUTH hi\r\n* BYE Session invalidated - AccessTokenExpired\r\n",
    );
    assert_eq!(last(&o), "error: Bye { text: \"Session invalidated - AccessTokenExpired\" }");
}

#[test]
fn idle_ends_when_it_is_told_to() {
    let o = plain(
        || vec![Action::Idle, Action::Send(Command::Noop)],
        "* PREAUTH hi\r\n* 3 EXISTS\r\n+ IDLE accepted, awaiting DONE command.\r\n* 4 EXISTS\r\nA1 OK IDLE completed.\r\nA2 OK x\r\n",
    );
    assert_eq!(sent(&o), "A1 IDLE\r\nDONE\r\nA2 NOOP\r\n");
    assert!(has(&o, "Exists(3)") && has(&o, "Exists(4)"), "{:#?}", o.transcript);
}

#[test]
fn append_waits_for_the_invitation_unless_literals_need_none() {
    let message = || b"Subject: x\r\n\r\nbody\r\n".to_vec();
    let o = plain(
        || vec![Action::Append(message())],
        "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n+ go ahead\r\nA1 OK [APPENDUID 1 2] done\r\n",
    );
    assert_eq!(sent(&o), "A1 APPEND INBOX {20}\r\nSubject: x\r\n\r\nbody\r\n\r\n");
    let o = plain(
        || vec![Action::Append(message())],
        "* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\nA1 OK done\r\n",
    );
    assert_eq!(sent(&o), "A1 APPEND INBOX {20+}\r\nSubject: x\r\n\r\nbody\r\n\r\n");
    let o = plain(|| vec![Action::Append(message())], "* PREAUTH hi\r\nA1 NO [TRYCREATE] no\r\n");
    assert!(has(&o, "TryCreate"), "{:#?}", o.transcript);
    assert_eq!(sent(&o), "A1 APPEND INBOX {20}\r\n");
}

#[test]
fn commands_are_pipelined_and_a_literal_holds_the_queue() {
    let odd = || Command::Create(Mailbox::new("\u{e4}".as_bytes().to_vec()).unwrap());
    let o = plain(|| vec![Action::Send(odd())], "* PREAUTH hi\r\n+ go\r\nA1 OK done\r\n");
    assert_eq!(o.sent, b"A1 CREATE {2}\r\n\xc3\xa4\r\n");
}

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

/// Largest memory that the buffers of a machine may hold while a message of any size goes past.
const BUFFERS: usize = 256 << 10;

#[test]
fn a_message_of_one_gib_comes_in_within_256_kib() {
    use postkey_imap_proto::{Client, Event, Fetch};
    use wire::{InBuf, Machine, Tick};
    const SIZE: u64 = 1 << 30;
    let mut config = Config::new(Security::DangerousPlaintext);
    config.limits.body = SIZE;
    let mut client = Client::new(config);
    let mut input = InBuf::new(config.limits.inbox());
    let piece = vec![b'x'; 60_000];
    let (mut to_come, mut got, mut ended) = (SIZE, 0u64, false);
    input.extend(b"* PREAUTH hi\r\n");
    loop {
        assert!(input.capacity() + client.output().capacity() <= BUFFERS);
        match client.advance(&mut input, Tick::ZERO) {
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Fetch(Fetch::Chunk(octets)) => got += octets.len() as u64,
                Event::Fetch(Fetch::BodyEnd) => ended = true,
                Event::Fetch(Fetch::End) => break,
                Event::Greeting(_) => {
                    client.send(&select()).unwrap();
                    client.send(&fetch()).unwrap();
                }
                _ => {}
            },
            Need::Input => {
                let n = client.output().len();
                client.output().sent(n);
                if got == 0 && to_come == SIZE {
                    input.extend(format!("A1 OK x\r\n* 1 FETCH (UID 1 BODY[] {{{SIZE}}}\r\n").as_bytes());
                }
                let n = (piece.len() as u64).min(to_come);
                input.extend(&piece[..n as usize]);
                to_come -= n;
                if n == 0 {
                    input.extend(b")\r\n");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(ended);
    assert_eq!(got, SIZE);
}

#[test]
fn a_message_of_one_gib_goes_out_within_256_kib() {
    use postkey_imap_proto::{Client, Event};
    use wire::{InBuf, Machine, Tick};
    const SIZE: u64 = 1 << 30;
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    let mut input = InBuf::new(1 << 20);
    let piece = vec![b'x'; 60_000];
    let (mut to_write, mut sent, mut invited) = (SIZE, 0u64, false);
    input.extend(b"* PREAUTH hi\r\n");
    loop {
        assert!(input.capacity() + client.output().capacity() <= BUFFERS);
        match client.advance(&mut input, Tick::ZERO) {
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Greeting(_) => {
                    client
                        .append(Mailbox::INBOX, postkey_imap_proto::types::FlagSet::new(), None, SIZE)
                        .unwrap();
                }
                Event::WantsBody(_) => invited = true,
                Event::Completed(c) => {
                    assert_eq!(c.status.text.as_bytes(), b"stored");
                    break;
                }
                _ => {}
            },
            Need::App => {
                let n = piece.len().min(usize::try_from(to_write).unwrap());
                to_write -= client.write_body(&piece[..n]).unwrap() as u64;
                // The peer takes only some of it at a time.
                let n = client.output().len() / 2;
                client.output().sent(n);
                sent += n as u64;
            }
            Need::Input => {
                let n = client.output().len();
                client.output().sent(n);
                sent += n as u64;
                if !invited {
                    input.extend(b"+ go ahead\r\n");
                } else if to_write == 0 {
                    input.extend(b"A1 OK stored\r\n");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sent, SIZE + "A1 APPEND INBOX {1073741824}\r\n\r\n".len() as u64);
}

/// A client by hand: what a caller does between two octets of the server.
struct ByHand {
    client: postkey_imap_proto::Client,
    input: wire::InBuf,
    now: wire::Tick,
}

impl ByHand {
    fn new() -> Self {
        Self::with(Config::new(Security::DangerousPlaintext))
    }

    fn with(config: Config) -> Self {
        let client = postkey_imap_proto::Client::new(config);
        Self { client, input: wire::InBuf::new(1 << 20), now: wire::Tick::ZERO }
    }

    /// What the server says, and whatever comes of it; the error that ended the connection, if one did.
    fn hear(&mut self, octets: &str) -> Option<postkey_imap_proto::Error> {
        use wire::Machine as _;
        assert_eq!(self.input.extend(octets.as_bytes()), octets.len());
        while self.client.advance(&mut self.input, self.now) == Need::Event {
            if let Err(error) = self.client.event(&self.input).unwrap() {
                return Some(error);
            }
        }
        None
    }

    /// What the driver sends.
    fn sends(&mut self) -> String {
        use wire::Machine as _;
        let _ = self.client.advance(&mut self.input, self.now);
        let out = self.client.output();
        let sent = String::from_utf8(out.pending().to_vec()).unwrap();
        out.sent(sent.len());
        sent
    }

    /// So much time goes by.
    fn later(&mut self, seconds: u64) {
        self.now = wire::Tick::from_millis(self.now.as_millis() + seconds * 1_000);
    }
}

#[test]
fn a_mailbox_is_selected_when_the_last_of_several_selects_succeeds() {
    let named = |name: &'static [u8]| Command::Select {
        mailbox: Mailbox::new(name).unwrap(),
        params: SelectParams::default(),
    };
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.send(&named(b"gone")).unwrap();
    c.client.send(&named(b"there")).unwrap();
    assert_eq!(c.sends(), "A1 SELECT gone\r\nA2 SELECT there\r\n");
    assert_eq!(c.hear("A1 NO no such mailbox\r\nA2 OK [READ-WRITE] done\r\n"), None);
    assert_eq!(c.client.state(), postkey_imap_proto::State::Selected);
    c.client.send(&fetch()).unwrap();
    // And the other way round: RFC 3501 section 6.3.1.
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.send(&named(b"there")).unwrap();
    c.client.send(&named(b"gone")).unwrap();
    c.sends();
    assert_eq!(c.hear("A1 OK done\r\nA2 NO no such mailbox\r\n"), None);
    assert_eq!(c.client.state(), postkey_imap_proto::State::Authenticated);
}

#[test]
fn a_reply_to_a_command_that_still_waits_to_be_sent() {
    let mut c = ByHand::with(Config::new(Security::StartTls));
    assert_eq!(c.hear("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"), None);
    c.client.starttls().unwrap();
    c.client.send(&Command::Noop).unwrap();
    assert_eq!(c.sends(), "A1 STARTTLS\r\n");
    let error = c.hear("A2 OK done already\r\n").unwrap();
    assert_eq!(error, postkey_imap_proto::Error::UnexpectedTag { tag: "A2".into() });
}

#[test]
fn nothing_is_said_before_the_greeting() {
    let mut c = ByHand::new();
    c.client.send(&Command::Capability).unwrap();
    assert_eq!(c.sends(), "");
    assert_eq!(c.hear("* OK hi\r\n"), None);
    assert_eq!(c.sends(), "A1 CAPABILITY\r\n");
}

#[test]
fn no_body_before_sign_in_is_longer_than_any_other_literal() {
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK hi\r\n"), None);
    let error = c.hear("* 1 FETCH (BODY[] {4097}\r\n").unwrap();
    assert_eq!(error, postkey_imap_proto::Error::Limit(wire::Limit::Literal));
}

#[test]
fn bodies_before_sign_in_count_as_all_else_does() {
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK hi\r\n"), None);
    let body = format!("* 1 FETCH (BODY[] {{4000}}\r\n{})\r\n", "x".repeat(4000));
    let error = (0..20).find_map(|_| c.hear(&body)).unwrap();
    assert_eq!(error, postkey_imap_proto::Error::Limit(wire::Limit::PreAuthTotal));
}

#[test]
fn the_invitation_to_idle_invites_nothing_else() {
    // DONE before the server listens; a literal must wait for an invitation of its own.
    let odd = Command::Create(Mailbox::new("\u{e4}".as_bytes().to_vec()).unwrap());
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.idle().unwrap();
    assert_eq!(c.sends(), "A1 IDLE\r\n");
    c.client.done().unwrap();
    c.client.send(&odd).unwrap();
    let mut sent = c.sends();
    assert_eq!(c.hear("+ idling\r\n"), None);
    sent += &c.sends();
    assert!(!sent.contains('\u{e4}'), "{sent}");
    assert_eq!(c.hear("A1 OK done\r\n"), None);
    sent += &c.sends();
    assert_eq!(sent, "DONE\r\nA2 CREATE {2}\r\n");
    assert_eq!(c.hear("+ go\r\n"), None);
    assert_eq!(c.sends(), "\u{e4}\r\n");
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
fn what_cannot_be_understood_shows_no_credential() {
    // LG-02, LG-03: in a line of no known kind, in one that is broken, and where an error cuts one short.
    for line in [
        format!("* XECHO you said {TOKEN} to me"),
        format!("* LIST ( broken {TOKEN}"),
        format!("* 1 FETCH (UID 0 {TOKEN})"),
        format!("* 1 FETCH (UID 1 FLAGS \"{TOKEN}\")"),
        format!("Server Unavailable. 15 {TOKEN}"),
    ] {
        let server = format!("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n{line}\r\nA1 NO no\r\n");
        let o = plain(|| vec![Action::Authenticate(xoauth2)], &server);
        let all = o.transcript.join("\n");
        for piece in TOKEN.as_bytes().windows(8) {
            let decimal = format!("{piece:?}");
            let decimal = decimal.trim_matches(['[', ']']);
            assert!(
                !all.contains(std::str::from_utf8(piece).unwrap()) && !all.contains(decimal),
                "{line}: {all}"
            );
        }
        assert!(has(&o, "Completed"), "{all}");
    }
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    for before in 0..64 {
        let before = "x".repeat(before);
        let server =
            format!("* OK hi\r\n* 1 FETCH ({before}hunter2 X {{99999999999999999999999}}\r\nA1 NO no\r\n");
        let o = plain(|| vec![Action::Send(login())], &server);
        assert!(last(&o).starts_with("error: Peer"), "{:#?}", o.transcript);
        assert!(!last(&o).contains("hunt"), "{}", last(&o));
    }
}

#[test]
fn half_a_token_in_an_error_challenge_is_blotted_out() {
    // LG-03
    let json = format!("{{\"status\":\"401\",\"scope\":\"{}\"}}", &TOKEN[5..40]);
    let server = format!(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ {}\r\nA1 NO no\r\n",
        sasl::base64::encode(json.as_bytes())
    );
    let o = plain(|| vec![Action::Authenticate(xoauth2)], &server);
    assert!(has(&o, "status: \"401\"") && !has(&o, &TOKEN[5..13]), "{:#?}", o.transcript);
}

#[test]
fn the_arguments_of_a_command_nobody_knows_are_shown_in_no_log() {
    use postkey_imap_proto::types::{Atom, RawArguments};
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    let arguments = RawArguments::new(&b"ana hunter2"[..]).unwrap();
    c.client.send(&Command::Unknown { name: Atom::new("XLOGIN").unwrap(), arguments }).unwrap();
    let _ = c.client.advance(&mut c.input, c.now);
    let out = c.client.output();
    assert_eq!(out.redacted(out.len()), b"A1 XLOGIN [redacted]\r\n");
    assert_eq!(c.sends(), "A1 XLOGIN ana hunter2\r\n");
}

#[test]
fn enable_comes_before_any_mailbox_is_selected() {
    // RFC 5161 section 3.1
    use postkey_imap_proto::types::Capability;
    let enable = || Command::Enable(vec![Capability::CondStore]);
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    assert!(c.client.send(&enable()).is_ok());
    c.client.send(&select()).unwrap();
    assert_eq!(c.client.send(&enable()), Err(postkey_imap_proto::Misuse::State));
    c.client.send(&Command::Close).unwrap();
    assert_eq!(c.client.send(&enable()), Err(postkey_imap_proto::Misuse::State));
    assert_eq!(c.sends(), "A1 ENABLE CONDSTORE\r\nA2 SELECT INBOX\r\nA3 CLOSE\r\n");
}

#[test]
fn nothing_of_a_message_goes_out_when_the_connection_is_over() {
    use postkey_imap_proto::Misuse;
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.append(Mailbox::INBOX, Default::default(), None, 20).unwrap();
    c.sends();
    assert_eq!(c.hear("+ go\r\n"), None);
    assert_eq!(c.client.write_body(b"0123456789"), Ok(10));
    c.sends();
    assert!(c.hear("* BYE too long a day\r\n").is_some());
    assert_eq!(c.client.write_body(b"0123456789"), Err(Misuse::Over));
    let mut idle = ByHand::new();
    assert_eq!(idle.hear("* PREAUTH hi\r\n"), None);
    idle.client.idle().unwrap();
    idle.sends();
    assert!(idle.hear("* BYE too long a day\r\n").is_some());
    assert_eq!(idle.client.done(), Err(Misuse::Over));
    assert!(c.client.output().is_empty() && idle.client.output().is_empty());
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
