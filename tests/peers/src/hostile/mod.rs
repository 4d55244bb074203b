//! The catalogue of hostile and broken servers, and its player.
//!
//! `data/hostile/cases.json` holds the cases of every protocol; the player speaks IMAP, POP3 and SMTP.

mod case;
mod imap;
mod player;
mod pop3;
mod server;
mod smtp;
mod substitute;

pub use case::{Case, Proto, Segment, Start, case, cases};
pub use server::{HostileServer, Seen};
