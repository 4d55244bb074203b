//! A browser as far as sign-ins need one: cookies, redirects one by one, the sandbox's forms.

use std::collections::BTreeMap;

use sandbox::{Sandbox, User};
use url::Url;

/// One browser profile.
pub(crate) struct Browser {
    http: reqwest::Client,
    base: String,
    /// Cookies of localhost: like a real browser's they do not know ports.
    cookies: BTreeMap<String, String>,
}

/// What came of a request.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<Url>,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_built_in_root_certs(false)
            .add_root_certificate(ca)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, base: sandbox.base_url(), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, url: &Url) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response.headers().get("location").map(|to| url.join(to.to_str().unwrap()).unwrap());
        let status = response.status().as_u16();
        Page { status, location, html: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        let request = self.http.get(url);
        self.send(request, &Url::parse(url).unwrap()).await
    }

    async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let url = format!("{}{path}", self.base);
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request =
            self.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(request, &Url::parse(&url).unwrap()).await
    }

    /// Signs `user` in at the authorisation address and accepts what is asked for; gives the address that the
    /// browser is sent to in the end.
    pub(crate) async fn sign_in(&mut self, authorize: &str, user: &User) -> Url {
        let mut page = self.get(authorize).await;
        for _ in 0..4 {
            if let Some(location) = page.location {
                return location;
            }
            let flow = hidden(&page.html, "flow");
            page = if page.html.contains("name=\"passwd\"") {
                let form = [
                    ("flow", flow.as_str()),
                    ("loginfmt", user.upn()),
                    ("passwd", user.password().expose()),
                    ("action", "signin"),
                ];
                self.submit("/login", &form).await
            } else {
                self.submit("/consent", &[("flow", &flow), ("action", "accept")]).await
            };
        }
        panic!("the sign-in does not end: {}", page.html);
    }
}

fn hidden(html: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = html.split_once(&start).unwrap_or_else(|| panic!("no {name} in {html}")).1;
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn user<'s>(sandbox: &'s Sandbox, upn: &str) -> &'s User {
    sandbox.users().iter().find(|user| user.upn() == upn).unwrap()
}
