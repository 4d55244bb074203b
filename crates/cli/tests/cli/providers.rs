//! `postkey provider`

use sandbox::ANA;

use crate::support::*;

#[test]
fn providers_are_listed_with_those_of_the_configuration() {
    let home = Home::new();
    home.configure("[providers.own]\nlike = \"microsoft\"\ntitle = \"Our own cloud\"\n");
    let listed = home.run(&["provider", "list"]).code(0).stdout;
    for name in ["microsoft ", "google", "yahoo", "fastmail", "own "] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{name}: {listed}");
    }
    let document = home.run(&["provider", "list", "--json"]).code(0).json();
    let google = document["providers"].as_array().unwrap().iter().find(|p| p["name"] == "google").unwrap();
    assert!(!google["flows"].as_array().unwrap().contains(&"device".into()), "{google}");
}

#[test]
fn a_provider_is_shown_as_it_would_be_written() {
    let home = Home::new();
    let shown = home.run(&["provider", "show", "google"]).code(0).stdout;
    let renamed = shown.replace("[providers.google", "[providers.mine");
    home.configure(&renamed);
    let again = home.run(&["provider", "show", "mine"]).code(0).stdout;
    assert_eq!(again, renamed);
    home.run(&["provider", "show", "gogle"]).code(2).says(&["did you mean \"google\""]);
}

#[test]
fn what_is_discovered_signs_in() {
    let world = World::new();
    let (ca, issuer) =
        (world.home.path("ca.pem").display().to_string(), format!("{}/v2.0", world.sandbox.authority()));
    let ask = [
        "--scope",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "--imap-host",
        "localhost",
        "--ca-file",
        &ca,
    ];
    let found =
        world.run(&[&["provider", "discover", &issuer, "--name", "found"], &ask[..]].concat()).code(0).stdout;
    assert!(found.contains("[providers.found]") && found.contains("offline_access"), "{found}");
    let account = format!(
        "[accounts.ana]\nprovider = \"found\"\nuser = \"{ANA}\"\nclient_id = \"{}\"\nflow = \"device\"\n{found}",
        world.sandbox.public_client_id()
    );
    world.home.configure(&account);
    world.sign_in("ana");
    assert!(world.run(&["token", "ana"]).code(0).stdout.starts_with("eyJ"));
    // Another issuer's document, and none.
    let base = world.sandbox.base_url();
    world.run(&[&["provider", "discover", &base], &ask[..]].concat()).code(27);
    world.run(&["provider", "discover", &issuer, "--scope", "x"]).code(31).says(&["--ca-file"]);
    world
        .run(&["provider", "discover", "http://id.example", "--scope", "x"])
        .code(10)
        .says(&["issuer's address"]);
}
