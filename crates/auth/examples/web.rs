//! A web application that people sign in to, so that it can reach their mailboxes: two routes and a session.
//!
//! `cargo run -p postkey-auth --example web` starts it together with a sandbox to sign in at. Open the address it
//! prints, sign in as `ana@contoso.example`, then, in another browser profile, as `bjorn@contoso.example`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use postkey_auth::http::{ReqwestHttp, ReqwestOptions};
use postkey_auth::store::{self, MemoryStore, Renewal, Wanted};
use postkey_auth::{Authorize, Client, Protocol, Provider, Registration, SystemClock, provider::Access};
use sandbox::{Sandbox, WEB_APP};
use wire::Secret;

/// The application: one registration, one store of tokens, many sessions.
pub(crate) struct Web {
    client: Client<ReqwestHttp>,
    scopes: Vec<String>,
    redirect_uri: String,
    tokens: MemoryStore,
    sessions: Mutex<HashMap<String, Session>>,
}

/// What is known of one browser. It stays on the server; the browser has an id that cannot be guessed.
#[derive(Default)]
struct Session {
    /// The sign-in under way.
    pending: Option<Secret>,
    /// Who signed in.
    user: Option<String>,
}

/// The application at `origin`, signing in at a sandbox.
pub(crate) fn web(sandbox: &Sandbox, origin: &str) -> Result<Arc<Web>, Box<dyn std::error::Error>> {
    let settings = format!("like = \"microsoft\"\nauthority = {:?}", sandbox.base_url());
    let provider = Provider::from_table("sandbox", &settings.parse()?)?;
    let app = sandbox.app(WEB_APP).ok_or("the sandbox has no web application")?;
    let secret = app.secret().ok_or("the web application has no secret")?;
    let registration = Registration::with_secret(app.id(), secret.clone(), sandbox.tenant_id());
    let mut options = ReqwestOptions::default();
    options.extra_ca_pem = Some(sandbox.ca_pem().as_bytes().to_vec());
    Ok(Arc::new(Web {
        client: Client::new(provider.endpoints(&registration)?, registration, ReqwestHttp::new(&options)?),
        scopes: provider.scopes_for(&[Protocol::Imap], Access::Delegated)?,
        redirect_uri: format!("{origin}/callback"),
        tokens: MemoryStore::default(),
        sessions: Mutex::default(),
    }))
}

/// Its routes.
pub(crate) fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .with_state(web)
}

impl Web {
    fn session<T>(&self, id: &str, change: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id).map(change)
    }
}

async fn home(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let user = session_id(&headers).and_then(|id| web.session(&id, |session| session.user.clone()).flatten());
    let Some(user) = user else { return Html("<p><a href=\"/login\">Sign in</a></p>").into_response() };
    // Where an IMAP session would be opened: renewed when it must be, once for all requests.
    let wanted = Wanted::new(&user, &web.client, web.scopes.clone(), Renewal::Refresh);
    match store::access_token(&web.tokens, &web.client, &wanted).await {
        Ok(issued) => Html(format!(
            "<p>Signed in as {}. The token for the mailbox ends at {}.</p>",
            escaped(&user),
            issued.expires_at
        ))
        .into_response(),
        Err(error) => failed(&error),
    }
}

async fn login(State(web): State<Arc<Web>>) -> Response {
    let request =
        Authorize { prompt: Some("select_account"), ..Authorize::new(&web.redirect_uri, &web.scopes) };
    let (address, pending) = match web.client.begin(&request) {
        Ok(begun) => begun,
        Err(error) => return failed(&error),
    };
    // A fresh id at every sign-in, so that nobody can hand a session to somebody else and wait.
    let id = random();
    let session = Session { pending: Some(pending), user: None };
    web.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), session);
    // Add `Secure` where the application has https, as every one outside this machine must.
    let cookie = format!("session={id}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(address.as_str())).into_response()
}

async fn callback(State(web): State<Arc<Web>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    // Taken out of the session: a second callback finds nothing to finish.
    let pending = session_id(&headers)
        .and_then(|id| Some((web.session(&id, |session| session.pending.take()).flatten()?, id)));
    let Some((pending, id)) = pending else {
        return (
            StatusCode::BAD_REQUEST,
            Html("<p>No sign-in is under way here. <a href=\"/login\">Sign in</a></p>"),
        )
            .into_response();
    };
    let tokens = match web.client.finish(pending, &query.unwrap_or_default()).await {
        Ok(tokens) => tokens,
        Err(error) => return failed(&error),
    };
    // The account is whoever signed in, not whoever the request says.
    let Some(user) = tokens.identity().and_then(|identity| identity.username) else {
        return (StatusCode::BAD_GATEWAY, Html("<p>The service did not say who signed in.</p>"))
            .into_response();
    };
    let wanted = Wanted::new(&user, &web.client, web.scopes.clone(), Renewal::Refresh);
    if let Err(error) = store::save(&web.tokens, &wanted.key, tokens, &SystemClock).await {
        return failed(&error.into());
    }
    web.session(&id, |session| session.user = Some(user));
    Redirect::to("/").into_response()
}

fn session_id(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session=")).map(str::to_owned)
}

/// The library's errors are fit to be shown; HTML is this application's own affair.
fn failed(error: &postkey_auth::Error) -> Response {
    (StatusCode::BAD_REQUEST, Html(format!("<p>{}</p>", escaped(&error.to_string())))).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn random() -> String {
    let mut octets = [0; 32];
    aws_lc_rs::rand::fill(&mut octets).expect("the system has random numbers");
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    let web = web(&sandbox, &origin)?;
    println!("open {origin}/ and sign in; the passwords are:");
    for user in sandbox.users() {
        println!("  {}  {}", user.upn(), user.password().expose());
    }
    axum::serve(listener, router(web)).await?;
    Ok(())
}
