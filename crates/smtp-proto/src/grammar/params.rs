//! Parameters of MAIL and RCPT (RFC 5321 section 4.1.2 and the RFCs named at each).
//!
//! ```text
//! Mail-parameters = esmtp-param *(SP esmtp-param)
//! esmtp-param     = esmtp-keyword ["=" esmtp-value]
//! ```

use core::fmt::{self, Write};

use super::error::{ParseError, ParseErrorKind};
use super::xtext::{write_xtext, xtext};
use crate::types::{
    BodyType, ByMode, DeliverBy, EnvelopeId, Hold, HoldSeconds, MailParams, Notify, Occasions,
    OriginalRecipient, RcptParams, Ret, Submitter, Timestamp,
};

/// Sets what must not be set yet.
fn once<T>(slot: &mut Option<T>, rule: &'static str, value: Option<T>) -> Result<(), ParseError> {
    if slot.is_some() {
        return Err(ParseError::new(rule, ParseErrorKind::Duplicate));
    }
    *slot = Some(value.ok_or(ParseError::syntax(rule))?);
    Ok(())
}

fn flag(slot: &mut bool, rule: &'static str, value: Option<&str>) -> Result<(), ParseError> {
    if *slot {
        return Err(ParseError::new(rule, ParseErrorKind::Duplicate));
    }
    *slot = true;
    if value.is_none() { Ok(()) } else { Err(ParseError::syntax(rule)) }
}

/// Digits only: no sign, at most `max` of them.
fn digits(text: &str, max: usize) -> Option<&str> {
    (!text.is_empty() && text.len() <= max && text.bytes().all(|c| c.is_ascii_digit())).then_some(text)
}

/// Each keyword with its value.
fn each(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(' ').filter(|p| !p.is_empty()).map(|p| match p.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (p, None),
    })
}

/// The parameters of MAIL.
pub(crate) fn mail_params(text: &str) -> Result<MailParams, ParseError> {
    let mut p = MailParams::default();
    for (keyword, value) in each(text) {
        let is = |known: &str| keyword.eq_ignore_ascii_case(known);
        let v = value.unwrap_or_default();
        match () {
            () if is("SIZE") => once(&mut p.size, "SIZE", digits(v, 20).and_then(|n| n.parse().ok()))?,
            () if is("BODY") => once(&mut p.body, "BODY", body(v))?,
            () if is("SMTPUTF8") => flag(&mut p.smtputf8, "SMTPUTF8", value)?,
            () if is("AUTH") => once(&mut p.submitter, "AUTH", submitter(v))?,
            () if is("RET") => once(&mut p.ret, "RET", ret(v))?,
            () if is("ENVID") => {
                once(&mut p.envelope_id, "ENVID", xtext(v).and_then(|t| EnvelopeId::new(t).ok()))?;
            }
            () if is("REQUIRETLS") => flag(&mut p.require_tls, "REQUIRETLS", value)?,
            () if is("BY") => once(&mut p.by, "BY", deliver_by(v))?,
            () if is("HOLDFOR") => {
                let seconds = digits(v, 9).and_then(|n| n.parse().ok());
                let hold = seconds.and_then(|n| HoldSeconds::new(n).ok()).map(Hold::For);
                once(&mut p.hold, "HOLDFOR", hold)?;
            }
            () if is("HOLDUNTIL") => {
                once(&mut p.hold, "HOLDUNTIL", Timestamp::new(v).ok().map(Hold::Until))?;
            }
            () => return Err(ParseError::new("MAIL", ParseErrorKind::UnknownParameter)),
        }
    }
    Ok(p)
}

/// Each with a space in front.
pub(crate) fn write_mail_params(p: &MailParams, out: &mut dyn Write) -> fmt::Result {
    if let Some(size) = p.size {
        write!(out, " SIZE={size}")?;
    }
    match p.body {
        Some(BodyType::SevenBit) => out.write_str(" BODY=7BIT")?,
        Some(BodyType::EightBitMime) => out.write_str(" BODY=8BITMIME")?,
        Some(BodyType::BinaryMime) => out.write_str(" BODY=BINARYMIME")?,
        None => {}
    }
    if p.smtputf8 {
        out.write_str(" SMTPUTF8")?;
    }
    match &p.submitter {
        Some(Submitter::Unknown) => out.write_str(" AUTH=<>")?,
        Some(Submitter::Mailbox(m)) => {
            out.write_str(" AUTH=")?;
            write_xtext(&alloc::format!("{m}"), out)?;
        }
        None => {}
    }
    match p.ret {
        Some(Ret::Full) => out.write_str(" RET=FULL")?,
        Some(Ret::Headers) => out.write_str(" RET=HDRS")?,
        None => {}
    }
    if let Some(id) = &p.envelope_id {
        out.write_str(" ENVID=")?;
        write_xtext(id.as_str(), out)?;
    }
    if p.require_tls {
        out.write_str(" REQUIRETLS")?;
    }
    if let Some(by) = p.by {
        let mode = match by.mode() {
            ByMode::Return => "R",
            ByMode::Notify => "N",
        };
        write!(out, " BY={};{mode}{}", by.seconds(), if by.trace() { "T" } else { "" })?;
    }
    match &p.hold {
        Some(Hold::For(seconds)) => write!(out, " HOLDFOR={}", seconds.get())?,
        Some(Hold::Until(time)) => write!(out, " HOLDUNTIL={}", time.as_str())?,
        None => {}
    }
    Ok(())
}

/// The parameters of RCPT.
pub(crate) fn rcpt_params(text: &str) -> Result<RcptParams, ParseError> {
    let mut p = RcptParams::default();
    for (keyword, value) in each(text) {
        let v = value.unwrap_or_default();
        match () {
            () if keyword.eq_ignore_ascii_case("NOTIFY") => once(&mut p.notify, "NOTIFY", notify(v))?,
            () if keyword.eq_ignore_ascii_case("ORCPT") => once(&mut p.original, "ORCPT", original(v))?,
            () => return Err(ParseError::new("RCPT", ParseErrorKind::UnknownParameter)),
        }
    }
    Ok(p)
}

/// Each with a space in front.
pub(crate) fn write_rcpt_params(p: &RcptParams, out: &mut dyn Write) -> fmt::Result {
    match p.notify {
        Some(Notify::Never) => out.write_str(" NOTIFY=NEVER")?,
        Some(Notify::On(on)) => {
            let mut before = " NOTIFY=";
            for (is, name) in [(on.success(), "SUCCESS"), (on.failure(), "FAILURE"), (on.delay(), "DELAY")] {
                if is {
                    write!(out, "{before}{name}")?;
                    before = ",";
                }
            }
        }
        None => {}
    }
    if let Some(original) = &p.original {
        write!(out, " ORCPT={};", original.kind())?;
        write_xtext(original.address(), out)?;
    }
    Ok(())
}

/// `body-value = "7BIT" / "8BITMIME" / "BINARYMIME"` (RFC 6152, RFC 3030)
fn body(v: &str) -> Option<BodyType> {
    Some(match () {
        () if v.eq_ignore_ascii_case("7BIT") => BodyType::SevenBit,
        () if v.eq_ignore_ascii_case("8BITMIME") => BodyType::EightBitMime,
        () if v.eq_ignore_ascii_case("BINARYMIME") => BodyType::BinaryMime,
        () => return None,
    })
}

/// `AUTH=` xtext of a mailbox, or `<>` (RFC 4954 section 5)
fn submitter(v: &str) -> Option<Submitter> {
    match xtext(v)?.as_str() {
        "<>" => Some(Submitter::Unknown),
        text => super::mailbox(text).ok().map(Submitter::Mailbox),
    }
}

/// `ret-value = "FULL" / "HDRS"` (RFC 3461 section 4.3)
fn ret(v: &str) -> Option<Ret> {
    match () {
        () if v.eq_ignore_ascii_case("FULL") => Some(Ret::Full),
        () if v.eq_ignore_ascii_case("HDRS") => Some(Ret::Headers),
        () => None,
    }
}

/// `by-value = by-time ";" by-mode [by-trace]`, `by-time = ["-" / "+"]1*9digit` (RFC 2852 section 4)
fn deliver_by(v: &str) -> Option<DeliverBy> {
    let (time, mode) = v.split_once(';')?;
    let (negative, number) = match time.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, time.strip_prefix('+').unwrap_or(time)),
    };
    let number: i32 = digits(number, 9)?.parse().ok()?;
    let (mode, trace) = match () {
        () if mode.eq_ignore_ascii_case("R") => (ByMode::Return, false),
        () if mode.eq_ignore_ascii_case("RT") => (ByMode::Return, true),
        () if mode.eq_ignore_ascii_case("N") => (ByMode::Notify, false),
        () if mode.eq_ignore_ascii_case("NT") => (ByMode::Notify, true),
        () => return None,
    };
    DeliverBy::new(if negative { number.saturating_neg() } else { number }, mode, trace).ok()
}

/// `notify-esmtp-value = "NEVER" / notify-list-element *( "," notify-list-element )` (RFC 3461 section 4.1)
fn notify(v: &str) -> Option<Notify> {
    if v.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in v.split(',') {
        match () {
            () if word.eq_ignore_ascii_case("SUCCESS") => success = true,
            () if word.eq_ignore_ascii_case("FAILURE") => failure = true,
            () if word.eq_ignore_ascii_case("DELAY") => delay = true,
            () => return None,
        }
    }
    Occasions::new(success, failure, delay).ok().map(Notify::On)
}

/// `original-recipient-address = addr-type ";" xtext` (RFC 3461 section 4.2)
fn original(v: &str) -> Option<OriginalRecipient> {
    let (kind, address) = v.split_once(';')?;
    OriginalRecipient::new(kind, xtext(address)?).ok()
}
