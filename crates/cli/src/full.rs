//! `postkey-full`: every command. Called by `postkey`, beside which it lies.

use std::process::ExitCode;

fn main() -> ExitCode {
    postkey_cli::main()
}
