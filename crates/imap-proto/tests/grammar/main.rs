//! The grammar: what the RFCs' examples, real servers and hostile ones say, read and written.

mod commands;
mod hostile;
mod injection;
mod quirks;
mod responses;
mod transcripts;

use postkey_imap_proto::types::*;

pub(crate) fn tag(s: &str) -> Tag<'_> {
    Tag::new(s).unwrap()
}

pub(crate) fn mailbox(s: &str) -> Mailbox<'_> {
    Mailbox::new(s.as_bytes()).unwrap()
}

pub(crate) fn a(s: &str) -> AString<'_> {
    AString::try_from(s).unwrap()
}

pub(crate) fn n(s: &str) -> NString<'_> {
    NString::new(s.as_bytes()).unwrap()
}

pub(crate) fn nz(n: u32) -> std::num::NonZeroU32 {
    n.try_into().unwrap()
}

pub(crate) fn nz64(n: u64) -> std::num::NonZeroU64 {
    n.try_into().unwrap()
}

pub(crate) fn set(s: &str) -> SequenceSet {
    s.parse().unwrap()
}

pub(crate) fn flags(list: &[&'static str]) -> FlagSet<'static> {
    list.iter().map(|f| Flag::new(f).unwrap()).collect()
}
