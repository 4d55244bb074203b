//! A scripted server, a clock that jumps, and a server that rotates refresh tokens strictly.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64ct::Encoding as _;
use postkey_auth::http::{Http, HttpError, HttpErrorKind, HttpRequest, HttpResponse, Method};
use postkey_auth::store::EntryKey;
use postkey_auth::{Certificate, Client, Clock, Endpoints, Provider, Registration};
use wire::{Secret, SecretBytes};

pub(crate) const NOW: u64 = 1_790_000_000;

pub(crate) type Form = BTreeMap<String, String>;

/// What a request was.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) form: Form,
    pub(crate) authorization: Option<String>,
    pub(crate) method: Method,
    pub(crate) headers: BTreeMap<&'static str, String>,
}

/// Answers requests from a script and writes them down.
#[derive(Debug, Default)]
pub(crate) struct FakeHttp {
    script: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
    seen: Mutex<Vec<Seen>>,
}

impl FakeHttp {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>) -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(answers.into_iter().collect()), seen: Mutex::default() })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn forms(&self) -> Vec<Form> {
        self.seen().into_iter().map(|seen| seen.form).collect()
    }
}

impl Http for FakeHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let headers: BTreeMap<&'static str, String> =
            request.headers.iter().map(|(name, value)| (*name, value.expose().to_owned())).collect();
        let authorization = headers.get("authorization").cloned();
        let form = url::form_urlencoded::parse(request.body.expose()).into_owned().collect();
        let (url, method) = (request.url.to_string(), request.method);
        self.seen.lock().unwrap().push(Seen { url, form, authorization, method, headers });
        let next = self.script.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Err(HttpError::new(HttpErrorKind::Setting, "the script is at its end")))
    }
}

pub(crate) fn answer(status: u16, body: impl AsRef<[u8]>) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse { status, body: SecretBytes::new(body.as_ref().to_vec()), ..HttpResponse::default() })
}

pub(crate) fn throttled(status: u16, retry_after: Option<&str>) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: SecretBytes::new(b"<html>busy</html>".to_vec()),
        ..HttpResponse::default()
    })
}

pub(crate) fn refusal(error: &str, code: u32) -> Result<HttpResponse, HttpError> {
    let body = serde_json::json!({
        "error": error,
        "error_description": format!("AADSTS{code}: simulated. Trace ID: t-1 Correlation ID: c-1"),
        "error_codes": [code],
    });
    answer(400, body.to_string())
}

pub(crate) fn plain_refusal(error: &str) -> Result<HttpResponse, HttpError> {
    answer(400, serde_json::json!({ "error": error }).to_string())
}

pub(crate) fn reset() -> Result<HttpResponse, HttpError> {
    Err(HttpError::new(HttpErrorKind::Interrupted, "connection reset"))
}

/// A token answer; an empty refresh token leaves the member out.
pub(crate) fn granted(access: &str, refresh: &str, expires_in: u64) -> Result<HttpResponse, HttpError> {
    let mut body =
        serde_json::json!({"token_type": "Bearer", "access_token": access, "expires_in": expires_in});
    if !refresh.is_empty() {
        body["refresh_token"] = refresh.into();
    }
    answer(200, body.to_string())
}

/// A clock that stands still until somebody waits on it.
#[derive(Debug)]
pub(crate) struct FakeClock {
    millis: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

impl FakeClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { millis: AtomicU64::new(NOW * 1000), waits: Mutex::default() })
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    pub(crate) fn waited_seconds(&self) -> Vec<u64> {
        self.waits().iter().map(Duration::as_secs).collect()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> u64 {
        self.millis.load(Ordering::SeqCst) / 1000
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.waits.lock().unwrap().push(duration);
        self.millis.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now()
    }
}

pub(crate) type TestClient = Client<Arc<FakeHttp>, Arc<FakeClock>>;

pub(crate) fn client_of(
    provider: &str,
    registration: Registration,
    http: &Arc<FakeHttp>,
    clock: &Arc<FakeClock>,
) -> TestClient {
    let endpoints = Provider::builtin(provider).unwrap().endpoints(&registration).unwrap();
    Client::with_clock(endpoints, registration, http.clone(), clock.clone())
}

/// A public client of the Microsoft provider.
pub(crate) fn client(http: &Arc<FakeHttp>, clock: &Arc<FakeClock>) -> TestClient {
    client_of("microsoft", Registration::public("CLIENT", "contoso.example"), http, clock)
}

/// A daemon's client.
pub(crate) fn daemon(http: &Arc<FakeHttp>, clock: &Arc<FakeClock>) -> TestClient {
    let registration =
        Registration::with_secret("CLIENT", Secret::from("daemon-secret-0123456789"), "contoso.example");
    client_of("microsoft", registration, http, clock)
}

/// A file of `tests/data/credentials`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/credentials").join(name))
        .unwrap()
}

/// The certificate of the fixtures, with its key.
pub(crate) fn certificate() -> Certificate {
    Certificate::from_pem(&[fixture("certificate.pem"), fixture("key.pem")].concat(), None).unwrap()
}

/// The members of one part of a JWT.
pub(crate) fn jwt_part(token: &str, part: usize) -> serde_json::Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&base64ct::Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

/// An unsigned JWT with these claims.
pub(crate) fn jwt(claims: &serde_json::Value) -> String {
    format!("e30.{}.c2ln", base64ct::Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()))
}

/// The name of an account's tokens.
pub(crate) fn entry(account: &str) -> EntryKey {
    let registration = Registration::public("CLIENT", "contoso.example");
    let endpoints = Provider::builtin("microsoft").unwrap().endpoints(&registration).unwrap();
    EntryKey::new(account, &endpoints, &registration, &imap_scopes())
}

pub(crate) fn imap_scopes() -> Vec<String> {
    ["offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"].map(str::to_owned).to_vec()
}

pub(crate) fn app_scopes() -> Vec<String> {
    vec!["https://outlook.office365.com/.default".to_owned()]
}

/// How much faster than the system's clock [`Quick`] runs.
const SPEED: u64 = 4;

/// A clock that runs fast and that all processes share: waits are shorter, and nothing else is different.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quick;

impl Clock for Quick {
    fn now(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap() * SPEED / 1000
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration / u32::try_from(SPEED).unwrap())
    }
}

/// A token server on loopback whose refresh tokens work once; the use of an old one revokes the whole family, unless the
/// server grants a grace: then a token works until one of its successors was used. It answers one request after the other.
pub(crate) struct StrictServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Family>>,
}

#[derive(Default)]
struct Family {
    serial: u64,
    /// The newest refresh token that was presented.
    used: u64,
    refreshes: u64,
    revoked: bool,
    grace: bool,
    life: u64,
    /// Requests that came while the token before was still good, by [`Quick`].
    early: u64,
    issued_at: Option<u64>,
}

impl StrictServer {
    pub(crate) fn start(life: u64, grace: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(Family { grace, life, ..Family::default() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &shared);
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        endpoints(self.address)
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.state.lock().unwrap().refreshes
    }

    pub(crate) fn early(&self) -> u64 {
        self.state.lock().unwrap().early
    }

    /// The number of the last refresh token it gave, once every request that was sent before is answered.
    pub(crate) fn serial(&self) -> u64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"POST /token HTTP/1.1\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(!answer.is_empty());
        self.state.lock().unwrap().serial
    }

    pub(crate) fn revoked(&self) -> bool {
        self.state.lock().unwrap().revoked
    }
}

pub(crate) fn endpoints(address: SocketAddr) -> Endpoints {
    Endpoints::new(None, &format!("http://{address}/token"), None).unwrap()
}

fn serve(mut stream: TcpStream, family: &Mutex<Family>) {
    let Some((_, body)) = read_request(&mut stream) else { return };
    let form: Form = url::form_urlencoded::parse(&body).into_owned().collect();
    let (status, answer) = if form.is_empty() {
        (400, serde_json::json!({"error": "invalid_request"}))
    } else {
        let mut family = family.lock().unwrap();
        family.refreshes += 1;
        let now = Quick.now();
        if family.issued_at.is_some_and(|at| now < at + family.life) {
            family.early += 1;
        }
        let used: Option<u64> =
            form.get("refresh_token").and_then(|t| t.strip_prefix("RT-")).and_then(|n| n.parse().ok());
        let oldest = if family.grace { family.used } else { family.serial };
        let good = used.filter(|used| (oldest..=family.serial).contains(used));
        if let (Some(used), false) = (good, family.revoked) {
            family.used = used;
            family.serial += 1;
            family.issued_at = Some(now);
            let serial = family.serial;
            let life = family.life;
            (
                200,
                serde_json::json!({"token_type": "Bearer", "access_token": format!("AT-{serial}"), "refresh_token": format!("RT-{serial}"), "expires_in": life}),
            )
        } else {
            family.revoked = true;
            (
                400,
                serde_json::json!({"error": "invalid_grant", "error_description": "the token was used before"}),
            )
        }
    };
    let answer = answer.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

/// Reads one request with a Content-Length, or none, and gives its head, in small letters, and its body.
pub(crate) fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|run| run == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end + 2]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Some((head, bytes[end + 4..end + 4 + length].to_vec()));
        }
    }
}
