//! Commands (RFC 3501 section 6 and extensions) with their arguments.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU64;

use wire::SecretBytes;

use crate::types::atom::Atom;
use crate::types::capability::Capability;
use crate::types::date::DateTime;
use crate::types::fetch::FetchItems;
use crate::types::flag::FlagSet;
use crate::types::id::IdParams;
use crate::types::invalid::{Invalid, InvalidKind};
use crate::types::mailbox::{ListPattern, Mailbox};
use crate::types::mailbox_status::StatusItem;
use crate::types::search::SearchKey;
use crate::types::sequence::SequenceSet;
use crate::types::string::{AString, Escaped};

/// A command without its tag. Passwords and tokens are [`SecretBytes`], so Debug shows none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `CAPABILITY`
    Capability,
    /// `NOOP`
    Noop,
    /// `LOGOUT`
    Logout,
    /// `STARTTLS`
    StartTls,
    /// `AUTHENTICATE` (RFC 3501 section 6.2.2, RFC 4959).
    Authenticate {
        /// The SASL mechanism.
        mechanism: Atom<'a>,
        /// The initial response in Base64 as it stands on the wire; `=` is an empty response. Needs SASL-IR.
        initial: Option<SecretBytes>,
    },
    /// `LOGIN`
    Login {
        /// The user name.
        user: AString<'a>,
        /// The password.
        password: SecretBytes,
    },
    /// `ENABLE` (RFC 5161); at least one.
    Enable(Vec<Capability<'a>>),
    /// `ID` (RFC 2971)
    Id(IdParams<'a>),
    /// `NAMESPACE` (RFC 2342)
    Namespace,
    /// `SELECT`
    Select {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// Extension parameters.
        params: SelectParams,
    },
    /// `EXAMINE`: SELECT for reading only.
    Examine {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// Extension parameters.
        params: SelectParams,
    },
    /// `CREATE`
    Create(Mailbox<'a>),
    /// `DELETE`
    Delete(Mailbox<'a>),
    /// `RENAME`
    Rename {
        /// The name it has.
        from: Mailbox<'a>,
        /// The name it shall have.
        to: Mailbox<'a>,
    },
    /// `SUBSCRIBE`
    Subscribe(Mailbox<'a>),
    /// `UNSUBSCRIBE`
    Unsubscribe(Mailbox<'a>),
    /// `LIST`
    List {
        /// What the pattern is relative to; usually empty.
        reference: Mailbox<'a>,
        /// Which names.
        pattern: ListPattern<'a>,
    },
    /// `LSUB`
    Lsub {
        /// What the pattern is relative to; usually empty.
        reference: Mailbox<'a>,
        /// Which names.
        pattern: ListPattern<'a>,
    },
    /// `STATUS`; at least one item.
    Status {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// What to ask.
        items: Vec<StatusItem>,
    },
    /// `APPEND`. The octets of the message are not part of this value: they follow the announcement.
    Append {
        /// Where to.
        mailbox: Mailbox<'a>,
        /// The flags it shall have.
        flags: FlagSet<'a>,
        /// The internal date it shall have; now if `None`.
        date: Option<DateTime>,
        /// The announcement of the message.
        literal: AppendLiteral,
    },
    /// `CHECK`
    Check,
    /// `CLOSE`: expunge silently and unselect.
    Close,
    /// `UNSELECT` (RFC 3691): unselect without expunging.
    Unselect,
    /// `EXPUNGE`
    Expunge,
    /// `UID EXPUNGE` (RFC 4315): only messages of this set.
    UidExpunge(SequenceSet),
    /// `SEARCH`
    Search {
        /// The `UID` form: the answer holds UIDs.
        uid: bool,
        /// The charset of the strings in the key; US-ASCII if `None`.
        charset: Option<AString<'a>>,
        /// Which messages.
        key: SearchKey<'a>,
    },
    /// `FETCH`
    Fetch {
        /// The `UID` form: the set holds UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet,
        /// What of them.
        items: FetchItems<'a>,
        /// RFC 7162 `CHANGEDSINCE`: only messages changed after this mod-sequence.
        changed_since: Option<NonZeroU64>,
    },
    /// `STORE`
    Store {
        /// The `UID` form: the set holds UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet,
        /// RFC 7162 `UNCHANGEDSINCE`: leave messages alone that changed after this mod-sequence.
        unchanged_since: Option<u64>,
        /// What to do with the flags.
        action: StoreAction,
        /// `.SILENT`: the new flags are not to be told.
        silent: bool,
        /// The flags.
        flags: FlagSet<'a>,
    },
    /// `COPY`
    Copy {
        /// The `UID` form: the set holds UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet,
        /// Where to.
        mailbox: Mailbox<'a>,
    },
    /// `MOVE` (RFC 6851)
    Move {
        /// The `UID` form: the set holds UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet,
        /// Where to.
        mailbox: Mailbox<'a>,
    },
    /// `IDLE` (RFC 2177)
    Idle,
    /// A command this crate does not know.
    Unknown {
        /// Its name.
        name: Atom<'a>,
        /// Everything after the name as it came, without the line's end.
        arguments: RawArguments<'a>,
    },
}

impl<'a> Command<'a> {
    /// `AUTHENTICATE` with a SASL mechanism and, where SASL-IR allows it, an initial response in Base64.
    ///
    /// # Errors
    /// [`Invalid`] when the mechanism is no atom or the response no Base64.
    pub fn authenticate(mechanism: &'a str, initial: Option<SecretBytes>) -> Result<Self, Invalid> {
        if initial.as_ref().is_some_and(|i| !crate::grammar::chars::is_base64(i.expose())) {
            // No position: it would tell something about the secret.
            return Err(Invalid::new("initial response", InvalidKind::Syntax));
        }
        Ok(Command::Authenticate { mechanism: Atom::new(mechanism)?, initial })
    }
}

impl Command<'_> {
    /// The command's name on the wire; for UID forms the word after `UID`.
    pub fn name(&self) -> &str {
        match self {
            Command::Capability => "CAPABILITY",
            Command::Noop => "NOOP",
            Command::Logout => "LOGOUT",
            Command::StartTls => "STARTTLS",
            Command::Authenticate { .. } => "AUTHENTICATE",
            Command::Login { .. } => "LOGIN",
            Command::Enable(_) => "ENABLE",
            Command::Id(_) => "ID",
            Command::Namespace => "NAMESPACE",
            Command::Select { .. } => "SELECT",
            Command::Examine { .. } => "EXAMINE",
            Command::Create(_) => "CREATE",
            Command::Delete(_) => "DELETE",
            Command::Rename { .. } => "RENAME",
            Command::Subscribe(_) => "SUBSCRIBE",
            Command::Unsubscribe(_) => "UNSUBSCRIBE",
            Command::List { .. } => "LIST",
            Command::Lsub { .. } => "LSUB",
            Command::Status { .. } => "STATUS",
            Command::Append { .. } => "APPEND",
            Command::Check => "CHECK",
            Command::Close => "CLOSE",
            Command::Unselect => "UNSELECT",
            Command::Expunge | Command::UidExpunge(_) => "EXPUNGE",
            Command::Search { .. } => "SEARCH",
            Command::Fetch { .. } => "FETCH",
            Command::Store { .. } => "STORE",
            Command::Copy { .. } => "COPY",
            Command::Move { .. } => "MOVE",
            Command::Idle => "IDLE",
            Command::Unknown { name, .. } => name.as_str(),
        }
    }

    /// Whether it is the `UID` form.
    pub fn is_uid(&self) -> bool {
        match self {
            Command::UidExpunge(_) => true,
            Command::Search { uid, .. }
            | Command::Fetch { uid, .. }
            | Command::Store { uid, .. }
            | Command::Copy { uid, .. }
            | Command::Move { uid, .. } => *uid,
            _ => false,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Command<'static> {
        use Command as C;
        match self {
            C::Capability => C::Capability,
            C::Noop => C::Noop,
            C::Logout => C::Logout,
            C::StartTls => C::StartTls,
            C::Authenticate { mechanism, initial } => {
                C::Authenticate { mechanism: mechanism.into_owned(), initial }
            }
            C::Login { user, password } => C::Login { user: user.into_owned(), password },
            C::Enable(c) => C::Enable(c.into_iter().map(Capability::into_owned).collect()),
            C::Id(p) => C::Id(p.into_owned()),
            C::Namespace => C::Namespace,
            C::Select { mailbox, params } => C::Select { mailbox: mailbox.into_owned(), params },
            C::Examine { mailbox, params } => C::Examine { mailbox: mailbox.into_owned(), params },
            C::Create(m) => C::Create(m.into_owned()),
            C::Delete(m) => C::Delete(m.into_owned()),
            C::Rename { from, to } => C::Rename { from: from.into_owned(), to: to.into_owned() },
            C::Subscribe(m) => C::Subscribe(m.into_owned()),
            C::Unsubscribe(m) => C::Unsubscribe(m.into_owned()),
            C::List { reference, pattern } => {
                C::List { reference: reference.into_owned(), pattern: pattern.into_owned() }
            }
            C::Lsub { reference, pattern } => {
                C::Lsub { reference: reference.into_owned(), pattern: pattern.into_owned() }
            }
            C::Status { mailbox, items } => C::Status { mailbox: mailbox.into_owned(), items },
            C::Append { mailbox, flags, date, literal } => {
                C::Append { mailbox: mailbox.into_owned(), flags: flags.into_owned(), date, literal }
            }
            C::Check => C::Check,
            C::Close => C::Close,
            C::Unselect => C::Unselect,
            C::Expunge => C::Expunge,
            C::UidExpunge(s) => C::UidExpunge(s),
            C::Search { uid, charset, key } => {
                C::Search { uid, charset: charset.map(AString::into_owned), key: key.into_owned() }
            }
            C::Fetch { uid, set, items, changed_since } => {
                C::Fetch { uid, set, items: items.into_owned(), changed_since }
            }
            C::Store { uid, set, unchanged_since, action, silent, flags } => {
                C::Store { uid, set, unchanged_since, action, silent, flags: flags.into_owned() }
            }
            C::Copy { uid, set, mailbox } => C::Copy { uid, set, mailbox: mailbox.into_owned() },
            C::Move { uid, set, mailbox } => C::Move { uid, set, mailbox: mailbox.into_owned() },
            C::Idle => C::Idle,
            C::Unknown { name, arguments } => {
                C::Unknown { name: name.into_owned(), arguments: arguments.into_owned() }
            }
        }
    }
}

/// `select-param` (RFC 4466, RFC 7162).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SelectParams {
    /// `(CONDSTORE)`: tell mod-sequences from now on.
    pub condstore: bool,
}

/// What STORE does with the flags it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreAction {
    /// `FLAGS`: these and no others (but `\Recent`).
    Replace,
    /// `+FLAGS`: add these.
    Add,
    /// `-FLAGS`: take these away.
    Remove,
}

/// The announcement of the message in APPEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppendLiteral {
    /// Length of the message in octets.
    pub len: u64,
    /// `{n}`: the client waits for `+` before it sends. `{n+}` (RFC 7888) is `false`.
    pub sync: bool,
    /// `~{n}` (RFC 3516): the message may hold NUL.
    pub binary: bool,
}

/// The arguments of a command this crate does not know. Not shown by Debug: they may be credentials.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RawArguments<'a>(Cow<'a, [u8]>);

impl<'a> RawArguments<'a> {
    pub(crate) fn from_checked(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }

    /// From octets; literals cannot be among them.
    ///
    /// # Errors
    /// [`Invalid`] when there is a CR, LF, NUL or 8-bit octet, or when they end like the announcement of a literal.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        crate::grammar::check_arguments(&octets)?;
        Ok(Self(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How they would be shown if somebody who knows that they hold no credentials asked.
    pub fn escaped(&self) -> impl fmt::Debug + '_ {
        Escaped(&self.0)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> RawArguments<'static> {
        RawArguments(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for RawArguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}
