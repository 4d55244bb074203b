//! Scripted machines, generators and fuzz bodies (feature `testkit`).

mod client;
pub mod generators;
mod grammar;
#[cfg(test)]
mod seeds;
mod server;

pub use client::{Action, Message, ScriptedClient, fuzz_client};
pub use grammar::{fuzz_command, fuzz_reply};
pub use server::{App, Running, fuzz_server};
