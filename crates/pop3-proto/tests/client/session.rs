//! Whole sessions: order, pipelining, QUIT.

use crate::{TOKEN, clear, has, inside, last, login, number, password, retr, send, sent, turns};
use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::{Command, Digest, Name};
use postkey_pop3_proto::{Client, Config, Misuse, Security};
use wire::testkit::{check, run};
use wire::{InBuf, Machine as _, Need, Tick};

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
