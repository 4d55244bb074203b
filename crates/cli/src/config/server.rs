//! A mail server with everything filled in: the account's table over its provider's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use auth::provider::Tls as ProviderTls;
use auth::{Protocol, Provider};

use super::load::Source;
use super::model::{self, Tls};
use super::paths;
use crate::exit::Result;

/// Where the mail is.
#[derive(Clone, Debug)]
pub(crate) struct MailServer {
    /// Host name.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// When TLS begins.
    pub(crate) tls: Tls,
    /// Certificates to trust besides the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether to trust what the operating system trusts.
    pub(crate) platform_roots: bool,
    /// Longest wait for any answer, if it is not to be the usual one.
    pub(crate) timeout: Option<Duration>,
    /// Whether it is another one than the provider's.
    pub(crate) own: bool,
}

/// The server of a protocol; `None` if neither the file nor the provider names one.
pub(super) fn resolve(
    name: &str,
    protocol: Protocol,
    own: &model::Server,
    provider: &Provider,
    base: &Path,
    source: &Source,
) -> Result<Option<MailServer>> {
    let table = protocol.to_string();
    let at = |key| ["accounts", name, table.as_str(), key];
    let preset = provider.servers.of(protocol).iter().find(|server| match own.tls {
        Some(Tls::Starttls) => server.tls == ProviderTls::StartTls,
        _ => true,
    });
    // A server of one's own has nothing to do with the provider's port.
    let preset = if own.host.is_some() { None } else { preset };
    let tls = own.tls.unwrap_or(match (preset.map(|server| server.tls), protocol, own.port) {
        (Some(ProviderTls::StartTls), ..) | (None, Protocol::Smtp, Some(587 | 25)) => Tls::Starttls,
        _ => Tls::Implicit,
    });
    let Some(host) = own.host.clone().or_else(|| preset.map(|server| server.host.clone())) else {
        return Ok(None);
    };
    let bare = host.trim_matches(['[', ']']);
    if bare.is_empty()
        || host.contains(['/', '@', ' '])
        || bare.starts_with('-')
        || host.chars().any(char::is_control)
    {
        return Err(source.mistake(
            &at("host"),
            "this is no host name",
            "write the name alone, without imap://, pop:// or smtp:// and without port",
        ));
    }
    let loopback = bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if tls == Tls::DangerousPlaintext && !loopback {
        return Err(source.mistake(
            &at("tls"),
            "without TLS the token would travel in clear text, so this is for servers on this machine only",
            "write tls = \"implicit\" or tls = \"starttls\"",
        ));
    }
    let port = own.port.or_else(|| preset.filter(|_| own.tls.is_none()).map(|server| server.port));
    let port = port.unwrap_or(match (protocol, tls) {
        (Protocol::Pop3, Tls::Implicit) => 995,
        (Protocol::Pop3, _) => 110,
        (Protocol::Smtp, Tls::Implicit) => 465,
        (Protocol::Smtp, _) => 587,
        (_, Tls::Implicit) => 993,
        (_, _) => 143,
    });
    let ca_file = own.ca_file.as_ref().or(provider.ca_file.as_ref()).map(|path| paths::from(base, path));
    Ok(Some(MailServer {
        host,
        port,
        tls,
        ca_file,
        platform_roots: own.platform_roots,
        timeout: own.timeout.map(seconds),
        own: own.host.is_some(),
    }))
}

/// A time-out of the configuration: neither none at all nor a day.
pub(super) fn seconds(value: u64) -> Duration {
    Duration::from_secs(value.clamp(1, 3600))
}
