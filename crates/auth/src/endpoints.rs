//! Where the requests of one sign-in go, checked before anything is sent.

use std::collections::BTreeMap;
use std::net::IpAddr;

use url::{Host, Url};

use crate::Error;
use crate::provider::{Flow, Quirks, allows};
use crate::scope::{any_resource, well_formed};

/// Tenant forms that name no tenant.
const NO_TENANT_OF_APPLICATIONS: &[&str] = &["common", "organizations", "consumers", ""];

/// Tenant forms that the password grant cannot use.
const NO_TENANT_OF_PASSWORDS: &[&str] = &["common", "consumers", ""];

/// The addresses of an authorisation server, with the tenant filled in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Endpoints {
    /// Authorisation endpoint: opened in the user's browser.
    pub authorize: Option<Url>,
    /// Token endpoint.
    pub token: Url,
    /// Device authorisation endpoint (RFC 8628).
    pub device: Option<Url>,
    /// The issuer that `iss` of an authorisation answer must name (RFC 9207); `{tenantid}` stands for any
    /// tenant.
    pub issuer: Option<String>,
    /// The tenant that stands in the addresses; empty for providers without tenants.
    pub tenant: String,
    /// The flows that are refused before any request, each with the reason.
    pub unsupported: BTreeMap<Flow, String>,
    /// Where this server differs from the RFCs.
    pub quirks: Quirks,
}

impl Endpoints {
    /// Endpoints of a server that follows the RFCs.
    ///
    /// # Errors
    ///
    /// [`Error::InsecureUrl`] for http outside loopback, [`Error::Setting`] for anything that is no plain
    /// address.
    pub fn new(authorize: Option<&str>, token: &str, device: Option<&str>) -> Result<Self, Error> {
        Ok(Self {
            authorize: authorize.map(|address| checked("authorize endpoint", address)).transpose()?,
            device: device.map(|address| checked("device endpoint", address)).transpose()?,
            ..Self::of(checked("token endpoint", token)?)
        })
    }

    /// A server of which only the token endpoint is known; it has been checked.
    pub(crate) fn of(token: Url) -> Self {
        Self {
            authorize: None,
            token,
            device: None,
            issuer: None,
            tenant: String::new(),
            unsupported: BTreeMap::new(),
            quirks: Quirks::default(),
        }
    }

    /// Refuses a flow that gives no token for mail here.
    pub(crate) fn allows(&self, flow: Flow) -> Result<(), Error> {
        allows(&self.unsupported, flow)
    }

    /// Checks the scopes of a refresh before any request: where scopes name their resource, as at Microsoft, all of one, whichever
    /// that is, and `.default` by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] with the reason.
    pub fn refreshable(&self, scopes: &[String]) -> Result<(), Error> {
        if self.quirks.scope_names_resource { any_resource(scopes) } else { well_formed(scopes) }
    }

    /// Whether a sign-in by this flow can give a token for mail here, as far as is known without a request: the provider has it, and
    /// where it needs a tenant (Entra, when nobody is at a browser), one is named.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] or [`Error::Setting`] with the reason.
    pub fn serves(&self, flow: Flow) -> Result<(), Error> {
        self.allows(flow)?;
        let tenant = self.tenant.as_str();
        let (none, reason) = match flow {
            Flow::ClientCredentials => (
                NO_TENANT_OF_APPLICATIONS,
                "names no tenant; an application signs in on its own at one tenant: give its id",
            ),
            Flow::Password => (
                NO_TENANT_OF_PASSWORDS,
                "is not for passwords: give the tenant's id or one of its domains, or \"organizations\"",
            ),
            _ => return Ok(()),
        };
        if self.quirks.app_only_needs_tenant && none.iter().any(|name| name.eq_ignore_ascii_case(tenant)) {
            return Err(Error::setting("tenant", format!("{tenant:?} {reason}")));
        }
        Ok(())
    }

    /// What token-store entries are bound to: tokens of one authorisation server never serve another.
    pub fn authority(&self) -> &str {
        self.token.as_str()
    }
}

/// Parses an endpoint: https, or http on a loopback host; no user name, no fragment.
pub(crate) fn checked(setting: &'static str, address: &str) -> Result<Url, Error> {
    checked_but(setting, address, is_loopback)
}

/// Parses the endpoint of an identity service, which may also be on a link-local address: the host of a container or of a virtual
/// machine answers there, without a certificate.
pub(crate) fn checked_nearby(setting: &'static str, address: &str) -> Result<Url, Error> {
    checked_but(setting, address, is_nearby)
}

fn checked_but(setting: &'static str, address: &str, plain: impl Fn(&Url) -> bool) -> Result<Url, Error> {
    let url = Url::parse(address)
        .map_err(|error| Error::setting(setting, format!("{address:?} is not an address ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(Error::setting(setting, "the address must have no user name, password or fragment"));
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if plain(&url) => Ok(url),
        "http" => Err(Error::InsecureUrl { url: shown(&url) }),
        scheme => Err(Error::setting(setting, format!("scheme {scheme:?} is not https"))),
    }
}

/// Whether the address can only be on this machine: `localhost` and the names below it (RFC 6761 §6.3), 127.0.0.0/8, ::1.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Whether the address can only be on this machine or on what it runs on: loopback, or IPv4 link-local (RFC 3927), which no router
/// passes on.
pub(crate) fn is_nearby(url: &Url) -> bool {
    is_loopback(url) || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local())
}

/// An address without what may be private in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn au_26_an_identity_service_may_be_on_the_host_of_this_machine() {
        for address in [
            "http://169.254.129.5:8081/msi/token",
            "http://127.0.0.1:41567/",
            "http://localhost:40342/x",
            "https://id.example/",
        ] {
            assert!(checked_nearby("identity endpoint", address).is_ok(), "{address}");
        }
        for address in [
            "http://169.253.129.5/",
            "http://169.254.129.5.example/",
            "http://10.0.0.1/",
            "http://192.168.0.1/",
            "http://identity.example/",
            "http://[fe80::1]/",
        ] {
            assert!(
                matches!(checked_nearby("identity endpoint", address), Err(Error::InsecureUrl { .. })),
                "{address}"
            );
        }
        assert!(matches!(
            checked_nearby("identity endpoint", "http://a@169.254.1.1/"),
            Err(Error::Setting { .. })
        ));
    }

    #[test]
    fn au_26_http_is_for_loopback_only() {
        for address in [
            "https://login.example/token",
            "http://127.0.0.1:8080/t",
            "http://[::1]:1/t",
            "http://localhost/t",
        ] {
            assert!(checked("token endpoint", address).is_ok(), "{address}");
        }
        for address in [
            "http://login.example/t",
            "http://127.0.0.1.example/t",
            "http://localhost.example/t",
            "http://10.0.0.1/",
        ] {
            assert!(
                matches!(checked("token endpoint", address), Err(Error::InsecureUrl { .. })),
                "{address}"
            );
        }
        for address in
            ["", "login.example", "file:///etc/passwd", "https://user:pw@login.example/t", "javascript:1"]
        {
            assert!(matches!(checked("token endpoint", address), Err(Error::Setting { .. })), "{address}");
        }
    }
}
