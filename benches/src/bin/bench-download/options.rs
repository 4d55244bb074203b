//! What can be chosen on the command line.

use std::path::PathBuf;

use crate::clients::Client;
use crate::scenarios;

pub(crate) const HELP: &str = "\
bench-download [OPTIONS]
  --count N          messages in the mailbox (20000)
  --runs N           runs of each program (5)
  --huge MIB         size of the large message, in MiB (1024)
  --delay MS         added round trip of the delayed runs, in ms (50)
  --only NAME,…      scenarios: tmpfs, disk, delay, resync, pop3, pop3-tmpfs, huge
  --clients NAME,…   programs: raw-null, raw, async-imap, postkey, postkey-no-fsync, mbsync, mbsync-fsync, curl;
                     by POP3: facade-pop3, postkey-pop3, postkey-pop3-no-fsync, poplib, curl-pop3
  --work DIR         on a disk: mailboxes and downloads (/var/tmp/postkey-bench); the mailboxes are kept,
                     the downloads until the end: 330 MB for each run of each program that writes there
  --tmpfs DIR        in memory: downloads (/dev/shm/postkey-bench)";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) count: usize,
    pub(crate) runs: usize,
    pub(crate) huge_mib: u64,
    pub(crate) delay_ms: u64,
    only: Vec<String>,
    clients: Vec<Client>,
    pub(crate) work: PathBuf,
    pub(crate) tmpfs: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            count: 20_000,
            runs: 5,
            huge_mib: 1024,
            delay_ms: 50,
            only: Vec::new(),
            clients: Vec::new(),
            work: "/var/tmp/postkey-bench".into(),
            tmpfs: "/dev/shm/postkey-bench".into(),
        }
    }
}

impl Options {
    /// `None` when help was asked for.
    pub(crate) fn parse(arguments: &[String]) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            if matches!(name.as_str(), "-h" | "--help") {
                return Ok(None);
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--count" => options.count = number(name, value)?,
                "--runs" => options.runs = number(name, value)?,
                "--huge" => options.huge_mib = number(name, value)? as u64,
                "--delay" => options.delay_ms = number(name, value)? as u64,
                "--only" => options.only = scenario_names(value)?,
                "--clients" => {
                    options.clients = value.split(',').map(Client::from_name).collect::<Result<_, _>>()?;
                }
                "--work" => options.work = value.into(),
                "--tmpfs" => options.tmpfs = value.into(),
                other => return Err(format!("unknown option {other}")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == scenario)
    }

    pub(crate) fn wants_client(&self, client: Client) -> bool {
        self.clients.is_empty() || self.clients.contains(&client)
    }
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(format!("{name} needs a number from 1 up, not `{value}`")),
    }
}

fn scenario_names(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = value.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| !scenarios::ALL.iter().any(|scenario| scenario.name == **name)) {
        Some(unknown) => Err(format!("there is no scenario `{unknown}`")),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Options>, String> {
        Options::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options = parse("--count 500 --runs 2 --only tmpfs,huge --clients raw,mbsync").unwrap().unwrap();
        assert_eq!((options.count, options.runs), (500, 2));
        assert!(options.wants("huge") && !options.wants("disk"));
        assert!(options.wants_client(Client::Raw) && !options.wants_client(Client::Postkey));
        assert_eq!(parse("--help"), Ok(None));
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["--count", "--count 0", "--runs many", "--only tmfps", "--clients mutt", "--fast yes"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
