//! Mailboxes without any protocol: what a store holds, what a message is made of, and what changed.

pub(crate) mod address;
pub(crate) mod decode;
pub(crate) mod header;
pub(crate) mod mime;
pub(crate) mod pattern;
pub(crate) mod section;
pub(crate) mod store;
pub(crate) mod stores;
pub(crate) mod view;
