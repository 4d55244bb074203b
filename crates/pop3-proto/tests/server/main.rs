//! The server machine: what it makes of what clients send, however it is cut, and what it lets an application answer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod app;
mod fuzz;
mod hostile;
mod matrix;
mod session;
mod stls;
mod streaming;
mod time;
