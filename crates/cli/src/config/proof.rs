//! How the application proves itself to the sign-in service: by reference, nothing has been read yet.

use std::path::{Path, PathBuf};

use auth::credential::{
    Assertion, Certificate, Credential, GitHubActions, ManagedIdentity, ServiceAccount, SignatureAlgorithm,
};
use serde::Deserialize;
use wire::Secret;

use super::model::{self, Flow};
use super::paths;
use super::secret::{self, SecretRef};
use crate::exit::{Exit, Failure, Result};

/// `certificate = { file = "app.pem", … }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRef {
    /// PEM with the certificate and its key, or PKCS#12; only its owner may read it.
    pub(crate) file: PathBuf,
    /// PEM with the key, where that is a file of its own.
    pub(crate) key: Option<PathBuf>,
    /// What opens an encrypted key or PKCS#12 file.
    pub(crate) passphrase: Option<SecretRef>,
    /// How assertions are signed; PS256 if absent.
    #[serde(default)]
    pub(crate) algorithm: SignatureAlgorithm,
    /// Whether assertions carry the certificate, for registrations that trust a subject name and an issuer.
    #[serde(default)]
    pub(crate) x5c: bool,
}

/// `assertion = { file = "…" }` and the like: whose word the sign-in service takes for the application.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AssertionRef {
    /// A file that somebody else keeps fresh; read for each request.
    File(PathBuf),
    /// What a command prints; run for each request.
    Command(String),
    /// The workflow's own token at GitHub Actions, for this audience.
    GithubActions(String),
    /// The managed identity of a machine at Azure: its client id, or an empty text where there is one only.
    ManagedIdentity(String),
}

/// The one proof of an account.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// A public client: none.
    None,
    /// A client secret.
    Secret(SecretRef),
    /// A certificate.
    Certificate(CertificateRef),
    /// Somebody else's assertion.
    Assertion(AssertionRef),
    /// A Google service account's key file.
    ServiceAccount(PathBuf),
}

impl Proof {
    /// The one that the table names; the names of two if it names several.
    pub(super) fn of(table: &model::Account) -> std::result::Result<Self, (&'static str, &'static str)> {
        let mut named = Vec::new();
        if let Some(secret) = &table.client_secret {
            named.push(("client_secret", Self::Secret(secret.clone())));
        }
        if let Some(certificate) = &table.certificate {
            named.push(("certificate", Self::Certificate(certificate.clone())));
        }
        if let Some(assertion) = &table.assertion {
            named.push(("assertion", Self::Assertion(assertion.clone())));
        }
        if let Some(file) = &table.service_account {
            named.push(("service_account", Self::ServiceAccount(file.clone())));
        }
        match (named.pop(), named.pop()) {
            (Some((second, _)), Some((first, _))) => Err((first, second)),
            (Some((_, proof)), None) => Ok(proof),
            (None, _) => Ok(Self::None),
        }
    }

    /// What is missing for a flow, if it is.
    pub(super) fn lacks(&self, flow: Flow) -> Option<&'static str> {
        match (flow, self) {
            (Flow::App, Self::Secret(_) | Self::Certificate(_) | Self::Assertion(_))
            | (Flow::Certificate, Self::Certificate(_))
            | (Flow::Federated, Self::Assertion(_))
            | (Flow::ServiceAccount, Self::ServiceAccount(_)) => None,
            (Flow::App, _) => Some("client_secret, certificate or assertion"),
            (Flow::Certificate, _) => Some("certificate"),
            (Flow::Federated, _) => Some("assertion"),
            (Flow::ServiceAccount, _) => Some("service_account"),
            (Flow::Browser | Flow::Paste | Flow::Device | Flow::Password, Self::ServiceAccount(_)) => {
                Some("client_id of an OAuth client (a service account signs in by itself only)")
            }
            (Flow::Browser | Flow::Paste | Flow::Device | Flow::Password, _) => None,
        }
    }

    /// A credential of the same kind without anything secret in it: enough to find endpoints and stored tokens.
    pub(super) fn stand_in(&self) -> Credential {
        match self {
            // A service account is let through where a secret would be.
            Self::Secret(_) | Self::ServiceAccount(_) => Credential::Secret(Secret::default()),
            Self::None | Self::Certificate(_) | Self::Assertion(_) => Credential::Public,
        }
    }

    /// Reads and makes the credential. `person` is whom a service account acts for.
    pub(super) fn credential(&self, base: &Path, person: &str) -> Result<Credential> {
        Ok(match self {
            Self::None => Credential::Public,
            Self::Secret(secret) => Credential::Secret(secret.fetch("client_secret", base)?),
            Self::Certificate(reference) => Credential::Certificate(reference.load(base)?),
            Self::Assertion(reference) => Credential::Assertion(reference.source(base)?),
            Self::ServiceAccount(file) => {
                let path = paths::from(base, file);
                let json = secret::octets(&path, "service_account")?;
                let account = ServiceAccount::from_json(&json)
                    .map_err(|error| unusable("service_account", &path, &error))?;
                Credential::ServiceAccount(account.acting_for(person))
            }
        })
    }

    /// Whether a file that it is in can be read; those with keys are looked at by whoever wants to know when they end.
    pub(super) fn at_hand(&self, base: &Path) -> Result<()> {
        match self {
            Self::Secret(secret @ SecretRef::File(_)) => secret.fetch("client_secret", base).map(drop),
            Self::Assertion(AssertionRef::File(file)) => {
                secret::public_octets(&paths::from(base, file), "assertion").map(drop)
            }
            _ => Ok(()),
        }
    }

    /// In words, for `account show`.
    pub(crate) fn describe(&self) -> Option<(&'static str, String)> {
        match self {
            Self::None => None,
            Self::Secret(secret) => Some(("client secret", format!("from {secret}"))),
            Self::Certificate(c) => {
                let x5c = if c.x5c { ", x5c" } else { "" };
                Some(("certificate", format!("{} ({}{x5c})", c.file.display(), c.algorithm.name())))
            }
            Self::Assertion(AssertionRef::File(path)) => {
                Some(("assertion", format!("from the file {}", path.display())))
            }
            Self::Assertion(AssertionRef::Command(command)) => {
                Some(("assertion", format!("from the command `{command}`")))
            }
            Self::Assertion(AssertionRef::GithubActions(audience)) => {
                Some(("assertion", format!("from GitHub Actions, for {audience}")))
            }
            Self::Assertion(AssertionRef::ManagedIdentity(id)) => {
                Some(("assertion", format!("from the managed identity {id}").trim_end().to_owned()))
            }
            Self::ServiceAccount(path) => {
                Some(("service account", format!("from the file {}", path.display())))
            }
        }
    }
}

impl CertificateRef {
    /// Reads certificate and key.
    pub(crate) fn load(&self, base: &Path) -> Result<Certificate> {
        let path = paths::from(base, &self.file);
        // A certificate alone is no secret: the key's file is the one to be private then.
        let mut octets = match &self.key {
            None => secret::octets(&path, "certificate")?,
            Some(_) => secret::public_octets(&path, "certificate")?,
        };
        if let Some(key) = &self.key {
            octets.push(b'\n');
            octets.extend_from_slice(&secret::octets(&paths::from(base, key), "the certificate's key")?);
        }
        let passphrase = match &self.passphrase {
            Some(reference) => Some(reference.fetch("the certificate's passphrase", base)?),
            None => None,
        };
        let certificate = Certificate::from_octets(&octets, passphrase.as_ref());
        let certificate = certificate.map_err(|error| unusable("certificate", &path, &error))?;
        let certificate = certificate.with_algorithm(self.algorithm);
        Ok(if self.x5c { certificate.with_x5c() } else { certificate })
    }
}

impl AssertionRef {
    fn source(&self, base: &Path) -> Result<Assertion> {
        let environment = |name: &str| std::env::var(name).ok();
        Ok(match self {
            Self::File(path) => Assertion::file(paths::from(base, path)),
            Self::Command(command) => {
                let (reference, base) = (SecretRef::Command(command.clone()), base.to_owned());
                Assertion::from_fn(reference.to_string(), move || {
                    reference.fetch("assertion", &base).map_err(|failure| failure.message)
                })
            }
            Self::GithubActions(audience) => {
                let workflow =
                    GitHubActions::from_environment(environment).map_err(|error| absent(&error))?;
                Assertion::GitHubActions(match audience.as_str() {
                    "" => workflow,
                    audience => workflow.with_audience(audience),
                })
            }
            Self::ManagedIdentity(id) => {
                let identity =
                    ManagedIdentity::from_environment(environment).map_err(|error| absent(&error))?;
                Assertion::ManagedIdentity(match id.as_str() {
                    "" => identity,
                    id => identity.with_client_id(id),
                })
            }
        })
    }
}

fn unusable(field: &str, path: &Path, error: &auth::Error) -> Failure {
    Failure::new(
        Exit::Config,
        format!("{field} {}: {error}", path.display()),
        "name the file with the certificate and its key (PEM or PKCS#12), or the key file as it was downloaded",
    )
}

fn absent(error: &auth::Error) -> Failure {
    Failure::new(
        Exit::Config,
        format!("assertion: {error}"),
        "run postkey where such an identity exists, or name another proof",
    )
}
