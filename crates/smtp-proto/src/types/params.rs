//! The parameters of MAIL and RCPT. There is no way to say one that is not here, so nothing can be smuggled in (INJ-13).

use alloc::string::String;

use super::dsn::{EnvelopeId, Notify, OriginalRecipient, Ret};
use super::invalid::{Invalid, InvalidKind};
use super::mailbox::Mailbox;

/// `BODY` (RFC 6152, RFC 3030).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyType {
    /// ASCII.
    SevenBit,
    /// Octets in lines.
    EightBitMime,
    /// Any octets; BDAT only.
    BinaryMime,
}

/// `AUTH` on MAIL (RFC 4954 section 5): who submitted the message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Submitter {
    /// `<>`: unknown or not trusted.
    Unknown,
    /// This identity.
    Mailbox(Mailbox),
}

/// What is to happen when the time is up (RFC 2852 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByMode {
    /// `R`: give up and say so.
    Return,
    /// `N`: say so and go on.
    Notify,
}

/// `BY`: deliver within a time (RFC 2852).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    seconds: i32,
    mode: ByMode,
    trace: bool,
}

impl DeliverBy {
    /// `seconds` from −999,999,999 to 999,999,999, greater than 0 with [`ByMode::Return`]; `trace` asks for notifications of relaying.
    ///
    /// # Errors
    /// [`Invalid`] outside these ranges.
    pub const fn new(seconds: i32, mode: ByMode, trace: bool) -> Result<Self, Invalid> {
        if seconds.unsigned_abs() > 999_999_999 || (matches!(mode, ByMode::Return) && seconds <= 0) {
            return Err(Invalid::new("BY", InvalidKind::Range));
        }
        Ok(Self { seconds, mode, trace })
    }

    /// Seconds left.
    pub const fn seconds(self) -> i32 {
        self.seconds
    }

    /// What is to happen then.
    pub const fn mode(self) -> ByMode {
        self.mode
    }

    /// Whether relaying is to be reported.
    pub const fn trace(self) -> bool {
        self.trace
    }
}

/// `HOLDFOR` or `HOLDUNTIL`: release the message later (RFC 4865).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Seconds from now, 1 to 999,999,999.
    For(HoldSeconds),
    /// At this time.
    Until(Timestamp),
}

/// Seconds of `HOLDFOR`, 1 to 999,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldSeconds(u32);

impl HoldSeconds {
    /// So many seconds.
    ///
    /// # Errors
    /// [`Invalid`] outside 1 to 999,999,999.
    pub const fn new(seconds: u32) -> Result<Self, Invalid> {
        match seconds {
            1..=999_999_999 => Ok(Self(seconds)),
            _ => Err(Invalid::new("HOLDFOR", InvalidKind::Range)),
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A date and time as in RFC 3339: `2026-11-20T18:40:00Z`. The form is checked, the calendar is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// A timestamp.
    ///
    /// # Errors
    /// [`Invalid`] when it has another form or a field out of range.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if is_timestamp(text.as_bytes()) { Ok(Self(text)) } else { Err(Invalid::syntax("HOLDUNTIL")) }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// ```text
/// date-time = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*9DIGIT] ("Z" / ("+" / "-") 2DIGIT ":" 2DIGIT)
/// ```
fn is_timestamp(text: &[u8]) -> bool {
    let Some((head, mut rest)) = text.split_at_checked(19) else { return false };
    let shape = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(c, s)| if *s == b'0' { c.is_ascii_digit() } else { c == s })
    };
    let number = |text: &[u8], at: usize| {
        let digits = text.get(at..at.saturating_add(2)).unwrap_or_default();
        digits.iter().fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d.wrapping_sub(b'0'))))
    };
    if !shape(head, b"0000-00-00T00:00:00")
        || !(1..=12).contains(&number(head, 5))
        || !(1..=31).contains(&number(head, 8))
        || number(head, 11) > 23
        || number(head, 14) > 59
        || number(head, 17) > 60
    {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return false;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    match rest.split_first() {
        Some((b'Z', [])) => true,
        Some((b'+' | b'-', zone)) => shape(zone, b"00:00") && number(zone, 0) <= 23 && number(zone, 3) <= 59,
        _ => false,
    }
}

/// The parameters of MAIL. Start from `MailParams::default()`.
///
/// A client is refused what the server does not offer; it adds `SIZE` and `SMTPUTF8` itself where they are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParams {
    /// `SIZE`: length of the message in octets (RFC 1870).
    pub size: Option<u64>,
    /// `BODY` (RFC 6152, RFC 3030).
    pub body: Option<BodyType>,
    /// `SMTPUTF8`: addresses or headers hold UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// `AUTH`: who submitted the message (RFC 4954).
    pub submitter: Option<Submitter>,
    /// `RET` (RFC 3461).
    pub ret: Option<Ret>,
    /// `ENVID` (RFC 3461).
    pub envelope_id: Option<EnvelopeId>,
    /// `REQUIRETLS`: every hop must use TLS (RFC 8689).
    pub require_tls: bool,
    /// `BY` (RFC 2852).
    pub by: Option<DeliverBy>,
    /// `HOLDFOR` or `HOLDUNTIL` (RFC 4865).
    pub hold: Option<Hold>,
}

/// The parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParams {
    /// `NOTIFY` (RFC 3461).
    pub notify: Option<Notify>,
    /// `ORCPT` (RFC 3461).
    pub original: Option<OriginalRecipient>,
}
