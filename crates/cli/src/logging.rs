//! The log: to standard error, postkey's own modules only.
//!
//! Others' modules are left out on purpose: that no secret is logged at any level can be promised for one's own code.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::exit::{Exit, Failure, Result};

/// What the name of each of our modules begins with.
const OURS: &str = "postkey";

/// Starts the log if -v or POSTKEY_LOG asks for it.
pub(crate) fn start(verbose: u8) -> Result<()> {
    let wanted = match (verbose, std::env::var("POSTKEY_LOG")) {
        (0, Ok(text)) if !text.is_empty() => parse(&text)?,
        (0, _) => return Ok(()),
        (1, _) => all(LevelFilter::INFO),
        (2, _) => all(LevelFilter::DEBUG),
        (3.., _) => all(LevelFilter::TRACE),
    };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never);
    // A second call in one process keeps the first log.
    let _ = tracing_subscriber::registry().with(layer.with_filter(wanted)).try_init();
    Ok(())
}

fn all(level: LevelFilter) -> Targets {
    Targets::new().with_target(OURS, level)
}

/// `debug`, or `postkey_auth=trace,postkey_driver=info`.
fn parse(text: &str) -> Result<Targets> {
    if let Ok(level) = text.parse::<LevelFilter>() {
        return Ok(all(level));
    }
    let wrong = || {
        Failure::new(
            Exit::Usage,
            "POSTKEY_LOG is not understood",
            "set it to error, warn, info, debug or trace, or to modules: postkey_auth=trace,postkey_driver=info",
        )
    };
    let targets: Targets = text.parse().map_err(|_| wrong())?;
    if targets.default_level().is_some() || targets.iter().any(|(target, _)| !target.starts_with(OURS)) {
        return Err(wrong());
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_modules_can_be_asked_for() {
        assert!(parse("debug").is_ok() && parse("postkey_auth=trace,postkey=info").is_ok());
        for other in ["hyper=trace", "trace,postkey=info", "postkey=loud", "=,="] {
            assert!(parse(other).is_err(), "{other}");
        }
    }
}
