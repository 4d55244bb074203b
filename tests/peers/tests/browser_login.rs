//! `postkey login --flow browser` with a real browser: Chromium fills in the sandbox's pages and ends on postkey's own.

use postkey_peers::home::{Home, Ran};
use postkey_peers::{Browser, Program, available, free_port};
use sandbox::{ANA, App, PUBLIC_APP, RequestKind, Sandbox};

const PORTAL: &str = "portal";
const SECRET: &str = "portal-secret";

struct Scene {
    sandbox: Sandbox,
    browser: Browser,
    home: Home,
    _runtime: tokio::runtime::Runtime,
}

impl Scene {
    /// `redirect` is that of a web application with a secret; without one, a public client signs in.
    fn set(test: &str, redirect: Option<&str>) -> Option<Self> {
        if !available(test, &[Program::Chromium, Program::Postkey]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut builder = Sandbox::builder();
        if let Some(redirect) = redirect {
            builder = builder.app(App::web(PORTAL, SECRET).redirect(redirect));
        }
        let sandbox = runtime.block_on(builder.start()).unwrap();
        let home = Home::new();
        home.private("secret", SECRET);
        let ca = home.private("ca.pem", sandbox.ca_pem());
        let app = if redirect.is_some() { PORTAL } else { PUBLIC_APP };
        let (proof, address) = match redirect {
            Some(redirect) => {
                ("client_secret = { file = \"~/secret\" }\n", format!("redirect = \"{redirect}\"\n"))
            }
            None => ("", String::new()),
        };
        home.configure(&format!(
            "[accounts.ana]\nuser = \"{ANA}\"\ntenant = \"{}\"\nclient_id = \"{}\"\n{proof}\
             [accounts.ana.oauth]\nauthority = \"{}\"\nca_file = \"{}\"\n{address}",
            sandbox.tenant_id(),
            sandbox.app(app).unwrap().id(),
            sandbox.base_url(),
            ca.display(),
        ));
        Some(Self { sandbox, browser: Browser::start().unwrap(), home, _runtime: runtime })
    }

    /// Signs in, and answers the question for consent by clicking `consent`; `last` are words of the page where it must end. Returns the
    /// page's address, too.
    fn login(&self, consent: &str, last: &str) -> (Ran, String) {
        let ana = self.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
        self.home.browser(&["login", "ana", "--flow", "browser"], |address| {
            self.browser.go(address).unwrap();
            // The name is there already: postkey said who is expected.
            self.browser.fill("#passwd", ana.password().expose()).unwrap();
            self.browser.click("#signin").unwrap();
            self.browser.read("Read and write access to mailboxes via IMAP").unwrap();
            self.browser.click(consent).unwrap();
            // form_post without a script: that page has a button.
            self.browser.click("#continue").unwrap();
            self.browser.read(last).unwrap();
            self.browser.url().unwrap()
        })
    }

    /// Signs in, and ends on postkey's own page at this address, which tells a history nothing.
    fn signs_in(&self, redirect: &str) {
        let (ran, url) = self.login("#accept", "You can close this window and go back to the program.");
        assert!(url.starts_with(redirect) && !url.contains('?'), "{url}");
        let ran = ran.code(0);
        assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
        assert_eq!(self.sandbox.requests(RequestKind::AuthorizationCode), 1);
        assert!(self.home.run(&["token", "ana"]).code(0).stdout.starts_with("eyJ"));
    }
}

#[test]
fn any_port() {
    let Some(scene) = Scene::set("any_port", None) else { return };
    scene.signs_in("http://localhost:");
}

#[test]
fn a_fixed_port_with_a_path() {
    let redirect = format!("http://localhost:{}/oauth/done", free_port().unwrap());
    let Some(scene) = Scene::set("a_fixed_port_with_a_path", Some(&redirect)) else { return };
    scene.signs_in(&redirect);
}

#[test]
fn a_name_below_localhost() {
    for scheme in ["http", "https"] {
        let redirect = format!("{scheme}://mail.localhost:{}/done", free_port().unwrap());
        let Some(scene) = Scene::set("a_name_below_localhost", Some(&redirect)) else { return };
        scene.signs_in(&redirect);
    }
}

/// The listener shows a certificate of its own, which the browser is told to take.
#[test]
fn an_https_redirect() {
    let redirect = format!("https://localhost:{}/", free_port().unwrap());
    let Some(scene) = Scene::set("an_https_redirect", Some(&redirect)) else { return };
    scene.signs_in(&redirect);
}

#[test]
fn a_consent_that_is_declined() {
    let Some(scene) = Scene::set("a_consent_that_is_declined", None) else { return };
    let (ran, url) = scene.login("#cancel", "Nothing was granted.");
    assert!(url.starts_with("http://localhost:"), "{url}");
    ran.code(21).says(&["postkey login ana"]);
    assert_eq!(scene.sandbox.requests(RequestKind::AuthorizationCode), 0);
    scene.home.run(&["token", "ana"]).code(24);
}

/// Google's way: the code comes in the address, consent is what brings a refresh token, and the client's secret goes along.
#[test]
fn gmail() {
    let Some(scene) = Scene::set("gmail", None) else { return };
    let client = &scene.sandbox.google_clients()[0];
    scene.home.private("secret", client.secret().expose());
    let (ca, imap) = (scene.home.path("ca.pem"), scene.sandbox.ports().imaps);
    scene.home.configure(&format!(
        "[accounts.ana]\nprovider = \"pretend\"\nuser = \"{ANA}\"\nclient_id = \"{}\"\n\
         client_secret = {{ file = \"~/secret\" }}\n\
         [providers.pretend]\nlike = \"google\"\nauthority = \"{}\"\ntoken = \"{{authority}}/token\"\n\
         ca_file = \"{}\"\nservers.imap = [{{ host = \"localhost\", port = {imap}, tls = \"implicit\" }}]\n",
        client.id(),
        scene.sandbox.google_authority(),
        ca.display(),
    ));
    let ana = scene.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
    let login = |consent: &str, last: &str, signed_in: bool| {
        scene.home.browser(&["login", "ana", "--flow", "browser"], |address| {
            scene.browser.go(address).unwrap();
            // Whoever has signed in before is known to the browser.
            if !signed_in {
                scene.browser.fill("#passwd", ana.password().expose()).unwrap();
                scene.browser.click("#signin").unwrap();
            }
            scene.browser.read("permanently delete all your email from Gmail").unwrap();
            scene.browser.click(consent).unwrap();
            scene.browser.read(last).unwrap();
            scene.browser.url().unwrap()
        })
    };
    let (ran, _) = login("#cancel", "Nothing was granted.", false);
    ran.code(21).says(&["postkey login ana"]);
    for times in 1..3 {
        let (ran, url) = login("#accept", "You can close this window and go back to the program.", true);
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        let ran = ran.code(0);
        assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
        assert_eq!(scene.sandbox.requests(RequestKind::AuthorizationCode), times);
    }
    assert!(scene.home.run(&["token", "ana"]).code(0).stdout.starts_with("ya29."));
    assert!(scene.home.run(&["folders", "ana"]).code(0).stdout.contains("INBOX"));
    // What was granted renews itself.
    scene.sandbox.advance(std::time::Duration::from_secs(3600));
    assert!(scene.home.run(&["folders", "ana"]).code(0).stdout.contains("INBOX"));
    assert_eq!(scene.sandbox.requests(RequestKind::Refresh), 1);
}
