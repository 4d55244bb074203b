//! `postkey token` and `postkey logout`

use std::time::Duration;

use auth::Claims;
use base64ct::Encoding as _;
use sandbox::{Fault, RequestKind, Rotation, Rule};
use wire::Secret;

use crate::support::*;

#[test]
fn one_token_and_a_line_end_and_nothing_else() {
    let world = World::new();
    world.sign_in("ana");
    let ran = world.run(&["token"]).code(0);
    assert_eq!(ran.stderr, "");
    let token = ran.stdout.strip_suffix('\n').unwrap();
    assert!(token.split('.').count() == 3 && !token.contains(char::is_whitespace), "{token}");
    assert_eq!(world.run(&["token", "ana", "--for", "imap"]).code(0).stdout, ran.stdout);
    let document = world.run(&["token", "--json"]).code(0).json();
    assert_eq!(document["access_token"], token);
    assert!(document["expires_at"].as_u64().unwrap() > 1_700_000_000);
}

#[test]
fn a_token_from_the_store_asks_nobody() {
    let world = World::new();
    world.sign_in("ana");
    let before = world.sandbox.requests(RequestKind::Refresh);
    // A CA file that cannot be read would be an error as soon as anything were set up for the network.
    std::fs::remove_file(world.home.path("ca.pem")).unwrap();
    for _ in 0..3 {
        world.run(&["token"]).code(0);
    }
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), before);
}

/// Whose tokens came is compared at each renewal, too; nothing of somebody else's is kept.
#[test]
fn a_renewal_that_brings_somebody_elses_tokens_is_a_24_and_the_next_one_works() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    std::thread::sleep(Duration::from_millis(1500));
    world.sandbox.inject(Rule::new(Fault::AnotherUser("bjorn@contoso.example".to_owned())).times(1));
    world.run(&["token"]).code(24).says(&["somebody else's", "postkey login ana"]);
    let token = world.run(&["token"]).code(0).stdout;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64ct::Base64UrlUnpadded::decode_vec(claims).unwrap();
    assert!(String::from_utf8(claims).unwrap().contains("ana@contoso.example"));
}

#[test]
fn another_resource_is_served_by_the_same_sign_in() {
    let world = World::with(|builder| builder.rotation(Rotation::Strict));
    let graph = "https://graph.microsoft.com/.default";
    world.run(&["token", "--scope", graph]).code(24).says(&["postkey login ana"]);
    world.sign_in("ana");
    // Consented to by nobody; remembered, and no harm to mail.
    let before = world.sandbox.requests(RequestKind::Refresh);
    for _ in 0..2 {
        world.run(&["token", "--scope", graph]).code(24).says(&["AADSTS65001", "an administrator grant"]);
    }
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), before + 1);
    world.sandbox.grant_admin_consent(world.sandbox.public_client_id()).unwrap();
    // With another refresh token it is worth asking again.
    world.sign_in("ana");
    let token = world.run(&["token", "ana", "--scope", graph]).code(0).stdout;
    let audience = |token: &str| Claims::decode(&Secret::from(token.trim())).unwrap().text("aud");
    assert_eq!(audience(&token).as_deref(), Some("https://graph.microsoft.com"));
    let asked = world.sandbox.requests(RequestKind::Refresh);
    let document = world.run(&["token", "--scope", graph, "--json"]).code(0).json();
    assert_eq!(
        (document["access_token"].as_str(), document["source"].as_str()),
        (Some(token.trim()), Some("store"))
    );
    assert!(document["protocol"].is_null(), "{document}");
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), asked);
    // The rotated refresh token went to the account's own entry: this server would revoke everything otherwise.
    let shown = world.run(&["store", "show", "--json"]).code(0).json();
    assert_eq!(shown["entries"].as_array().unwrap().len(), 2);
    assert_eq!(
        audience(&world.run(&["token"]).code(0).stdout).as_deref(),
        Some("https://outlook.office.com")
    );
    // The same resource under its other name is another one for tokens.
    let send = world.run(&["token", "--scope", "https://outlook.office365.com/SMTP.Send"]).code(0).stdout;
    assert_eq!(audience(&send).as_deref(), Some("https://outlook.office365.com"));
    // Signed out is signed out of everything.
    world.run(&["logout"]).code(0);
    world.run(&["token", "--scope", graph]).code(24);
}

#[test]
fn scopes_that_cannot_be_asked_for_are_a_2_before_any_request() {
    let world = World::new();
    world.sign_in("ana");
    let before = world.sandbox.requests(RequestKind::Refresh);
    let graph = "https://graph.microsoft.com/.default";
    for (args, words) in [
        (&["--scope", "Mail.Read"][..], "https://graph.microsoft.com/Mail.Read"),
        (
            &[
                "--scope",
                "https://graph.microsoft.com/Mail.Read",
                "--scope",
                "https://outlook.office.com/SMTP.Send",
            ],
            "two resources",
        ),
        (&["--scope", graph, "--scope", "https://graph.microsoft.com/User.Read"], "alone"),
        (
            &["--scope", "https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/Mail.Send"],
            "one word",
        ),
        (&["--scope", "openid"], "no resource"),
        (&["--scope", graph, "--for", "imap"], "cannot be used with"),
        (&["--scope", graph, "--sasl", "xoauth2"], "cannot be used with"),
        (&["daemon", "--scope", graph], "no refresh token"),
    ] {
        world.run(&[&["token"], args].concat()).code(2).says(&[words]);
    }
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), before);
}

/// The strings are worked out by hand: user, token, host and port in the form of each mechanism, in base64.
#[test]
fn initial_responses_are_ready_to_be_sent() {
    let home = Home::new();
    home.configure(
        "default_account = \"w\"\n[accounts.w]\nuser = \"ana@contoso.example\"\ntoken = { command = \"echo tok.en-1\" }\n\
         [accounts.w.imap]\nhost = \"imap.example\"\n[accounts.w.smtp]\nhost = \"smtp.example\"\nuser = \"other\"\n\
         [accounts.v]\nuser = \"test@contoso.onmicrosoft.com\"\n\
         token = { command = \"echo EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA\" }\n",
    );
    let printed = |args: &[&str]| home.run(&[&["token"], args].concat()).code(0).stdout;
    assert_eq!(
        printed(&["--sasl", "xoauth2"]),
        "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvay5lbi0xAQE=\n"
    );
    assert_eq!(
        printed(&["--sasl", "oauthbearer"]),
        "bixhPWFuYUBjb250b3NvLmV4YW1wbGUsAWhvc3Q9aW1hcC5leGFtcGxlAXBvcnQ9OTkzAWF1dGg9QmVhcmVyIHRvay5lbi0xAQE=\n"
    );
    assert_eq!(
        printed(&["v", "--sasl", "xoauth2"]),
        "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEB\
         AQ==\n"
    );
    // Who is named, and where, depends on the protocol.
    let document = home.run(&["token", "--for", "smtp", "--sasl", "oauthbearer", "--json"]).code(0).json();
    assert_eq!((&document["user"], &document["mechanism"]), (&"other".into(), &"OAUTHBEARER".into()));
    let response = base64ct::Base64::decode_vec(document["response"].as_str().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(response).unwrap(),
        "n,a=other,\x01host=smtp.example\x01port=465\x01auth=Bearer tok.en-1\x01\x01"
    );
}

#[test]
fn json_tells_all_that_is_known_of_a_token() {
    let world = World::new();
    world.sandbox.inject(sandbox::Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    std::thread::sleep(Duration::from_millis(1500));
    let renewed = world.run(&["token", "--json"]).code(0).json();
    let stored = world.run(&["token", "--json"]).code(0).json();
    assert_eq!((&renewed["source"], &stored["source"]), (&"provider".into(), &"store".into()));
    assert_eq!(renewed["access_token"], stored["access_token"]);
    assert!((3000..=4123).contains(&stored["expires_in"].as_u64().unwrap()), "{stored}");
    let scopes = stored["scopes"].as_array().unwrap();
    assert!(scopes.contains(&"https://outlook.office.com/IMAP.AccessAsUser.All".into()), "{stored}");
    assert!(stored["warning"].is_null());
}

#[test]
fn a_token_near_its_end_is_renewed_once_for_all_who_ask() {
    let world = World::new();
    world.sandbox.inject(sandbox::Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    std::thread::sleep(Duration::from_millis(1500));
    let runs: Vec<_> = (0..4).map(|_| world.home.command(&["token"]).spawn().unwrap()).collect();
    let tokens: Vec<String> = runs.into_iter().map(|run| finish(run, String::new()).code(0).stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn signed_out_is_signed_out() {
    let world = World::new();
    world.run(&["token"]).code(24).says(&["no tokens are stored", "postkey login ana"]);
    world.sign_in("ana");
    assert_eq!(world.run(&["logout", "--json"]).code(0).json()["removed"], true);
    world.run(&["token"]).code(24).says(&["postkey login ana"]);
    assert_eq!(world.run(&["logout", "--json"]).code(0).json()["removed"], false);
}

#[test]
fn a_revoked_session_needs_a_new_sign_in() {
    let world = World::new();
    world.sandbox.inject(sandbox::Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    world.sandbox.revoke_sessions(sandbox::ANA).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    world.run(&["token"]).code(24).says(&["AADSTS50173", "postkey login ana"]);
}

#[test]
fn tokens_of_another_program_are_passed_on() {
    let home = Home::new();
    home.configure("[accounts.w]\nuser = \"a@x\"\ntoken = { command = \"echo a.b.c\" }\n[accounts.p]\nuser = \"a@x\"\npassword = { env = \"P\" }\n");
    assert_eq!(home.run(&["token", "w"]).code(0).stdout, "a.b.c\n");
    home.run(&["login", "w"]).code(2).says(&["token comes from elsewhere"]);
    home.run(&["token", "p"]).code(2).says(&["password"]);
    assert!(!home.state().exists(), "no store is made for accounts that need none");
}

#[test]
fn a_store_that_cannot_be_used_is_a_26() {
    let world = World::new();
    world.sign_in("ana");
    let key = world.home.state().join("tokens.key");
    let kept = std::fs::read(&key).unwrap();
    #[cfg(unix)]
    {
        mode(&key, 0o644);
        world.run(&["token"]).code(26).says(&["tokens.key", "chmod go-rwx"]);
        mode(&key, 0o600);
    }
    std::fs::remove_file(&key).unwrap();
    world.run(&["token"]).code(26).says(&["tokens.key does not exist"]);
    private(&key, &"ab".repeat(32));
    world.run(&["token"]).code(26).says(&["another key"]);
    private(&key, std::str::from_utf8(&kept).unwrap());
    world.run(&["token"]).code(0);
    let entry = files(&world.home.state())
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "token"))
        .unwrap();
    std::fs::write(&entry, "nonsense").unwrap();
    world.run(&["token"]).code(26).says(&["damaged", "postkey login ana"]);
}

#[cfg(unix)]
#[test]
fn everything_in_the_state_folder_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.sign_in("ana");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in [world.home.state(), world.home.state().join("tokens")] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    let all = files(&world.home.state());
    assert!(all.len() >= 2);
    for file in all {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn the_state_can_be_elsewhere() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.home.configure(&format!("state_dir = \"~/own state\"\n{text}"));
    world.sign_in("ana");
    assert!(world.home.path("own state/tokens").is_dir() && !world.home.state().exists());
    world.run(&["token"]).code(0);
}
