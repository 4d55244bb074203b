//! Providers by name: those of the configuration before the built-in ones.

use auth::Provider;

use super::load::Source;
use super::{Config, model, similar};
use crate::exit::{Exit, Failure, Result};

/// The provider called so, if there is one.
pub(super) fn named(name: &str, file: &model::File, source: &Source) -> Result<Option<Provider>> {
    let Some(own) = file.providers.get(name) else { return Ok(Provider::builtin(name)) };
    Provider::from_table(name, own).map(Some).map_err(|error| {
        let advice = "the fields are those of the built-in providers; begin with like = \"microsoft\"";
        source.mistake(&["providers", name], &error.to_string(), advice)
    })
}

/// What to say of a name that none has.
pub(super) fn unknown(name: &str, file: &model::File) -> (String, String) {
    let known = names(file);
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let advice = match similar::closest(name, &names) {
        Some(close) => format!("did you mean {close:?}? Known: {}", names.join(", ")),
        None => format!("known: {}", names.join(", ")),
    };
    (format!("there is no provider {name:?}"), advice)
}

fn names(file: &model::File) -> Vec<String> {
    let built_in = Provider::all().into_iter().map(|provider| provider.name);
    let mut names: Vec<String> = built_in.filter(|name| !file.providers.contains_key(name)).collect();
    names.extend(file.providers.keys().cloned());
    names
}

impl Config {
    /// The provider called `name`.
    pub(crate) fn provider(&self, name: &str) -> Result<Provider> {
        named(name, &self.file, &self.source)?.ok_or_else(|| {
            let (what, advice) = unknown(name, &self.file);
            Failure::new(Exit::Usage, wire::printable(what.as_bytes()), advice)
        })
    }

    /// All providers, the built-in ones first.
    pub(crate) fn providers(&self) -> Result<Vec<Provider>> {
        names(&self.file).iter().map(|name| self.provider(name)).collect()
    }
}
