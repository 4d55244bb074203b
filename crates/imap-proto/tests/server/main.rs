//! The server machine: what it makes of what clients send, however it is cut, and what it lets an application answer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod app;
mod append;
mod fuzz;
mod grammar;
mod hostile;
mod idle;
mod matrix;
mod order;
mod session;
mod sign_in;
mod starttls;
mod streaming;
mod time;
mod transcripts;
