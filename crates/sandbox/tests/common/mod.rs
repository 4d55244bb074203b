//! An HTTP client that trusts the sandbox and walks through its pages as a browser would.
#![allow(dead_code, unreachable_pub)]

pub mod imap;
pub mod lines;
pub mod mail;

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use postkey_sandbox::{ANA, Sandbox};
use serde_json::Value;
use url::Url;

pub const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client without redirects, trusting only the sandbox's CA; one instance keeps no cookies.
pub fn http(sandbox: &Sandbox) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).expect("a certificate");
    reqwest::Client::builder()
        .tls_built_in_root_certs(false)
        .add_root_certificate(ca)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

/// POSTs a form to an endpoint below the tenant form and reads JSON.
pub async fn post(sandbox: &Sandbox, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/{path}", sandbox.base_url());
    let response = http(sandbox).post(url).form(form).send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, json(response).await)
}

/// The JSON body of an answer.
pub async fn json(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
}

/// POSTs to the token endpoint of the sandbox's own tenant.
pub async fn token(sandbox: &Sandbox, form: &[(&str, &str)]) -> (u16, Value) {
    post(sandbox, &format!("{}/oauth2/v2.0/token", sandbox.tenant_id()), form).await
}

/// The first AADSTS number of an error body.
pub fn code(body: &Value) -> u64 {
    body["error_codes"][0].as_u64().unwrap_or(0)
}

/// The value of a hidden field.
pub fn field(html: &str, name: &str) -> String {
    let at = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    let rest = &html[at + format!("name=\"{name}\" value=\"").len()..];
    rest[..rest.find('"').expect("a closing quote")].to_owned()
}

/// Where the browser was sent, as URL and parameters.
pub fn landed(response: &reqwest::Response) -> (Url, HashMap<String, String>) {
    assert_eq!(response.status(), 302);
    let url = Url::parse(response.headers()["location"].to_str().expect("ASCII")).expect("a URL");
    let text = url.fragment().or(url.query()).unwrap_or_default().to_owned();
    let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    (url, pairs)
}

/// The authorise URL with these parameters.
pub fn authorize(sandbox: &Sandbox, tenant: &str, params: &[(&str, &str)]) -> Url {
    let base = format!("{}/{tenant}/oauth2/v2.0/authorize", sandbox.base_url());
    Url::parse_with_params(&base, params).expect("a URL")
}

/// Types name and password into the sign-in page at `url` and returns what comes next.
pub async fn sign_in(sandbox: &Sandbox, url: Url, user: &str, password: &str) -> reqwest::Response {
    let http = http(sandbox);
    let page = http.get(url).send().await.expect("a page");
    assert_eq!(page.status(), 200);
    submit_sign_in(sandbox, &page.text().await.expect("text"), user, password).await
}

/// Submits a sign-in page.
pub async fn submit_sign_in(sandbox: &Sandbox, html: &str, user: &str, password: &str) -> reqwest::Response {
    let flow = field(html, "flow");
    let form = [("flow", flow.as_str()), ("loginfmt", user), ("passwd", password), ("action", "signin")];
    http(sandbox).post(format!("{}/login", sandbox.base_url())).form(&form).send().await.expect("a page")
}

/// Presses a button on the consent page.
pub async fn press(sandbox: &Sandbox, html: &str, action: &str) -> reqwest::Response {
    let flow = field(html, "flow");
    let form = [("flow", flow.as_str()), ("action", action)];
    http(sandbox).post(format!("{}/consent", sandbox.base_url())).form(&form).send().await.expect("a page")
}

pub fn password(sandbox: &Sandbox, user: &str) -> String {
    let user = sandbox.users().iter().find(|u| u.upn() == user).expect("a user");
    user.password().expose().to_owned()
}

/// Walks the code flow as Ana with `extra` parameters and returns the parameters at the redirect URI.
pub async fn walk(sandbox: &Sandbox, extra: &[(&str, &str)]) -> HashMap<String, String> {
    let mut params = vec![
        ("client_id", sandbox.public_client_id()),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:50123/"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "st4te"),
    ];
    if !extra.iter().any(|(n, _)| *n == "scope") {
        params.push(("scope", "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All"));
    }
    params.retain(|(n, _)| !extra.iter().any(|(e, _)| e == n));
    params.extend_from_slice(extra);
    let url = authorize(sandbox, sandbox.tenant_id(), &params);
    let next = sign_in(sandbox, url, ANA, &password(sandbox, ANA)).await;
    if next.status() == 302 {
        return landed(&next).1;
    }
    let html = next.text().await.expect("text");
    landed(&press(sandbox, &html, "accept").await).1
}

/// Redeems a code of [`walk`].
pub async fn redeem(sandbox: &Sandbox, code: &str, extra: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("client_id", sandbox.public_client_id()),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://localhost:50123/"),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(n, _)| !extra.iter().any(|(e, _)| e == n));
    form.extend(extra.iter().filter(|(_, v)| !v.is_empty()));
    token(sandbox, &form).await
}

/// The claims of a JWT, unverified.
pub fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).expect("base64url")).expect("JSON")
}

/// A refresh token of Ana's for the default public client.
pub async fn refresh_token(sandbox: &Sandbox) -> String {
    let landed = walk(sandbox, &[]).await;
    let (status, body) = redeem(sandbox, &landed["code"], &[]).await;
    assert_eq!(status, 200, "{body}");
    body["refresh_token"].as_str().expect("a refresh token").to_owned()
}
