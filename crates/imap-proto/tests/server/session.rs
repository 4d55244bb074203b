//! A whole session of our client with our server, over many ways of cutting and delaying what goes between them.

use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::{
    Command, FetchItem, FetchItems, ListPattern, Mailbox, SelectParams, SequenceSet,
};
use postkey_imap_proto::{InitialResponse, Security};
use wire::testkit::{PairOptions, pair};

use crate::app::{App, MESSAGE, TOKEN};

fn script() -> Vec<Action> {
    vec![
        Action::Send(Command::Capability),
        Action::StartTls,
        Action::Send(Command::Capability),
        Action::Authenticate(sasl::testkit::client(sasl::xoauth2::NAME, TOKEN)),
        Action::Send(Command::List {
            reference: Mailbox::new(&b""[..]).unwrap(),
            pattern: ListPattern::new(&b"*"[..]).unwrap(),
        }),
        Action::Send(Command::Select { mailbox: Mailbox::INBOX, params: SelectParams::default() }),
        Action::Send(Command::Fetch {
            uid: true,
            set: SequenceSet::all(),
            items: FetchItems::List(vec![FetchItem::Flags, FetchItem::PEEK_FULL]),
            changed_since: None,
        }),
        Action::Append(big()),
        Action::Idle,
        Action::Send(Command::Logout),
    ]
}

/// More than fits the pipe and both buffers.
fn big() -> Vec<u8> {
    (0..300_000u32).map(|n| b"abcdefgh\r\n"[(n % 10) as usize]).collect()
}

fn session(options: PairOptions, initial: InitialResponse) -> (Vec<String>, Vec<String>) {
    let mut config = postkey_imap_proto::Config::new(Security::StartTls);
    config.initial_response = initial;
    let mut client = ScriptedClient::with_config(config, script());
    let mut server = App::new(Security::StartTls).start();
    pair(&mut client, &mut server, options)
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

#[test]
fn a_whole_session_is_the_same_over_fifty_seeds() {
    let mut first = None;
    for seed in 0..50 {
        let options = match seed % 3 {
            0 => PairOptions { seed, ..PairOptions::default() },
            1 => PairOptions { seed, pipe: 64, chunk: 50 },
            _ => PairOptions { seed, pipe: 5_000, chunk: 2_000 },
        };
        let (client, server) = session(options, InitialResponse::Advertised);
        let (client, server) = (joined(client), joined(server));
        let starts = [
            "a",
            "STARTTLS",
            "Capability",
            "AUTHENTICATE XOAUTH2 initial=true",
            "Bearer",
            "sign-in: Ok(())",
            "List",
            "Select",
            "Fetch",
            "APPEND",
            "data:",
            "message complete",
            "IDLE",
            "DONE",
            "Logout",
        ];
        assert_eq!(server.len(), starts.len(), "{server:#?}");
        for (line, start) in server.iter().zip(starts).skip(1) {
            assert!(line.contains(start), "{line} is not {start}");
        }
        assert_eq!(server[10], format!("data:{}", big().escape_ascii()), "the message came as it went");
        let body = format!("data:{}", MESSAGE.escape_ascii());
        assert!(client.contains(&body), "{client:#?}");
        assert!(!client.iter().any(|l| l.contains(TOKEN) || l.starts_with("error")), "{client:#?}");
        let both = (client, server);
        assert_eq!(first.get_or_insert_with(|| both.clone()), &both, "seed {seed}");
    }
}

#[test]
fn the_client_that_waits_to_be_asked_gets_in_as_well() {
    let (_, server) = session(PairOptions { seed: 7, pipe: 64, chunk: 10 }, InitialResponse::Never);
    assert!(server.iter().any(|l| l.ends_with("AUTHENTICATE XOAUTH2 initial=false")), "{server:#?}");
    assert!(server.iter().any(|l| l == "sign-in: Ok(())"));
    assert!(server.last().unwrap().ends_with("Logout"));
}
