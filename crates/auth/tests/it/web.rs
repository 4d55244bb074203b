//! The example `web`, driven as two people's browsers would.

use sandbox::{ANA, RequestKind, Sandbox};
use url::Url;

use crate::browser::{Browser, user};

#[allow(dead_code, reason = "its main is for people")]
#[path = "../../examples/web.rs"]
mod example;

const BJORN: &str = "bjorn@contoso.example";

struct Scene {
    sandbox: Sandbox,
    origin: String,
}

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let web = example::web(&sandbox, &origin).unwrap();
        tokio::spawn(async move { axum::serve(listener, example::router(web)).await });
        Self { sandbox, origin }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Presses "sign in" and stops before the provider's page.
    async fn begin(&self, browser: &mut Browser) -> Url {
        let page = browser.get(&self.at("/login")).await;
        assert_eq!(page.status, 303, "{}", page.html);
        page.location.unwrap()
    }

    /// As far as the address that the provider sends the browser back to.
    async fn to_callback(&self, browser: &mut Browser, upn: &str) -> Url {
        let authorize = self.begin(browser).await;
        let callback = browser.sign_in(authorize.as_str(), user(&self.sandbox, upn)).await;
        assert!(callback.as_str().starts_with(&self.at("/callback?")), "{callback}");
        callback
    }

    /// Whom the application greets in this browser.
    async fn greeted(&self, browser: &mut Browser) -> Option<String> {
        let page = browser.get(&self.origin).await;
        let rest = page.html.split_once("Signed in as ")?.1;
        Some(rest.split_once(". The token")?.0.to_owned())
    }

    fn redeemed(&self) -> u64 {
        self.sandbox.requests(RequestKind::AuthorizationCode)
    }
}

fn query(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned()
}

fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_sign_in_side_by_side() {
    let scene = Scene::new().await;
    let (mut anas, mut bjorns) = (Browser::new(&scene.sandbox), Browser::new(&scene.sandbox));
    let ana = scene.to_callback(&mut anas, ANA).await;
    let bjorn = scene.to_callback(&mut bjorns, BJORN).await;
    for (browser, callback) in [(&mut bjorns, &bjorn), (&mut anas, &ana)] {
        let page = browser.get(callback.as_str()).await;
        assert_eq!(page.status, 303, "{}", page.html);
    }
    assert_eq!(scene.greeted(&mut anas).await.as_deref(), Some(ANA));
    assert_eq!(scene.greeted(&mut bjorns).await.as_deref(), Some(BJORN));
    assert_eq!(scene.redeemed(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_before_any_start_is_refused() {
    let scene = Scene::new().await;
    let mut browser = Browser::new(&scene.sandbox);
    for path in ["/callback", "/callback?code=C&state=S"] {
        assert_eq!(browser.get(&scene.at(path)).await.status, 400);
    }
    assert_eq!((scene.redeemed(), scene.greeted(&mut browser).await), (0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_03_a_second_callback_is_refused() {
    let scene = Scene::new().await;
    let mut browser = Browser::new(&scene.sandbox);
    let callback = scene.to_callback(&mut browser, ANA).await;
    assert_eq!(browser.get(callback.as_str()).await.status, 303);
    assert_eq!(browser.get(callback.as_str()).await.status, 400);
    assert_eq!(scene.redeemed(), 1, "the code was not presented again");
    assert_eq!(scene.greeted(&mut browser).await.as_deref(), Some(ANA));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_01_au_02_a_wrong_or_missing_state_is_refused_and_ends_the_attempt() {
    let scene = Scene::new().await;
    for state in [Some("evil"), None] {
        let mut browser = Browser::new(&scene.sandbox);
        let callback = scene.to_callback(&mut browser, ANA).await;
        assert_eq!(browser.get(with(&callback, "state", state).as_str()).await.status, 400);
        assert_eq!(browser.get(callback.as_str()).await.status, 400, "nothing is under way any more");
        assert_eq!(scene.greeted(&mut browser).await, None);
    }
    assert_eq!(scene.redeemed(), 0);
}

/// An attacker sends the victim the callback of the attacker's own sign-in (login CSRF).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callback_of_another_browser_is_refused() {
    let scene = Scene::new().await;
    let (mut attacker, mut victim) = (Browser::new(&scene.sandbox), Browser::new(&scene.sandbox));
    let attackers = scene.to_callback(&mut attacker, BJORN).await;
    scene.begin(&mut victim).await;
    assert_eq!(victim.get(attackers.as_str()).await.status, 400);
    assert_eq!((scene.redeemed(), scene.greeted(&mut victim).await), (0, None));
}

/// An attacker who has stolen a code puts it into a sign-in of their own: the verifier does not fit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_injected_code_is_refused() {
    let scene = Scene::new().await;
    let (mut attacker, mut victim) = (Browser::new(&scene.sandbox), Browser::new(&scene.sandbox));
    let stolen = query(&scene.to_callback(&mut victim, ANA).await, "code");
    let own = scene.to_callback(&mut attacker, BJORN).await;
    let page = attacker.get(with(&own, "code", Some(&stolen)).as_str()).await;
    assert!(page.status == 400 && page.html.contains("AADSTS501481"), "{}", page.html);
    assert_eq!(scene.greeted(&mut attacker).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_05_an_answer_that_names_another_issuer_is_refused() {
    let scene = Scene::new().await;
    let mut browser = Browser::new(&scene.sandbox);
    let callback = scene.to_callback(&mut browser, ANA).await;
    let page = browser.get(with(&callback, "iss", Some("https://evil.example/T/v2.0")).as_str()).await;
    assert!(page.status == 400 && page.html.contains("evil.example"), "{}", page.html);
    assert_eq!(scene.redeemed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_04_what_an_answer_says_is_shown_as_text() {
    let scene = Scene::new().await;
    let mut browser = Browser::new(&scene.sandbox);
    let state = query(&scene.begin(&mut browser).await, "state");
    let callback = Url::parse_with_params(
        &scene.at("/callback"),
        [
            ("state", state.as_str()),
            ("error", "server_error"),
            ("error_description", "<script>alert(1)</script>"),
        ],
    );
    let page = browser.get(callback.unwrap().as_str()).await;
    assert!(
        page.status == 400 && page.html.contains("&lt;script&gt;") && !page.html.contains("<script>"),
        "{}",
        page.html
    );
}
