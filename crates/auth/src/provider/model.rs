//! The nouns of a provider.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Protocol;

/// When TLS begins on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// With the first octet.
    Implicit,
    /// By the protocol's own command (STARTTLS, STLS).
    StartTls,
}

/// One mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Host name; the name the certificate must have.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// When TLS begins.
    pub tls: Tls,
}

/// The mail servers per protocol, the preferred one first; empty if the provider has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Servers {
    /// IMAP.
    pub imap: Vec<Server>,
    /// POP3.
    pub pop3: Vec<Server>,
    /// SMTP submission.
    pub smtp: Vec<Server>,
}

/// The scopes to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scopes {
    /// For an id_token that says who signed in.
    pub identity: Vec<String>,
    /// For a refresh token.
    pub offline: Vec<String>,
    /// Reading by IMAP as the user.
    pub imap: Vec<String>,
    /// Reading by POP3 as the user.
    pub pop3: Vec<String>,
    /// Sending by SMTP as the user.
    pub smtp: Vec<String>,
    /// For the application itself; empty if the provider has no such access.
    pub app_only: Vec<String>,
}

/// Whose access a token carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// A person's, who signed in.
    Delegated,
    /// The application's own (client credentials).
    AppOnly,
}

/// A way to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Flow {
    /// The authorisation code grant, with a browser on this machine or another.
    Browser,
    /// The device authorisation grant.
    Device,
    /// Client credentials: the application on its own.
    ClientCredentials,
    /// The person's password.
    Password,
    /// A service account's own assertion (JWT bearer).
    ServiceAccount,
}

impl Flow {
    /// Every flow.
    pub const ALL: [Self; 5] =
        [Self::Browser, Self::Device, Self::ClientCredentials, Self::Password, Self::ServiceAccount];
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Browser => "browser",
            Self::Device => "device",
            Self::ClientCredentials => "client-credentials",
            Self::Password => "password",
            Self::ServiceAccount => "service-account",
        })
    }
}

/// Whether a registration has a client secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretRule {
    /// Public clients only.
    Forbidden,
    /// Either.
    #[default]
    Optional,
    /// Even desktop clients have one and must send it.
    Required,
}

/// Where a server differs from the RFCs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Scopes are addresses that begin with their resource; a token serves one resource, and a scope without
    /// an address means another one (Entra: Microsoft Graph). Source: Microsoft identity platform, "scopes
    /// and permissions".
    pub scope_names_resource: bool,
    /// `response_mode=form_post` is understood, which keeps the code out of the browser's history.
    pub form_post: bool,
    /// Client credentials need a tenant; `common`, `organizations` and `consumers` name none. Passwords need one
    /// too, or `organizations` (Entra).
    pub app_only_needs_tenant: bool,
    /// `scope` must be left out when a code or a refresh token is redeemed (Google).
    pub omit_scope: bool,
    /// The client secret travels in an `Authorization: Basic` header, not in the form (Yahoo, Mail.ru).
    pub basic_auth: bool,
    /// The device authorisation endpoint takes no credential, only the token endpoint does (Entra).
    pub device_without_credential: bool,
    /// How the device authorisation endpoint is told the person's language: a parameter of its query (Entra's
    /// `mkt`). Empty: `ui_locales` in the form, as OpenID Connect has it for other endpoints.
    pub language_parameter: String,
    /// Every authorisation answer names its issuer (RFC 9207 §2.3), so one that does not is forged.
    pub names_issuer: bool,
    /// Parameters to add to the authorisation request (Google's `access_type=offline`).
    pub authorize_parameters: Vec<(String, String)>,
}

/// How long refresh tokens live, as far as the provider says; none tells with the token itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshTokenLife {
    /// Days without use after which one ends, each use beginning them anew; 0 if the provider publishes none.
    pub unused_days: u32,
    /// What ends one earlier, as a phrase: "a change of password". Empty if nothing is known.
    pub earlier: String,
}

impl RefreshTokenLife {
    /// When one ends that was last used at `used` and is not used any more, both in seconds since 1970; `None` if nobody knows.
    pub fn unused_until(&self, used: u64) -> Option<u64> {
        (self.unused_days > 0).then(|| used.saturating_add(u64::from(self.unused_days) * 24 * 60 * 60))
    }
}

impl fmt::Display for RefreshTokenLife {
    /// As the end of a sentence that says what happens when: "after 90 days without use …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unused_days {
            0 => f.write_str("at a time that the provider does not publish")?,
            1 => f.write_str("after a day without use (each use begins it anew)")?,
            days => write!(f, "after {days} days without use (each use begins them anew)")?,
        }
        match self.earlier.as_str() {
            "" => Ok(()),
            earlier => write!(f, ", or earlier: {}", crate::error::text::plain(earlier)),
        }
    }
}

/// A mail provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Provider {
    /// Name in configurations: `microsoft`.
    #[serde(default)]
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Scheme and host of the sign-in service, without a slash at the end; `{authority}` in the templates
    /// below. To aim at a private cloud or the sandbox, this and the servers are all that has to be
    /// overridden.
    pub authority: String,
    /// The tenant used when a registration names none; empty for providers without tenants.
    #[serde(default)]
    pub tenant: String,
    /// Authorisation endpoint; `{authority}` and `{tenant}` are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<String>,
    /// Token endpoint.
    pub token: String,
    /// Device authorisation endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Issuer (RFC 9207); `{tenantid}` stands for any tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// How the host of a loopback redirect is to be spelt: Entra registrations know `localhost`, RFC 8252
    /// prefers `127.0.0.1`. Where the listener binds is another matter: always 127.0.0.1 and ::1.
    pub redirect_host: String,
    /// Whether registrations have secrets.
    #[serde(default)]
    pub client_secret: SecretRule,
    /// SASL mechanisms for the access token, the preferred one first.
    pub mechanisms: Vec<String>,
    /// Scopes per protocol.
    pub scopes: Scopes,
    /// Mail servers per protocol.
    pub servers: Servers,
    /// How long refresh tokens live.
    #[serde(default)]
    pub refresh_token: RefreshTokenLife,
    /// PEM file with certificates to trust besides the public ones, for both the sign-in service and the mail
    /// servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The flows that give no token for mail here, each with the reason and what works in its place.
    #[serde(default)]
    pub unsupported: BTreeMap<Flow, String>,
    /// What a user of this provider should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Where the provider differs from the RFCs.
    #[serde(default)]
    pub quirks: Quirks,
}

impl Servers {
    /// The servers of one protocol, the preferred one first.
    pub fn of(&self, protocol: Protocol) -> &[Server] {
        match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Pop3 => &self.pop3,
            Protocol::Smtp => &self.smtp,
        }
    }
}
