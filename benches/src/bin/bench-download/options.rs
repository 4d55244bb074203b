//! What can be chosen on the command line.

use std::path::PathBuf;

use clap::Parser;
use postkey_benches::program::{at_least, one_of};

use crate::clients::Client;
use crate::scenarios;

/// Downloads of whole mailboxes, side by side, from a private Dovecot over TLS.
#[derive(Debug, Parser)]
#[command(name = "bench-download")]
pub(crate) struct Options {
    /// Messages in the mailbox
    #[arg(long, value_name = "N", default_value = "20000", value_parser = at_least::<usize>(1))]
    pub(crate) count: usize,
    /// Runs of each program
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least::<usize>(1))]
    pub(crate) runs: usize,
    /// Size of the large message, in MiB
    #[arg(long, value_name = "MIB", default_value = "1024", value_parser = at_least::<u64>(1))]
    pub(crate) huge: u64,
    /// Added round trip of the delayed runs, in ms
    #[arg(long, value_name = "MS", default_value = "50", value_parser = at_least::<u64>(1))]
    pub(crate) delay: u64,
    /// Scenarios; all, if none is named
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = one_of(scenarios::ALL.iter().map(|s| s.name)))]
    only: Vec<String>,
    /// Programs; all, if none is named
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    clients: Vec<Client>,
    /// On a disk: mailboxes and downloads. The mailboxes are kept, the downloads until the end: 330 MB for each run of each program
    /// that writes there
    #[arg(long, value_name = "DIR", default_value = "/var/tmp/postkey-bench")]
    pub(crate) work: PathBuf,
    /// In memory: downloads
    #[arg(long, value_name = "DIR", default_value = "/dev/shm/postkey-bench")]
    pub(crate) tmpfs: PathBuf,
}

impl Options {
    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == scenario)
    }

    pub(crate) fn wants_client(&self, client: Client) -> bool {
        self.clients.is_empty() || self.clients.contains(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["bench-download"].into_iter().chain(text.split_whitespace()))
    }

    #[test]
    fn options_are_read() {
        let options = parse("--count 500 --runs 2 --only tmpfs,huge --clients raw,mbsync").unwrap();
        assert_eq!((options.count, options.runs, options.delay), (500, 2, 50));
        assert!(options.wants("huge") && !options.wants("disk"));
        assert!(options.wants_client(Client::Raw) && !options.wants_client(Client::Postkey));
        let options = parse("--clients postkey-pop3-no-fsync").unwrap();
        assert!(options.wants("disk") && options.wants_client(Client::PostkeyPop3NoFsync));
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["--count", "--count 0", "--runs many", "--only tmfps", "--clients mutt", "--fast yes"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
