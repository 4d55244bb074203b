//! Our client with our server, over many ways of cutting and delaying what goes between them.

use postkey_smtp_proto::testkit::generators::dots_and_line_ends;
use postkey_smtp_proto::testkit::{Action, App, Message, Running, ScriptedClient};
use postkey_smtp_proto::types::*;
use postkey_smtp_proto::{BareNewline, Config, Dialect, Security};
use wire::testkit::{PairOptions, pair};

const TOKEN: &str = "canary-5ecre7-canary";

fn address(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn message(to: &[&str], octets: &[u8], transfer: Transfer, partial: Partial) -> Message {
    let mut envelope = Envelope::new(address("ana@contoso.example"), to.iter().map(|t| address(t)));
    envelope.partial = partial;
    let body = Body { transfer, size: Some(octets.len() as u64), bare_newline: BareNewline::Normalise };
    Message { envelope, body, octets: octets.to_vec(), cut: 0 }
}

/// More than fits the pipe and both buffers.
fn big() -> Vec<u8> {
    (0..200_000u32).map(|n| b".bcdefgh\r\n"[(n % 10) as usize]).collect()
}

fn messages() -> Vec<Message> {
    use Partial::{Accept, Refuse};
    use Transfer::{Bdat, Data};
    vec![
        message(&["bo@d.example"], b"one\r\n", Data, Refuse),
        message(&["bo@d.example", "nobody@d.example", "full@d.example"], b"two\r\n", Data, Accept),
        message(&["bo@d.example", "nobody@d.example"], b"never\r\n", Data, Refuse),
        message(&["nobody@d.example"], b"never\r\n", Data, Accept),
        message(&["bo@d.example", "cy@d.example"], &big(), Bdat, Refuse),
        message(&["nobody@d.example"], b"never\r\n", Bdat, Refuse),
        message(&["bo@d.example"], &big(), Data, Refuse),
        message(&["bo@d.example"], b"", Bdat, Refuse),
        message(&["bo@d.example"], b".", Data, Refuse),
    ]
}

fn expected() -> Vec<Vec<u8>> {
    vec![b"one\r\n".to_vec(), b"two\r\n".to_vec(), big(), big(), b"".to_vec(), b".\r\n".to_vec()]
}

fn script() -> Vec<Action> {
    vec![
        Action::Hello,
        Action::StartTls,
        Action::Hello,
        Action::Authenticate(sasl::testkit::client(sasl::xoauth2::NAME, TOKEN)),
        Action::Noop,
        Action::Send(messages()),
        Action::Quit,
    ]
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
fn a_whole_session_is_the_same_over_forty_seeds() {
    for dialect in [Dialect::Smtp, Dialect::Lmtp] {
        for pipelining in [true, false] {
            let mut first = None;
            for seed in 0..10 {
                let options = match seed % 3 {
                    0 => PairOptions { seed, ..PairOptions::default() },
                    1 => PairOptions { seed, pipe: 64, chunk: 50 },
                    _ => PairOptions { seed, pipe: 5_000, chunk: 2_000 },
                };
                let mut config = Config::new(Security::StartTls);
                (config.dialect, config.pipelining) = (dialect, pipelining);
                let mut app = App::new(Security::StartTls);
                app.config.dialect = dialect;
                app.config.require_auth = true;
                let mut client = ScriptedClient::with_config(config, script());
                let mut server = app.start();
                let (c, s) = pair(&mut client, &mut server, options);
                let (c, s) = (joined(c), joined(s));
                assert_eq!(server.messages, expected());
                let count = |what: &str| c.iter().filter(|l| l.contains(what)).count();
                assert_eq!(count("rejected at Recipients: 550 5.1.1"), 3, "{c:#?}");
                match dialect {
                    Dialect::Smtp => assert_eq!(count("accepted: 250 2.0.0"), 6, "{c:#?}"),
                    Dialect::Lmtp => {
                        assert_eq!(count("last=true"), 6, "{c:#?}");
                        assert_eq!(count("recipient 2 last=true: 452 4.2.2 mailbox full"), 1, "{c:#?}");
                    }
                }
                assert!(!c.iter().any(|l| l.contains(TOKEN) || l.starts_with("error")), "{c:#?}");
                assert!(s.iter().any(|l| l == "Quit"), "{s:#?}");
                let both = (c, s);
                assert_eq!(first.get_or_insert_with(|| both.clone()), &both, "seed {seed}");
            }
        }
    }
}

/// Sends one message through both machines; gives back what arrived.
fn through(m: Message, keep: bool) -> (Running, Vec<String>) {
    let mut app = App::new(Security::DangerousPlaintext);
    if keep {
        app.config.newlines = postkey_smtp_proto::server::Newlines::Keep;
    }
    let mut server = app.start();
    let script = [Action::Hello, Action::Send(vec![m]), Action::Quit];
    let mut client = ScriptedClient::new(Security::DangerousPlaintext, script);
    let (c, s) = pair(&mut client, &mut server, PairOptions { seed: 3, pipe: 40, chunk: 9 });
    assert!(s.iter().filter(|l| l.starts_with("Mail ")).count() <= 1, "{s:#?}");
    (server, c)
}

fn canonical(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = octets;
    while let [first, behind @ ..] = rest {
        rest = behind;
        match first {
            b'\r' => {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                out.extend(b"\r\n");
            }
            b'\n' => out.extend(b"\r\n"),
            c => out.push(*c),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend(b"\r\n");
    }
    out
}

#[test]
fn dots_and_line_ends_arrive_unchanged_or_are_refused() {
    // INJ-15, INJ-16: 64 messages by both transfers, whole and cut.
    let mut more = dots_and_line_ends();
    assert_eq!(more.len(), 64);
    more.extend([
        b"".to_vec(),
        b".".to_vec(),
        b"..".to_vec(),
        b".\r\n".to_vec(),
        b"\r\n.\r\n".to_vec(),
        vec![b'x'; 10_000],
    ]);
    for octets in more {
        let canonical = canonical(&octets);
        let is_canonical =
            canonical.strip_suffix(b"\r\n").is_some_and(|c| c == octets) || canonical == octets;
        for transfer in [Transfer::Data, Transfer::Bdat] {
            for cut in [0, 1, 3] {
                for bare_newline in [BareNewline::Normalise, BareNewline::Refuse] {
                    let mut m = message(&["bo@d.example"], &octets, transfer, Partial::Refuse);
                    m.cut = cut;
                    m.body.bare_newline = bare_newline;
                    let (server, c) = through(m, false);
                    let case =
                        format!("{} {transfer:?} {cut} {bare_newline:?}: {c:#?}", octets.escape_ascii());
                    if bare_newline == BareNewline::Normalise || is_canonical {
                        assert_eq!(server.messages, [&canonical[..]], "{case}");
                        assert!(c.iter().any(|l| l.contains("accepted")), "{case}");
                    } else {
                        assert!(server.messages.is_empty(), "{case}");
                        assert!(c.iter().any(|l| l.contains("BareNewline")), "{case}");
                        assert!(!c.iter().any(|l| l.contains("accepted")), "{case}");
                    }
                }
            }
        }
        // What is declared binary arrives as it is.
        let mut m = message(&["bo@d.example"], &octets, Transfer::Bdat, Partial::Refuse);
        m.envelope.params.body = Some(BodyType::BinaryMime);
        assert_eq!(through(m, false).0.messages, [octets]);
    }
}

#[test]
fn an_unwilling_server_gets_nothing_and_the_session_goes_on() {
    for transfer in [Transfer::Data, Transfer::Bdat] {
        let app = App { unwilling: true, ..App::new(Security::DangerousPlaintext) };
        let mut server = app.start();
        let send = || message(&["bo@d.example"], b"x\r\n", transfer, Partial::Refuse);
        let script = [Action::Hello, Action::Send(vec![send(), send()]), Action::Noop, Action::Quit];
        let mut client = ScriptedClient::new(Security::DangerousPlaintext, script);
        let (c, _) = pair(&mut client, &mut server, PairOptions::default());
        assert_eq!(c.iter().filter(|l| l.contains("rejected at Sender: 451 4.3.0")).count(), 2, "{c:#?}");
        assert!(c.iter().any(|l| l.contains("NOOP 250")));
        assert!(server.messages.is_empty());
    }
}
