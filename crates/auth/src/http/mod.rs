//! HTTP as this crate needs it: one request, one small answer.

#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestHttp, ReqwestOptions};

use std::fmt;
use std::future::Future;
use std::net::Ipv4Addr;

use url::Url;
use wire::{Secret, SecretBytes};

/// Longest body accepted from a server, in octets (hostile case AU-27).
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Where a virtual machine in Azure asks about itself. The address is link-local and the service has no
/// certificate: outside loopback, plain http is spoken only to such services of the host.
pub const METADATA_HOST: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// A request. Header values and body print as redacted: they hold credentials.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The address; its scheme has been checked: https, or http on loopback, or, for an identity service that this machine's
    /// environment names, http to an IPv4 link-local address such as [`METADATA_HOST`].
    pub url: Url,
    /// Header fields to send, besides those of the transport.
    pub headers: Vec<(&'static str, Secret)>,
    /// The body.
    pub body: SecretBytes,
    /// Whether this asks an identity service of the place where this program runs: the one case in which plain http leaves
    /// loopback, for an IPv4 link-local address. No proxy may see it.
    pub nearby: bool,
}

impl HttpRequest {
    /// A form to be posted.
    pub(crate) fn form(url: Url, body: SecretBytes) -> Self {
        let headers = vec![
            ("content-type", Secret::from("application/x-www-form-urlencoded")),
            ("accept", Secret::from("application/json")),
        ];
        Self { method: Method::Post, url, headers, body, nearby: false }
    }

    /// A request without a body; the address has been checked.
    pub(crate) fn get(url: Url) -> Self {
        let headers = vec![("accept", Secret::from("application/json"))];
        Self { method: Method::Get, url, headers, body: SecretBytes::default(), nearby: false }
    }

    /// A question to an identity service of the place where this program runs; the address has been checked for that.
    pub(crate) fn to_identity_service(mut url: Url, query: &[(&str, &str)]) -> Self {
        url.query_pairs_mut().extend_pairs(query);
        Self { nearby: true, ..Self::get(url) }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer. Prints its status only: the rest may hold tokens or repeat what was sent.
#[derive(Clone, Default)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// The `Retry-After` header as it came: seconds or an HTTP date.
    pub retry_after: Option<String>,
    /// The `WWW-Authenticate` header as it came, the first if there are several.
    pub www_authenticate: Option<String>,
    /// The body, at most [`BODY_LIMIT`] octets.
    pub body: SecretBytes,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Sends requests. An implementation must not follow redirects, must stop reading a body at [`BODY_LIMIT`],
/// and must bound every wait.
pub trait Http: Send + Sync {
    /// Sends `request` and reads the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// Only what is below HTTP: connection, TLS, time, size. A status such as 400 or 503 is an answer.
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, HttpError>> + Send;
}

impl<H: Http> Http for &H {
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, HttpError>> + Send {
        (**self).send(request)
    }
}

impl<H: Http> Http for std::sync::Arc<H> {
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, HttpError>> + Send {
        (**self).send(request)
    }
}

/// What kind of failure an HTTP exchange met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// No connection: name resolution, refusal, no route.
    Connect,
    /// The server's certificate does not verify, or TLS failed.
    Certificate,
    /// A wait ran out.
    Timeout,
    /// The answer is longer than [`BODY_LIMIT`].
    TooLarge,
    /// The connection broke in the middle.
    Interrupted,
    /// The transport could not be set up: a CA file that is none, a proxy address that is none.
    Setting,
}

impl HttpErrorKind {
    fn advice(self) -> &'static str {
        match self {
            Self::Connect => "Check the network, the endpoint's host name and the proxy settings.",
            Self::Certificate => {
                "Check this computer's clock, and whether a proxy intercepts TLS (then name its CA file)."
            }
            Self::Timeout => "Check the network, or try again later.",
            Self::TooLarge => "Check the endpoint's address.",
            Self::Interrupted => "Try again.",
            Self::Setting => "Correct the configuration.",
        }
    }
}

/// A failure below HTTP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sign-in service cannot be reached: {detail}. {}", kind.advice())]
#[non_exhaustive]
pub struct HttpError {
    /// Which kind.
    pub kind: HttpErrorKind,
    /// What the transport says; no address with a query, no body.
    pub detail: String,
}

impl HttpError {
    /// Builds the error; `detail` must hold no secret.
    pub fn new(kind: HttpErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Interrupted)
    }
}
