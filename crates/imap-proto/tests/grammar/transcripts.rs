//! Every line of the recorded sessions is understood, and says the same when it is written again.

use std::fs;
use std::path::{Path, PathBuf};

use postkey_imap_proto::grammar::{ParseLimits, command, greeting, response};
use postkey_imap_proto::testkit::{fuzz_command, fuzz_response};
use postkey_imap_proto::types::{Capability, Command, FetchData, Response};

#[derive(Clone, Copy, PartialEq, Debug)]
enum From {
    Server,
    ServerNoise,
    Client,
}

/// The frames of a session; see the README beside them.
fn frames(path: &Path) -> Vec<(From, Vec<u8>)> {
    let text = fs::read_to_string(path).unwrap();
    let mut frames: Vec<(From, Vec<u8>)> = Vec::new();
    let mut wanted = 0;
    let mut open = false;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (from, rest) = match line.split_at(3) {
            ("S: ", rest) => (From::Server, rest),
            ("S? ", rest) => (From::ServerNoise, rest),
            ("C: ", rest) => (From::Client, rest),
            _ => panic!("{line:?}"),
        };
        if !open {
            frames.push((from, Vec::new()));
            wanted = 0;
        }
        let frame = &mut frames.last_mut().unwrap().1;
        frame.extend_from_slice(rest.as_bytes());
        frame.extend_from_slice(b"\r\n");
        open = frame.len() < wanted;
        if !open {
            // A status response announces nothing, and APPEND's message is not part of its frame.
            let announced =
                rest.strip_suffix('}').and_then(|r| r.rsplit_once('{')).and_then(|(_, n)| n.parse().ok());
            if let (Some(n), From::Server, true) = (announced, from, rest.starts_with("* ") || wanted > 0) {
                let n: usize = n;
                wanted = frame.len() + n + 1;
                open = true;
            }
        }
    }
    assert!(!open, "{path:?} ends inside a literal");
    frames
}

fn sessions() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files = Vec::new();
    for server in fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        files.extend(fs::read_dir(server).unwrap().map(|e| e.unwrap().path()));
    }
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

#[test]
fn every_line_is_understood() {
    for path in sessions() {
        for (i, (from, frame)) in frames(&path).into_iter().enumerate() {
            let shown = frame.escape_ascii();
            match from {
                From::Client => {
                    let (_, value) =
                        command(&frame, ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {shown}"));
                    assert!(!matches!(value, Command::Unknown { .. }), "{shown}");
                    fuzz_command(&frame);
                }
                From::Server | From::ServerNoise => {
                    let value =
                        response(&frame, ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {shown}"));
                    let unrecognised = matches!(value, Response::Unrecognised(_));
                    assert_eq!(unrecognised, from == From::ServerNoise, "{shown}");
                    fuzz_response(&frame);
                    if i == 0 {
                        greeting(&frame).unwrap();
                    }
                }
            }
        }
    }
}

/// What the lines of Exchange Online say, in one session.
#[test]
fn exchange_online() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/exchange-online/session.txt");
    let frames = frames(&root);
    let responses = || {
        frames
            .iter()
            .filter(|(from, _)| *from == From::Server)
            .map(|(_, frame)| response(frame, ParseLimits::DEFAULT).unwrap())
    };
    let capabilities = responses().find_map(|r| match r {
        Response::Capability(c) => Some(c),
        _ => None,
    });
    let capabilities = capabilities.unwrap();
    for has in [Capability::SaslIr, Capability::LoginDisabled, Capability::Move, Capability::LiteralPlus] {
        assert!(capabilities.has(&has), "{has:?}");
    }
    assert!(capabilities.has_auth("XOAUTH2") && !capabilities.has(&Capability::CondStore));

    let names: Vec<_> = responses()
        .filter_map(|r| match r {
            Response::List(entry) => Some(entry.mailbox.decoded().unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["INBOX", "Archive", "Deleted Items", "Attività", "Hell\"oh", ""]);

    let bodies: Vec<_> = responses()
        .filter_map(|r| match r {
            Response::Fetch(fetch) => fetch.items.into_iter().rev().find_map(|item| match item {
                FetchData::Body { name, data, .. } => Some((name.is_full(), data.map(|d| d.into_owned()))),
                _ => None,
            }),
            _ => None,
        })
        .collect();
    let message = b"From: a@contoso.example\r\nSubject: {3}\r\n\r\nhello\r\n".to_vec();
    assert_eq!(bodies, [(true, Some(message)), (true, Some(vec![])), (true, None)]);
}
