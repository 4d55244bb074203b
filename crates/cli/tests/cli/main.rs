//! The program as its users meet it: the built binary, run against the sandbox in this process.

mod accounts;
mod check;
mod config;
mod fetch;
mod gmail;
mod inspect;
mod interface;
mod manual;
mod person;
mod pop3;
mod proofs;
mod providers;
mod redirects;
#[cfg(unix)]
mod rekey;
mod sandbox_command;
#[cfg(unix)]
mod scenarios;
mod secrets;
mod send;
mod send_many;
mod server;
mod sign_in;
mod status;
#[cfg(unix)]
mod store;
mod support;
#[cfg(unix)]
mod terminal;
mod tokens;
mod tour;
mod transfer;
mod two_programs;
