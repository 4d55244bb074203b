//! Commands (RFC 1939 section 9, RFC 2449, RFC 2595, RFC 5034, RFC 6856).

use alloc::string::String;
use core::fmt;
use core::num::NonZeroU32;

use wire::SecretBytes;

use super::{Digest, Invalid, LanguageTag, Mechanism, Name, Password, check};

/// A command. Message numbers are those of the session: from 1, in the order of the maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `USER`: whose mailbox (RFC 1939 section 7).
    User(Name),
    /// `PASS`: the password for it.
    Pass(Password),
    /// `APOP`: both at once, the password proven by a digest.
    Apop {
        /// Whose mailbox; without a space.
        name: Name,
        /// The proof.
        digest: Digest,
    },
    /// `AUTH`: a SASL exchange begins (RFC 5034).
    Auth {
        /// By this mechanism.
        mechanism: Mechanism,
        /// The initial response as Base64, `=` when it is empty.
        initial: Option<SecretBytes>,
    },
    /// `STAT`: how much there is.
    Stat,
    /// `LIST`: the size of one message or of all.
    List(Option<NonZeroU32>),
    /// `UIDL`: the unique-id of one message or of all.
    Uidl(Option<NonZeroU32>),
    /// `RETR`: a message.
    Retr(NonZeroU32),
    /// `TOP`: the header of a message and so many lines of its body.
    Top {
        /// Which message.
        number: NonZeroU32,
        /// How many lines.
        lines: u32,
    },
    /// `DELE`: mark a message as deleted.
    Dele(NonZeroU32),
    /// `RSET`: unmark all.
    Rset,
    /// `NOOP`: nothing.
    Noop,
    /// `QUIT`: delete what is marked, and end.
    Quit,
    /// `CAPA`: what the server can do (RFC 2449 section 5).
    Capa,
    /// `STLS`: begin TLS (RFC 2595 section 4).
    Stls,
    /// `UTF8`: texts and messages may be UTF-8 from now on (RFC 6856 section 2).
    Utf8,
    /// `LANG`: the language of texts (RFC 6856 section 3).
    Lang(Lang),
    /// Something else. A client never sends it.
    Unknown {
        /// The first word.
        keyword: Keyword,
        /// The rest of the line. Secret, because it may be a sign-in that this crate does not know.
        parameters: SecretBytes,
    },
}

/// What LANG asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// The list of languages.
    List,
    /// The server's own choice: `*`.
    Default,
    /// This one.
    Tag(LanguageTag),
}

/// The first word of a command that has no variant of its own: one to 16 letters, digits, `-` or `_`, in capitals.
///
/// Longer words are no commands: they could be a password on the wrong line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Keyword(String);

impl Keyword {
    /// Takes a word.
    ///
    /// # Errors
    /// [`Invalid`] when it is none.
    pub fn new(word: &str) -> Result<Self, Invalid> {
        check("command", word.as_bytes(), 16, |o| o.is_ascii_alphanumeric() || matches!(o, b'-' | b'_'))?;
        Ok(Self(word.to_ascii_uppercase()))
    }

    /// The word in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Command {
    /// Whether a success is followed by lines that end with a dot (RFC 1939 section 3).
    pub fn is_multi_line(&self) -> bool {
        matches!(
            self,
            Self::List(None)
                | Self::Uidl(None)
                | Self::Retr(_)
                | Self::Top { .. }
                | Self::Capa
                | Self::Lang(Lang::List)
        )
    }

    /// The first word.
    pub fn keyword(&self) -> &str {
        match self {
            Self::User(_) => "USER",
            Self::Pass(_) => "PASS",
            Self::Apop { .. } => "APOP",
            Self::Auth { .. } => "AUTH",
            Self::Stat => "STAT",
            Self::List(_) => "LIST",
            Self::Uidl(_) => "UIDL",
            Self::Retr(_) => "RETR",
            Self::Top { .. } => "TOP",
            Self::Dele(_) => "DELE",
            Self::Rset => "RSET",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Capa => "CAPA",
            Self::Stls => "STLS",
            Self::Utf8 => "UTF8",
            Self::Lang(_) => "LANG",
            Self::Unknown { keyword, .. } => keyword.as_str(),
        }
    }
}
