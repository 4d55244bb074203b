//! Bodies of the grammar's fuzz targets: what is read can be written, and reads as the same again.

use alloc::vec::Vec;

use wire::line;

use crate::grammar::{
    Fragment, capability, command, drop_listing, language, reply, scan_listing, unique_id_listing,
    write_command, write_entry, write_reply,
};
use crate::types::{Command, Entry, Invalid, Reply, Timestamp};

/// A command line in one piece, as the peer sees it.
///
/// # Errors
/// As [`write_command`].
pub(super) fn wire_form(command: &Command) -> Result<Vec<u8>, Invalid> {
    let mut octets = Vec::new();
    for fragment in write_command(command)? {
        match fragment {
            Fragment::Bytes(bytes) => octets.extend(bytes),
            Fragment::Secret(secret) => octets.extend_from_slice(secret.expose()),
        }
    }
    Ok(octets)
}

/// Reads octets as everything a client can read.
///
/// # Panics
/// When something that was read and written again reads as something else.
pub fn fuzz_reply(data: &[u8]) {
    if let Ok(first) = reply(data) {
        Timestamp::find(&first.text);
        let mut wire = Vec::new();
        if write_reply(&first, &mut wire).is_ok() {
            assert_eq!(
                reply(line::content(&wire)).as_ref(),
                Ok(&first),
                "written as {}",
                wire.escape_ascii()
            );
        } else {
            assert!(wire.is_empty(), "what cannot be said leaves nothing behind");
        }
        if let Ok(listing) = drop_listing(first.text.as_bytes()) {
            assert_eq!(Reply::of_drop(&listing).drop_listing(), Ok(listing));
        }
    }
    again(data, |l| scan_listing(l).map(Entry::Scan).ok());
    again(data, |l| unique_id_listing(l).map(Entry::UniqueId).ok());
    again(data, |l| capability(l).map(Entry::Capability).ok());
    again(data, |l| language(l).map(Entry::Language).ok());
}

fn again(data: &[u8], read: fn(&[u8]) -> Option<Entry<'_>>) {
    let Some(first) = read(data) else { return };
    let mut wire = Vec::new();
    if write_entry(&first, &mut wire).is_ok() {
        let content = line::content(&wire);
        let content = if content.starts_with(b".") { content.get(1..).unwrap_or_default() } else { content };
        assert_eq!(read(content).as_ref(), Some(&first), "written as {}", wire.escape_ascii());
    } else {
        assert!(wire.is_empty(), "what cannot be said leaves nothing behind");
    }
}

/// Reads octets as everything a server can read.
///
/// # Panics
/// When a command that was read and written again reads as something else.
pub fn fuzz_command(data: &[u8]) {
    let Ok(first) = command(data) else { return };
    if let Ok(wire) = wire_form(&first) {
        assert_eq!(wire.iter().filter(|o| **o == b'\n').count(), 1, "one command is one line");
        assert_eq!(command(line::content(&wire)), Ok(first), "written as {}", wire.escape_ascii());
    }
}
