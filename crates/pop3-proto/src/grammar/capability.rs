//! ```text
//! capability = cpa-tag *(SP param)             ; RFC 2449 section 8, a line of CAPA
//! "SASL" *(SP mechanism)                       ; RFC 5034 section 3
//! "LOGIN-DELAY" SP seconds [SP "USER"]         ; RFC 2449 section 6.5
//! "EXPIRE" SP (days / "NEVER") [SP "USER"]     ; RFC 2449 section 6.7
//! "IMPLEMENTATION" SP text                     ; RFC 2449 section 6.9
//! "UTF8" [SP "USER"]                           ; RFC 6856 section 2.1
//! ```

use alloc::format;
use alloc::vec::Vec;

use super::error::{ParseError, ParseErrorKind};
use super::number::Words;
use crate::types::{Capability, Expire, Mechanism, Text};

/// Reads a line of CAPA. What is not as its capability wants it comes as [`Capability::Other`].
///
/// # Errors
/// [`ParseError`] when the line is empty or holds NUL.
pub fn capability(line: &[u8]) -> Result<Capability, ParseError> {
    let mut words = Words::new("capability", line);
    let tag = words.word()?;
    match known(tag, words) {
        Some(known) => Ok(known),
        None => match Text::new(line) {
            Ok(line) => Ok(Capability::Other(line.into_owned())),
            Err(_) => Err(words.error(ParseErrorKind::Syntax)),
        },
    }
}

fn known(tag: &[u8], mut arguments: Words<'_>) -> Option<Capability> {
    let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
    let alone = |capability| arguments.end().ok().map(|()| capability);
    match () {
        () if is("TOP") => alone(Capability::Top),
        () if is("USER") => alone(Capability::User),
        () if is("RESP-CODES") => alone(Capability::RespCodes),
        () if is("PIPELINING") => alone(Capability::Pipelining),
        () if is("UIDL") => alone(Capability::Uidl),
        () if is("STLS") => alone(Capability::Stls),
        () if is("AUTH-RESP-CODE") => alone(Capability::AuthRespCode),
        () if is("LANG") => alone(Capability::Lang),
        () if is("SASL") => {
            let mut mechanisms = Vec::new();
            while let Ok(name) = arguments.word() {
                // What cannot be a mechanism cannot be asked for.
                mechanisms.extend(core::str::from_utf8(name).ok().and_then(|n| Mechanism::new(n).ok()));
            }
            Some(Capability::Sasl(mechanisms))
        }
        () if is("UTF8") => per_user(arguments).map(|user| Capability::Utf8 { user }),
        () if is("LOGIN-DELAY") => {
            let seconds = arguments.number32().ok()?;
            per_user(arguments).map(|per_user| Capability::LoginDelay { seconds, per_user })
        }
        () if is("EXPIRE") => {
            let mut never = arguments;
            let after = if never.word().ok()?.eq_ignore_ascii_case(b"NEVER") {
                arguments = never;
                Expire::Never
            } else {
                Expire::Days(arguments.number32().ok()?)
            };
            per_user(arguments).map(|per_user| Capability::Expire { after, per_user })
        }
        () if is("IMPLEMENTATION") => {
            let text = arguments.rest();
            let text = Text::new(text.strip_prefix(b" ").unwrap_or(text)).ok()?;
            Some(Capability::Implementation(text.into_owned()))
        }
        () => None,
    }
}

/// `[SP "USER"]` and nothing else.
fn per_user(mut arguments: Words<'_>) -> Option<bool> {
    if arguments.end().is_ok() {
        return Some(false);
    }
    let user = arguments.word().ok()?.eq_ignore_ascii_case(b"USER");
    (user && arguments.end().is_ok()).then_some(true)
}

/// Appends a capability, without a line end.
pub fn write_capability(capability: &Capability, out: &mut Vec<u8>) {
    let user = |per_user: bool| if per_user { " USER" } else { "" };
    match capability {
        Capability::Top => out.extend_from_slice(b"TOP"),
        Capability::User => out.extend_from_slice(b"USER"),
        Capability::Sasl(mechanisms) => {
            out.extend_from_slice(b"SASL");
            for mechanism in mechanisms {
                out.push(b' ');
                out.extend_from_slice(mechanism.as_str().as_bytes());
            }
        }
        Capability::RespCodes => out.extend_from_slice(b"RESP-CODES"),
        Capability::LoginDelay { seconds, per_user } => {
            out.extend_from_slice(format!("LOGIN-DELAY {seconds}{}", user(*per_user)).as_bytes());
        }
        Capability::Pipelining => out.extend_from_slice(b"PIPELINING"),
        Capability::Expire { after: Expire::Days(days), per_user } => {
            out.extend_from_slice(format!("EXPIRE {days}{}", user(*per_user)).as_bytes());
        }
        Capability::Expire { after: Expire::Never, per_user } => {
            out.extend_from_slice(format!("EXPIRE NEVER{}", user(*per_user)).as_bytes());
        }
        Capability::Uidl => out.extend_from_slice(b"UIDL"),
        Capability::Implementation(text) => {
            out.extend_from_slice(b"IMPLEMENTATION ");
            out.extend_from_slice(text.as_bytes());
        }
        Capability::Stls => out.extend_from_slice(b"STLS"),
        Capability::AuthRespCode => out.extend_from_slice(b"AUTH-RESP-CODE"),
        Capability::Utf8 { user: per_user } => {
            out.extend_from_slice(format!("UTF8{}", user(*per_user)).as_bytes());
        }
        Capability::Lang => out.extend_from_slice(b"LANG"),
        Capability::Other(line) => out.extend_from_slice(line.as_bytes()),
    }
}
