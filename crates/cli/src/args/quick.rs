//! The short way to `postkey token`.
//!
//! Other programs run it for every connection, and building the whole command line takes clap longer than everything else that
//! is to be done. Only the plain forms are read here; whatever is not sure to be one of them is clap's, and a test holds both to
//! the same answer.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum as _;

use super::{Cli, Color, Command, Global, Purpose, Sasl, Token, Which};

/// Words in an account's place that are commands on tokens.
const COMMANDS: &[&str] = &["inspect", "export", "import", "help"];

/// `postkey token` with an account, `--for`, `--sasl`, `--json` and `--quiet`, in any order; `None` for everything else. `config` is the
/// variable `POSTKEY_CONFIG`.
pub(crate) fn token(arguments: &[OsString], config: Option<OsString>) -> Option<Cli> {
    // clap has rules of its own for an empty variable.
    if config.as_ref().is_some_and(|path| path.is_empty()) {
        return None;
    }
    let mut words = arguments.iter().skip(1).map(|word| word.to_str());
    if words.next()?? != "token" {
        return None;
    }
    let (mut account, mut purpose, mut sasl, mut json, mut quiet) = (None, None, None, false, false);
    while let Some(word) = words.next() {
        let word = word?;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        match (name, value) {
            ("--for" | "--sasl", value) => {
                let value = match value {
                    Some(value) => value,
                    None => words.next()??,
                };
                // Twice is clap's to refuse.
                let first = match name {
                    "--for" => purpose.replace(Purpose::from_str(value, false).ok()?).is_none(),
                    _ => sasl.replace(Sasl::from_str(value, false).ok()?).is_none(),
                };
                first.then_some(())?;
            }
            ("--json", None) if !json => json = true,
            ("--quiet" | "-q", None) if !quiet => quiet = true,
            (word, None) if account.is_none() && is_account(word) => account = Some(word.to_owned()),
            _ => return None,
        }
    }
    let global = Global { config: config.map(PathBuf::from), json, quiet, verbose: 0, color: Color::Auto };
    let purpose = purpose.unwrap_or(Purpose::Imap);
    let token = Token { command: None, which: Which { account }, purpose, scopes: Vec::new(), sasl };
    Some(Cli { global, command: Command::Token(token) })
}

fn is_account(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && !COMMANDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    const WORDS: &[&str] = &[
        "token",
        "work",
        "inspect",
        "help",
        "--for",
        "--for=smtp",
        "--for=",
        "imap",
        "pop3",
        "--sasl",
        "--sasl=xoauth2",
        "oauthbearer",
        "--scope",
        "--scope=x",
        "--json",
        "--json=x",
        "-q",
        "--quiet",
        "-v",
        "--",
        "-",
        "",
        "--color",
        "never",
        "a=b",
        "--help",
    ];

    fn arguments(words: &[&str]) -> Vec<OsString> {
        ["postkey"].iter().chain(words).map(OsString::from).collect()
    }

    /// Every command line of up to four of the words behind `token`, and clap's answer to those that are read here.
    #[test]
    fn what_is_read_here_clap_reads_alike() {
        let mut lines: Vec<Vec<&str>> = vec![vec!["token"]];
        let mut read = 0;
        for length in 0..=4 {
            for line in &lines {
                if let Some(quick) = token(&arguments(line), None) {
                    read += 1;
                    // Building clap's answer takes its time: of the long lines some will do.
                    if length < 4 || read % 7 == 0 {
                        let clap =
                            Cli::try_parse_from(arguments(line)).unwrap_or_else(|e| panic!("{line:?}: {e}"));
                        assert_eq!(format!("{quick:?}"), format!("{clap:?}"), "{line:?}");
                    }
                }
            }
            lines = lines
                .iter()
                .flat_map(|line| WORDS.iter().map(|word| [line, &[*word][..]].concat()))
                .collect();
        }
        assert!(read > 500, "{read}");
    }

    #[test]
    fn the_examples_of_the_page_are_read_here() {
        for line in [
            &["token"][..],
            &["token", "work"],
            &["token", "work", "--for", "smtp"],
            &["token", "work", "--for", "smtp", "--sasl", "xoauth2"],
            &["token", "--json", "work"],
        ] {
            assert!(token(&arguments(line), None).is_some(), "{line:?}");
        }
        assert!(token(&arguments(&["status"]), None).is_none() && token(&arguments(&[]), None).is_none());
    }

    #[test]
    fn the_variable_names_the_configuration_unless_it_is_empty() {
        let read = |config: &str| token(&arguments(&["token"]), Some(config.into()));
        assert_eq!(read("c.toml").unwrap().global.config, Some(PathBuf::from("c.toml")));
        assert!(read("").is_none());
    }

    #[test]
    fn no_command_on_tokens_is_taken_for_an_account() {
        let mut all = Cli::command();
        all.build();
        let commands = all.find_subcommand("token").unwrap().get_subcommands();
        for command in commands {
            assert!(COMMANDS.contains(&command.get_name()), "{} is missing in COMMANDS", command.get_name());
        }
    }
}
