//! Measurements. Everything is compared within one run: numbers of different days or machines are not.
//!
//! - `bench-download` (`cargo xtask bench download`): whole mailboxes from a private Dovecot over TLS, by postkey
//!   and by other programs, with [`mailbox`] as the data.
//! - `rawdl`: the yardstick, as little work as a client can do.
//! - `measure`: runs one program and writes down what it used.
//! - `benches/peers`: other people's crates, in a workspace of their own.

pub mod mailbox;
