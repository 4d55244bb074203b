//! Key and value pairs of the bearer mechanisms (RFC 7628 section 3.1).
//!
//! ```text
//! kvsep       = %x01
//! key         = 1*(ALPHA)
//! value       = *(VCHAR / SP / HTAB / CR / LF )
//! kvpair      = key "=" value kvsep
//! client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
//! ```
//!
//! An XOAUTH2 message is `*kvpair kvsep` without the header.

use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::{Error, Field, credential};

const KVSEP: u8 = 1;

/// Joins the parts of a message in one allocation, so that no half-built copy of a secret is left behind.
pub(crate) fn concat(parts: &[&str]) -> SecretBytes {
    let mut message = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        message.extend_from_slice(part.as_bytes());
    }
    SecretBytes::new(message)
}

/// The values of the known keys; unknown keys are ignored as the RFC demands.
#[derive(Default)]
pub(crate) struct Pairs<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) auth: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<&'a str>,
}

/// Reads `*kvpair kvsep`. A known key given twice is refused: two readers could disagree about which counts.
pub(crate) fn parse(input: &[u8]) -> Result<Pairs<'_>, Error> {
    let mut pairs = Pairs::default();
    let body = input.strip_suffix(&[KVSEP]).ok_or(Error::MalformedResponse)?;
    if body.is_empty() {
        return Ok(pairs);
    }
    let body = body.strip_suffix(&[KVSEP]).ok_or(Error::MalformedResponse)?;
    for pair in body.split(|octet| *octet == KVSEP) {
        let pair = core::str::from_utf8(pair).map_err(|_| Error::MalformedResponse)?;
        let (key, value) = pair.split_once('=').ok_or(Error::MalformedResponse)?;
        if key.is_empty() || !key.bytes().all(|octet| octet.is_ascii_alphabetic()) {
            return Err(Error::MalformedResponse);
        }
        let known = match key {
            "user" => &mut pairs.user,
            "auth" => &mut pairs.auth,
            "host" => &mut pairs.host,
            "port" => &mut pairs.port,
            _ => continue,
        };
        if known.replace(value).is_some() {
            return Err(Error::MalformedResponse);
        }
    }
    Ok(pairs)
}

/// Reads the value of `auth`: a case-insensitive `Bearer`, spaces, and a token. An empty value, or a scheme
/// without a token, is a question for the scope (RFC 7628 section 4.3) and gives an empty token.
pub(crate) fn parse_bearer(value: &str) -> Result<Secret, Error> {
    if value.is_empty() {
        return Ok(Secret::default());
    }
    let (scheme, token) = value.split_once(' ').ok_or(Error::MalformedResponse)?;
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::MalformedResponse);
    }
    if !token.is_empty() {
        credential::check_printable(Field::Token, token).map_err(|_| Error::MalformedResponse)?;
    }
    Ok(Secret::from(token))
}
