//! What can be chosen on the command line.

use std::path::PathBuf;

use clap::Parser;
use postkey_benches::program::{at_least, one_of};

use crate::scenarios;

/// Sending, side by side, to Postfix's smtp-sink.
#[derive(Debug, Parser)]
#[command(name = "bench-send")]
pub(crate) struct Options {
    /// Messages of 10 KiB
    #[arg(long, value_name = "N", default_value = "5000", value_parser = at_least::<usize>(1))]
    pub(crate) count: usize,
    /// Runs of each program
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least::<usize>(1))]
    pub(crate) runs: usize,
    /// Size of the large message, in MiB
    #[arg(long, value_name = "MIB", default_value = "1024", value_parser = at_least::<u64>(1))]
    pub(crate) huge: u64,
    /// Scenarios; all, if none is named
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = one_of(scenarios::ALL.iter().map(|s| s.name)))]
    only: Vec<String>,
    /// In memory: files of the run
    #[arg(long, value_name = "DIR", default_value = "/dev/shm/postkey-bench-send")]
    pub(crate) tmpfs: PathBuf,
}

impl Options {
    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["bench-send"].into_iter().chain(text.split_whitespace()))
    }

    #[test]
    fn options_are_read() {
        let options = parse("--count 500 --runs 2 --only tls-4,bdat").unwrap();
        assert_eq!((options.count, options.runs, options.huge), (500, 2, 1024));
        assert!(options.wants("bdat") && !options.wants("data"));
        assert!(parse("").unwrap().wants("data"));
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["--count", "--count 0", "--runs many", "--only tls", "--fast yes"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
