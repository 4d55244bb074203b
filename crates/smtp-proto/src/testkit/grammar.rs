//! Fuzz bodies of the parsers.

use alloc::string::String;

use crate::grammar::{command, reply, write_command, write_reply};
use crate::types::{Capabilities, Command};

/// Any octets as one line of a client: what can be read can be written, and reads as what it was.
///
/// # Panics
/// When it does not.
pub fn fuzz_command(data: &[u8]) {
    let Ok(mut read) = command(data) else { return };
    if let Command::Auth { initial, .. } = &mut read {
        // The writer leaves it to its caller.
        *initial = None;
    }
    let mut line = String::new();
    assert!(write_command(&read, &mut line).is_ok(), "a string takes everything");
    assert_eq!(line.matches(['\r', '\n']).count(), 2, "one command became another number of lines: {line:?}");
    assert_eq!(command(line.as_bytes()).as_ref(), Ok(&read), "{line:?}");
}

/// Any octets as one reply of a server: as [`fuzz_command`].
///
/// # Panics
/// When it does not read as what it was.
pub fn fuzz_reply(data: &[u8]) {
    let Ok(read) = reply(data) else { return };
    let mut text = String::new();
    assert!(write_reply(&read, &mut text).is_ok(), "a string takes everything");
    assert_eq!(text.matches("\r\n").count(), read.lines().count(), "{text:?}");
    assert_eq!(reply(text.as_bytes()).as_ref(), Ok(&read), "{text:?}");
    let capabilities = Capabilities::from_reply(&read);
    assert_eq!(Capabilities::from_reply(&capabilities.to_reply()), capabilities);
}
