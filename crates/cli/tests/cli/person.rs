//! The person in the browser, played over HTTP.

use sandbox::ANA;

use crate::support::*;

/// What the person in the browser does.
#[derive(Clone, Copy)]
pub(crate) enum Person {
    Accepts,
    Refuses,
    Cancels,
    Asks,
}

/// Runs a browser sign-in; the browser is a script that hands the address to this test, which walks the pages.
pub(crate) fn browser(world: &World, args: &[&str], person: Person) -> Ran {
    let walked = |address: &str| world.runtime.block_on(walk(world, address, person));
    world.home.browser(args, walked).0
}

/// Walks the pages to the end for somebody who accepts the certificate of a listener on this machine.
pub(crate) fn walk_trusting_all(world: &World, address: &str) {
    // Fails if another test of this process was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    world.runtime.block_on(Visitor::of(world).walk(address, Person::Accepts, &listener));
}

async fn walk(world: &World, address: &str, person: Person) {
    let visitor = Visitor::of(world);
    visitor.walk(address, person, &visitor.http).await;
}

/// Walks the pages and says where the browser is sent at the end.
pub(crate) fn ends_on(world: &World, address: &str, person: Person) -> String {
    world.runtime.block_on(Visitor::of(world).ends_on(address, person))
}

/// Somebody who walks the pages of a sandbox, in this process or another.
pub(crate) struct Visitor {
    http: reqwest::Client,
    base: String,
    user: String,
    password: String,
}

impl Visitor {
    /// `base` is the sandbox's base URL; `ca` its CA, PEM.
    pub(crate) fn new(base: &str, ca: &str, user: &str, password: &str) -> Self {
        Self { http: client(ca), base: base.to_owned(), user: user.to_owned(), password: password.to_owned() }
    }

    fn of(world: &World) -> Self {
        let user = world.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
        Self::new(&world.sandbox.base_url(), world.sandbox.ca_pem(), ANA, user.password().expose())
    }

    /// Up to the listener of who asked, and back from there; `listener` is what reaches the redirect address.
    pub(crate) async fn walk(&self, address: &str, person: Person, listener: &reqwest::Client) {
        let landed = self.pages(address, person).await;
        if let Some(location) = landed.location {
            // Where the code comes in the address, the page that the browser ends on must not show it.
            assert!(
                location.starts_with("http://127.0.0.1:") || location.starts_with("http://localhost:"),
                "{location}"
            );
            let last = listener.get(&location).send().await.unwrap().text().await.unwrap();
            let code = location.split("code=").nth(1).map(|rest| rest.split('&').next().unwrap().to_owned());
            assert!(!code.is_some_and(|code| last.contains(&code)), "the page reflects the code");
            return;
        }
        let page = landed.page;
        // form_post: the code comes back in a form, not in an address that a history would keep.
        let target = between(&page, "action=\"", "\"");
        assert!(
            target.starts_with("http://localhost:") || target.starts_with("https://localhost:"),
            "{page}"
        );
        let names: Vec<String> = page
            .split("type=\"hidden\" name=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        let values: Vec<String> = names.iter().map(|name| field(&page, name)).collect();
        let fields: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
        let last = post(listener, &target, &fields).await.text().await.unwrap();
        assert!(
            !fields.iter().any(|(name, value)| *name == "code" && last.contains(value)),
            "the page reflects the code"
        );
    }

    /// As [`walk`](Self::walk), for a redirect address that this visitor's own client reaches.
    pub(crate) async fn accept(&self, address: &str) {
        self.walk(address, Person::Accepts, &self.http).await;
    }

    /// Where the browser is sent at the end.
    pub(crate) async fn ends_on(&self, address: &str, person: Person) -> String {
        self.pages(address, person).await.location.unwrap()
    }

    /// Types a device's code, signs in and accepts.
    pub(crate) async fn device(&self, address: &str, code: &str) {
        let page = post(&self.http, address, &[("otc", code)]).await.text().await.unwrap();
        let last = self.through(&page, Person::Accepts).await.page;
        assert!(last.contains("close this window"), "{last}");
    }

    async fn pages(&self, address: &str, person: Person) -> Landed {
        let page = self.http.get(address).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("value=\"{}\"", self.user)), "the account is filled in: {page}");
        self.through(&page, person).await
    }

    /// From the sign-in page on.
    async fn through(&self, page: &str, person: Person) -> Landed {
        let flow = field(page, "flow");
        let action = if matches!(person, Person::Cancels) { "cancel" } else { "signin" };
        let form = [
            ("flow", flow.as_str()),
            ("loginfmt", self.user.as_str()),
            ("passwd", self.password.as_str()),
            ("action", action),
        ];
        let landed = Landed::of(post(&self.http, &format!("{}/login", self.base), &form).await).await;
        let action = match person {
            Person::Accepts => "accept",
            Person::Refuses => "cancel",
            Person::Asks => "admin",
            Person::Cancels => return landed,
        };
        // Who has accepted before is not asked again.
        if !landed.page.contains("action=\"/consent\"") {
            return landed;
        }
        let flow = field(&landed.page, "flow");
        let form = [("flow", flow.as_str()), ("action", action)];
        Landed::of(post(&self.http, &format!("{}/consent", self.base), &form).await).await
    }
}

/// Where the browser is: at a page, or sent elsewhere.
struct Landed {
    page: String,
    location: Option<String>,
}

impl Landed {
    async fn of(response: reqwest::Response) -> Self {
        let location = response.headers().get("location").map(|at| at.to_str().unwrap().to_owned());
        Self { page: response.text().await.unwrap(), location }
    }
}

async fn post(http: &reqwest::Client, url: &str, form: &[(&str, &str)]) -> reqwest::Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    request.send().await.unwrap()
}

fn field(page: &str, name: &str) -> String {
    let value = between(page, &format!("name=\"{name}\" value=\""), "\"");
    value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

fn client(ca: &str) -> reqwest::Client {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = reqwest::Client::builder().use_preconfigured_tls(config).no_proxy();
    http.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
