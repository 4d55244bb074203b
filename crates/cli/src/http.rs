//! HTTP that is set up when the first request is made, so that a token from the store costs no TLS roots.

use std::path::PathBuf;
use std::sync::OnceLock;

use auth::http::{Http, HttpError, HttpErrorKind, HttpRequest, HttpResponse, ReqwestHttp, ReqwestOptions};

/// What the transport will be set up with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Time-outs.
    pub(crate) options: ReqwestOptions,
    /// Certificates to trust besides the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
}

/// The transport, or what it will be made from.
#[derive(Debug)]
pub(crate) struct LazyHttp {
    settings: Settings,
    made: OnceLock<Result<ReqwestHttp, HttpError>>,
}

impl LazyHttp {
    /// Sets nothing up yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, made: OnceLock::new() }
    }

    fn make(&self) -> Result<ReqwestHttp, HttpError> {
        let mut options = self.settings.options.clone();
        if let Some(path) = &self.settings.ca_file {
            let pem = std::fs::read(path).map_err(|error| {
                let detail = format!("the CA file {} cannot be read ({error})", path.display());
                HttpError::new(HttpErrorKind::Setting, detail)
            })?;
            options.extra_ca_pem = Some(pem);
        }
        ReqwestHttp::new(&options)
    }
}

impl Http for LazyHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match self.made.get_or_init(|| self.make()) {
            Ok(http) => http.send(request).await,
            Err(error) => Err(error.clone()),
        }
    }
}
