//! Where things are on this platform.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::exit::{Exit, Failure, Result};

/// The configuration file when none is named: `~/.config/postkey/config.toml` on Unix.
pub(crate) fn config_file() -> Result<PathBuf> {
    Ok(strategy()?.config_dir().join("postkey").join("config.toml"))
}

/// Where tokens are kept when the configuration does not say: `~/.local/state/postkey` on Unix.
pub(crate) fn state_dir() -> Result<PathBuf> {
    let strategy = strategy()?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("postkey"))
}

fn strategy() -> Result<impl etcetera::BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|error| {
        Failure::new(
            Exit::Config,
            format!("the home directory is not known ({error})"),
            "set HOME, or name the configuration file with --config and its state_dir",
        )
    })
}

/// A path of the configuration: `~/` is the home directory, anything else relative begins at `base`.
pub(crate) fn from(base: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), etcetera::home_dir()) {
        (Ok(rest), Ok(home)) => home.join(rest),
        _ => base.join(path),
    }
}

/// Where the file is whatever folder postkey is started in.
pub(crate) fn absolute(path: &Path) -> Result<String> {
    let unusable = |what: String| Failure::new(Exit::Usage, what, "name the file by a plain path");
    let path = std::path::absolute(path)
        .map_err(|error| unusable(format!("{} cannot be made absolute: {error}", path.display())))?;
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(unusable(format!("{} cannot be written into the configuration", path.display()))),
    }
}
