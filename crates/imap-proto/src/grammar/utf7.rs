//! Modified UTF-7 for mailbox names (RFC 3501 section 5.1.3).
//!
//! Printable US-ASCII stands for itself, `&` is `&-`, everything else is UTF-16BE in a Base64 that uses `,`
//! for `/`, without padding, between `&` and `-`.

use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

fn is_direct(c: char) -> bool {
    matches!(c, ' '..='~')
}

/// Encodes a Unicode name.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u16> = Vec::new();
    for c in name.chars() {
        if is_direct(c) {
            shift(&mut shifted, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            shifted.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    shift(&mut shifted, &mut out);
    out
}

/// Writes what is waiting as one Base64 run.
fn shift(units: &mut Vec<u16>, out: &mut String) {
    if units.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut count) = (0u32, 0u32);
    for unit in units.drain(..) {
        // At most 5 bits are left over, so 21 bits are in use here.
        bits = (bits << 16) | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push_sextet(bits >> count, out);
        }
    }
    if count > 0 {
        push_sextet(bits << (6 - count), out);
    }
    out.push('-');
}

fn push_sextet(value: u32, out: &mut String) {
    if let Some(&c) = ALPHABET.get((value & 0x3f) as usize) {
        out.push(char::from(c));
    }
}

fn sextet(octet: u8) -> Option<u32> {
    let value = match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b',' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Decodes a name; `None` unless the octets are exactly what [`encode`] makes of the result.
///
/// So two different wire names never decode to the same text.
pub(crate) fn decode(octets: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'&' {
            let c = char::from(first);
            if !is_direct(c) {
                return None;
            }
            out.push(c);
            continue;
        }
        let end = rest.iter().position(|&o| o == b'-')?;
        let run = rest.get(..end)?;
        rest = rest.get(end + 1..)?;
        if run.is_empty() {
            out.push('&');
            continue;
        }
        let (mut bits, mut count) = (0u32, 0u32);
        let mut units = Vec::with_capacity(run.len() * 3 / 8 + 1);
        for &octet in run {
            bits = ((bits << 6) | sextet(octet)?) & 0x3f_ffff;
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push((bits >> count) as u16);
            }
        }
        for c in char::decode_utf16(units) {
            out.push(c.ok()?);
        }
    }
    // Odd bits, needless shifts and shifted printable characters all show up as a different spelling.
    (encode(&out).as_bytes() == octets).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3501 section 5.1.3, and names Exchange Online really has.
    #[test]
    fn known_answers() {
        for (wire, name) in [
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("&AMk-l&AOk-ments envoy&AOk-s", "Éléments envoyés"),
            ("A&-B", "A&B"),
            ("&-", "&"),
            ("&2D3eAA-", "\u{1F600}"),
            ("INBOX", "INBOX"),
            ("", ""),
            ("Tab&AAk-", "Tab\t"),
        ] {
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name), "{wire}");
            assert_eq!(encode(name), wire);
        }
    }

    /// FS-04, FS-03: every malformed or second spelling keeps its octets.
    #[test]
    fn malformed_has_no_unicode_name() {
        for wire in [
            "&",
            "&A",
            "&A-",
            "&!!!-",
            "&2AA-",
            "&3gA-",
            "&AGE-",
            "a&",
            "&&-",
            "&AOk",
            "&AOkA-",
            "&AOl-",
            "&AOn-",
            "&AMk-&AOk-",
            "&-&",
            "&AOk=-",
            "&U/BTFw-",
        ] {
            assert_eq!(decode(wire.as_bytes()), None, "{wire}");
        }
        assert_eq!(decode(b"caf\xe9"), None);
        assert_eq!(decode("café".as_bytes()), None);
        assert_eq!(decode(b"a\tb"), None);
    }

    proptest::proptest! {
        #[test]
        fn encode_then_decode(name: String) {
            proptest::prop_assert_eq!(decode(encode(&name).as_bytes()), Some(name));
        }

        #[test]
        fn decode_then_encode(wire in "[ -~&&[^&]]{0,4}(&[A-Za-z0-9+,]{0,9}-?[a-z]{0,2}){0,3}") {
            if let Some(name) = decode(wire.as_bytes()) {
                proptest::prop_assert_eq!(encode(&name), wire);
            }
        }
    }
}
