//! The authorisation endpoint (RFC 6749 section 4.1.1, RFC 7636).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::count::RequestKind;
use crate::defaults::NATIVE_CLIENT;
use crate::directory::App;
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::claims;
use crate::idp::page;
use crate::idp::params::Params;
use crate::idp::refusal::{Refusal, Trace};
use crate::idp::scope::Scopes;
use crate::idp::tables::{Answer, Challenge, FLOW_LIFETIME, Flow, Purpose, ResponseMode};
use crate::idp::tenant::Tenant;
use crate::random;

/// Begins a sign-in.
pub(crate) async fn start(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::Authorize);
    let params = Params::new(query.as_deref(), &body);
    let who = Who {
        client: params.get("client_id").unwrap_or_default().to_owned(),
        user: params.get("login_hint").map(str::to_owned),
    };
    let trace = idp.trace(&headers, &who);
    let stuck = idp.faults.take(&who, |f| if let Fault::ErrorPage(code) = f { Some(*code) } else { None });
    if let Some(code) = stuck {
        return error_page(&Refusal::new(400, "invalid_request", code, "A fault was injected."), &trace);
    }
    // Until the redirect URI is known to be the app's, errors stay on this page.
    let (tenant, app, redirect_uri) = match client(&idp, &tenant, &params, &base) {
        Ok(found) => found,
        Err(refusal) => return error_page(&refusal, &trace),
    };
    let state = params.get("state").map(str::to_owned);
    let mode = match params.get("response_mode") {
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => {
            let answer = Answer { redirect_uri, mode: ResponseMode::Query, state };
            return refuse(&answer, &Refusal::response_mode(), &trace);
        }
    };
    let answer = Answer { redirect_uri, mode, state };
    match begin(&idp, tenant, &app, &answer, &params) {
        Ok(flow) => idp.enter(flow, &params, &headers, &base, &trace),
        Err(refusal) => refuse(&answer, &refusal, &trace),
    }
}

/// The tenant form, the app and the redirect URI of a request.
pub(crate) fn client(
    idp: &Idp,
    tenant: &str,
    params: &Params,
    base: &str,
) -> Result<(Tenant, App, String), Refusal> {
    let tenant = Tenant::parse(&idp.directory, tenant)?;
    let id = params.get("client_id").ok_or_else(|| Refusal::missing("client_id"))?;
    let app = idp.directory.app(id).ok_or_else(|| Refusal::unknown_app(id, &idp.directory.domain))?;
    tenant.admits(app)?;
    let uri = match (params.get("redirect_uri"), app.redirects.as_slice()) {
        (Some(uri), _) => uri.to_owned(),
        (None, [one]) => one.clone(),
        (None, _) => return Err(Refusal::no_redirect()),
    };
    if !app.redirects.iter().any(|registered| redirect_matches(registered, &uri, base)) {
        return Err(Refusal::redirect_mismatch(&uri, app));
    }
    Ok((tenant, app.clone(), uri))
}

fn begin(idp: &Idp, tenant: Tenant, app: &App, answer: &Answer, params: &Params) -> Result<Flow, Refusal> {
    if params.repeated {
        return Err(Refusal::malformed());
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(Refusal::response_type()),
        None => return Err(Refusal::missing("response_type")),
    }
    let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
    let scopes = Scopes::parse(scope, app)?;
    let challenge = match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, _) => None,
        (Some(text), method) => {
            let s256 = match method {
                Some("S256") => true,
                // RFC 7636 section 4.3: plain if not said otherwise.
                None | Some("plain") => false,
                Some(_) => return Err(Refusal::bad_challenge()),
            };
            if !(43..=128).contains(&text.len()) {
                return Err(Refusal::bad_challenge());
            }
            Some(Challenge { text: text.to_owned(), s256 })
        }
    };
    Ok(Flow {
        tenant,
        client_id: app.client_id.clone(),
        scopes,
        purpose: Purpose::Code {
            answer: answer.clone(),
            nonce: params.get("nonce").map(str::to_owned),
            challenge,
            client_info: params.get("client_info") == Some("1"),
            context: claims::context(params)?,
        },
        user: None,
        ask_consent: params.get("prompt") == Some("consent"),
        expires: idp.clock.now().saturating_add(FLOW_LIFETIME),
    })
}

/// Whether a redirect URI is the registered one: for loopback the port does not matter, the path does, to the letter.
fn redirect_matches(registered: &str, given: &str, base: &str) -> bool {
    // The page of this kind is on the login host, and the login host is this one.
    let here = registered == NATIVE_CLIENT && given.strip_prefix(base) == Some("/common/oauth2/nativeclient");
    here || same_address(registered, given)
}

fn same_address(registered: &str, given: &str) -> bool {
    let (Ok(a), Ok(b)) = (Url::parse(registered), Url::parse(given)) else { return false };
    let loopback = a.scheme() == "http" && matches!(a.host_str(), Some("localhost" | "127.0.0.1"));
    let ports = loopback || a.port_or_known_default() == b.port_or_known_default();
    ports
        && a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.path() == b.path()
        && a.query() == b.query()
        && b.fragment().is_none()
        && b.username().is_empty()
        && b.password().is_none()
}

/// The page a browser stays on when there is nowhere safe to go.
pub(crate) fn error_page(refusal: &Refusal, trace: &Trace) -> Response {
    let body = format!(
        "<p role=\"alert\">{}</p>\n<dl><dt>Trace ID</dt><dd>{}</dd><dt>Correlation ID</dt><dd>{}</dd></dl>",
        page::escape(&refusal.short()),
        page::escape(&trace.trace_id),
        page::escape(&trace.correlation_id)
    );
    page::page(400, "Sorry, but we’re having trouble signing you in.", &body)
}

/// Sends a refusal to the redirect URI.
pub(crate) fn refuse(answer: &Answer, refusal: &Refusal, trace: &Trace) -> Response {
    let mut fields = vec![
        ("error", refusal.error.to_owned()),
        ("error_description", refusal.description(trace)),
        ("error_uri", format!("https://login.microsoftonline.com/error?code={}", refusal.code)),
    ];
    if refusal.code == 65004 {
        fields.push(("error_subcode", "cancel".to_owned()));
    }
    send(answer, fields)
}

/// Sends fields to the redirect URI the way the client asked for.
pub(crate) fn send(answer: &Answer, mut fields: Vec<(&'static str, String)>) -> Response {
    if let Some(state) = &answer.state {
        fields.push(("state", state.clone()));
    }
    let Ok(mut url) = Url::parse(&answer.redirect_uri) else {
        return page::message(400, "No way back", "The redirect URI cannot be read.");
    };
    match answer.mode {
        ResponseMode::FormPost => return page::form_post(&answer.redirect_uri, &fields),
        ResponseMode::Query => {
            url.query_pairs_mut().extend_pairs(fields);
        }
        ResponseMode::Fragment => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            url.set_fragment(Some(&text));
        }
    }
    let headers =
        [(header::LOCATION, url.to_string()), (header::CACHE_CONTROL, "no-store, no-cache".to_owned())];
    (StatusCode::FOUND, headers).into_response()
}

impl Idp {
    /// Sends the browser back with a code and `fields`, or with what faults make of that; `foreign` makes codes that nobody issued.
    pub(crate) fn land(
        &self,
        who: &Who,
        mut answer: Answer,
        mut fields: Vec<(&'static str, String)>,
        code: String,
        foreign: impl FnOnce() -> String,
    ) -> Response {
        if self.faults.hits(who, &Fault::ForeignCode) {
            fields.push(("code", foreign()));
        } else if !self.faults.hits(who, &Fault::NoCode) {
            fields.push(("code", code));
        }
        if self.faults.hits(who, &Fault::WrongState) {
            answer.state = Some(random::base64url(24));
        }
        if self.faults.hits(who, &Fault::NoState) {
            answer.state = None;
        }
        if self.faults.hits(who, &Fault::WrongIss) {
            fields.push(("iss", "https://another-provider.example/v2.0".to_owned()));
        }
        send(&answer, fields)
    }
}

#[cfg(test)]
mod tests {
    use super::same_address as m;

    #[test]
    fn the_blank_page_is_where_the_login_host_is() {
        let m = |registered, given| super::redirect_matches(registered, given, "https://localhost:8443");
        let page = "https://login.microsoftonline.com/common/oauth2/nativeclient";
        assert!(m(page, page) && m(page, "https://localhost:8443/common/oauth2/nativeclient"));
        assert!(!m(page, "https://localhost:8444/common/oauth2/nativeclient"));
        assert!(!m("http://localhost", "https://localhost:8443/common/oauth2/nativeclient"));
    }

    #[test]
    fn loopback_ignores_the_port_but_not_the_path() {
        assert!(m("http://localhost", "http://localhost:50123"));
        assert!(m("http://localhost", "http://localhost:50123/"));
        assert!(m("http://localhost/cb", "http://localhost:1/cb"));
        assert!(!m("http://localhost", "http://localhost:50123/cb"));
        assert!(!m("http://localhost/cb", "http://localhost:1/CB"));
        assert!(!m("http://localhost", "http://127.0.0.1:50123"));
        assert!(!m("http://localhost", "https://localhost:50123"));
        assert!(!m("http://localhost", "http://localhost.evil.example"));
        assert!(!m("http://localhost", "http://user@localhost:1"));
        assert!(!m("http://localhost", "http://localhost:1/#frag"));
    }

    #[test]
    fn other_hosts_are_exact() {
        assert!(m("https://app.example/cb", "https://app.example:443/cb"));
        assert!(!m("https://app.example/cb", "https://app.example:444/cb"));
        assert!(!m("https://app.example/cb", "https://app.example/cb?x=1"));
        assert!(!m("https://app.example/cb", "https://app.example/cb/"));
        assert!(!m("https://app.example/cb", "not a url"));
    }
}
