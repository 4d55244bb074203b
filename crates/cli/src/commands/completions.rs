//! `postkey completions` and `postkey man`

use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::{Exit, Failure, Result};
use crate::output::Out;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "postkey", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

/// Writes the man pages into a folder, or the main one to standard output.
pub(crate) fn man(dir: Option<&Path>, out: Out) -> Result<()> {
    let Some(dir) = dir else {
        return Ok(clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout().lock())?);
    };
    let failed = |error: std::io::Error| {
        let message = format!("the man pages cannot be written to {}: {error}", dir.display());
        Failure::new(
            if error.kind() == std::io::ErrorKind::PermissionDenied {
                Exit::NoPermission
            } else {
                Exit::Disk
            },
            message,
            "name a folder you may write to",
        )
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
    out.done(format!("The man pages are in {}.", dir.display()))
}
