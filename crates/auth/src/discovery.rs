//! What an authorisation server says about itself (OpenID Connect Discovery 1.0, RFC 8414).
//!
//! ```no_run
//! use postkey_auth::discovery::{IssuerRule, discover};
//! # async fn example(http: impl postkey_auth::http::Http) -> Result<(), postkey_auth::Error> {
//! let metadata = discover(&http, "https://id.example.org", IssuerRule::Exact).await?;
//! println!("sign in at {:?}", metadata.endpoints().authorize);
//! # Ok(()) }
//! ```

use serde_json::{Map, Value};
use url::Url;

use crate::endpoints::checked;
use crate::error::text;
use crate::http::{Http, HttpRequest};
use crate::provider::{Provider, Quirks};
use crate::{Endpoints, Error, Step, response};

/// Most words read from a list of a document.
const MOST_WORDS: usize = 256;

/// How the issuer of a document must compare with the one that was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerRule {
    /// The same, character by character (OpenID Connect Discovery §4.3).
    #[default]
    Exact,
    /// The first part of its path is a tenant: there the document may have `{tenantid}`, which stands for any,
    /// or the tenant's id where a domain was asked for (Entra).
    Tenant,
}

/// A discovery document, as far as mail needs it. Every address has passed the rules of configured ones.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer, with `{tenantid}` if the document had it.
    pub issuer: String,
    /// Authorisation endpoint.
    pub authorize: Option<Url>,
    /// Token endpoint.
    pub token: Url,
    /// Device authorisation endpoint.
    pub device: Option<Url>,
    /// `token_endpoint_auth_methods_supported`; empty if it does not say.
    pub auth_methods: Vec<String>,
    /// `grant_types_supported`; empty if it does not say.
    pub grant_types: Vec<String>,
    /// `scopes_supported`; empty if it does not say.
    pub scopes: Vec<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3).
    pub names_issuer: bool,
}

/// Fetches the document of `issuer`: `/.well-known/openid-configuration`, or where that is not found, RFC 8414's
/// `/.well-known/oauth-authorization-server`.
///
/// # Errors
///
/// [`Error::Setting`] or [`Error::InsecureUrl`] if the issuer or an address in the document cannot be used, and if
/// the document is another issuer's; [`Error::Response`] if it is no such document; otherwise what the exchange
/// gives.
pub async fn discover<H: Http>(http: &H, issuer: &str, rule: IssuerRule) -> Result<Metadata, Error> {
    let url = checked("issuer", issuer)?;
    if url.query().is_some() {
        return Err(Error::setting("issuer", "the address must have no query"));
    }
    let path = url.path().trim_end_matches('/');
    let places = [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
    ];
    let mut missing = None;
    for place in places {
        let mut address = url.clone();
        address.set_path(&place);
        let answer = http.send(HttpRequest::get(address)).await?;
        // A document is no secret and holds no times, so there is nothing to take out and no clock to ask.
        match response::members(Step::Discovery, &answer, &[], 0) {
            Ok(members) => return read(&members, issuer, &url, rule),
            Err(error @ Error::Status { status: 404, .. }) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(missing.unwrap_or_else(|| Error::response("there is no discovery document")))
}

fn read(members: &Map<String, Value>, asked: &str, url: &Url, rule: IssuerRule) -> Result<Metadata, Error> {
    let word = |name: &str| members.get(name).and_then(Value::as_str);
    let words = |name: &str| -> Vec<String> {
        let list = members.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).take(MOST_WORDS).map(text::plain).collect()
    };
    let issuer = word("issuer").ok_or_else(|| Error::response("the discovery document names no issuer"))?;
    if issuer != asked && !(rule == IssuerRule::Tenant && same_but_tenant(issuer, url)) {
        let reason = format!(
            "the document found there is that of {:?}; if that is the one you mean, configure it, letter by letter",
            text::plain(issuer)
        );
        return Err(Error::setting("issuer", reason));
    }
    let endpoint = |name, setting| word(name).map(|address| checked(setting, address)).transpose();
    Ok(Metadata {
        issuer: issuer.to_owned(),
        authorize: endpoint("authorization_endpoint", "authorize endpoint")?,
        token: endpoint("token_endpoint", "token endpoint")?
            .ok_or_else(|| Error::response("the discovery document names no token_endpoint"))?,
        device: endpoint("device_authorization_endpoint", "device endpoint")?,
        auth_methods: words("token_endpoint_auth_methods_supported"),
        grant_types: words("grant_types_supported"),
        scopes: words("scopes_supported"),
        names_issuer: members.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
    })
}

/// Whether `found` differs from the address asked for by its tenant alone.
fn same_but_tenant(found: &str, asked: &Url) -> bool {
    let tenant_and_rest =
        |path: &str| path.split_once('/').map(|(tenant, rest)| (tenant.to_owned(), rest.to_owned()));
    let base = format!("{}/", asked.origin().ascii_serialization());
    let wanted = tenant_and_rest(asked.path().trim_start_matches('/'));
    let has = found.strip_prefix(&base).and_then(tenant_and_rest);
    match (wanted, has) {
        (Some((_, wanted)), Some((tenant, rest))) => {
            rest == wanted && (tenant == "{tenantid}" || is_guid(&tenant))
        }
        _ => false,
    }
}

fn is_guid(text: &str) -> bool {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, u8)| if hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

impl Metadata {
    /// The endpoints of a server that follows the RFCs.
    pub fn endpoints(&self) -> Endpoints {
        let mut endpoints = Endpoints::of(self.token.clone());
        endpoints.authorize = self.authorize.clone();
        endpoints.device = self.device.clone();
        endpoints.issuer = Some(self.issuer.clone());
        endpoints.quirks =
            Quirks { basic_auth: self.wants_basic(), names_issuer: self.names_issuer, ..Quirks::default() };
        endpoints
    }

    /// `provider` with the addresses of this document in place of its own.
    pub fn applied_to(&self, provider: &Provider) -> Provider {
        let mut provider = provider.clone();
        provider.authorize = self.authorize.as_ref().map(Url::to_string);
        provider.token = self.token.to_string();
        provider.device = self.device.as_ref().map(Url::to_string);
        provider.issuer = Some(self.issuer.clone());
        provider.quirks.basic_auth |= self.wants_basic();
        provider.quirks.names_issuer = self.names_issuer;
        provider
    }

    /// Whether a secret is taken in an `Authorization` header only.
    fn wants_basic(&self) -> bool {
        let offers = |method: &str| self.auth_methods.iter().any(|offered| offered == method);
        offers("client_secret_basic") && !offers("client_secret_post")
    }
}
