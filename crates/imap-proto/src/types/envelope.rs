//! `envelope` and `address` (RFC 3501 section 7.4.2).

use alloc::vec::Vec;

use crate::types::string::NString;

/// The header of a message as the server parsed it. Nothing is decoded: encoded-words stay as they are.
///
/// An empty address list and `NIL` are the same value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope<'a> {
    /// `Date:` as written.
    pub date: NString<'a>,
    /// `Subject:`.
    pub subject: NString<'a>,
    /// `From:`.
    pub from: Vec<Address<'a>>,
    /// `Sender:`; servers repeat `From:` when it is missing.
    pub sender: Vec<Address<'a>>,
    /// `Reply-To:`; servers repeat `From:` when it is missing.
    pub reply_to: Vec<Address<'a>>,
    /// `To:`.
    pub to: Vec<Address<'a>>,
    /// `Cc:`.
    pub cc: Vec<Address<'a>>,
    /// `Bcc:`.
    pub bcc: Vec<Address<'a>>,
    /// `In-Reply-To:`.
    pub in_reply_to: NString<'a>,
    /// `Message-ID:`.
    pub message_id: NString<'a>,
}

impl Envelope<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Envelope<'static> {
        let list = |l: Vec<Address<'_>>| l.into_iter().map(Address::into_owned).collect::<Vec<_>>();
        Envelope {
            date: self.date.into_owned(),
            subject: self.subject.into_owned(),
            from: list(self.from),
            sender: list(self.sender),
            reply_to: list(self.reply_to),
            to: list(self.to),
            cc: list(self.cc),
            bcc: list(self.bcc),
            in_reply_to: self.in_reply_to.into_owned(),
            message_id: self.message_id.into_owned(),
        }
    }
}

/// One address, or the beginning or end of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// The display name.
    pub name: NString<'a>,
    /// `addr-adl`: the source route of RFC 822; `NIL` today.
    pub adl: NString<'a>,
    /// The part before the `@`; the group's name at the beginning of a group, `NIL` at its end.
    pub mailbox: NString<'a>,
    /// The part after the `@`; `NIL` marks group syntax.
    pub host: NString<'a>,
}

impl Address<'_> {
    /// Whether this begins a group, which [`mailbox`](Self::mailbox) names.
    pub fn is_group_start(&self) -> bool {
        self.host.is_nil() && !self.mailbox.is_nil()
    }

    /// Whether this ends a group.
    pub fn is_group_end(&self) -> bool {
        self.host.is_nil() && self.mailbox.is_nil()
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Address<'static> {
        Address {
            name: self.name.into_owned(),
            adl: self.adl.into_owned(),
            mailbox: self.mailbox.into_owned(),
            host: self.host.into_owned(),
        }
    }
}
