//! `postkey login` by browser, with every kind of redirect address, and by a pasted one.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Stdio;

use sandbox::{ANA, App, RequestKind};

use crate::person::{Person, browser, ends_on};
use crate::support::*;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A world with a confidential web application that has one redirect address; the account `web` signs in by it.
fn portal(redirect: &str) -> World {
    let world = World::with(|builder| builder.app(App::web("portal", "portal-secret").redirect(redirect)));
    private(&world.home.path("portal.secret"), "portal-secret");
    let account = world.account("web", "browser", "portal");
    let secret = "client_secret = { file = \"~/portal.secret\" }\n[accounts.web.oauth]\n";
    let account = account.replace("[accounts.web.oauth]\n", secret);
    world.home.configure(&account.replace("authority =", &format!("redirect = \"{redirect}\"\nauthority =")));
    world
}

#[test]
fn a_web_application_with_a_fixed_port_and_path_signs_in() {
    let redirect = format!("http://localhost:{}/oauth/done", free_port());
    let world = portal(&redirect);
    let ran = browser(&world, &["login", "web"], Person::Accepts).code(0);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
    assert!(world.run(&["token", "web"]).code(0).stdout.starts_with("eyJ"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = portal(&format!("http://localhost:{}/", taken.local_addr().unwrap().port()));
    let port = taken.local_addr().unwrap().port().to_string();
    world.run(&["login", "web", "--no-open"]).code(1).says(&[&port, "redirect"]);
}

#[test]
fn a_redirect_address_elsewhere_needs_paste_and_http_elsewhere_is_refused() {
    let world = portal("https://login.example/common/oauth2/nativeclient");
    world.run(&["login", "web", "--no-open"]).code(10).says(&["--flow paste"]);
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.home.configure(&text.replace("https://login.example", "http://login.example"));
    world.run(&["login", "web", "--no-open"]).code(10).says(&["redirect", "clear text"]);
}

/// Runs `login --flow paste`; `lines` makes what the person types from the address to open.
fn paste(world: &World, account: &str, lines: impl FnOnce(&str) -> String) -> Ran {
    let mut command = world.home.command(&["login", account, "--flow", "paste", "--json"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let (prompt, seen, rest) = until(&mut child, |line| serde_json::from_str::<serde_json::Value>(line).ok());
    let typed = lines(prompt["paste_sign_in"]["url"].as_str().unwrap());
    // It ends before all is read when it has what it wants.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    world.end(child, seen, rest)
}

#[test]
fn the_address_a_browser_ended_on_signs_in() {
    for redirect in ["http://localhost", "https://login.example/common/oauth2/nativeclient"] {
        let world = portal(redirect);
        let ran = paste(&world, "web", |url| {
            let address = ends_on(&world, url, Person::Accepts);
            assert!(address.starts_with(redirect) && address.contains("code="), "{address}");
            format!("\nnonsense\nhttps://example.com/?foo=bar\n  {address}  \n")
        });
        let ran = ran.code(0).says(&["not the address"]);
        assert_eq!(ran.json()["user"], ANA);
        assert_eq!(world.sandbox.requests(RequestKind::AuthorizationCode), 1);
        assert!(!ran.stderr.contains("code="), "a code is shown: {}", ran.stderr);
    }
}

#[test]
fn a_pasted_refusal_is_a_21_and_another_sign_ins_address_is_refused() {
    let world = portal("http://localhost");
    paste(&world, "web", |url| ends_on(&world, url, Person::Refuses) + "\n").code(21);
    let ran = paste(&world, "web", |url| {
        let address = ends_on(&world, url, Person::Accepts);
        let (before, after) = address.split_once("&state=").unwrap();
        format!("{before}&state=x{after}\n")
    });
    ran.code(24);
    paste(&world, "web", |_| "no\n".into()).code(24).says(&["no address was pasted"]);
    world.run(&["token", "web"]).code(24);
}

#[test]
fn an_https_redirect_address_gets_a_certificate_for_localhost() {
    let redirect = format!("https://localhost:{}/cb", free_port());
    let world = portal(&redirect);
    let mut command = world.home.command(&["login", "web", "--no-open", "--json"]);
    let mut child = command.spawn().unwrap();
    let (prompt, seen, rest) = until(&mut child, |line| serde_json::from_str::<serde_json::Value>(line).ok());
    crate::person::walk_trusting_all(&world, prompt["browser_sign_in"]["url"].as_str().unwrap());
    let ran = world.end(child, seen, rest).code(0);
    assert_eq!(ran.json()["user"], ANA);
}
