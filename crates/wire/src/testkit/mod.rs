//! Runs machines against the [contract](crate::machine): [`check`](check()) one alone, [`pair`](pair()) two against each other.
//!
//! Everything is deterministic: cuts and chunk sizes come from a seed, time is virtual. A fuzz target is one call.
//! A broken contract is a panic with a message that says which clause and how to repeat it.

mod check;
mod pair;
mod rng;

pub use check::{Outcome, Subject, check, run};
pub use pair::{PairOptions, pair};
pub use rng::Rng;
