//! Generators and fuzz bodies for tests in this crate and elsewhere.

mod client;

pub use client::{Action, ScriptedClient, fuzz_client};
