//! ```text
//! drop-listing      = nn SP octets *CHAR              ; RFC 1939 section 5, STAT
//! scan-listing      = msg-number SP octets *CHAR      ; RFC 1939 section 5, LIST
//! unique-id-listing = msg-number SP unique-id         ; RFC 1939 section 7, UIDL
//! unique-id         = 1*70(%x21-7E)
//! ```

use alloc::format;
use alloc::vec::Vec;

use super::error::{ParseError, ParseErrorKind};
use super::number::Words;
use crate::types::{DropListing, InvalidKind, Reply, ScanListing, UniqueId, UniqueIdListing};

/// Reads the text of STAT's reply. What follows the two numbers is ignored, as RFC 1939 allows.
///
/// # Errors
/// [`ParseError`] when there are no two numbers, or they do not fit.
pub fn drop_listing(text: &[u8]) -> Result<DropListing, ParseError> {
    let mut words = Words::new("drop-listing", text);
    Ok(DropListing { messages: words.number32()?, octets: words.number()? })
}

/// Appends the text of STAT's reply.
pub fn write_drop_listing(listing: &DropListing, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{} {}", listing.messages, listing.octets).as_bytes());
}

/// Reads a line of LIST, or the text of the reply about one message. What follows the two numbers is ignored.
///
/// # Errors
/// [`ParseError`] when there are no two numbers, or they do not fit, or the first is 0.
pub fn scan_listing(line: &[u8]) -> Result<ScanListing, ParseError> {
    let mut words = Words::new("scan-listing", line);
    Ok(ScanListing { number: words.message()?, octets: words.number()? })
}

/// Appends a scan listing, without a line end.
pub fn write_scan_listing(listing: &ScanListing, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{} {}", listing.number, listing.octets).as_bytes());
}

/// Reads a line of UIDL, or the text of the reply about one message.
///
/// # Errors
/// [`ParseError`] when it is not a message number and one unique-id of at most 70 printable octets.
pub fn unique_id_listing(line: &[u8]) -> Result<UniqueIdListing<'_>, ParseError> {
    let mut words = Words::new("unique-id-listing", line);
    let number = words.message()?;
    let word = words.word()?;
    let start = words.rest().len().saturating_add(word.len());
    let at = |offset: usize, kind| {
        let start = line.len().saturating_sub(start);
        ParseError::new("unique-id", start.saturating_add(offset), kind)
    };
    let id = match word.iter().position(|o| !o.is_ascii_graphic()) {
        Some(offset) => return Err(at(offset, ParseErrorKind::Syntax)),
        None => core::str::from_utf8(word).map_err(|e| at(e.valid_up_to(), ParseErrorKind::Syntax))?,
    };
    let id = UniqueId::new(id).map_err(|e| match e.kind() {
        InvalidKind::TooLong { max } => at(0, ParseErrorKind::TooLong { max }),
        _ => at(0, ParseErrorKind::Syntax),
    })?;
    words.end()?;
    Ok(UniqueIdListing { number, id })
}

/// Appends a unique-id listing, without a line end.
pub fn write_unique_id_listing(listing: &UniqueIdListing<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{} {}", listing.number, listing.id.as_str()).as_bytes());
}

impl Reply<'_> {
    /// The reply to STAT.
    pub fn of_drop(listing: &DropListing) -> Reply<'static> {
        let mut text = Vec::new();
        write_drop_listing(listing, &mut text);
        Reply::of(text)
    }

    /// The reply to LIST about one message.
    pub fn of_scan(listing: &ScanListing) -> Reply<'static> {
        let mut text = Vec::new();
        write_scan_listing(listing, &mut text);
        Reply::of(text)
    }

    /// The reply to UIDL about one message.
    pub fn of_unique_id(listing: &UniqueIdListing<'_>) -> Reply<'static> {
        let mut text = Vec::new();
        write_unique_id_listing(listing, &mut text);
        Reply::of(text)
    }

    /// What STAT says.
    ///
    /// # Errors
    /// [`ParseError`]
    pub fn drop_listing(&self) -> Result<DropListing, ParseError> {
        drop_listing(self.text.as_bytes())
    }

    /// What LIST says about one message.
    ///
    /// # Errors
    /// [`ParseError`]
    pub fn scan_listing(&self) -> Result<ScanListing, ParseError> {
        scan_listing(self.text.as_bytes())
    }

    /// What UIDL says about one message.
    ///
    /// # Errors
    /// [`ParseError`]
    pub fn unique_id_listing(&self) -> Result<UniqueIdListing<'_>, ParseError> {
        unique_id_listing(self.text.as_bytes())
    }
}
