//! Messages on their way out.
//!
//! ```text
//! args ──► address   addresses as people write them        compose ──► message   header complete, body still in its file
//!          header    recipients, Bcc, what is missing                  └──► job       whom it is still to reach, how often it was tried
//!                                                                            └──► deliver   one connection, tries, waits
//!                                                                                 batch     many messages in few round trips
//! ```

pub(crate) mod address;
mod batch;
mod compose;
pub(crate) mod deliver;
pub(crate) mod header;
pub(crate) mod job;
pub(crate) mod message;
mod patience;
pub(crate) mod plan;
mod verdict;
