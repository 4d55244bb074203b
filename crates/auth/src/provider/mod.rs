//! Mail providers as data: built in, overridden or added by configuration.

mod layers;
mod model;

pub use model::{Access, Flow, Provider, Quirks, RefreshTokenLife, Scopes, SecretRule, Server, Servers, Tls};

use std::collections::BTreeMap;

use toml::{Table, Value};

use self::layers::lay_over;
use crate::endpoints::checked;
use crate::{Credential, Endpoints, Error, Protocol, Registration};

/// The built-in data: names, in order, and what `build.rs` has made of `providers.toml`. A unit test proves that it is the same.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

impl Provider {
    /// The built-in provider called `name`.
    pub fn builtin(name: &str) -> Option<Self> {
        let provider: Self = serde_json::from_str(json_of(name)?).ok()?;
        Some(Self { name: name.to_owned(), ..provider })
    }

    /// Every built-in provider, by name.
    pub fn all() -> Vec<Self> {
        BUILTIN.iter().filter_map(|(name, _)| Self::builtin(name)).collect()
    }

    /// A provider from a configuration's table. With `like = "NAME"` it takes over the built-in provider NAME
    /// and overrides only what it mentions; the members of `scopes`, `servers`, `refresh_token` and `quirks` are
    /// overridden one by one.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] naming what is missing, unknown or of a wrong type.
    pub fn from_table(name: &str, table: &Table) -> Result<Self, Error> {
        let merged = whole(table)?;
        let mut provider: Self = Value::Table(merged).try_into().map_err(|error: toml::de::Error| {
            Error::setting("provider", format!("{name}: {}", error.message()))
        })?;
        provider.name = name.to_owned();
        Ok(provider)
    }

    /// This provider with a configuration's table laid over it.
    ///
    /// # Errors
    ///
    /// As [`from_table`](Self::from_table).
    pub fn with_overrides(&self, table: &Table) -> Result<Self, Error> {
        let base = Table::try_from(self)
            .map_err(|error| Error::setting("provider", format!("{}: {error}", self.name)))?;
        Self::from_table(&self.name, &lay_over(base, table))
    }

    /// The endpoints for a registration's tenant.
    ///
    /// # Errors
    ///
    /// [`Error::InsecureUrl`] or [`Error::Setting`] if the tenant, the credential or an address cannot be
    /// used.
    pub fn endpoints(&self, registration: &Registration) -> Result<Endpoints, Error> {
        let tenant = if registration.tenant.is_empty() { &self.tenant } else { &registration.tenant };
        // The tenant becomes a segment of a path: nothing that could leave it.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if tenant.starts_with('.') || !tenant.chars().all(plain) {
            return Err(Error::setting(
                "tenant",
                format!("{tenant:?} is no tenant: give the tenant's id or one of its domains"),
            ));
        }
        if registration.client_id.is_empty() {
            return Err(Error::setting("client id", "it is empty: give the id of your registration"));
        }
        match (self.client_secret, &registration.credential) {
            // A service account proves itself by the grant.
            (_, Credential::ServiceAccount(_)) => {}
            (SecretRule::Required, Credential::Secret(_)) | (SecretRule::Forbidden, Credential::Public) => {}
            (SecretRule::Required, _) => {
                let reason =
                    format!("{} gives every client a secret and wants it sent; configure it", self.title);
                return Err(Error::setting("client secret", reason));
            }
            (SecretRule::Forbidden, _) => {
                let reason = format!("{} has clients without a secret only; remove it", self.title);
                return Err(Error::setting("client secret", reason));
            }
            (SecretRule::Optional, _) => {}
        }
        let fill = |template: &str| {
            template.replace("{authority}", self.authority.trim_end_matches('/')).replace("{tenant}", tenant)
        };
        let url = |setting, template: &Option<String>| {
            template.as_deref().map(|template| checked(setting, &fill(template))).transpose()
        };
        Ok(Endpoints {
            authorize: url("authorize endpoint", &self.authorize)?,
            token: checked("token endpoint", &fill(&self.token))?,
            device: url("device endpoint", &self.device)?,
            issuer: self.issuer.as_deref().map(fill),
            tenant: tenant.clone(),
            unsupported: self.unsupported.clone(),
            quirks: self.quirks.clone(),
        })
    }

    /// Whether `flow` can give a token for mail here.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] with the reason.
    pub fn allows(&self, flow: Flow) -> Result<(), Error> {
        allows(&self.unsupported, flow)
    }

    /// The scopes for a token that serves all of `protocols`, without repetitions. Delegated: with those for
    /// identity and refresh. App-only: the one scope for every protocol.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the provider cannot serve a protocol this way.
    pub fn scopes_for(&self, protocols: &[Protocol], access: Access) -> Result<Vec<String>, Error> {
        let mut wanted: Vec<String> = Vec::new();
        let mut add = |scopes: &[String]| {
            for scope in scopes {
                if !wanted.contains(scope) {
                    wanted.push(scope.clone());
                }
            }
        };
        if access == Access::AppOnly {
            if self.scopes.app_only.is_empty() {
                let reason =
                    format!("{} has no access for an application on its own; sign a person in", self.title);
                return Err(Error::setting("flow", reason));
            }
            add(&self.scopes.app_only);
            return Ok(wanted);
        }
        add(&self.scopes.identity);
        add(&self.scopes.offline);
        for protocol in protocols {
            let scopes = self.scopes.of(*protocol);
            if scopes.is_empty() {
                let reason = format!(
                    "{} has no {protocol} by OAuth that is known here; if it has, set its scopes in the configuration",
                    self.title
                );
                return Err(Error::setting("protocol", reason));
            }
            add(scopes);
        }
        Ok(wanted)
    }
}

impl Scopes {
    /// The delegated scopes of one protocol.
    pub fn of(&self, protocol: Protocol) -> &[String] {
        match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Pop3 => &self.pop3,
            Protocol::Smtp => &self.smtp,
        }
    }
}

/// Refuses a flow that is among the unsupported ones. An empty reason takes a refusal back: so a configuration
/// can allow what the data forbids.
pub(crate) fn allows(unsupported: &BTreeMap<Flow, String>, flow: Flow) -> Result<(), Error> {
    match unsupported.get(&flow) {
        Some(reason) if !reason.is_empty() => Err(Error::Unsupported { flow, reason: reason.clone() }),
        _ => Ok(()),
    }
}

fn json_of(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, json)| *json)
}

/// The table with the built-in one below it which it is `like`.
fn whole(table: &Table) -> Result<Table, Error> {
    let Some(like) = table.get("like") else { return Ok(table.clone()) };
    let base = like.as_str().and_then(json_of).and_then(|json| serde_json::from_str(json).ok());
    let base: Table = base.ok_or_else(|| {
        let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
        Error::setting(
            "provider",
            format!("like = {like} names no built-in provider; known: {}", known.join(", ")),
        )
    })?;
    let mut over = table.clone();
    over.remove("like");
    Ok(lay_over(base, &over))
}

#[cfg(test)]
mod tests;
