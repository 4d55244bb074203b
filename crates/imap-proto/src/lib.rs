//! IMAP4rev1 without I/O: types, grammar, client machine, server machine
#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(any(test, feature = "testkit"))]
extern crate std;

pub mod grammar;
pub mod types;

#[cfg(feature = "testkit")]
pub mod testkit;
