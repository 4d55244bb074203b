//! ```text
//! line = [.] *CHAR CRLF      ; RFC 1939 section 3: a dot in front of a dot
//! ```

use alloc::vec::Vec;

use super::{REPLY_LINE, write_capability, write_language, write_scan_listing, write_unique_id_listing};
use crate::types::{Entry, Invalid, InvalidKind};

/// Appends a line of a listing with its CRLF, the dot in front of a dot included.
///
/// # Errors
/// [`InvalidKind::TooLong`] over [`REPLY_LINE`], [`InvalidKind::Empty`] for a line without octets.
pub fn write_entry(entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<(), Invalid> {
    let start = out.len();
    match entry {
        Entry::Scan(scan) => write_scan_listing(scan, out),
        Entry::UniqueId(id) => write_unique_id_listing(id, out),
        Entry::Capability(capability) => write_capability(capability, out),
        Entry::Language(language) => write_language(language, out),
    }
    if out.get(start) == Some(&b'.') {
        out.insert(start, b'.');
    }
    out.extend_from_slice(b"\r\n");
    let kind = match out.len().saturating_sub(start) {
        2 => InvalidKind::Empty,
        len if len > REPLY_LINE => InvalidKind::TooLong { max: REPLY_LINE },
        _ => return Ok(()),
    };
    out.truncate(start);
    Err(Invalid::new("line of a listing", kind))
}
