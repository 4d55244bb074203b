//! Character classes of RFC 3501 section 9, one table look-up each.

const ATOM: u8 = 1;
const ASTRING: u8 = 1 << 1;
const TAG: u8 = 1 << 2;
const LIST: u8 = 1 << 3;
const QUOTED: u8 = 1 << 4;
const BASE64: u8 = 1 << 5;

const fn class_of(octet: u8) -> u8 {
    let mut class = 0;
    let ctl = octet < 0x20 || octet == 0x7f;
    let ascii = octet < 0x80;
    let special = matches!(octet, b'(' | b')' | b'{' | b' ' | b'"' | b'\\');
    let wildcard = matches!(octet, b'%' | b'*');
    let bracket = octet == b']';
    if ascii && !ctl && !special {
        class |= LIST;
        if !wildcard {
            class |= ASTRING;
            if !bracket {
                class |= ATOM;
            }
            if octet != b'+' {
                class |= TAG;
            }
        }
    }
    if ascii && !matches!(octet, 0 | b'\r' | b'\n' | b'"' | b'\\') {
        class |= QUOTED;
    }
    if octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=') {
        class |= BASE64;
    }
    class
}

const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet: u8 = 255;
    loop {
        #[allow(
            clippy::indexing_slicing,
            reason = "a u8 is always inside 256 entries; evaluated at compile time"
        )]
        {
            table[octet as usize] = class_of(octet);
        }
        if octet == 0 {
            return table;
        }
        octet -= 1;
    }
}

static CLASSES: [u8; 256] = table();

#[inline]
fn is(octet: u8, class: u8) -> bool {
    CLASSES.get(usize::from(octet)).is_some_and(|c| c & class != 0)
}

/// `ATOM-CHAR = <any CHAR except atom-specials>`
#[inline]
pub(crate) fn is_atom_char(octet: u8) -> bool {
    is(octet, ATOM)
}

/// `ASTRING-CHAR = ATOM-CHAR / resp-specials`
#[inline]
pub(crate) fn is_astring_char(octet: u8) -> bool {
    is(octet, ASTRING)
}

/// `tag = 1*<any ASTRING-CHAR except "+">`
#[inline]
pub(crate) fn is_tag_char(octet: u8) -> bool {
    is(octet, TAG)
}

/// `list-char = ATOM-CHAR / list-wildcards / resp-specials`
#[inline]
pub(crate) fn is_list_char(octet: u8) -> bool {
    is(octet, LIST)
}

/// What may stand unescaped inside `quoted` when we write it: 7-bit, no NUL, CR, LF, `"` or `\`.
#[inline]
pub(crate) fn is_quoted_char(octet: u8) -> bool {
    is(octet, QUOTED)
}

/// `base64-char` and the padding of `base64-terminal`.
#[inline]
pub(crate) fn is_base64_char(octet: u8) -> bool {
    is(octet, BASE64)
}

/// Whether all of it is Base64 as it stands on the wire; `=` alone is an empty message.
pub(crate) fn is_base64(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|&o| is_base64_char(o))
}
