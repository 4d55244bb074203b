//! Every command that can be written arrives, and everything the server can say is understood, machine to machine.

use std::num::NonZeroU32;

use postkey_imap_proto::grammar::{Encoder, Fragment, write_command};
use postkey_imap_proto::server::{Config, Event as Heard, Server};
use postkey_imap_proto::testkit::generators::{command, fetch_response, response, tag};
use postkey_imap_proto::types::{
    Command, FetchData, FetchResponse, Response, StatusKind, StatusResponse, Tag, Text,
};
use postkey_imap_proto::{Client, Event, Fetch, Security, State};
use proptest::prelude::*;
use wire::testkit::Rng;
use wire::{InBuf, Machine as _, Need, Tick};

/// A server in the state that a command needs.
fn server_for(command: &Command<'_>) -> Server {
    let mut server = Server::new(Config::new(Security::DangerousPlaintext));
    let stranger = State::NotAuthenticated.allows(command);
    let kind = if stranger { StatusKind::Ok } else { StatusKind::PreAuth };
    server.greet(&StatusResponse::untagged(kind, Text::default())).unwrap();
    if !stranger && !State::Authenticated.allows(command) {
        let mut input = InBuf::new(1 << 20);
        input.extend(b"s SELECT INBOX\r\n");
        assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
        server.event(&input).unwrap().unwrap();
        server.complete(StatusKind::Ok, None, "").unwrap();
        assert_eq!(server.state(), State::Selected);
    }
    let n = server.output().len();
    server.output().sent(n);
    server
}

/// A command as octets, literals announced one way or the other, and how many of them must be asked for.
fn octets(tag: &Tag<'_>, command: &Command<'_>, rng: &mut Rng) -> Option<(Vec<u8>, usize)> {
    let mut encoder = Encoder::new();
    write_command(tag, command, &mut encoder).ok()?;
    let (mut out, mut asked) = (vec![], 0);
    let mut literal = |octets: &[u8], out: &mut Vec<u8>| {
        let rush = rng.size(2) == 1;
        asked += usize::from(!rush);
        out.extend(format!("{{{}{}}}\r\n", octets.len(), if rush { "+" } else { "" }).as_bytes());
        out.extend(octets);
    };
    for fragment in encoder.into_fragments() {
        match fragment {
            Fragment::Bytes(o) => out.extend(o),
            Fragment::Secret(o) => out.extend(o.expose()),
            Fragment::Literal(o) => literal(&o, &mut out),
            Fragment::SecretLiteral(o) => literal(o.expose(), &mut out),
        }
    }
    Some((out, asked))
}

/// What the server makes of octets that arrive in pieces: the first event as a command, then the next one's tag.
fn hear(server: &mut Server, octets: &[u8], rng: &mut Rng) -> (Tag<'static>, Command<'static>, Vec<u8>) {
    let mut input = InBuf::new(server.inbox());
    let mut rest = octets;
    loop {
        match server.advance(&mut input, Tick::ZERO) {
            Need::Event => break,
            Need::Input => {
                let n = rng.size(rest.len().min(50));
                input.extend(&rest[..n]);
                rest = &rest[n..];
            }
            other => panic!("{other:?}"),
        }
    }
    let heard = match server.event(&input).unwrap().unwrap() {
        Heard::Command { tag, command } => (tag.into_owned(), command.into_owned()),
        Heard::StartTls { tag } => (tag.into_owned(), Command::StartTls),
        Heard::Idle { tag } => (tag.into_owned(), Command::Idle),
        // Their arguments are looked at elsewhere: what matters here is that the command ends where it ends.
        Heard::Authenticate { tag, mechanism, initial } => (
            tag.into_owned(),
            Command::Authenticate {
                mechanism: mechanism.into_owned(),
                initial: initial.then(Default::default),
            },
        ),
        Heard::Append { tag, mailbox, flags, date, len, binary } => (
            tag.into_owned(),
            Command::Append {
                mailbox: mailbox.into_owned(),
                flags: flags.into_owned(),
                date,
                literal: postkey_imap_proto::types::AppendLiteral { len, sync: false, binary },
            },
        ),
        other => panic!("{other:?} of {}", octets.escape_ascii()),
    };
    let n = server.output().len();
    let said = server.output().pending().to_vec();
    server.output().sent(n);
    server.complete(StatusKind::No, None, "").unwrap();
    assert!(matches!(server.advance(&mut input, Tick::ZERO), Need::Input | Need::Event));
    input.extend(rest);
    if matches!(server.advance(&mut input, Tick::ZERO), Need::Event) {
        match server.event(&input).unwrap().unwrap() {
            Heard::Command { tag, command } => assert_eq!((tag.as_str(), command.name()), ("end", "NOOP")),
            other => panic!("{other:?} instead of the next command, behind {}", octets.escape_ascii()),
        }
        return (heard.0, heard.1, said);
    }
    panic!("the next command does not come, behind {}", octets.escape_ascii());
}

/// What an event does not tell, taken out.
fn comparable(command: Command<'static>) -> Command<'static> {
    match command {
        Command::Authenticate { mechanism, initial } => {
            Command::Authenticate { mechanism, initial: initial.map(|_| Default::default()) }
        }
        Command::Append { mailbox, flags, date, mut literal } => {
            literal.sync = false;
            Command::Append { mailbox, flags, date, literal }
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_command_arrives_and_ends_where_it_ends(tag in tag(), command in command(), seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let mut command = command;
        let mut message = vec![];
        if let Command::Append { literal, .. } = &mut command {
            literal.len %= 200;
            message = b"x LOGOUT\r\n".repeat(20)[..literal.len as usize].to_vec();
            message.extend(b"\r\n");
            if literal.sync {
                // Refused, it is not sent.
                message.clear();
            }
        }
        let Some((mut text, asked)) = octets(&tag, &command, &mut rng) else { return Ok(()) };
        text.extend(message);
        text.extend(b"end NOOP\r\n");
        let (heard_tag, heard, said) = hear(&mut server_for(&command), &text, &mut rng);
        prop_assert_eq!(heard_tag, tag);
        prop_assert_eq!(comparable(heard), comparable(command));
        let asks = String::from_utf8(said).unwrap();
        prop_assert_eq!(asks, "+ Ready for literal data\r\n".repeat(asked));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn our_client_understands_what_our_server_says(
        responses in prop::collection::vec(response(), 1..6), seed in any::<u64>()
    ) {
        let mut server = server_for(&Command::Namespace);
        let mut said = vec![];
        for response in responses {
            let plain = !matches!(
                response,
                Response::Status(_) | Response::Continue(_) | Response::Fetch(_) | Response::Search(_)
                    | Response::Unrecognised(_)
            );
            if plain && server.untagged(&response).is_ok() {
                said.push(response);
            }
        }
        let heard = listen(server.output().pending(), seed);
        prop_assert_eq!(heard, said);
    }

    #[test]
    fn fetch_data_arrives_with_its_bodies(fetches in prop::collection::vec(fetch_response(), 1..4), seed in any::<u64>()) {
        let mut server = server_for(&Command::Namespace);
        let mut said = vec![];
        for FetchResponse { seq, items } in fetches {
            server.fetch_start(seq).unwrap();
            let mut written = vec![];
            for item in items {
                let done = match &item {
                    FetchData::Body { name, origin, data: Some(data) } => {
                        server.fetch_body(name, *origin, data.len() as u64).map(|()| {
                            for octet in data.iter() {
                                assert_eq!(server.write_body(&[*octet]), Ok(1));
                            }
                        })
                    }
                    _ => server.fetch_item(&item),
                };
                if done.is_ok() {
                    written.push(item);
                }
            }
            if written.is_empty() {
                server.fetch_item(&FetchData::Uid(NonZeroU32::MIN)).unwrap();
                written.push(FetchData::Uid(NonZeroU32::MIN));
            }
            server.fetch_end().unwrap();
            said.push(Response::Fetch(FetchResponse { seq, items: written }));
        }
        let heard = listen(server.output().pending(), seed);
        prop_assert_eq!(heard, said);
    }
}

/// What our client hears when it gets these octets in pieces.
fn listen(octets: &[u8], seed: u64) -> Vec<Response<'static>> {
    let mut rng = Rng::new(seed);
    let mut client = Client::new(postkey_imap_proto::Config::new(Security::Tls));
    let mut input = InBuf::new(1 << 20);
    input.extend(b"* PREAUTH hello\r\n");
    let mut rest = octets;
    let mut heard = vec![];
    let mut fetch = FetchResponse { seq: NonZeroU32::MIN, items: vec![] };
    let mut body = vec![];
    loop {
        match client.advance(&mut input, Tick::ZERO) {
            Need::App => {
                client.send(&Command::Noop).unwrap();
            }
            Need::Input if rest.is_empty() => return heard,
            Need::Input => {
                let n = rng.size(rest.len().min(100));
                input.extend(&rest[..n]);
                rest = &rest[n..];
            }
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Greeting(_) => {}
                Event::Data(data) => heard.push(data.into_owned()),
                Event::Fetch(Fetch::Start(seq)) => fetch.seq = NonZeroU32::new(seq).unwrap(),
                Event::Fetch(Fetch::Item(item)) => fetch.items.push(item.into_owned()),
                Event::Fetch(Fetch::Body { name, origin, .. }) => {
                    fetch.items.push(FetchData::Body { name: name.into_owned(), origin, data: None });
                }
                Event::Fetch(Fetch::Chunk(octets)) => body.extend(octets),
                Event::Fetch(Fetch::BodyEnd) => {
                    if let Some(FetchData::Body { data, .. }) = fetch.items.last_mut() {
                        *data = Some(std::mem::take(&mut body).into());
                    }
                }
                Event::Fetch(Fetch::End) => {
                    let items = std::mem::take(&mut fetch.items);
                    heard.push(Response::Fetch(FetchResponse { seq: fetch.seq, items }));
                }
                other => panic!("{other:?} in {}", octets.escape_ascii()),
            },
            other => panic!("{other:?}"),
        }
    }
}
