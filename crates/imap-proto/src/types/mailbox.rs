//! `mailbox` (RFC 3501 sections 5.1 and 9): a mailbox name as the server spells it.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::grammar::utf7;
use crate::types::invalid::{Invalid, check};
use crate::types::string::Escaped;

const INBOX: &[u8] = b"INBOX";

/// A mailbox name: `INBOX` in any case, or the server's own octets, kept as they came.
///
/// Names are normally modified UTF-7 (RFC 3501 section 5.1.3). A name that is not keeps its octets, so it can
/// be given back to the server unchanged; [`decoded`](Self::decoded) then says `None` (FS-04).
/// Never holds CR, LF or NUL. The empty name is possible: it is what `LIST "" ""` answers with.
///
/// ```
/// # use postkey_imap_proto::types::Mailbox;
/// let sent: Mailbox = "Gesendete Entwürfe".parse().unwrap();
/// assert_eq!(sent.as_bytes(), b"Gesendete Entw&APw-rfe");
/// assert_eq!(sent.decoded().unwrap(), "Gesendete Entwürfe");
/// assert!(Mailbox::new(&b"inBox"[..]).unwrap().is_inbox());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mailbox<'a>(Cow<'a, [u8]>);

impl<'a> Mailbox<'a> {
    /// The mailbox every user has.
    pub const INBOX: Mailbox<'static> = Mailbox(Cow::Borrowed(INBOX));

    /// A name as it stands on the wire (modified UTF-7, or whatever the server uses).
    ///
    /// # Errors
    /// [`Invalid`] when there is a CR, LF or NUL (INJ-01, INJ-02).
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        check("mailbox", &octets, |o| !matches!(o, 0 | b'\r' | b'\n'))?;
        if octets.eq_ignore_ascii_case(INBOX) {
            return Ok(Self::INBOX);
        }
        Ok(Self(octets))
    }

    /// The octets as they stand on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the INBOX.
    pub fn is_inbox(&self) -> bool {
        *self.0 == *INBOX
    }

    /// The name in Unicode. `None` when the octets are not the one modified UTF-7 form of any name: then no
    /// Unicode name can stand for this mailbox without clashing with another, and the octets are all there is.
    pub fn decoded(&self) -> Option<String> {
        utf7::decode(&self.0)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Mailbox<'static> {
        Mailbox(Cow::Owned(self.0.into_owned()))
    }

    /// The same name, borrowed from this one.
    pub fn borrowed(&self) -> Mailbox<'_> {
        Mailbox(Cow::Borrowed(&self.0))
    }
}

impl fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

/// From a Unicode name, which is encoded as modified UTF-7.
impl FromStr for Mailbox<'static> {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        check("mailbox", name.as_bytes(), |o| !matches!(o, 0 | b'\r' | b'\n'))?;
        Mailbox::new(utf7::encode(name).into_bytes())
    }
}

/// `list-mailbox = 1*list-char / string`: a name that may hold the wildcards `*` and `%`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ListPattern<'a>(Cow<'a, [u8]>);

impl<'a> ListPattern<'a> {
    /// A pattern as it stands on the wire: `*` matches anything, `%` anything but the delimiter.
    ///
    /// # Errors
    /// [`Invalid`] when there is a CR, LF or NUL.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        check("list-mailbox", &octets, |o| !matches!(o, 0 | b'\r' | b'\n'))?;
        Ok(Self(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> ListPattern<'static> {
        ListPattern(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for ListPattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}
