//! Bodies of the grammar's fuzz targets: what is read can be written, and reads as the same again.

use alloc::vec::Vec;

use crate::grammar::{
    Encoder, FetchStep, ParseError, ParseLimits, SearchNumbers, command, fetch_item, fetch_prefix, greeting,
    is_idle_done, response, search_prefix, write_command, write_response,
};
use crate::types::{FetchData, FetchResponse, Response};

/// Reads octets as everything a client can read.
///
/// # Panics
/// When a response that was read and written again reads as something else.
pub fn fuzz_response(data: &[u8]) {
    let limits = ParseLimits::DEFAULT;
    let _ = greeting(data);
    if let Ok(rest) = search_prefix(data) {
        SearchNumbers::new(rest).for_each(drop);
    }
    let streamed = fetch_all(data, limits);
    let Ok(first) = response(data, limits) else { return };
    assert_eq!(first, first.clone().into_owned(), "an owned copy is the same");
    if let Response::Fetch(whole) = &first {
        assert_eq!(streamed.as_ref(), Ok(whole), "item by item it reads as it does whole");
    }
    let mut e = Encoder::new();
    if write_response(&first, &mut e).is_ok() {
        let wire = e.into_wire();
        assert_eq!(response(&wire, limits).as_ref(), Ok(&first), "written as {}", wire.escape_ascii());
    } else {
        assert!(e.is_empty(), "what cannot be said leaves nothing behind");
    }
}

/// A FETCH response by way of the functions for streams.
fn fetch_all(data: &[u8], limits: ParseLimits) -> Result<FetchResponse<'_>, ParseError> {
    let (seq, mut rest) = fetch_prefix(data)?;
    let mut items: Vec<FetchData<'_>> = Vec::new();
    loop {
        let (step, left) = fetch_item(rest, limits)?;
        assert!(left.len() < rest.len(), "every step goes forward");
        rest = left;
        match step {
            FetchStep::Item(item) => items.push(item),
            FetchStep::Body { .. } => assert!(rest.is_empty(), "a body that is not in the slice ends it"),
            FetchStep::End => return Ok(FetchResponse { seq, items }),
        }
    }
}

/// Reads octets as everything a server can read.
///
/// # Panics
/// When a command that was read and written again reads as something else.
pub fn fuzz_command(data: &[u8]) {
    let limits = ParseLimits::DEFAULT;
    is_idle_done(data);
    let Ok((tag, first)) = command(data, limits) else { return };
    assert_eq!(first, first.clone().into_owned(), "an owned copy is the same");
    let mut e = Encoder::new();
    if write_command(&tag, &first, &mut e).is_ok() {
        let wire = e.into_wire();
        assert_eq!(command(&wire, limits), Ok((tag, first)), "written as {}", wire.escape_ascii());
    } else {
        assert!(e.is_empty(), "what cannot be said leaves nothing behind");
    }
}
