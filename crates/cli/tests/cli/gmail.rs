//! A Gmail mailbox by the browser, at the sandbox's Google-like sign-in.

use std::time::Duration;

use sandbox::{ANA, Fault, GoogleClient, RequestKind, Rule};

use crate::person::{Person, browser};
use crate::support::*;

const LOGIN: [&str; 4] = ["login", "gmail", "--flow", "browser"];

fn gmail(world: &World) {
    let client = world.sandbox.google_clients()[0].clone();
    configure(world, &client);
}

fn configure(world: &World, client: &GoogleClient) {
    private(&world.home.path("gmail.secret"), client.secret().expose());
    let ca = world.home.path("ca.pem");
    std::fs::write(&ca, world.sandbox.ca_pem()).unwrap();
    let (ca, port) = (ca.display(), world.sandbox.ports().imaps);
    world.home.configure(&format!(
        "[accounts.gmail]\nprovider = \"pretend\"\nuser = \"{ANA}\"\nclient_id = \"{}\"\n\
         client_secret = {{ file = \"~/gmail.secret\" }}\n\
         [providers.pretend]\nlike = \"google\"\nauthority = \"{}\"\ntoken = \"{{authority}}/token\"\nca_file = \"{ca}\"\n\
         servers.imap = [{{ host = \"localhost\", port = {port}, tls = \"implicit\" }}]\n",
        client.id(),
        world.sandbox.google_authority(),
    ));
}

#[test]
fn the_browser_signs_in_and_the_sign_in_renews_itself() {
    let world = World::new();
    gmail(&world);
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    let ran = browser(&world, &LOGIN, Person::Accepts).code(0);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
    ran.says(&["https://mail.google.com/"]);
    std::thread::sleep(Duration::from_millis(1500));
    let token = world.run(&["token", "gmail"]).code(0).stdout;
    assert!(token.starts_with("ya29."), "{token}");
    // The refresh token stays: the next renewal uses the same one.
    for _ in 0..2 {
        world.sandbox.advance(Duration::from_secs(3600));
        assert!(world.run(&["folders", "gmail"]).code(0).stdout.contains("INBOX"));
    }
    assert!(world.sandbox.requests(RequestKind::Refresh) >= 2);
    assert_eq!(world.sandbox.requests(RequestKind::AuthorizationCode), 1);
    let shown = world.run(&["status", "gmail"]).code(0).stdout;
    assert!(shown.contains("after 181 days without use"), "{shown}");
    // Consent is asked for each time, for without it there would be no refresh token.
    browser(&world, &LOGIN, Person::Accepts).code(0);
    assert_eq!(world.sandbox.requests(RequestKind::Consent), 2);
    assert_eq!(world.run(&["login", "gmail", "--check", "--json"]).code(0).json()["account"], "gmail");
}

#[test]
fn what_can_go_wrong_is_told_apart() {
    let world = World::new();
    gmail(&world);
    browser(&world, &LOGIN, Person::Refuses).code(21).says(&["declined", "postkey login gmail"]);
    browser(&world, &LOGIN, Person::Cancels).code(21);
    let once = |fault| world.sandbox.inject(Rule::new(fault).times(1));
    once(Fault::AnotherUser("bjorn@contoso.example".to_owned()));
    browser(&world, &LOGIN, Person::Accepts).code(28).says(&["bjorn@contoso.example signed in"]);
    for fault in [Fault::WrongNonce, Fault::WrongIss] {
        let shown = format!("{fault:?}");
        once(fault);
        let ran = browser(&world, &LOGIN, Person::Accepts);
        assert_eq!(ran.code, 24, "{shown}: {ran:?}");
    }
    world.run(&["token", "gmail"]).code(24).says(&["postkey login gmail"]);
    // Nothing was stored by any of them. A device code is refused before anything is asked.
    let asked = world.sandbox.requests(RequestKind::DeviceCode);
    world.run(&["login", "gmail", "--flow", "device"]).code(10).says(&["no mail scope"]);
    assert_eq!(world.sandbox.requests(RequestKind::DeviceCode), asked);
}

#[test]
fn a_sign_in_that_was_revoked_or_has_ended_is_a_24() {
    let world = World::new();
    gmail(&world);
    browser(&world, &LOGIN, Person::Accepts).code(0);
    world.sandbox.revoke_sessions(ANA).unwrap();
    world.sandbox.advance(Duration::from_secs(3600));
    // The sandbox's clock is ahead, ours is not: the server says that the token has ended, and then that so has the sign-in.
    world.run(&["folders", "gmail"]).code(24).says(&["expired or revoked", "postkey login gmail"]);
    browser(&world, &LOGIN, Person::Accepts).code(0);
    world.run(&["folders", "gmail"]).code(0);
}

#[test]
fn a_secret_that_is_wrong_is_a_20() {
    let world = World::new();
    let client = GoogleClient::desktop(sandbox::GOOGLE_APP, "GOCSPX-another");
    configure(&world, &client);
    let ran = browser(&world, &LOGIN, Person::Accepts)
        .code(20)
        .says(&["invalid_client", "client secret is invalid"]);
    assert!(!ran.stderr.contains("GOCSPX"), "{}", ran.stderr);
}
