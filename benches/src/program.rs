//! What the benchmarks' own programs have in common: numbers on their command lines, and how they end.

use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::{PossibleValuesParser, RangedU64ValueParser};

/// A number from `least` to a million.
pub fn at_least<N: TryFrom<u64> + Clone + Send + Sync + 'static>(least: u64) -> RangedU64ValueParser<N> {
    RangedU64ValueParser::new().range(least..=1_000_000)
}

/// Names of scenarios, and no others.
pub fn one_of(names: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

/// Reads the command line and measures. The program succeeds when `measure` says that everything worked and every bound was kept.
pub fn run<O: Parser, E: Display>(measure: impl FnOnce(O) -> Result<bool, E>) -> ExitCode {
    match measure(O::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("the benchmark broke off: {e}");
            ExitCode::FAILURE
        }
    }
}
