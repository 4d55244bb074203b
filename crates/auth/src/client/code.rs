//! The authorisation code grant with PKCE (RFC 6749 §4.1, RFC 7636, RFC 9207).

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use wire::Secret;

use super::form::Form;
use super::{Client, Pending, nonce};
use crate::clock::Clock;
use crate::endpoints::{is_loopback, shown};
use crate::error::{Refusal, text};
use crate::http::Http;
use crate::provider::Flow;
use crate::{Error, Step, Tokens};

/// Longest authorisation code accepted, in octets; Entra's are 1 to 2 KB.
const LONGEST_CODE: usize = 6 * 1024;
/// Longest query accepted, in octets.
const LONGEST_QUERY: usize = 16 * 1024;

/// How the browser is to bring the answer back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the query of a GET.
    #[default]
    Query,
    /// In the form of a POST: the code does not end up in the browser's history. Where the provider does not
    /// know this mode, a query is asked for instead.
    FormPost,
}

/// What to ask of the authorisation endpoint.
#[derive(Debug, Clone)]
pub struct Authorize<'a> {
    /// Where the browser is to be sent back to, exactly as registered (the port of a loopback address aside).
    pub redirect_uri: &'a str,
    /// The scopes to ask for.
    pub scopes: &'a [String],
    /// Who is expected to sign in: fills in the name on the provider's page.
    pub login_hint: Option<&'a str>,
    /// `login`, `select_account`, `consent` or `none`.
    pub prompt: Option<&'a str>,
    /// A claims challenge from an earlier refusal.
    pub claims: Option<&'a str>,
    /// The languages the person reads, best first, as BCP 47 tags with blanks between (`ui_locales`).
    pub languages: Option<&'a str>,
    /// How the answer is to come back.
    pub response_mode: ResponseMode,
}

impl<'a> Authorize<'a> {
    /// A plain request.
    pub fn new(redirect_uri: &'a str, scopes: &'a [String]) -> Self {
        Self {
            redirect_uri,
            scopes,
            login_hint: None,
            prompt: None,
            claims: None,
            languages: None,
            response_mode: ResponseMode::Query,
        }
    }
}

/// The authorisation answer as the browser brought it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Callback {
    /// The authorisation code.
    pub code: Option<Secret>,
    /// The state.
    pub state: Option<Secret>,
    /// The issuer (RFC 9207).
    pub iss: Option<String>,
    /// The refusal, if `error` was there; cleaned.
    pub refusal: Option<Box<Refusal>>,
    /// Where the browser ended, if that is known: an answer that was pasted.
    pub(super) arrived_at: Option<Url>,
}

impl Callback {
    /// Reads the parameters of a query or a form.
    ///
    /// # Errors
    ///
    /// [`Error::Callback`] if it is too long, if a parameter that matters occurs twice (AU-06), or if it
    /// holds neither a code nor an error.
    pub fn from_query(query: &str) -> Result<Self, Error> {
        if query.len() > LONGEST_QUERY {
            return Err(Error::Callback { what: "it is too long" });
        }
        let mut members: Map<String, Value> = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if members.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
                return Err(Error::Callback { what: "a parameter occurs twice" });
            }
        }
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(value)) if !value.is_empty() => Some(value),
            _ => None,
        };
        let code = take("code").map(Secret::from);
        let state = take("state").map(Secret::from);
        let iss = take("iss").map(|iss| text::plain(&iss));
        if code.as_ref().is_some_and(|code| code.len() > LONGEST_CODE) {
            return Err(Error::Callback { what: "the code is too long" });
        }
        let secrets: Vec<Secret> = code.iter().chain(&state).cloned().collect();
        let refusal = members
            .contains_key("error")
            .then(|| Box::new(Refusal::from_members(&members, 0, None, &secrets)));
        match (&code, &refusal) {
            (None, None) => Err(Error::Callback { what: "it holds neither a code nor an error" }),
            (Some(_), Some(_)) => Err(Error::Callback { what: "it holds a code and an error" }),
            _ => Ok(Self { code, state, iss, refusal, arrived_at: None }),
        }
    }

    /// Reads the address that a browser ended on, pasted by the user; its query or, failing that, its
    /// fragment. The rest of the address must be that of the redirect, which
    /// [`code_finish`](Client::code_finish) sees to.
    ///
    /// # Errors
    ///
    /// As [`from_query`](Self::from_query), and if it is no address.
    pub fn from_address(address: &str) -> Result<Self, Error> {
        let url = Url::parse(address.trim()).map_err(|_| Error::Callback { what: "it is not an address" })?;
        let callback = Self::from_query(url.query().or(url.fragment()).unwrap_or_default())?;
        Ok(Self { arrived_at: Some(url), ..callback })
    }
}

impl<H: Http, C: Clock> Client<H, C> {
    /// Begins a sign-in: the address to open in the system's browser, and what to keep until the answer
    /// comes. State and PKCE verifier (always S256) are fresh for every call, and so is the nonce, which is sent where
    /// the scopes ask for an ID token.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the provider has no authorisation endpoint, or redirect address or scopes cannot
    /// be used.
    pub fn code_begin(&self, request: &Authorize<'_>) -> Result<(Url, Pending), Error> {
        self.endpoints.allows(Flow::Browser)?;
        let Some(authorize) = &self.endpoints.authorize else {
            return Err(Error::setting("flow", "this provider has no browser sign-in"));
        };
        if request.scopes.is_empty() {
            return Err(Error::setting("scope", "there is none"));
        }
        // Entra lets one consent name several resources, but the token request that follows serves only one
        // of them.
        self.check_scopes(request.scopes)?;
        let redirect = redirect(request.redirect_uri)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = BasicClient::new(ClientId::new(self.registration.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(authorize.clone()))
            .set_redirect_uri(redirect);
        let mut builder = client
            .authorize_url(CsrfToken::new_random)
            .set_pkce_challenge(challenge)
            .add_scopes(request.scopes.iter().cloned().map(Scope::new));
        let quirks = &self.endpoints.quirks;
        let nonce = nonce::fresh(request.scopes);
        for (name, value) in &quirks.authorize_parameters {
            let own = match name.as_str() {
                "prompt" => request.prompt.is_some(),
                "nonce" => nonce.is_some(),
                _ => false,
            };
            if !own {
                builder = builder.add_extra_param(name.clone(), value.clone());
            }
        }
        if quirks.form_post {
            let mode = match request.response_mode {
                ResponseMode::FormPost => "form_post",
                ResponseMode::Query => "query",
            };
            builder = builder.add_extra_param("response_mode", mode);
        }
        for (name, value) in [
            ("login_hint", request.login_hint),
            ("prompt", request.prompt),
            ("claims", request.claims),
            ("ui_locales", request.languages),
            ("nonce", nonce.as_ref().map(Secret::expose)),
        ] {
            if let Some(value) = value {
                builder = builder.add_extra_param(name, value);
            }
        }
        let (url, state) = builder.url();
        let pending = Pending {
            state: Secret::from(state.into_secret()),
            redirect_uri: request.redirect_uri.to_owned(),
            verifier: Secret::from(verifier.into_secret()),
            nonce,
            scopes: request.scopes.to_vec(),
            token_endpoint: self.endpoints.token.to_string(),
            begun_at: self.clock.now(),
        };
        Ok((url, pending))
    }

    /// Redeems the answer to a sign-in. State and issuer are checked before anything is sent.
    ///
    /// # Errors
    ///
    /// [`Error::StateMismatch`], [`Error::MixUp`], [`Error::Declined`], [`Error::Refused`],
    /// [`Error::Callback`] for an answer that came to another address or more than [`Pending::LIFE`] seconds
    /// late, [`Error::NonceMismatch`] for an ID token of another sign-in, or what the exchange gives. A code works once: after any error, begin anew.
    pub async fn code_finish(&self, pending: Pending, callback: Callback) -> Result<Tokens, Error> {
        if callback.state.as_ref() != Some(&pending.state) {
            return Err(Error::StateMismatch);
        }
        if callback.arrived_at.as_ref().is_some_and(|url| !same_place(url, &pending.redirect_uri)) {
            return Err(Error::Callback { what: "it came to another address than this sign-in named" });
        }
        if !pending.is_fresh(self.clock.now()) {
            return Err(Error::Callback { what: "it came more than an hour after the sign-in was begun" });
        }
        if pending.token_endpoint != self.endpoints.token.as_str() {
            let found = shown(&self.endpoints.token);
            return Err(Error::MixUp { expected: pending.token_endpoint, found });
        }
        match &callback.iss {
            Some(iss) => self.check_issuer(iss)?,
            None if self.endpoints.quirks.names_issuer => {
                let expected = self.endpoints.issuer.clone().unwrap_or_else(|| shown(&self.endpoints.token));
                return Err(Error::MixUp { expected, found: "a server that does not name itself".into() });
            }
            None => {}
        }
        if let Some(refusal) = callback.refusal {
            return Err(if refusal.is_declined() {
                Error::Declined(refusal)
            } else {
                Error::Refused(refusal)
            });
        }
        let Some(code) = callback.code else {
            return Err(Error::Callback { what: "it holds no code" });
        };
        let mut form = Form::new()
            .field("grant_type", "authorization_code")
            .secret("code", &code)
            .field("redirect_uri", &pending.redirect_uri)
            .secret("code_verifier", &pending.verifier);
        if !self.endpoints.quirks.omit_scope {
            form = form.field("scope", &pending.scopes.join(" "));
        }
        let tokens = self.token(Step::Code, form, &pending.scopes).await?;
        nonce::check(pending.nonce.as_ref(), &tokens)?;
        Ok(tokens)
    }

    /// RFC 9207 §2.4. Without a known issuer, its host must at least be the one the browser was sent to.
    fn check_issuer(&self, found: &str) -> Result<(), Error> {
        let expected = match (&self.endpoints.issuer, &self.endpoints.authorize) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(authorize)) => authorize.origin().ascii_serialization(),
            (None, None) => return Ok(()),
        };
        let same = match (&self.endpoints.issuer, expected.split_once("{tenantid}")) {
            (Some(_), Some((before, after))) => found
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/')),
            (Some(_), None) => found == expected,
            (None, _) => Url::parse(found).is_ok_and(|url| url.origin().ascii_serialization() == expected),
        };
        if same { Ok(()) } else { Err(Error::MixUp { expected, found: found.to_owned() }) }
    }
}

/// Whether a browser that was sent to `redirect_uri` can have ended at `url`.
fn same_place(url: &Url, redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|sent| {
        let place = |url: &Url| {
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
        };
        place(&sent) == place(url) && sent.path() == url.path()
    })
}

/// Checks a redirect address: https, http on loopback, or a scheme of the application's own (RFC 8252 §7).
fn redirect(address: &str) -> Result<RedirectUrl, Error> {
    let wrong = |reason: String| Error::setting("redirect address", reason);
    let url =
        Url::parse(address).map_err(|error| wrong(format!("{address:?} is not an address ({error})")))?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Error::InsecureUrl { url: shown(&url) });
    }
    if url.fragment().is_some() {
        return Err(wrong("it must have no fragment".into()));
    }
    RedirectUrl::new(address.to_owned()).map_err(|error| wrong(error.to_string()))
}
