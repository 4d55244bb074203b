//! Assertions that somebody else makes for the application (workload identity federation).

use std::fmt;
use std::future::Future;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use wire::Secret;
use zeroize::Zeroizing;

use super::{GitHubActions, ManagedIdentity};
use crate::error::{Class, text};
use crate::http::Http;
use crate::{Claims, Error};

/// The audience that Entra's federated credentials expect, unless the registration names another one.
pub const TOKEN_EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// Longest assertion accepted, in octets.
const LONGEST: u64 = 32 * 1024;
/// How long after its end an assertion is still tried, in seconds: the provider allows for clocks that differ.
const LENIENCE: u64 = 300;

/// What [`Assertion::from_async`] waits for: the assertion, or a sentence on why there is none, which must
/// hold no secret.
pub type AssertionFuture = Pin<Box<dyn Future<Output = Result<Secret, String>> + Send>>;

/// Where an assertion comes from: a JWT that another identity provider made for this workload, and that the
/// registration's federated credential trusts (RFC 7523 §2.2). It is fetched anew for every token request.
#[derive(Clone)]
#[non_exhaustive]
pub enum Assertion {
    /// From a file that somebody keeps fresh, such as the projected service account token of Kubernetes
    /// (`AZURE_FEDERATED_TOKEN_FILE`).
    File(PathBuf),
    /// From the build service of GitHub.
    GitHubActions(GitHubActions),
    /// From the managed identity of an Azure resource.
    ManagedIdentity(ManagedIdentity),
    /// From the caller, under a name for errors: see [`from_fn`](Self::from_fn).
    Caller(Caller),
}

/// An assertion's source in the program that uses this crate.
#[derive(Clone)]
pub struct Caller {
    name: String,
    ask: Arc<dyn Fn() -> AssertionFuture + Send + Sync>,
}

impl Assertion {
    /// The source that the environment of a workload names: `AZURE_FEDERATED_TOKEN_FILE` (Kubernetes),
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` (GitHub Actions), `IDENTITY_ENDPOINT` (App Service, Azure Arc and the like), in this
    /// order. `variable` looks a variable up. A virtual machine's service is never guessed, for nothing tells it
    /// from a network that swallows the question: name it with [`ManagedIdentity::imds`].
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none of them, or what the source found gives.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let there = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(path) = there("AZURE_FEDERATED_TOKEN_FILE") {
            return Ok(Self::file(path));
        }
        if there("ACTIONS_ID_TOKEN_REQUEST_URL").is_some() {
            return GitHubActions::from_environment(variable).map(Self::GitHubActions);
        }
        if there("IDENTITY_ENDPOINT").is_some() {
            return ManagedIdentity::from_environment(variable).map(Self::ManagedIdentity);
        }
        Err(Error::setting(
            "assertion",
            "none of AZURE_FEDERATED_TOKEN_FILE, ACTIONS_ID_TOKEN_REQUEST_URL and IDENTITY_ENDPOINT is set, so the \
             environment offers none; name a file, a command or the managed identity",
        ))
    }

    /// From a file, read anew for every request.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// From a function of the caller's; `name` stands for it in errors.
    pub fn from_fn(
        name: impl Into<String>,
        ask: impl Fn() -> Result<Secret, String> + Send + Sync + 'static,
    ) -> Self {
        Self::from_async(name, move || {
            let answer = ask();
            Box::pin(std::future::ready(answer))
        })
    }

    /// From an asynchronous function of the caller's, such as one that runs a command.
    pub fn from_async(
        name: impl Into<String>,
        ask: impl Fn() -> AssertionFuture + Send + Sync + 'static,
    ) -> Self {
        Self::Caller(Caller { name: name.into(), ask: Arc::new(ask) })
    }

    /// Fetches one that is good at `now`.
    pub(crate) async fn fetch<H: Http>(&self, http: &H, now: u64) -> Result<Secret, Error> {
        let assertion = match self {
            Self::File(path) => read(path).map_err(|reason| self.wrong(reason))?,
            Self::GitHubActions(source) => {
                source.fetch(http, now).await.map_err(|error| self.failed(error))?
            }
            Self::ManagedIdentity(source) => {
                source.fetch(http, now).await.map_err(|error| self.failed(error))?
            }
            Self::Caller(caller) => {
                (caller.ask)().await.map_err(|reason| self.wrong(text::plain(&reason)))?
            }
        };
        self.checked(assertion, now)
    }

    /// Refuses what cannot be an assertion, before it is sent.
    fn checked(&self, assertion: Secret, now: u64) -> Result<Secret, Error> {
        let token = assertion.expose().trim_ascii();
        let url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte);
        let dots = token.bytes().filter(|byte| *byte == b'.').count();
        if token.is_empty() {
            return Err(self.wrong("there is nothing in it"));
        }
        if token.len() as u64 > LONGEST || dots != 2 || !token.bytes().all(url) {
            return Err(self.wrong("what it gave is not a JSON Web Token"));
        }
        let assertion = Secret::from(token);
        let end = Claims::decode(&assertion).and_then(|claims| claims.seconds("exp"));
        if let Some(end) = end.filter(|end| end.saturating_add(LENIENCE) < now) {
            return Err(self.wrong(format!(
                "the assertion it gave ended {} s ago; see whether what renews it still runs, and check this \
                 computer's clock",
                now - end
            )));
        }
        Ok(assertion)
    }

    fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::Assertion { from: self.to_string(), reason: reason.into(), class: Class::ConfigError }
    }

    fn failed(&self, error: Error) -> Error {
        Error::Assertion { from: self.to_string(), class: error.class(), reason: error.to_string() }
    }
}

fn read(path: &Path) -> Result<Secret, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("it cannot be read ({error})"))?;
    // A pipe that nobody writes to would be waited for without end.
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let file = std::fs::File::open(path).map_err(|error| format!("it cannot be read ({error})"))?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("it cannot be read ({error})"))?;
    Ok(Secret::from(text.as_str()))
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::GitHubActions(source) => source.fmt(f),
            Self::ManagedIdentity(source) => source.fmt(f),
            Self::Caller(caller) => f.write_str(&caller.name),
        }
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assertion({self})")
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.name).finish()
    }
}
