//! The person in the browser, played over HTTP.

use std::path::PathBuf;
use std::time::Duration;

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
    let handed = world.home.path("address");
    let _ = std::fs::remove_file(&handed);
    let script = world.home.path("browser");
    let text = format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", handed.display());
    std::fs::write(&script, text).unwrap();
    mode(&script, 0o755);
    let mut command = world.home.command(args);
    command.env("POSTKEY_BROWSER", &script);
    let child = command.spawn().unwrap();
    let address = wait_for(&handed);
    world.runtime.block_on(walk(world, &address, person));
    finish(child, String::new())
}

fn wait_for(path: &PathBuf) -> String {
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no browser was opened");
}

/// Walks the pages to the end for somebody who accepts the certificate of a listener on this machine.
pub(crate) fn walk_trusting_all(world: &World, address: &str) {
    // Fails if another test of this process was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    world.runtime.block_on(walk_to(world, address, Person::Accepts, &listener));
}

async fn walk(world: &World, address: &str, person: Person) {
    walk_to(world, address, person, &client(world)).await;
}

/// `listener` is what reaches the redirect address.
async fn walk_to(world: &World, address: &str, person: Person, listener: &reqwest::Client) {
    let page = pages(world, &client(world), address, person).await.text().await.unwrap();
    // form_post: the code comes back in a form, not in an address that a history would keep.
    let target = between(&page, "action=\"", "\"");
    assert!(target.starts_with("http://localhost:") || target.starts_with("https://localhost:"), "{page}");
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

/// Walks the pages and says where the browser is sent at the end.
pub(crate) fn ends_on(world: &World, address: &str, person: Person) -> String {
    world.runtime.block_on(async {
        let response = pages(world, &client(world), address, person).await;
        response.headers()["location"].to_str().unwrap().to_owned()
    })
}

async fn pages(world: &World, http: &reqwest::Client, address: &str, person: Person) -> reqwest::Response {
    let page = http.get(address).send().await.unwrap().text().await.unwrap();
    let user = world.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
    assert!(page.contains(&format!("value=\"{ANA}\"")), "the account is filled in");
    let flow = field(&page, "flow");
    let action = if matches!(person, Person::Cancels) { "cancel" } else { "signin" };
    let form = [
        ("flow", flow.as_str()),
        ("loginfmt", ANA),
        ("passwd", user.password().expose()),
        ("action", action),
    ];
    let response = post(http, &format!("{}/login", world.sandbox.base_url()), &form).await;
    let action = match person {
        Person::Accepts => "accept",
        Person::Refuses => "cancel",
        Person::Asks => "admin",
        Person::Cancels => return response,
    };
    let flow = field(&response.text().await.unwrap(), "flow");
    let form = [("flow", flow.as_str()), ("action", action)];
    post(http, &format!("{}/consent", world.sandbox.base_url()), &form).await
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

fn client(world: &World) -> reqwest::Client {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = reqwest::Client::builder().use_preconfigured_tls(config).no_proxy();
    http.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
