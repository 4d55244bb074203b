//! What can be chosen on the command line.

use std::path::PathBuf;

use crate::scenarios;

pub(crate) const HELP: &str = "\
bench-send [OPTIONS]
  --count N          messages of 10 KiB (5000)
  --runs N           runs of each program (5)
  --huge MIB         size of the large message, in MiB (1024)
  --only NAME,…      scenarios: plain-1, plain-4, tls-1, tls-4, data, bdat
  --tmpfs DIR        in memory: files of the run (/dev/shm/postkey-bench-send)";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) count: usize,
    pub(crate) runs: usize,
    pub(crate) huge_mib: u64,
    only: Vec<String>,
    pub(crate) tmpfs: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            count: 5_000,
            runs: 5,
            huge_mib: 1024,
            only: Vec::new(),
            tmpfs: "/dev/shm/postkey-bench-send".into(),
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
                "--only" => options.only = scenario_names(value)?,
                "--tmpfs" => options.tmpfs = value.into(),
                other => return Err(format!("unknown option {other}")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == scenario)
    }
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err(format!("{name} needs a number from 1 to 1000000, not `{value}`")),
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
        let options = parse("--count 500 --runs 2 --only tls-4,bdat").unwrap().unwrap();
        assert_eq!((options.count, options.runs), (500, 2));
        assert!(options.wants("bdat") && !options.wants("data"));
        assert_eq!(parse("--help"), Ok(None));
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["--count", "--count 0", "--runs many", "--only tls", "--fast yes"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
