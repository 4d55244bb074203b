//! Random values for codes, tokens and identifiers.

use base64ct::{Base64UrlUnpadded, Encoding};

/// `N` random octets from the operating system's generator.
pub(crate) fn octets<const N: usize>() -> [u8; N] {
    let mut out = [0u8; N];
    fill(&mut out);
    out
}

fn fill(out: &mut [u8]) {
    // A failing system generator leaves nothing sensible to go on with; this is a test server on loopback.
    aws_lc_rs::rand::fill(out).expect("the system's random generator works");
}

/// `n` random octets as base64url without padding.
pub(crate) fn base64url(n: usize) -> String {
    let mut out = vec![0u8; n];
    fill(&mut out);
    Base64UrlUnpadded::encode_string(&out)
}

/// A code a person types: `n` characters without those that are easily mistaken or spell words.
pub(crate) fn user_code(n: usize) -> String {
    const ALPHABET: &[u8; 24] = b"BCDFGHJKLMNPQRSTVWXZ2469";
    let mut out = vec![0u8; n];
    fill(&mut out);
    out.iter().map(|b| char::from(ALPHABET[usize::from(*b) % ALPHABET.len()])).collect()
}
