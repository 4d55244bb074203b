//! Delivery status notifications (RFC 3461).

use alloc::string::String;

use super::invalid::{Invalid, InvalidKind, check};

/// `RET`: how much of the message comes back in a notification of failure (RFC 3461 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its headers.
    Headers,
}

/// `ENVID`: what a notification will call this transaction (RFC 3461 section 4.4). Kept decoded: 1 to 100 printable ASCII characters, the
/// space included, counted as xtext.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// An identifier.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, longer than 100 octets as xtext, or holds anything but printable ASCII.
    pub fn new(id: impl Into<String>) -> Result<Self, Invalid> {
        let id = id.into();
        printable("ENVID", &id, 100)?;
        Ok(Self(id))
    }

    /// Decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `NOTIFY`: when the sender wants to hear of a recipient (RFC 3461 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notify {
    /// Never, not even of failure.
    Never,
    /// On these occasions; at least one of them.
    On(Occasions),
}

/// Occasions for a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Occasions {
    success: bool,
    failure: bool,
    delay: bool,
}

impl Occasions {
    /// At least one of the three.
    ///
    /// # Errors
    /// [`Invalid`] when there is none; that is [`Notify::Never`].
    pub const fn new(success: bool, failure: bool, delay: bool) -> Result<Self, Invalid> {
        if success || failure || delay {
            Ok(Self { success, failure, delay })
        } else {
            Err(Invalid::new("NOTIFY", InvalidKind::Empty))
        }
    }

    /// When it has been delivered.
    pub const fn success(self) -> bool {
        self.success
    }

    /// When it cannot be delivered.
    pub const fn failure(self) -> bool {
        self.failure
    }

    /// When it takes long.
    pub const fn delay(self) -> bool {
        self.delay
    }
}

/// `ORCPT`: the recipient as the sender first wrote it (RFC 3461 section 4.2). Kept decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    kind: String,
    address: String,
}

impl OriginalRecipient {
    /// An address of this type (`rfc822`).
    ///
    /// # Errors
    /// [`Invalid`] when the type is no atom, the address is empty or holds anything but printable ASCII, or both are longer than 500
    /// octets as xtext.
    pub fn new(kind: impl Into<String>, address: impl Into<String>) -> Result<Self, Invalid> {
        let (kind, address) = (kind.into(), address.into());
        check("ORCPT type", &kind, 64, |c| c.is_ascii_alphanumeric() || c == '-')?;
        printable("ORCPT", &address, 435)?;
        Ok(Self { kind, address })
    }

    /// The type of the address, as it was written.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The address, decoded.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// Printable ASCII that is at most `max` octets long as xtext.
fn printable(what: &'static str, text: &str, max: usize) -> Result<(), Invalid> {
    check(what, text, max, |c| matches!(c, ' '..='~'))?;
    let encoded = text.bytes().map(|c| if crate::grammar::is_xchar(c) { 1 } else { 3 }).sum::<usize>();
    if encoded > max { Err(Invalid::new(what, InvalidKind::TooLong { max })) } else { Ok(()) }
}
