//! `resp-text-code` (RFC 3501 section 7.1, RFC 4315, RFC 5530, RFC 7162): the machine-readable part of a status.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use crate::types::capability::Capabilities;
use crate::types::flag::FlagSet;
use crate::types::sequence::{SequenceSet, UidSet};
use crate::types::string::{AString, Escaped};

macro_rules! plain_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A response code.
        ///
        /// A code that cannot be read as what its name promises is [`Other`](Code::Other), never an error: the
        /// line it stands on may be the completion somebody waits for (FR-22).
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum Code<'a> {
            $($(#[$doc])* $name,)*
            /// The charsets that SEARCH accepts; empty when the server does not say.
            BadCharset(Vec<AString<'a>>),
            /// The capabilities from now on.
            Capability(Capabilities<'a>),
            /// The flags a client can change for good; `\*` says that it may make up keywords.
            PermanentFlags(FlagSet<'a>),
            /// The UID the next message will at least have.
            UidNext(NonZeroU32),
            /// UIDs are only comparable while this value stays the same.
            UidValidity(NonZeroU32),
            /// Sequence number of the first message without `\Seen`.
            Unseen(NonZeroU32),
            /// RFC 4315: where an APPEND went.
            AppendUid {
                /// UIDVALIDITY of the destination.
                uid_validity: NonZeroU32,
                /// The UIDs given, one unless several messages were appended.
                uids: UidSet,
            },
            /// RFC 4315: where a COPY or MOVE went. Both sets can be empty (Exchange, when nothing was copied).
            CopyUid {
                /// UIDVALIDITY of the destination.
                uid_validity: NonZeroU32,
                /// UIDs in the mailbox copied from.
                source: UidSet,
                /// UIDs in the destination, in the same order.
                destination: UidSet,
            },
            /// RFC 7162: the greatest mod-sequence in the mailbox.
            HighestModSeq(NonZeroU64),
            /// RFC 7162: the messages a conditional STORE left alone.
            Modified(SequenceSet),
            /// Any other, as it came.
            Other(RawCode<'a>),
        }

        impl<'a> Code<'a> {
            pub(crate) fn plain(name: &[u8]) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($text.as_bytes()) { return Some(Code::$name); })*
                None
            }

            pub(crate) fn plain_name(&self) -> Option<&'static str> {
                match self {
                    $(Code::$name => Some($text),)*
                    _ => None,
                }
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> Code<'static> {
                match self {
                    $(Code::$name => Code::$name,)*
                    Code::BadCharset(c) => Code::BadCharset(c.into_iter().map(AString::into_owned).collect()),
                    Code::Capability(c) => Code::Capability(c.into_owned()),
                    Code::PermanentFlags(f) => Code::PermanentFlags(f.into_owned()),
                    Code::UidNext(n) => Code::UidNext(n),
                    Code::UidValidity(n) => Code::UidValidity(n),
                    Code::Unseen(n) => Code::Unseen(n),
                    Code::AppendUid { uid_validity, uids } => Code::AppendUid { uid_validity, uids },
                    Code::CopyUid { uid_validity, source, destination } => {
                        Code::CopyUid { uid_validity, source, destination }
                    }
                    Code::HighestModSeq(n) => Code::HighestModSeq(n),
                    Code::Modified(s) => Code::Modified(s),
                    Code::Other(r) => Code::Other(RawCode(Cow::Owned(r.0.into_owned()))),
                }
            }
        }

        #[cfg(any(test, feature = "testkit"))]
        /// Every code without an argument, for generators.
        pub(crate) const PLAIN: &[Code<'static>] = &[$(Code::$name,)*];
    };
}

plain_codes! {
    /// The text must be shown to the user.
    Alert = "ALERT",
    /// The server could not parse a message.
    Parse = "PARSE",
    /// The mailbox is open for reading only.
    ReadOnly = "READ-ONLY",
    /// The mailbox is open for reading and writing.
    ReadWrite = "READ-WRITE",
    /// The destination does not exist but CREATE may help.
    TryCreate = "TRYCREATE",
    /// RFC 4315: UIDs in this mailbox do not persist.
    UidNotSticky = "UIDNOTSTICKY",
    /// RFC 7162: the mailbox keeps no mod-sequences.
    NoModSeq = "NOMODSEQ",
    /// RFC 7162: the mailbox selected before is now closed.
    Closed = "CLOSED",
    /// RFC 5530: a part of the service is down; try again later.
    Unavailable = "UNAVAILABLE",
    /// RFC 5530: wrong credentials, or a reason the server keeps to itself.
    AuthenticationFailed = "AUTHENTICATIONFAILED",
    /// RFC 5530: the credentials are right but may not act for the identity asked for.
    AuthorizationFailed = "AUTHORIZATIONFAILED",
    /// RFC 5530: the credentials have expired.
    Expired = "EXPIRED",
    /// RFC 5530: TLS or the like is needed first.
    PrivacyRequired = "PRIVACYREQUIRED",
    /// RFC 5530: talk to the administrators.
    ContactAdmin = "CONTACTADMIN",
    /// RFC 5530: access rights are missing.
    NoPerm = "NOPERM",
    /// RFC 5530: somebody else is using it.
    InUse = "INUSE",
    /// RFC 5530: messages were expunged by someone else.
    ExpungeIssued = "EXPUNGEISSUED",
    /// RFC 5530: the server found damage.
    Corruption = "CORRUPTION",
    /// RFC 5530: a fault of the server.
    ServerBug = "SERVERBUG",
    /// RFC 5530: a fault of the client.
    ClientBug = "CLIENTBUG",
    /// RFC 5530: this cannot be done at all.
    Cannot = "CANNOT",
    /// RFC 5530: a limit of the server was reached.
    Limit = "LIMIT",
    /// RFC 5530: over quota.
    OverQuota = "OVERQUOTA",
    /// RFC 5530: it is already there.
    AlreadyExists = "ALREADYEXISTS",
    /// RFC 5530: it does not exist.
    NonExistent = "NONEXISTENT",
    /// RFC 4469 and RFC 7888: the message or literal is too big.
    TooBig = "TOOBIG",
    /// RFC 3516: the server cannot decode this transfer encoding.
    UnknownCte = "UNKNOWN-CTE",
    /// RFC 6154: the server cannot create with this special use.
    UseAttr = "USEATTR",
    /// RFC 9051: the mailbox has children that keep it from being deleted.
    HasChildren = "HASCHILDREN",
    /// RFC 4978: compression is already on.
    CompressionActive = "COMPRESSIONACTIVE",
}

impl<'a> Code<'a> {
    /// From what stands between the brackets.
    ///
    /// # Errors
    /// [`Invalid`](crate::types::Invalid) when it is empty or holds `]`, CR, LF or NUL.
    pub fn new(octets: &'a [u8]) -> Result<Self, crate::types::Invalid> {
        crate::grammar::code::from_octets(octets)
    }

    /// The name in front of any arguments, for codes this crate does not know.
    pub fn other_name(&self) -> Option<&[u8]> {
        match self {
            Code::Other(raw) => raw.as_bytes().split(|&o| o == b' ').next(),
            _ => None,
        }
    }
}

/// The octets between the brackets of a code that is not known. Built by [`Code::new`] and the parser only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawCode<'a>(Cow<'a, [u8]>);

impl<'a> RawCode<'a> {
    pub(crate) fn from_checked(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RawCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}
