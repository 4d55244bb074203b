//! Everything a server can say (RFC 3501 section 7).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::types::capability::{Capabilities, Capability};
use crate::types::fetch::FetchResponse;
use crate::types::flag::FlagSet;
use crate::types::id::IdParams;
use crate::types::list::ListEntry;
use crate::types::mailbox::Mailbox;
use crate::types::mailbox_status::StatusData;
use crate::types::namespace::Namespaces;
use crate::types::search::SearchData;
use crate::types::sequence::UidSet;
use crate::types::status::StatusResponse;
use crate::types::string::Text;

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response<'a> {
    /// `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`; tagged or not.
    Status(StatusResponse<'a>),
    /// `+`: the server waits for more. The text is Base64 during AUTHENTICATE.
    Continue(Text<'a>),
    /// `* CAPABILITY`
    Capability(Capabilities<'a>),
    /// `* FLAGS`: the flags that exist in the mailbox.
    Flags(FlagSet<'a>),
    /// `* LIST` and `* LSUB`
    List(ListEntry<'a>),
    /// `* SEARCH`
    Search(SearchData<'a>),
    /// `* STATUS`
    MailboxStatus {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// What the server said about it.
        data: StatusData,
    },
    /// `* n EXISTS`: number of messages in the mailbox.
    Exists(u32),
    /// `* n RECENT`: number of messages with `\Recent`.
    Recent(u32),
    /// `* n EXPUNGE`: this sequence number is gone, greater ones are one less from now on.
    Expunge(NonZeroU32),
    /// `* VANISHED` (RFC 7162): these UIDs are gone.
    Vanished {
        /// They were gone before the mailbox was selected; sequence numbers do not change.
        earlier: bool,
        /// Which.
        uids: UidSet,
    },
    /// `* n FETCH` with all bodies inside the frame. Streams are read by
    /// [`fetch_prefix`](crate::grammar::fetch_prefix) and [`fetch_item`](crate::grammar::fetch_item) instead.
    Fetch(FetchResponse<'a>),
    /// `* NAMESPACE` (RFC 2342)
    Namespace(Namespaces<'a>),
    /// `* ID` (RFC 2971)
    Id(IdParams<'a>),
    /// `* ENABLED` (RFC 5161)
    Enabled(Vec<Capability<'a>>),
    /// A line that is none of these, whole but for its end: an extension nobody asked for, or a line without `*`
    /// such as Exchange's `Server Unavailable. 15`.
    Unrecognised(Cow<'a, [u8]>),
}

impl Response<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Response<'static> {
        use Response as R;
        match self {
            R::Status(s) => R::Status(s.into_owned()),
            R::Continue(t) => R::Continue(t.into_owned()),
            R::Capability(c) => R::Capability(c.into_owned()),
            R::Flags(f) => R::Flags(f.into_owned()),
            R::List(l) => R::List(l.into_owned()),
            R::Search(s) => R::Search(s.into_owned()),
            R::MailboxStatus { mailbox, data } => R::MailboxStatus { mailbox: mailbox.into_owned(), data },
            R::Exists(n) => R::Exists(n),
            R::Recent(n) => R::Recent(n),
            R::Expunge(n) => R::Expunge(n),
            R::Vanished { earlier, uids } => R::Vanished { earlier, uids },
            R::Fetch(f) => R::Fetch(f.into_owned()),
            R::Namespace(n) => R::Namespace(n.into_owned()),
            R::Id(p) => R::Id(p.into_owned()),
            R::Enabled(c) => R::Enabled(c.into_iter().map(Capability::into_owned).collect()),
            R::Unrecognised(o) => R::Unrecognised(Cow::Owned(o.into_owned())),
        }
    }
}
