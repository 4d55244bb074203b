//! The authorisation endpoint, and what follows in the browser.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use url::{Host, Url};
use wire::Secret;

use super::{Code, Flow, GoogleClient, scope};
use crate::count::RequestKind;
use crate::directory::{User, UserKind};
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::authorize::send;
use crate::idp::page;
use crate::idp::params::Params;
use crate::idp::sign_in::cookie;
use crate::idp::tables::{Answer, CODE_LIFETIME, Challenge, FLOW_LIFETIME, ResponseMode};
use crate::random;

const COOKIE: &str = "SandboxGoogleSession";

/// What a browser is shown when there is no way back: number and name of the error, and a sentence.
type Blocked = (u16, &'static str, String);

/// `/google/o/oauth2/v2/auth`.
pub(crate) async fn start(
    State(idp): State<Arc<Idp>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::Authorize);
    let params = Params::new(query.as_deref(), &body);
    let begun = client(&idp, &params).and_then(|client| Ok((client, begin(&idp, client, &params)?)));
    let (client, flow) = match begun {
        Ok(begun) => begun,
        Err((number, error, text)) => return blocked(number, error, &text),
    };
    let hint = params.get("login_hint").unwrap_or_default().to_owned();
    let prompt = params.get("prompt").unwrap_or_default();
    let session =
        cookie(&headers, COOKIE).and_then(|session| idp.tables().google.sessions.get(&session).cloned());
    let user = session
        .and_then(|upn| idp.directory.user(&upn).cloned())
        .filter(|user| hint.is_empty() || user.upn.eq_ignore_ascii_case(&hint));
    if prompt == "none" {
        return match user {
            Some(user) if !idp.google_needs_consent(&user, &flow) => idp.google_grant(flow, user, false),
            _ => refuse(&flow.answer, "interaction_required"),
        };
    }
    let id = random::base64url(18);
    {
        let mut tables = idp.tables();
        tables.google.tidy(idp.clock.now());
        tables.google.flows.insert(id.clone(), flow.clone());
    }
    match user {
        Some(user) if prompt != "select_account" => idp.google_signed_in(&id, flow, user, client),
        _ => page::sign_in(&id, &client.name, &hint, &idp.google_hints(), None),
    }
}

/// The client and, if that is known, that the way back is its own. Until then nothing is sent anywhere.
fn client<'i>(idp: &'i Idp, params: &Params) -> Result<&'i GoogleClient, Blocked> {
    let missing = |name: &str| (400, "invalid_request", format!("Required parameter is missing: {name}"));
    let id = params.get("client_id").ok_or_else(|| missing("client_id"))?;
    let client =
        idp.google_client(id).ok_or((401, "invalid_client", "The OAuth client was not found.".to_owned()))?;
    let uri = params.get("redirect_uri").ok_or_else(|| missing("redirect_uri"))?;
    let registered = match &client.redirects {
        Some(redirects) => redirects.iter().any(|registered| registered == uri),
        None => is_loopback(uri),
    };
    if !registered {
        let text = format!(
            "You can't sign in to this app because it doesn't comply with the policy: redirect_uri={uri}"
        );
        return Err((400, "redirect_uri_mismatch", text));
    }
    Ok(client)
}

/// RFC 8252 section 7.3, with the name of loopback as well.
fn is_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let host = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    host && url.scheme() == "http"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn begin(idp: &Idp, client: &GoogleClient, params: &Params) -> Result<Flow, Blocked> {
    let invalid = |text: &str| (400, "invalid_request", text.to_owned());
    if params.repeated {
        return Err(invalid("OAuth 2 parameters can only have a single value"));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(other) => {
            return Err((400, "unsupported_response_type", format!("Invalid response_type: {other}")));
        }
        None => return Err(invalid("Required parameter is missing: response_type")),
    }
    let text = params.get("scope").ok_or_else(|| invalid("Missing required parameter: scope"))?;
    let scopes = scope::parse(text).map_err(|unknown| {
        (
            400,
            "invalid_scope",
            format!("Some requested scopes were invalid. {{invalid=[{}]}}", unknown.join(", ")),
        )
    })?;
    let offline = match params.get("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(other) => return Err(invalid(&format!("Invalid parameter value for access_type: {other}"))),
    };
    let challenge = match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, _) => None,
        (Some(text), method) if (43..=128).contains(&text.len()) => {
            let s256 = match method {
                Some("S256") => true,
                None | Some("plain") => false,
                Some(_) => return Err(invalid("Invalid code_challenge_method")),
            };
            Some(Challenge { text: text.to_owned(), s256 })
        }
        (Some(_), _) => return Err(invalid("Invalid code_challenge")),
    };
    Ok(Flow {
        client_id: client.id.clone(),
        answer: Answer {
            redirect_uri: params.get("redirect_uri").unwrap_or_default().to_owned(),
            mode: ResponseMode::Query,
            state: params.get("state").map(str::to_owned),
        },
        scopes,
        offline,
        ask_consent: params
            .get("prompt")
            .is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent")),
        nonce: params.get("nonce").map(str::to_owned),
        challenge,
        user: None,
        expires: idp.clock.now().saturating_add(FLOW_LIFETIME),
    })
}

/// The user pressed a button on the sign-in page; `None` if the sign-in is none of this endpoint's.
pub(crate) fn login(idp: &Idp, params: &Params, Base(base): &Base) -> Option<Response> {
    let (id, flow) = idp.google_flow(params)?;
    if params.get("action") == Some("cancel") {
        idp.tables().google.flows.remove(&id);
        return Some(refuse(&flow.answer, "access_denied"));
    }
    idp.count(RequestKind::SignIn);
    let client = idp.google_client(&flow.client_id)?;
    let name = params.get("loginfmt").unwrap_or_default().trim();
    let password = Secret::from(params.get("passwd").unwrap_or_default());
    let known = idp.directory.user(name).filter(|user| user.kind == UserKind::Work && user.blocked.is_none());
    let problem = match known {
        None => "Couldn’t find your Google Account",
        Some(user) if user.password != password => {
            "Wrong password. Try again or click Forgot password to reset it."
        }
        Some(user) => {
            let session = random::base64url(24);
            idp.tables().google.sessions.insert(session.clone(), user.upn.clone());
            let mut response = idp.google_signed_in(&id, flow, user.clone(), client);
            let secure = if base.starts_with("https:") { "; Secure" } else { "" };
            let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}");
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            return Some(response);
        }
    };
    Some(page::sign_in(&id, &client.name, name, &idp.google_hints(), Some(problem)))
}

/// The user pressed a button on the consent page; `None` if the sign-in is none of this endpoint's.
pub(crate) fn consent(idp: &Idp, params: &Params) -> Option<Response> {
    let (id, flow) = idp.google_flow(params)?;
    let user = idp.directory.user(flow.user.as_deref()?)?.clone();
    idp.tables().google.flows.remove(&id);
    if params.get("action") != Some("accept") {
        return Some(refuse(&flow.answer, "access_denied"));
    }
    let key = (user.upn.to_lowercase(), flow.client_id.clone());
    idp.tables().google.grants.entry(key).or_default().extend(flow.scopes.iter().cloned());
    Some(idp.google_grant(flow, user, true))
}

/// What Google sends back is the error's name and nothing else.
fn refuse(answer: &Answer, error: &str) -> Response {
    send(answer, vec![("error", error.to_owned())])
}

fn blocked(number: u16, error: &str, text: &str) -> Response {
    let body = format!(
        "<p role=\"alert\">Error {number}: {}</p>\n<p>{}</p>",
        page::escape(error),
        page::escape(text)
    );
    page::page(number, "Access blocked: Authorization Error", &body)
}

impl Idp {
    fn google_flow(&self, params: &Params) -> Option<(String, Flow)> {
        let id = params.get("flow")?;
        let flow = self.tables().google.flows.get(id).cloned()?;
        (flow.expires > self.clock.now()).then(|| (id.to_owned(), flow))
    }

    fn google_needs_consent(&self, user: &User, flow: &Flow) -> bool {
        let key = (user.upn.to_lowercase(), flow.client_id.clone());
        !self.tables().google.grants.get(&key).is_some_and(|granted| flow.scopes.is_subset(granted))
    }

    /// What comes after the password: a project in testing lets nobody else in; then consent, or the end.
    fn google_signed_in(&self, id: &str, flow: Flow, user: User, client: &GoogleClient) -> Response {
        if !client.admits(&user.upn) {
            let text = format!(
                "{} has not completed the Google verification process. The app is currently being tested, and can only be \
                 accessed by developer-approved testers.",
                client.name
            );
            return blocked(403, "access_denied", &text);
        }
        if !flow.ask_consent && !self.google_needs_consent(&user, &flow) {
            self.tables().google.flows.remove(id);
            return self.google_grant(flow, user, false);
        }
        if let Some(kept) = self.tables().google.flows.get_mut(id) {
            kept.user = Some(user.upn.clone());
        }
        page::consent(&page::Consent {
            flow: id,
            app: &client.name,
            who: &format!("Signed in as {}", user.upn),
            permissions: &scope::descriptions(&flow.scopes),
            may_accept: true,
            admin_approval: false,
        })
    }

    /// Sends the browser back with a code. A refresh token is due only to whoever was asked for consent.
    fn google_grant(&self, flow: Flow, user: User, asked: bool) -> Response {
        let who = Who { client: flow.client_id.clone(), user: Some(user.upn.clone()) };
        if self.faults.take(&who, |fault| matches!(fault, Fault::SignInRefused(_)).then_some(())).is_some() {
            return refuse(&flow.answer, "access_denied");
        }
        let fresh = || format!("4/0A{}", random::base64url(60));
        let (text, now) = (fresh(), self.clock.now());
        let fields = vec![
            ("scope", scope::joined(&flow.scopes)),
            ("authuser", "0".to_owned()),
            ("prompt", if asked { "consent" } else { "none" }.to_owned()),
        ];
        let (answer, refresh) = (flow.answer.clone(), asked && flow.offline);
        let code =
            Code { flow, user: user.upn, refresh, expires: now.saturating_add(CODE_LIFETIME), used: false };
        {
            let mut tables = self.tables();
            tables.google.tidy(now);
            tables.google.codes.insert(text.clone(), code);
        }
        self.land(&who, answer, fields, text, fresh)
    }

    fn google_hints(&self) -> Vec<String> {
        let users =
            self.directory.users.iter().filter(|user| user.kind == UserKind::Work && user.blocked.is_none());
        users.map(|user| format!("{} with password {}", user.upn, user.password.expose())).collect()
    }
}
