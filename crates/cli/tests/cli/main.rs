//! The program as its users meet it: the built binary, run against the sandbox in this process.

mod accounts;
mod check;
mod config;
mod fetch;
mod inspect;
mod interface;
mod pop3;
mod sandbox_command;
mod secrets;
mod send;
mod server;
mod sign_in;
mod status;
mod support;
mod tokens;
mod tour;
