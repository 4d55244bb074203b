//! `postkey`: prints a stored token, and becomes `postkey-full` for everything else.

use std::process::ExitCode;

/// Where a program cannot become another one, it does everything itself.
#[cfg(not(unix))]
fn main() -> ExitCode {
    postkey_cli::stored_token().unwrap_or_else(postkey_cli::main)
}

#[cfg(unix)]
fn main() -> ExitCode {
    postkey_cli::stored_token().unwrap_or_else(full::become_it)
}

#[cfg(unix)]
mod full {
    use std::os::unix::process::CommandExt as _;
    use std::path::PathBuf;
    use std::process::{Command, ExitCode};

    const NAME: &str = "postkey-full";

    /// Goes on as the whole program, called in the same way. Comes back only if that is impossible.
    pub(crate) fn become_it() -> ExitCode {
        // Beside this program; PATH is for systems that do not say where that is.
        let path =
            std::env::current_exe().map_or_else(|_| PathBuf::from(NAME), |own| own.with_file_name(NAME));
        let mut arguments = std::env::args_os();
        let mut command = Command::new(&path);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        let error = command.args(arguments).exec();
        eprintln!(
            "error: {} cannot be run ({error})\nhelp: postkey and {NAME} belong into one folder; install both",
            path.display()
        );
        ExitCode::FAILURE
    }
}
