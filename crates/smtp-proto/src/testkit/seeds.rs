//! What the fuzz targets start from is understood, and dialogues get to their end.

use alloc::string::String;

use wire::testkit::seeds;

use super::{client, fuzz_command, fuzz_reply, server};
use crate::grammar::{command, reply};

#[test]
fn every_reply_is_read() {
    for (name, octets) in seeds("smtp_reply") {
        assert!(reply(&octets).is_ok(), "{name}: {:?}", reply(&octets));
        fuzz_reply(&octets);
    }
}

#[test]
fn every_command_is_read() {
    for (name, octets) in seeds("smtp_command") {
        assert!(command(&octets).is_ok(), "{name}: {:?}", command(&octets));
        fuzz_command(&octets);
    }
}

#[test]
fn every_client_comes_to_quit() {
    for (name, octets) in seeds("smtp_client") {
        let transcript = client::play(&octets);
        assert!(!transcript.iter().any(|l| l.starts_with("error")), "{name}: {transcript:#?}");
        assert!(transcript.last().unwrap().contains("QUIT 221"), "{name}: {transcript:#?}");
    }
}

#[test]
fn every_server_comes_to_quit_and_takes_no_two_for_one() {
    let mut messages = 0;
    for (name, octets) in seeds("smtp_server") {
        let (transcript, accepted) = server::play(&octets);
        assert_eq!(transcript.last().map(String::as_str), Some("Quit"), "{name}: {transcript:#?}");
        assert!(accepted.len() <= usize::from(!name.starts_with("hostile")), "{name}: {transcript:#?}");
        messages += accepted.len();
    }
    assert!(messages >= 8, "{messages} of them are messages that are taken");
}
