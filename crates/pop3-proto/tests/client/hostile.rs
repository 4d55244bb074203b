//! Servers that break the rules, and callers that do.

use crate::{TOKEN, clear, has, inside, last, login, number, password, retr, send, sent};
use postkey_pop3_proto::testkit::ScriptedClient;
use postkey_pop3_proto::types::{Command, Digest, Invalid, Name, Password};
use postkey_pop3_proto::{Client, Config, Misuse, Security};
use wire::testkit::{check, run};
use wire::{InBuf, Machine as _, Need, Tick};

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

#[test]
fn the_caller_s_own_time_is_not_the_server_s() {
    let at = |seconds: u64| Tick::from_millis(seconds * 1_000);
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    let mut input = InBuf::new(1 << 16);
    let hear = |client: &mut Client, input: &mut InBuf, octets: &[u8], now| {
        input.extend(octets);
        assert_eq!(client.advance(input, now), Need::Event);
        client.event(input).unwrap().map(|_| ())
    };
    let ana = Name::new("ana").unwrap();
    // Each sign-in has its own time, and what is between them is the caller's.
    hear(&mut client, &mut input, b"+OK hi\r\n", at(0)).unwrap();
    client.login(&ana, &password("expired")).unwrap();
    assert_eq!(client.advance(&mut input, at(0)), Need::Input);
    hear(&mut client, &mut input, b"-ERR no\r\n", at(40)).unwrap();
    client.login(&ana, &password("fresh")).unwrap();
    assert_eq!(client.advance(&mut input, at(100)), Need::Input);
    assert_eq!(client.deadline(), Some(at(160)));
    input.extend(b"+OK\r\n");
    assert_eq!(client.advance(&mut input, at(100)), Need::Input);
    hear(&mut client, &mut input, b"+OK locked\r\n", at(100)).unwrap();
    // Between two commands, and while it holds octets of a message.
    for n in [1_000, 2_000] {
        client.send(&retr(1)).unwrap();
        assert_eq!(client.advance(&mut input, at(n)), Need::Input);
        hear(&mut client, &mut input, b"+OK\r\nabc\r\n", at(n)).unwrap();
        hear(&mut client, &mut input, b"", at(n)).unwrap();
        assert_eq!(client.advance(&mut input, at(n + 500)), Need::Input);
        hear(&mut client, &mut input, b".\r\n", at(n + 500)).unwrap();
    }
    // A server that says no more has had its time all the same.
    client.send(&retr(1)).unwrap();
    assert_eq!(client.advance(&mut input, at(3_000)), Need::Input);
    hear(&mut client, &mut input, b"+OK\r\n", at(3_000)).unwrap();
    assert_eq!(client.advance(&mut input, at(3_500)), Need::Input);
    let error = hear(&mut client, &mut input, b"", at(3_560)).unwrap_err();
    assert_eq!(error.to_string(), "the server stopped answering");
}
