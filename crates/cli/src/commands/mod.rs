//! The commands, each in a file.

pub(crate) mod account;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod exit_codes;
pub(crate) mod fetch;
pub(crate) mod folders;
pub(crate) mod inspect;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod provider;
pub(crate) mod sandbox;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod token;
mod transfer;
pub(crate) mod try_;

use crate::exit::{Exit, Failure, Result};

/// Runs a command that waits for network or person, on this thread alone.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(no_runtime)?.block_on(work)
}

fn no_runtime(error: std::io::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("the runtime cannot be started: {error}"), "")
}
