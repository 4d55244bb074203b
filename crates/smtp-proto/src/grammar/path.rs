//! Paths and mailboxes (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
//!
//! ```text
//! Reverse-path   = Path / "<>"
//! Forward-path   = Path                        ; or "<Postmaster>", section 4.1.1.3
//! Path           = "<" [ A-d-l ":" ] Mailbox ">"
//! A-d-l          = At-domain *( "," At-domain )
//! Mailbox        = Local-part "@" ( Domain / address-literal )
//! Local-part     = Dot-string / Quoted-string
//! Dot-string     = Atom *("."  Atom)
//! Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
//! quoted-pairSMTP = %d92 %d32-126
//! qtextSMTP      = %d32-33 / %d35-91 / %d93-126
//! ```

use alloc::string::String;
use core::fmt::{self, Write};

use super::error::ParseError;
use crate::types::{ForwardPath, Invalid, Mailbox, ReversePath};

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || !c.is_ascii()
        || matches!(
            c,
            '!' | '#'
                | '$'
                | '%'
                | '&'
                | '\''
                | '*'
                | '+'
                | '-'
                | '/'
                | '='
                | '?'
                | '^'
                | '_'
                | '`'
                | '{'
                | '|'
                | '}'
                | '~'
        )
}

fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// `Mailbox`, nothing before or behind it.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, Invalid> {
    const WHAT: &str = "address";
    let Some(quoted) = text.strip_prefix('"') else {
        let Some((local, domain)) = text.rsplit_once('@') else { return Err(Invalid::syntax(WHAT)) };
        // First what can never stand there, so that the error says where.
        let mailbox = Mailbox::new(local, domain)?;
        return if is_dot_string(local) { Ok(mailbox) } else { Err(Invalid::syntax("local part")) };
    };
    let mut local = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next() {
            Some('"') => break,
            Some('\\') => match chars.next() {
                Some(c @ ' '..='~') => local.push(c),
                _ => return Err(Invalid::syntax("local part")),
            },
            Some(c) => local.push(c),
            None => return Err(Invalid::syntax("local part")),
        }
    }
    match chars.as_str().strip_prefix('@') {
        Some(domain) => Mailbox::new(local, domain),
        None => Err(Invalid::syntax(WHAT)),
    }
}

pub(crate) fn write_mailbox(mailbox: &Mailbox, out: &mut dyn Write) -> fmt::Result {
    let local = mailbox.local_part();
    if is_dot_string(local) {
        out.write_str(local)?;
    } else {
        out.write_char('"')?;
        for c in local.chars() {
            if matches!(c, '"' | '\\') {
                out.write_char('\\')?;
            }
            out.write_char(c)?;
        }
        out.write_char('"')?;
    }
    write!(out, "@{}", mailbox.domain())
}

/// The text between the brackets at the start, and what follows them. No bracket stands in a path that we take, quoted or not.
fn brackets(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('<')?.split_once('>')
}

/// `Path` without its brackets; a source route is read over, as RFC 5321 appendix C wants it.
fn inner(path: &str) -> Option<Mailbox> {
    let path = match path.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => path,
    };
    mailbox(path).ok()
}

/// `Reverse-path` at the start of `text`, and what follows it.
pub(crate) fn reverse_path(text: &str) -> Result<(ReversePath, &str), ParseError> {
    const ERROR: ParseError = ParseError::syntax("reverse-path");
    let (path, rest) = brackets(text).ok_or(ERROR)?;
    if path.is_empty() {
        return Ok((ReversePath::Null, rest));
    }
    Ok((ReversePath::Mailbox(inner(path).ok_or(ERROR)?), rest))
}

/// `Forward-path` at the start of `text`, and what follows it.
pub(crate) fn forward_path(text: &str) -> Result<(ForwardPath, &str), ParseError> {
    const ERROR: ParseError = ParseError::syntax("forward-path");
    let (path, rest) = brackets(text).ok_or(ERROR)?;
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok((ForwardPath::Postmaster, rest));
    }
    Ok((ForwardPath::Mailbox(inner(path).ok_or(ERROR)?), rest))
}
