//! `postkey fetch --protocol pop3` from the sandbox.

use std::path::Path;

use sandbox::{ANA, PUBLIC_APP, Pop3Fault, RequestKind};

use crate::support::*;

/// A world with the account `pop`, signed in.
fn pop() -> World {
    let world = World::new();
    world.configure(&format!(
        "{}[accounts.pop.pop3]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\n",
        world.account("pop", "device", PUBLIC_APP),
        world.sandbox.ports().pop3s,
        world.home.path("ca.pem").display(),
    ));
    world.sign_in("pop");
    world
}

/// What POP3 keeps of a message: it has lines, each of which ends by CRLF, the last one as well.
fn lines(octets: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = octets.iter().peekable();
    while let Some(octet) = rest.next() {
        match octet {
            b'\r' => {
                rest.next_if_eq(&&b'\n');
                kept.push(b'\n');
            }
            octet => kept.push(*octet),
        }
    }
    if kept.last().is_some_and(|last| *last != b'\n') {
        kept.push(b'\n');
    }
    kept
}

fn on_disk(maildir: &Path) -> Vec<Vec<u8>> {
    let all = ["cur", "new"].iter().flat_map(|sub| files(&maildir.join(sub)));
    let mut found: Vec<Vec<u8>> = all.map(|path| lines(&std::fs::read(path).unwrap())).collect();
    found.sort();
    found
}

fn on_server(world: &World) -> Vec<Vec<u8>> {
    let mailbox = world.sandbox.mailbox(ANA).unwrap();
    let (_, uids) = mailbox.uids("INBOX").unwrap();
    let mut found: Vec<Vec<u8>> =
        uids.into_iter().map(|uid| lines(&mailbox.message("INBOX", uid).unwrap().unwrap().octets)).collect();
    found.sort();
    found
}

const FETCH: [&str; 6] = ["fetch", "pop", "--protocol", "pop3", "--to", "maildir:Mail"];

/// RFC 6856: what a server would hold back from a client that has not asked for UTF-8.
#[test]
fn messages_with_utf_8_in_their_headers_come_as_they_are() {
    let world = pop();
    world.sandbox.inject_pop3(Pop3Fault::NeedsUtf8);
    let message =
        "Subject: Gr\u{fc}\u{df}e \u{1f4ee}\r\nFrom: J\u{f6}rg <j\u{f6}rg@x.example>\r\n\r\n\u{e9}\r\n";
    world.sandbox.mailbox(ANA).unwrap().deliver("INBOX", 1_790_000_000, message.as_bytes()).unwrap();
    world.run(&FETCH).code(0);
    let disk = on_disk(&world.home.path("Mail"));
    assert!(disk == on_server(&world), "what is on disk differs");
    assert!(disk.contains(&lines(message.as_bytes())));
}

#[test]
fn the_inbox_is_downloaded_once_and_kept() {
    let world = pop();
    let there = on_server(&world);
    assert!(!there.is_empty());
    world.run(&FETCH).code(0);
    assert!(on_disk(&world.home.path("Mail")) == there, "what is on disk differs");
    let again = world.run(&[&FETCH[..], &["--keep", "--json"]].concat()).code(0).json();
    assert_eq!((again["stored"].as_u64(), again["complete"].as_bool()), (Some(0), Some(true)));
    assert_eq!(again["folders"][0]["already"].as_u64(), Some(there.len() as u64));
    world
        .sandbox
        .mailbox(ANA)
        .unwrap()
        .deliver("INBOX", 1_790_000_000, b"Subject: new\r\n\r\n.\r\n..\r\n")
        .unwrap();
    world.run(&FETCH).code(0);
    assert!(on_disk(&world.home.path("Mail")) == on_server(&world), "what is on disk differs");
}

#[test]
fn messages_are_deleted_only_when_that_is_asked_for_and_due() {
    let world = pop();
    let there = on_server(&world);
    // Seen for the first time: not due for thirty days.
    let report = world.run(&[&FETCH[..], &["--delete-after", "30", "--json"]].concat()).code(0).json();
    assert_eq!(report["folders"][0]["deleted"], 0);
    assert!(on_server(&world) == there);
    let ran = world.run(&[&FETCH[..], &["--delete-after", "0"]].concat()).code(0);
    assert!(ran.stdout.contains("deleted from the server"), "{}", ran.stdout);
    assert!(on_server(&world).is_empty());
    assert!(on_disk(&world.home.path("Mail")) == there, "everything is still here");
}

#[test]
fn a_session_that_breaks_is_gone_on_with() {
    let world = pop();
    world.sandbox.inject_pop3(Pop3Fault::ResetInBody(200));
    world.run(&FETCH).code(0);
    assert!(on_disk(&world.home.path("Mail")) == on_server(&world), "what is on disk differs");
    assert!(world.sandbox.requests(RequestKind::Pop3Connection) >= 2);
}

#[test]
fn what_belongs_to_the_other_protocol_is_a_2_and_a_sign_in_that_is_not_for_it_a_10() {
    let world = pop();
    for args in [
        &["fetch", "--to", "maildir:M", "--delete-after", "3"][..],
        &["fetch", "--to", "maildir:M", "--protocol", "pop3", "--folder", "INBOX"],
        &["fetch", "--to", "maildir:M", "--protocol", "pop3", "--since", "2026-01-01"],
        &["fetch", "--to", "maildir:M", "--protocol", "pop3", "--delete-after", "3", "--keep"],
        &["fetch", "--to", "maildir:M", "--protocol", "pop3", "--delete-after", "3", "--no-fsync"],
    ] {
        world.run(args).code(2);
    }
    let ran = world.run(&["fetch", "ana", "--protocol", "pop3", "--to", "maildir:M"]).code(10);
    ran.says(&["not for pop3", "protocols = [\"imap\", \"pop3\"]"]);
}
