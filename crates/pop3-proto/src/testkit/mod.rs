//! Generators and fuzz bodies for tests in this crate and elsewhere.

mod client;
pub mod generators;
mod grammar;
#[cfg(test)]
mod seeds;
mod server;

pub use client::{Action, ScriptedClient, fuzz_client};
pub use grammar::{fuzz_command, fuzz_reply};
pub use server::fuzz_server;
