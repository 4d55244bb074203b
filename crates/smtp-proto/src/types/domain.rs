//! Domains, address literals, and the name a client gives itself.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

use super::invalid::{Invalid, InvalidKind, check};

/// Longest domain, in octets (RFC 5321 section 4.5.3.1.2).
const DOMAIN: usize = 255;

/// A domain or an address literal in ASCII (RFC 5321 sections 2.3.5 and 4.1.3): what follows EHLO, HELO and LHLO, and what a server
/// calls itself.
///
/// It holds no space, no line end and no other octet that could end the command (INJ-12).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EhloName(String);

impl EhloName {
    /// A domain (`mail.example`) or an address literal (`[192.0.2.1]`, `[IPv6:2001:db8::1]`).
    ///
    /// # Errors
    /// [`Invalid`] for anything else. Underscores are let through: hosts are called like that.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        let name = name.into();
        check_domain("EHLO name", &name, false)?;
        Ok(Self(name))
    }

    /// The address literal of an address.
    pub fn address(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(a) => format!("[{a}]"),
            IpAddr::V6(a) => format!("[IPv6:{a}]"),
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EhloName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// ```text
/// Domain          = sub-domain *("." sub-domain)
/// sub-domain      = Let-dig [Ldh-str]          ; RFC 6531: / U-label
/// address-literal = "[" 1*dcontent "]"
/// ```
pub(super) fn check_domain(what: &'static str, name: &str, utf8: bool) -> Result<(), Invalid> {
    if let Some(rest) = name.strip_prefix('[') {
        let Some(literal) = rest.strip_suffix(']') else { return Err(Invalid::syntax(what)) };
        return check(what, literal, DOMAIN, |c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '/' | '%')
        });
    }
    check(what, name, DOMAIN, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (utf8 && is_word(c))
    })?;
    let bad = |label: &str| label.is_empty() || label.starts_with('-') || label.ends_with('-');
    if name.split('.').any(bad) { Err(Invalid::new(what, InvalidKind::Syntax)) } else { Ok(()) }
}

/// A character outside ASCII that can stand in an address: nothing that is invisible, a space or a kind of line end.
pub(super) fn is_word(c: char) -> bool {
    let hidden = c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_ascii() && !hidden
}
