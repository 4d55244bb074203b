//! What the fuzz targets start from is understood, and dialogues get to their end.

use alloc::string::String;

use wire::testkit::seeds;

use super::{client, fuzz_command, fuzz_reply, server};
use crate::grammar::{capability, command, language, reply, scan_listing, unique_id_listing};

#[test]
fn every_reply_is_read() {
    for (name, octets) in seeds("pop3_reply") {
        let as_entry = scan_listing(&octets).is_ok()
            || unique_id_listing(&octets).is_ok()
            || capability(&octets).is_ok()
            || language(&octets).is_ok();
        assert!(reply(&octets).is_ok() || as_entry, "{name}: {}", octets.escape_ascii());
        fuzz_reply(&octets);
    }
}

#[test]
fn every_command_is_read() {
    for (name, octets) in seeds("pop3_command") {
        assert!(command(&octets).is_ok(), "{name}: {:?}", command(&octets));
        fuzz_command(&octets);
    }
}

#[test]
fn every_client_comes_to_quit() {
    for (name, octets) in seeds("pop3_client") {
        let transcript = client::play(&octets);
        let wrong = |l: &String| l.starts_with("error") || l.starts_with("malformed");
        assert!(!transcript.iter().any(wrong), "{name}: {transcript:#?}");
        let last = transcript.last().unwrap();
        assert!(last.starts_with("Completed(") && last.contains("signing off"), "{name}: {transcript:#?}");
    }
}

#[test]
fn every_server_comes_to_quit_or_refuses() {
    for (name, octets) in seeds("pop3_server") {
        let log = server::play(&octets);
        let quits = log.last().is_some_and(|l| l == "Some(Ok(Command(Quit)))");
        assert_eq!(quits, !name.starts_with("hostile"), "{name}: {log:#?}");
    }
}
