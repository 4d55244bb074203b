//! ```text
//! command = keyword *(SP param) CRLF                ; RFC 2449 section 8, 255 octets at most
//! "USER" SP name / "PASS" SP string                 ; RFC 1939 section 7
//! "APOP" SP name SP digest
//! "AUTH" SP mechanism [SP (base64 / "=")]           ; RFC 5034 section 7
//! "LIST" [SP msg] / "UIDL" [SP msg] / "RETR" SP msg / "DELE" SP msg / "TOP" SP msg SP n
//! "LANG" [SP (lang-tag / "*")]                      ; RFC 6856 section 3
//! "STAT" / "NOOP" / "RSET" / "QUIT" / "CAPA" / "STLS" / "UTF8"
//! ```

use alloc::format;
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use super::COMMAND_LINE;
use super::error::{ParseError, ParseErrorKind};
use super::number::Words;
use crate::types::{
    Command, Digest, Invalid, InvalidKind, Keyword, Lang, LanguageTag, Mechanism, Name, Password,
};

/// Part of a command line on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// Octets that a log may show.
    Bytes(Vec<u8>),
    /// Octets that it may not.
    Secret(SecretBytes),
}

/// Reads a command line. Case of the first word means nothing, nor do spaces at the end of a command that takes no free text.
///
/// # Errors
/// [`ParseError`] when the first word cannot be a command, or its arguments are not what it wants.
pub fn command(line: &[u8]) -> Result<Command, ParseError> {
    let mut words = Words::new("command", line);
    // A line that begins with a space has no first word.
    if line.starts_with(b" ") {
        return Err(words.error(ParseErrorKind::Syntax));
    }
    let word = words.word()?;
    let Some(keyword) = core::str::from_utf8(word).ok().and_then(|w| Keyword::new(w).ok()) else {
        return Err(ParseError::new("command", 0, ParseErrorKind::Syntax));
    };
    let alone = |command| words.end().map(|()| command);
    let wrong = |rule, kind| ParseError::new(rule, word.len().saturating_add(1), kind);
    // Everything behind the one space.
    let rest = words.rest().strip_prefix(b" ").unwrap_or_default();
    match keyword.as_str() {
        "USER" => name(rest).map(Command::User).ok_or(wrong("name", ParseErrorKind::Syntax)),
        "PASS" => match Password::new(SecretBytes::new(rest.to_vec())) {
            Ok(password) => Ok(Command::Pass(password)),
            Err(_) => Err(wrong("password", ParseErrorKind::Syntax)),
        },
        "APOP" => {
            let user = name(words.word()?).ok_or(wrong("name", ParseErrorKind::Syntax))?;
            let digits = words.word()?;
            words.end()?;
            let digest = core::str::from_utf8(digits).ok().and_then(|d| Digest::new(&Secret::from(d)).ok());
            let digest = digest.ok_or(words.error(ParseErrorKind::Syntax))?;
            Ok(Command::Apop { name: user, digest })
        }
        "AUTH" => {
            let mechanism = core::str::from_utf8(words.word()?).ok().and_then(|m| Mechanism::new(m).ok());
            let mechanism = mechanism.ok_or(wrong("mechanism", ParseErrorKind::Syntax))?;
            let mut behind = words;
            let initial = match behind.word() {
                Ok(initial) => {
                    behind.end()?;
                    Some(SecretBytes::new(initial.to_vec()))
                }
                Err(_) => None,
            };
            Ok(Command::Auth { mechanism, initial })
        }
        "STAT" => alone(Command::Stat),
        "RSET" => alone(Command::Rset),
        "NOOP" => alone(Command::Noop),
        "QUIT" => alone(Command::Quit),
        "CAPA" => alone(Command::Capa),
        "STLS" => alone(Command::Stls),
        "UTF8" => alone(Command::Utf8),
        "LIST" if words.end().is_ok() => Ok(Command::List(None)),
        "UIDL" if words.end().is_ok() => Ok(Command::Uidl(None)),
        "LANG" if words.end().is_ok() => Ok(Command::Lang(Lang::List)),
        "LIST" | "UIDL" | "RETR" | "DELE" => {
            let number = words.message()?;
            words.end()?;
            Ok(match keyword.as_str() {
                "LIST" => Command::List(Some(number)),
                "UIDL" => Command::Uidl(Some(number)),
                "RETR" => Command::Retr(number),
                _ => Command::Dele(number),
            })
        }
        "TOP" => {
            let (number, lines) = (words.message()?, words.number32()?);
            words.end()?;
            Ok(Command::Top { number, lines })
        }
        "LANG" => {
            let tag = words.word()?;
            words.end()?;
            if tag == b"*" {
                return Ok(Command::Lang(Lang::Default));
            }
            let tag = core::str::from_utf8(tag).ok().and_then(|t| LanguageTag::new(t).ok());
            tag.map(|t| Command::Lang(Lang::Tag(t))).ok_or(wrong("lang-tag", ParseErrorKind::Syntax))
        }
        _ if line.iter().any(|o| matches!(o, b'\r' | b'\n' | 0)) => {
            Err(wrong("command", ParseErrorKind::Syntax))
        }
        _ => Ok(Command::Unknown { keyword, parameters: SecretBytes::new(rest.to_vec()) }),
    }
}

fn name(octets: &[u8]) -> Option<Name> {
    Name::new(core::str::from_utf8(octets).ok()?.trim_matches(' ')).ok()
}

/// Writes a command line with its CRLF, secrets apart from the rest.
///
/// A password and an initial response may be longer than [`COMMAND_LINE`] allows: tokens serve as passwords where a server takes
/// them, and the room for an initial response is the caller's to know.
///
/// # Errors
/// [`Invalid`] for a name with a space in APOP, an initial response that could break the line, or a line over
/// [`COMMAND_LINE`].
pub fn write_command(command: &Command) -> Result<Vec<Fragment>, Invalid> {
    let keyword = command.keyword();
    let mut out = Vec::with_capacity(2);
    let mut plain = |line: alloc::string::String| out.push(Fragment::Bytes(line.into_bytes()));
    match command {
        Command::User(name) => plain(format!("USER {}\r\n", name.as_str())),
        Command::Pass(password) => {
            plain("PASS ".into());
            out.push(Fragment::Secret(SecretBytes::new(password.expose().to_vec())));
        }
        Command::Apop { name, digest } => {
            if let Some(at) = name.as_str().find(' ') {
                return Err(Invalid::new("user name for APOP", InvalidKind::Octet { at }));
            }
            plain(format!("APOP {} ", name.as_str()));
            out.push(Fragment::Secret(SecretBytes::new(digest.expose().as_bytes().to_vec())));
        }
        Command::Auth { mechanism, initial: None } => plain(format!("AUTH {mechanism}\r\n")),
        Command::Auth { mechanism, initial: Some(initial) } => {
            crate::types::check("initial response", initial.expose(), usize::MAX, |o| o.is_ascii_graphic())?;
            plain(format!("AUTH {mechanism} "));
            out.push(Fragment::Secret(initial.clone()));
        }
        Command::List(Some(n)) | Command::Uidl(Some(n)) | Command::Retr(n) | Command::Dele(n) => {
            plain(format!("{keyword} {n}\r\n"));
        }
        Command::Top { number, lines } => plain(format!("TOP {number} {lines}\r\n")),
        Command::Lang(Lang::Default) => plain("LANG *\r\n".into()),
        Command::Lang(Lang::Tag(tag)) => plain(format!("LANG {}\r\n", tag.as_str())),
        Command::Unknown { parameters, .. } => {
            if let Some(at) = parameters.expose().iter().position(|o| matches!(o, b'\r' | b'\n' | 0)) {
                return Err(Invalid::new("parameters", InvalidKind::Octet { at }));
            }
            if parameters.is_empty() {
                plain(format!("{keyword}\r\n"));
            } else {
                plain(format!("{keyword} "));
                out.push(Fragment::Secret(parameters.clone()));
            }
        }
        _ => plain(format!("{keyword}\r\n")),
    }
    if matches!(out.last(), Some(Fragment::Secret(_))) {
        out.push(Fragment::Bytes(b"\r\n".to_vec()));
    }
    let free = matches!(command, Command::Pass(_) | Command::Auth { .. } | Command::Unknown { .. });
    let len = out.iter().map(Fragment::len).fold(0usize, usize::saturating_add);
    if !free && len > COMMAND_LINE {
        return Err(Invalid::new("command", InvalidKind::TooLong { max: COMMAND_LINE }));
    }
    Ok(out)
}

impl Fragment {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(octets) => octets.len(),
            Self::Secret(octets) => octets.len(),
        }
    }
}
