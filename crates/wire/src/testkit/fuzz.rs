//! What every fuzz body of a machine does with its octets.

use std::string::{String, ToString as _};
use std::vec::Vec;

use super::check::converse;
use super::{Outcome, Subject, run};
use crate::{Limits, Security};

/// Runs what `make` makes against octets from anywhere, the octet 0xff ending a [flight](run()): a handshake, where one is due. Gives back
/// what happened when they came whole.
///
/// First with a peer that reads only when it must, then twice with one that reads at once, cut differently. `cut` says how.
///
/// # Panics
/// When the machine breaks its contract, or does something else when the same octets come in other pieces.
pub fn fuzz_octets<S: Subject>(make: impl Fn() -> S, octets: &[u8], cut: u8) -> Outcome {
    let flights: Vec<&[u8]> = octets.split(|octet| *octet == 0xff).filter(|f| !f.is_empty()).collect();
    let (large, small) = (usize::from(cut) + 1, 1 + usize::from(cut) % 9);
    converse(&mut make(), &flights, &mut |n| n.min(large), false);
    let whole = run(&mut make(), &flights, &mut |n| n);
    let pieces = run(&mut make(), &flights, &mut |n| n.min(small));
    assert_same(&whole, &pieces);
    whole
}

/// Runs what `make` makes against octets that are lines of a conversation, and gives back the one that got them whole, with what happened.
///
/// First all at once: whatever comes of it, it must end. Then line by line, whole and cut as `cut` says, because what the
/// application does between two lines must be at the same place in both.
///
/// # Panics
/// When the machine breaks its contract, or does something else when the same octets come in other pieces.
pub fn fuzz_lines<S: Subject>(
    make: impl Fn() -> S,
    octets: &[u8],
    cut: &mut dyn FnMut(usize) -> usize,
) -> (S, Outcome) {
    run(&mut make(), &[octets], &mut |n| n);
    let lines: Vec<&[u8]> = octets.split_inclusive(|octet| *octet == b'\n').collect();
    let mut subject = make();
    let whole = run(&mut subject, &lines, &mut |n| n);
    let pieces = run(&mut make(), &lines, cut);
    assert_same(&whole, &pieces);
    (subject, whole)
}

fn assert_same(whole: &Outcome, pieces: &Outcome) {
    let sent = |outcome: &Outcome| -> String { outcome.sent.escape_ascii().to_string() };
    assert_eq!(whole.transcript, pieces.transcript, "what happens depends on how the octets are cut");
    assert_eq!(sent(whole), sent(pieces), "what is sent depends on how the octets are cut");
    assert_eq!(whole.end, pieces.end, "the end depends on how the octets are cut");
}

/// Says yes or no by the bits of one octet, in turn.
#[derive(Clone, Copy, Debug)]
pub struct Decisions {
    bits: u8,
    count: u32,
}

impl Decisions {
    /// The same octet gives the same answers.
    pub fn new(bits: u8) -> Self {
        Self { bits, count: 0 }
    }

    /// The next answer.
    pub fn yes(&mut self) -> bool {
        self.count = self.count.wrapping_add(1);
        self.bits.rotate_left(self.count) & 1 == 0
    }
}

/// The protection that the two lowest bits of an octet stand for.
pub fn security(bits: u8) -> Security {
    match bits & 3 {
        0 => Security::Tls,
        1 => Security::StartTls,
        _ => Security::DangerousPlaintext,
    }
}

/// Limits so small that short inputs reach them.
pub fn small_limits() -> Limits {
    let mut limits = Limits::DEFAULT;
    limits.line = 512;
    limits.pre_auth_line = 256;
    limits.pre_auth_total = 2_048;
    limits.pre_auth_literal = 64;
    limits.literal = 512;
    limits.literals = 8;
    limits.body = 2_048;
    limits.long_line = 1_024;
    limits.sasl_challenge = 512;
    limits.outbox = 1_024;
    limits.nesting = 8;
    limits
}
