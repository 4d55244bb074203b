//! Runs machines against the [contract](crate::machine): [`check`](check()) one alone, [`pair`](pair()) two against each other,
//! [`flood`](flood()) one with more than it can hold.
//!
//! Everything is deterministic: cuts and chunk sizes come from a seed, time is virtual. A fuzz target is one call: [`fuzz_octets`] or
//! [`fuzz_lines`] with what the protocol brings.
//! A broken contract is a panic with a message that says which clause and how to repeat it.

mod check;
mod flood;
mod fuzz;
mod pair;
mod rng;
mod seeds;

pub use check::{Outcome, Subject, check, run};
pub use flood::{Flooded, flood};
pub use fuzz::{Decisions, fuzz_lines, fuzz_octets, security, small_limits};
pub use pair::{PairOptions, pair};
pub use rng::Rng;
pub use seeds::seeds;
