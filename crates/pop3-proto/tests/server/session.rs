//! Whole sessions of our client with our server, over many ways of cutting and delaying what goes between them.

use std::num::NonZeroU32;

use postkey_pop3_proto::testkit::{Action, ScriptedClient, generators};
use postkey_pop3_proto::types::{Command, Digest, Lang, LanguageTag, Name, Password};
use postkey_pop3_proto::{Config, InitialResponse, Security};
use proptest::prelude::*;
use wire::testkit::{PairOptions, pair};

use crate::app::{App, DIGEST, TOKEN};

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn xoauth2() -> Action {
    Action::Authenticate(Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap()))
}

fn commands() -> Vec<Command> {
    vec![
        Command::Stat,
        Command::List(None),
        Command::List(Some(number(2))),
        Command::Uidl(None),
        Command::Uidl(Some(number(3))),
        Command::Retr(number(1)),
        Command::Top { number: number(2), lines: 1 },
        Command::Retr(number(3)),
        Command::Retr(number(9)),
        Command::Dele(number(1)),
        Command::Dele(number(1)),
        Command::Rset,
        Command::Noop,
        Command::Lang(Lang::Tag(LanguageTag::new("de").unwrap())),
    ]
}

/// More than fits the pipe and both buffers.
fn big() -> Vec<u8> {
    (0..300_000u32).map(|n| b"..cdefgh\r\n"[(n % 10) as usize]).collect()
}

/// Pieces of streamed data joined, because how they are cut means nothing.
fn joined(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    for line in lines {
        match (line.strip_prefix("data:"), out.last_mut()) {
            (Some(more), Some(last)) if last.starts_with("data:") => last.push_str(more),
            _ => out.push(line),
        }
    }
    out
}

fn session(options: PairOptions, pipelining: bool) -> (Vec<String>, Vec<String>) {
    let mut config = Config::new(Security::StartTls);
    config.initial_response = if pipelining { InitialResponse::WhenShort } else { InitialResponse::Never };
    let mut script = vec![Action::Send(Command::Capa), Action::Stls, Action::Send(Command::Capa), xoauth2()];
    script.push(Action::Together(commands()));
    script.push(Action::Send(Command::Quit));
    let mut client = ScriptedClient::with_config(config, script);
    let mut app = App::new(Security::StartTls);
    app.pipelining = pipelining;
    app.messages.push(big());
    let mut server = app.start();
    let (client, server) = pair(&mut client, &mut server, options);
    (joined(client), server)
}

#[test]
fn every_way_of_cutting_gives_the_same_session() {
    for pipelining in [false, true] {
        let (client, server) = session(PairOptions::default(), pipelining);
        assert!(!client.iter().chain(&server).any(|l| l.contains(TOKEN)));
        assert!(!client.iter().chain(&server).any(|l| l.starts_with("error")), "{client:#?} {server:#?}");
        let body = client.iter().find(|l| l.len() > 100_000).unwrap();
        assert_eq!(body["data:".len()..], big().escape_ascii().to_string());
        assert!(client.last().unwrap().contains("signing off"), "{client:#?}");
        assert_eq!(client.iter().filter(|l| l.starts_with("entry: Scan")).count(), 3);
        assert_eq!(client.iter().filter(|l| l.contains("no such message")).count(), 2);
        for seed in 0..12 {
            let options =
                PairOptions { seed, pipe: 1 + (seed as usize) * 97, chunk: 1 + (seed as usize) * 31 };
            let (c, s) = session(options, pipelining);
            assert!(c == client, "the client's side depends on the cuts (seed {seed})");
            assert!(s == server, "the server's side depends on the cuts (seed {seed})");
        }
    }
}

#[test]
fn every_way_of_signing_in() {
    let name = || Name::new("ana").unwrap();
    let login =
        |secret: &str| Action::Login(name(), Password::new(secret.as_bytes().to_vec().into()).unwrap());
    let apop = |digest: &str| Action::Apop(name(), Digest::new(&digest.into()).unwrap());
    for (action, good) in [
        (login(TOKEN), true),
        (login("wrong"), false),
        (apop(DIGEST), true),
        (apop("00000000000000000000000000000000"), false),
        (xoauth2(), true),
    ] {
        let mut client = ScriptedClient::new(Security::Tls, [action, Action::Send(Command::Stat)]);
        let mut server = App::new(Security::Tls).start();
        let (c, _) = pair(&mut client, &mut server, PairOptions { seed: 7, pipe: 9, chunk: 5 });
        assert_eq!(c.iter().any(|l| l.contains("\"2 47\"")), good, "{c:#?}");
        assert_eq!(c.iter().any(|l| l == "gives Err(State)"), !good, "{c:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_stored_is_what_is_retrieved(messages in prop::collection::vec(generators::message(), 1..6), seed in any::<u64>()) {
        let mut app = App::new(Security::Tls);
        app.messages = messages.clone();
        let all = (1..=messages.len()).map(|n| Command::Retr(number(u32::try_from(n).unwrap()))).collect();
        let script = [xoauth2(), Action::Send(Command::Capa), Action::Together(all)];
        let mut client = ScriptedClient::new(Security::Tls, script);
        let (c, _) = pair(&mut client, &mut app.start(), PairOptions { seed, pipe: 64, chunk: 16 });
        let mut bodies: Vec<String> = vec![];
        for line in &joined(c) {
            if line.starts_with("MultiStart") {
                bodies.push(String::new());
            }
            if let (Some(data), Some(body)) = (line.strip_prefix("data:"), bodies.last_mut()) {
                body.push_str(data);
            }
        }
        let expected: Vec<String> = messages
            .into_iter()
            .map(|mut m| {
                if !m.is_empty() && !m.ends_with(b"\r\n") {
                    m.extend_from_slice(b"\r\n");
                }
                m.escape_ascii().to_string()
            })
            .collect();
        // The first is CAPA's.
        prop_assert_eq!(&bodies[1..], &expected[..]);
    }

    #[test]
    fn any_operations_in_any_order_leave_both_sides_in_step(
        commands in prop::collection::vec(generators::command(), 0..20),
        together in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut script = vec![xoauth2(), Action::Send(Command::Capa)];
        if together {
            script.push(Action::Together(commands));
        } else {
            script.extend(commands.into_iter().map(Action::Send));
        }
        script.push(Action::Send(Command::Quit));
        let mut client = ScriptedClient::new(Security::Tls, script);
        let mut server = App::new(Security::Tls).start();
        let (c, s) = pair(&mut client, &mut server, PairOptions { seed, pipe: 50, chunk: 20 });
        let given = c.iter().filter(|l| l.starts_with("gives Ok")).count();
        let ended = c.iter().filter(|l| l.starts_with("Completed(") || l.starts_with("End(")).count();
        prop_assert_eq!(given, ended, "every command ends once: {:#?}", c);
        prop_assert!(!c.iter().chain(&s).any(|l| l.starts_with("error") || l.contains("BadCommand")), "{:#?} {:#?}", c, s);
    }
}
