//! Commands (RFC 5321 section 4.1.1).
//!
//! ```text
//! ehlo     = "EHLO" SP ( Domain / address-literal ) CRLF     ; also HELO, LHLO (RFC 2033)
//! starttls = "STARTTLS" CRLF                                 ; RFC 3207
//! auth     = "AUTH" SP sasl-mech [SP initial-response] CRLF  ; RFC 4954
//! mail     = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
//! rcpt     = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF
//! data     = "DATA" CRLF
//! bdat     = "BDAT" SP 1*20DIGIT [SP "LAST"] CRLF            ; RFC 3030
//! rset     = "RSET" CRLF
//! vrfy     = "VRFY" SP String CRLF                           ; also EXPN
//! noop     = "NOOP" [ SP String ] CRLF                       ; also HELP
//! quit     = "QUIT" CRLF
//! ```

use core::fmt::{self, Write};

use wire::SecretBytes;

use super::error::{ParseError, ParseErrorKind};
use super::params::{mail_params, rcpt_params, write_mail_params, write_rcpt_params};
use super::path::{forward_path, reverse_path};
use crate::types::{Argument, Command, EhloName, ForwardPath, Mechanism, RcptParams};

/// Reads one line with its CRLF. Spaces behind a path's colon and at the end of the line are let through.
///
/// # Errors
/// [`ParseError`], which says what kind of reply is due.
pub fn command(line: &[u8]) -> Result<Command, ParseError> {
    const LINE_END: ParseError = ParseError::new("line", ParseErrorKind::LineEnd);
    const UTF8: ParseError = ParseError::syntax("line");
    let line = line.strip_suffix(b"\r\n").ok_or(LINE_END)?;
    if line.iter().any(|c| matches!(c, b'\r' | b'\n' | 0)) {
        return Err(LINE_END);
    }
    let line = core::str::from_utf8(line).map_err(|_| UTF8)?.trim_end_matches([' ', '\t']);
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let is = |known: &str| verb.eq_ignore_ascii_case(known);
    let name = |rule| EhloName::new(rest.trim_matches(' ')).map_err(|_| ParseError::syntax(rule));
    let alone = |rule, command| if rest.is_empty() { Ok(command) } else { Err(ParseError::syntax(rule)) };
    let argument = |rule| Argument::new(rest.trim_matches(' ')).map_err(|_| ParseError::syntax(rule));
    let maybe = |rule| if rest.is_empty() { Ok(None) } else { argument(rule).map(Some) };
    match () {
        () if is("MAIL") => {
            let (from, rest) = reverse_path(keyword(rest, "FROM:", "mail")?)?;
            Ok(Command::Mail { from, params: mail_params(behind_path(rest, "mail")?)? })
        }
        () if is("RCPT") => {
            let (to, rest) = forward_path(keyword(rest, "TO:", "rcpt")?)?;
            Ok(Command::Rcpt { to, params: rcpt_params(behind_path(rest, "rcpt")?)? })
        }
        () if is("DATA") => alone("data", Command::Data),
        () if is("BDAT") => bdat(rest),
        () if is("RSET") => alone("rset", Command::Rset),
        () if is("QUIT") => alone("quit", Command::Quit),
        () if is("NOOP") => maybe("noop").map(Command::Noop),
        () if is("EHLO") => name("ehlo").map(Command::Ehlo),
        () if is("HELO") => name("helo").map(Command::Helo),
        () if is("LHLO") => name("lhlo").map(Command::Lhlo),
        () if is("STARTTLS") => alone("starttls", Command::StartTls),
        () if is("AUTH") => auth(rest),
        () if is("VRFY") => argument("vrfy").map(Command::Vrfy),
        () if is("EXPN") => argument("expn").map(Command::Expn),
        () if is("HELP") => maybe("help").map(Command::Help),
        () => Err(ParseError::new("command", ParseErrorKind::UnknownCommand)),
    }
}

/// What follows `FROM:` or `TO:`.
fn keyword<'a>(text: &'a str, word: &str, rule: &'static str) -> Result<&'a str, ParseError> {
    match text.split_at_checked(word.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(word) => Ok(rest.trim_start_matches(' ')),
        _ => Err(ParseError::syntax(rule)),
    }
}

/// Nothing, or a space and parameters.
fn behind_path<'a>(text: &'a str, rule: &'static str) -> Result<&'a str, ParseError> {
    if text.is_empty() || text.starts_with(' ') { Ok(text) } else { Err(ParseError::syntax(rule)) }
}

fn bdat(rest: &str) -> Result<Command, ParseError> {
    const ERROR: ParseError = ParseError::syntax("bdat");
    let mut words = rest.split(' ').filter(|w| !w.is_empty());
    let len = words.next().filter(|n| n.len() <= 20 && n.bytes().all(|c| c.is_ascii_digit())).ok_or(ERROR)?;
    let len = len.parse().map_err(|_| ERROR)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(ERROR),
    };
    if words.next().is_some() { Err(ERROR) } else { Ok(Command::Bdat { len, last }) }
}

fn auth(rest: &str) -> Result<Command, ParseError> {
    const ERROR: ParseError = ParseError::syntax("auth");
    let mut words = rest.split(' ').filter(|w| !w.is_empty());
    let mechanism = words.next().and_then(|m| Mechanism::new(m).ok()).ok_or(ERROR)?;
    let initial = match words.next() {
        None => None,
        Some(word) if is_base64(word) => Some(SecretBytes::new(word.as_bytes().to_vec())),
        Some(_) => return Err(ERROR),
    };
    if words.next().is_some() { Err(ERROR) } else { Ok(Command::Auth { mechanism, initial }) }
}

/// The alphabet only; the exchange decodes.
fn is_base64(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'='))
}

/// Writes one line with its CRLF, but for the initial response of AUTH, which only the caller may put on the wire.
///
/// # Errors
/// What `out` says.
pub fn write_command(command: &Command, out: &mut dyn Write) -> fmt::Result {
    out.write_str(command.verb())?;
    match command {
        Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => write!(out, " {name}")?,
        Command::Auth { mechanism, .. } => write!(out, " {mechanism}")?,
        Command::Mail { from, params } => {
            write!(out, " FROM:{from}")?;
            write_mail_params(params, out)?;
        }
        Command::Rcpt { to, params } => return rcpt_behind_verb(to, params, out),
        Command::Bdat { len, last } => write!(out, " {len}{}", if *last { " LAST" } else { "" })?,
        Command::Noop(Some(a)) | Command::Help(Some(a)) | Command::Vrfy(a) | Command::Expn(a) => {
            write!(out, " {}", a.as_str())?;
        }
        _ => {}
    }
    out.write_str("\r\n")
}

/// RCPT of parts that are not a command yet.
pub(crate) fn write_rcpt(to: &ForwardPath, params: &RcptParams, out: &mut dyn Write) -> fmt::Result {
    out.write_str("RCPT")?;
    rcpt_behind_verb(to, params, out)
}

fn rcpt_behind_verb(to: &ForwardPath, params: &RcptParams, out: &mut dyn Write) -> fmt::Result {
    write!(out, " TO:{to}")?;
    write_rcpt_params(params, out)?;
    out.write_str("\r\n")
}
