//! Messages on their way out.
//!
//! ```text
//! args ──► address   addresses as people write them        compose ──► message   header complete, body still in its file
//!          header    recipients, Bcc, what is missing                  └──► deliver   one connection, tries, outcomes
//! ```

pub(crate) mod address;
mod compose;
pub(crate) mod deliver;
pub(crate) mod header;
pub(crate) mod message;
mod patience;
pub(crate) mod plan;
mod verdict;
