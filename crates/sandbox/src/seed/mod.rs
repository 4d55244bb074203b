//! Mailboxes out of nothing: thousands of realistic messages that are computed when they are read.
//!
//! Everything follows from a seed, the owner's name and the number of messages: folders, UIDs, flags, dates and every
//! octet. Nothing is stored, so a mailbox of any size costs no memory; the same arguments give the same mailbox on
//! every machine.
//!
//! ```
//! use postkey_sandbox::seed;
//! let folders = seed::folders(1, "ana@contoso.example", 1000);
//! assert_eq!(folders.iter().map(|f| f.len()).sum::<usize>(), 1000);
//! let first = folders[0].message(0);
//! assert_eq!(first.octets(), first.octets());
//! ```

mod body;
mod folder;
mod header;
mod message;
mod odd;
mod rng;
mod text;
mod words;

pub use folder::{Flags, Folder, folders};
pub(crate) use header::date;
pub use message::{Kind, Message};
pub use odd::Odd;

/// `n` messages of `seed`, outside any mailbox.
pub fn messages(seed: u64, n: usize) -> impl Iterator<Item = Message> {
    (0..n).map(move |index| Message::new(seed, index, 1_600_000_000 + index as i64 * 3600))
}
