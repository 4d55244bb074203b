//! xtext (RFC 3461 section 4).
//!
//! ```text
//! xtext   = *( xchar / hexchar )
//! xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
//! hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Whether the octet stands for itself.
pub(crate) fn is_xchar(c: u8) -> bool {
    matches!(c, b'!'..=b'~' if !matches!(c, b'+' | b'='))
}

/// Encodes.
pub(crate) fn write_xtext(text: &str, out: &mut dyn Write) -> fmt::Result {
    for c in text.bytes() {
        if is_xchar(c) {
            out.write_char(char::from(c))?;
        } else {
            write!(out, "+{c:02X}")?;
        }
    }
    Ok(())
}

/// Decodes; lower-case digits are let through. `None` when it is no xtext, or none of UTF-8.
pub(crate) fn xtext(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(c) = octets.next() {
        if c == b'+' {
            let (high, low) = (hex(octets.next()?)?, hex(octets.next()?)?);
            out.push(high << 4 | low);
        } else if is_xchar(c) {
            out.push(c);
        } else {
            return None;
        }
    }
    String::from_utf8(out).ok()
}

fn hex(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok())
}
