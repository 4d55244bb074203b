//! Measurements. Everything is compared within one run: numbers of different days or machines are not.
//!
//! - `bench-download` (`cargo xtask bench download`): whole mailboxes from a private Dovecot over TLS, by postkey
//!   and by other programs, with [`mailbox`] as the data.
//! - `bench-send` (`cargo xtask bench send`): messages to Postfix's `smtp-sink`, and very large ones.
//! - `bench-token` (`cargo xtask bench token`): a stored token, beside `cat` and mutt's script.
//! - `rawdl`, `rawsend`: the yardsticks, as little work as a client can do.
//! - `facade`: what a program that embeds postkey would do.
//! - `measure`: runs one program and writes down what it used; [`measured`] is how the others call it.
//! - `benches/peers`: other people's crates, in a workspace of their own.

pub mod mailbox;
pub mod measured;
pub mod program;
