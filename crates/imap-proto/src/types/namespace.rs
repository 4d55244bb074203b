//! NAMESPACE (RFC 2342): where a user's mailboxes, others' and shared ones live.

use alloc::vec::Vec;

use crate::types::list::Delimiter;
use crate::types::mailbox::Mailbox;

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace<'a> {
    /// What every mailbox name in it begins with, delimiter included; often empty.
    pub prefix: Mailbox<'a>,
    /// Its hierarchy delimiter; `None` when it is flat.
    pub delimiter: Option<Delimiter>,
}

impl Namespace<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Namespace<'static> {
        Namespace { prefix: self.prefix.into_owned(), delimiter: self.delimiter }
    }
}

/// The NAMESPACE response; a class that does not exist (`NIL`) is empty. Extension data is read over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespaces<'a> {
    /// The user's own.
    pub personal: Vec<Namespace<'a>>,
    /// Other users'.
    pub other_users: Vec<Namespace<'a>>,
    /// Shared.
    pub shared: Vec<Namespace<'a>>,
}

impl Namespaces<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Namespaces<'static> {
        let list = |l: Vec<Namespace<'_>>| l.into_iter().map(Namespace::into_owned).collect::<Vec<_>>();
        Namespaces {
            personal: list(self.personal),
            other_users: list(self.other_users),
            shared: list(self.shared),
        }
    }
}
