//! The postkey command, of which two programs are made.
//!
//! `postkey` is what people and programs call. It is small, because other programs call `postkey token` for every connection and the
//! system takes longer to start a large program than all the rest takes: it prints a token that is in the store ([`stored_token`]),
//! and becomes `postkey-full`, which lies beside it, for everything else ([`main`]). Nobody has to call that one by its name.
//!
//! ```text
//! args       the command line                     config/    the file, what an account amounts to, secrets by reference
//! commands/  one file per command                 sign_in/   browser, device code, application
//! tokens     account → access token               mail       account → mail session
//! send/      messages on their way out                inspect/   what a token says about itself
//! output/    people, programs (JSON), progress    exit/      every error → exit code, message, advice
//! browser    opening it, and its answer           signals    Ctrl-C and SIGTERM
//! status/    when what an account depends on ends
//! ```
//!
//! Commands start fast and small: no thread, TLS root or runtime before it is needed, and one thread for everything that
//! is not a server at the same time.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod args;
mod browser;
mod commands;
mod config;
mod exit;
mod http;
mod inspect;
mod logging;
mod mail;
mod output;
mod send;
mod sign_in;
mod signals;
mod status;
mod tokens;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, StoreCommand};
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::output::Out;

/// `postkey token` with a good token in a store whose key is a plain file. `None` for everything else, also for what fails: nothing
/// has been printed then, and [`main`] says what is wrong.
pub fn stored_token() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = args::quick::token(&arguments, std::env::var_os("POSTKEY_CONFIG"))?;
    let Command::Token(args) = &cli.command else { return None };
    let out = Out::new(&cli.global);
    panics_are_bugs(out);
    let config = Config::load(cli.global.config.as_deref()).ok()?;
    let printed = commands::token::stored(args, &config, out).ok()?;
    printed.then_some(ExitCode::SUCCESS)
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(args::as_called(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let out = Out::new(&cli.global);
    let begin = || logging::start(cli.global.verbose).and_then(|()| run(&cli, out));
    panics_are_bugs(out);
    match std::panic::catch_unwind(AssertUnwindSafe(begin)).unwrap_or_else(|_| Err(bug())) {
        Ok(code) => code,
        Err(failure) => {
            output::report(&failure, out.json);
            if failure.quiet { ExitCode::SUCCESS } else { ExitCode::from(failure.exit.code()) }
        }
    }
}

/// A panic's own words are not shown: they could hold what was being worked on.
fn panics_are_bugs(out: Out) {
    std::panic::set_hook(Box::new(move |_| {
        // Where nothing comes after this, an orderly end: an aborted program leaves its memory, with secrets, in a core file.
        if cfg!(panic = "abort") {
            output::report(&bug(), out.json);
            std::process::exit(Exit::Unexpected.code().into());
        }
    }));
}

fn bug() -> Failure {
    Failure::new(
        Exit::Unexpected,
        "postkey has a bug and gave up; what was stored is whole",
        format!(
            "report what you did and the version ({}) at {}",
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_REPOSITORY")
        ),
    )
}

fn run(cli: &Cli, out: Out) -> Result<ExitCode> {
    let path = cli.global.config.as_deref();
    let config = || Config::load(path);
    match &cli.command {
        Command::Status(args) => return commands::status::run(args, config, out),
        Command::Store { command: StoreCommand::Show } => return commands::store::show(&config()?, out),
        Command::Try(args) => commands::try_::run(args, out),
        Command::Account { command } => commands::account::run(command, path, out),
        Command::Provider { command } => commands::provider::run(command, config, out),
        Command::Login(args) => commands::login::run(args, &config()?, out),
        Command::Logout(args) => commands::logout::run(args, &config()?, out),
        Command::Token(args) => commands::token::run(args, config, out),
        Command::Store { command: StoreCommand::Rekey(args) } => {
            commands::store::rekey(args, &config()?, out)
        }
        Command::Folders(args) => commands::folders::run(args, &config()?, out),
        Command::Fetch(args) => commands::fetch::run(args, &config()?, out),
        Command::Send(args) => commands::send::run(args, &config()?, out),
        Command::Sandbox(args) => commands::sandbox::run(args, out),
        Command::Completions { shell } => commands::completions::completions(*shell),
        Command::Man { dir } => commands::completions::man(dir.as_deref(), out),
        Command::ExitCodes => commands::exit_codes::run(out),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Help and version are no failures; a wrong command line is one, as JSON if that is asked for anywhere on it.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if shown {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        // What is wrong stands before the first empty line, one thing a line; the command stands in the usage.
        let wrong: Vec<&str> =
            text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let message = wrong.join(" ");
        let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("postkey");
        let command: Vec<&str> =
            usage.split(' ').take_while(|word| !word.starts_with(['-', '[', '<'])).collect();
        let advice = format!("see: {} --help", command.join(" "));
        output::report(&Failure::new(Exit::Usage, message.trim_start_matches("error: "), advice), true);
    } else {
        let _ = error.print();
    }
    // To whoever calls a Nagios plugin, 2 would be the state of the accounts.
    let nagios = std::env::args_os().any(|arg| arg == "--nagios");
    ExitCode::from(if nagios { crate::status::nagios::UNKNOWN } else { Exit::Usage.code() })
}
