//! The ready-made transport: reqwest over rustls with aws-lc-rs.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use wire::SecretBytes;

use super::{BODY_LIMIT, Http, HttpError, HttpErrorKind, HttpRequest, HttpResponse, Method};
use crate::endpoints::{is_loopback, is_nearby};

/// Settings of [`ReqwestHttp`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReqwestOptions {
    /// PEM certificates trusted besides the Mozilla roots: a company's TLS proxy, the sandbox.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Longest wait for a connection, TLS included. Default 15 s.
    pub connect_timeout: Duration,
    /// Longest wait for the whole exchange. Default 30 s.
    pub timeout: Duration,
}

impl Default for ReqwestOptions {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            connect_timeout: Duration::from_secs(15),
            timeout: Duration::from_secs(30),
        }
    }
}

/// HTTP by reqwest: no redirects, bounded time, bounded answers; proxies from the environment, except for
/// loopback hosts and the identity services of this machine's host.
#[derive(Debug, Clone)]
pub struct ReqwestHttp {
    outside: reqwest::Client,
    near: reqwest::Client,
}

impl ReqwestHttp {
    /// Sets the transport up.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Setting`] if `extra_ca_pem` holds no certificate or a proxy variable is malformed.
    pub fn new(options: &ReqwestOptions) -> Result<Self, HttpError> {
        let tls = tls(options.extra_ca_pem.as_deref())?;
        let builder = || {
            reqwest::Client::builder()
                .use_preconfigured_tls(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(options.connect_timeout)
                .timeout(options.timeout)
                .referer(false)
                .user_agent(concat!("postkey/", env!("CARGO_PKG_VERSION")))
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| setting(format!("HTTP cannot be set up ({})", chain(&error))))
        };
        Ok(Self { outside: build(builder())?, near: build(builder().no_proxy())? })
    }
}

fn setting(detail: impl Into<String>) -> HttpError {
    HttpError::new(HttpErrorKind::Setting, detail)
}

fn tls(extra: Option<&[u8]>) -> Result<rustls::ClientConfig, HttpError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| setting(format!("the CA file is not PEM ({error})")))?;
            roots
                .add(certificate)
                .map_err(|error| setting(format!("a certificate of the CA file cannot be used ({error})")))?;
            found = true;
        }
        if !found {
            return Err(setting("the CA file holds no certificate"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| setting(format!("TLS cannot be set up ({error})")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

impl Http for ReqwestHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let client = if is_near(&request) {
            &self.near
        } else if request.url.scheme() == "https" {
            &self.outside
        } else {
            // Endpoints are checked long before; this is the last look before a secret would leave in clear
            // text.
            return Err(setting("the address is not https"));
        };
        let mut builder = match request.method {
            Method::Get => client.get(request.url),
            Method::Post => client.post(request.url).body(request.body.expose().to_vec()),
        };
        for (name, value) in &request.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value.expose())
                .map_err(|_| setting("a header value holds characters that HTTP forbids"))?;
            value.set_sensitive(true);
            builder = builder.header(*name, value);
        }
        let mut response = builder.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (retry_after, www_authenticate) = (header("retry-after"), header("www-authenticate"));
        let mut body = zeroize::Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(HttpError::new(
                    HttpErrorKind::TooLarge,
                    format!("the answer is longer than {BODY_LIMIT} octets"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let body = SecretBytes::new(std::mem::take(&mut *body));
        Ok(HttpResponse { status, retry_after, www_authenticate, body })
    }
}

/// Whether a request stays on this machine, or on its host if it is meant for that: no proxy may see it.
fn is_near(request: &HttpRequest) -> bool {
    is_loopback(&request.url) || request.nearby && is_nearby(&request.url)
}

fn failure(error: &reqwest::Error) -> HttpError {
    let detail = chain(error);
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if is_tls(error) {
        HttpErrorKind::Certificate
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, detail)
}

/// Whether rustls is among the causes. It hides inside `io::Error`s, whose `source` steps over what they
/// wrap.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return true;
        }
        cause = match current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    false
}

/// The causes of an error from the second on: reqwest's first line repeats the address, which errors leave
/// out.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = current.source();
    }
    if parts.is_empty() {
        parts.push(if error.is_timeout() {
            "no answer in time".into()
        } else {
            "the exchange failed".into()
        });
    }
    crate::error::text::plain(&parts.join(": "))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[tokio::test]
    async fn au_26_the_transport_itself_sends_nothing_in_clear_text() {
        let http = ReqwestHttp::new(&ReqwestOptions::default()).unwrap();
        let get = |address| HttpRequest::get(Url::parse(address).unwrap());
        let identity = |address| HttpRequest::to_identity_service(Url::parse(address).unwrap(), &[]);
        for request in [
            get("http://login.example/token"),
            get("http://10.0.0.1/"),
            get("http://169.254.169.253/"),
            get("http://169.254.169.254/"),
            identity("http://login.example/token"),
            identity("http://10.0.0.1/"),
            identity("http://169.254.169.254.example/"),
        ] {
            let url = request.url.clone();
            let error = http.send(request).await.unwrap_err();
            assert_eq!(error.kind, HttpErrorKind::Setting, "{url}: {error}");
        }
    }

    #[test]
    fn identity_services_of_the_host_are_the_one_exception() {
        let near = |address| {
            is_near(&HttpRequest::to_identity_service(Url::parse(address).unwrap(), &[("a", "b c")]))
        };
        for address in [
            "http://169.254.169.254/metadata/x",
            "http://169.254.129.5:8081/msi/token",
            "http://localhost:40342/",
        ] {
            assert!(near(address), "{address}");
        }
        for address in
            ["http://169.253.169.254/", "https://login.example/", "http://169.254.169.254.example/"]
        {
            assert!(!near(address), "{address}");
        }
    }
}
