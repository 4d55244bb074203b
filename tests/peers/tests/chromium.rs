//! A real browser at the sandbox's pages: what they send back arrives as a program on this machine will see it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};

use postkey_peers::{Browser, Program, available, http};
use sandbox::{ANA, RequestKind, Sandbox};
use serde_json::Value;

const SCOPE: &str = "openid%20offline_access%20https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Scene {
    sandbox: Sandbox,
    browser: Browser,
    _runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Chromium]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::builder().http_port(0).start()).unwrap();
        Some(Self { sandbox, browser: Browser::start().unwrap(), _runtime: runtime })
    }

    /// Opens the authorisation endpoint, with TLS as a browser meets it.
    fn open(&self, redirect: &str, mode: &str) {
        let url = format!(
            "{}/oauth2/v2.0/authorize?client_id={}&response_type=code&redirect_uri={redirect}&scope={SCOPE}&state=st4te\
             &response_mode={mode}&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.sandbox.authority(),
            self.sandbox.public_client_id()
        );
        self.browser.go(&url).unwrap();
    }

    fn sign_in(&self) {
        let ana = self.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
        self.browser.fill("#loginfmt", ANA).unwrap();
        self.browser.fill("#passwd", ana.password().expose()).unwrap();
        self.browser.click("#signin").unwrap();
    }

    fn post(&self, path: &str, form: &str) -> Value {
        let path = format!("/{}/{path}", self.sandbox.tenant_id());
        let port = self.sandbox.ports().http.unwrap();
        let answer = http(port, "POST", &path, "application/x-www-form-urlencoded", form).unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }

    fn redeem(&self, code: &str, redirect: &str) -> Value {
        let form = format!(
            "grant_type=authorization_code&client_id={}&redirect_uri={redirect}&code_verifier={VERIFIER}&code={code}",
            self.sandbox.public_client_id()
        );
        self.post("oauth2/v2.0/token", &form)
    }
}

/// What a loopback listener is sent: the whole request.
fn listen() -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let waiting = thread::spawn(move || {
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let mut octets = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let text = String::from_utf8_lossy(&octets);
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = field(head, "content-length").and_then(|n| n.parse::<usize>().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                match stream.read(&mut buffer).unwrap() {
                    0 => break,
                    n => octets.extend_from_slice(&buffer[..n]),
                }
            }
            let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<p>Done.\n";
            stream.write_all(page.as_bytes()).unwrap();
            let request = String::from_utf8(octets).unwrap();
            // Browsers also ask for an icon, or open a connection that they do not use.
            if request.contains("code=") || request.contains("error=") {
                return request;
            }
        }
    });
    (port, waiting)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

/// Names and values, left as they were encoded.
fn pairs(text: &str) -> HashMap<&str, &str> {
    text.split('&').filter_map(|pair| pair.split_once('=')).collect()
}

#[test]
fn a_code_comes_back_in_the_query() {
    let Some(scene) = Scene::set("a_code_comes_back_in_the_query") else { return };
    let (port, waiting) = listen();
    let redirect = format!("http://localhost:{port}");
    scene.open(&redirect, "query");
    scene.sign_in();
    scene.browser.read("Read and write access to mailboxes via IMAP").unwrap();
    scene.browser.click("#accept").unwrap();
    let request = waiting.join().unwrap();
    assert!(request.starts_with("GET /?"), "{request}");
    assert_eq!(field(&request, "referer"), None, "the pages tell nobody their address");
    let query = request.split(' ').nth(1).unwrap().split_once('?').unwrap().1;
    assert_eq!(pairs(query)["state"], "st4te");
    let body = scene.redeem(pairs(query)["code"], &redirect);
    assert!(body["refresh_token"].is_string(), "{body:#}");
    scene.browser.read("Done.").unwrap();
    // Signed in and asked once: the next code comes without a page.
    let (port, waiting) = listen();
    scene.open(&format!("http://localhost:{port}"), "query");
    assert!(waiting.join().unwrap().starts_with("GET /?"));
    assert_eq!(
        (scene.sandbox.requests(RequestKind::SignIn), scene.sandbox.requests(RequestKind::Consent)),
        (1, 1)
    );
}

#[test]
fn a_code_comes_back_by_a_form() {
    let Some(scene) = Scene::set("a_code_comes_back_by_a_form") else { return };
    let (port, waiting) = listen();
    let redirect = format!("http://localhost:{port}");
    scene.open(&redirect, "form_post");
    scene.sign_in();
    scene.browser.click("#accept").unwrap();
    scene.browser.click("#continue").unwrap();
    let request = waiting.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1"), "{head}");
    assert_eq!(field(head, "content-type"), Some("application/x-www-form-urlencoded"));
    // From a page with TLS to one without, a browser does not say where it was.
    assert_eq!(field(head, "origin"), Some("null"), "{head}");
    assert!(scene.redeem(pairs(body)["code"], &redirect)["access_token"].is_string());
}

#[test]
fn a_code_stays_in_the_fragment_or_on_the_blank_page() {
    let Some(scene) = Scene::set("a_code_stays_in_the_fragment_or_on_the_blank_page") else { return };
    let blank = format!("{}/common/oauth2/nativeclient", scene.sandbox.base_url());
    scene.open(&blank, "fragment");
    scene.sign_in();
    scene.browser.click("#accept").unwrap();
    let url = scene.browser.reach(&format!("{blank}#")).unwrap();
    let code = pairs(url.split_once('#').unwrap().1)["code"];
    assert!(scene.redeem(code, &blank)["access_token"].is_string(), "{url}");
    scene.open(&blank, "query");
    let url = scene.browser.reach(&format!("{blank}?")).unwrap();
    scene.browser.read("Copy the address of this page").unwrap();
    assert!(scene.redeem(pairs(url.split_once('?').unwrap().1)["code"], &blank)["access_token"].is_string());
}

#[test]
fn pressing_cancel_sends_an_error_back() {
    let Some(scene) = Scene::set("pressing_cancel_sends_an_error_back") else { return };
    let (port, waiting) = listen();
    scene.open(&format!("http://localhost:{port}"), "query");
    scene.browser.click("#cancel").unwrap();
    let request = waiting.join().unwrap();
    let query = pairs(request.split(' ').nth(1).unwrap().split_once('?').unwrap().1);
    assert_eq!(
        (query["error"], query["error_subcode"], query["state"]),
        ("access_denied", "cancel", "st4te")
    );
}

#[test]
fn a_device_is_let_in_by_its_code() {
    let Some(scene) = Scene::set("a_device_is_let_in_by_its_code") else { return };
    let form = format!("client_id={}&scope={SCOPE}", scene.sandbox.public_client_id());
    let device = scene.post("oauth2/v2.0/devicecode", &form);
    scene.browser.go(&format!("{}/devicelogin", scene.sandbox.base_url())).unwrap();
    scene.browser.fill("#otc", &device["user_code"].as_str().unwrap().to_lowercase()).unwrap();
    scene.browser.click("#next").unwrap();
    scene.sign_in();
    scene.browser.click("#accept").unwrap();
    scene.browser.read("You have signed in").unwrap();
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id={}&device_code={}",
        scene.sandbox.public_client_id(),
        device["device_code"].as_str().unwrap()
    );
    assert!(scene.post("oauth2/v2.0/token", &form)["refresh_token"].is_string());
}
