//! `postkey token inspect`

use std::io::Write as _;
use std::process::Stdio;

use sandbox::TokenSpec;

use crate::support::*;

fn fed(home: &Home, args: &[&str], input: &[u8]) -> Ran {
    let mut child = home.command(args).stdin(Stdio::piped()).spawn().unwrap();
    // A run that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    finish(child, String::new())
}

fn issue(world: &World, spec: &TokenSpec) -> String {
    let _runtime = world.runtime.enter();
    world.sandbox.issue_token(spec).unwrap().expose().to_owned()
}

#[test]
fn the_stored_token_is_explained_and_not_shown() {
    let world = World::new();
    world.run(&["token", "inspect"]).code(24).says(&["postkey login ana"]);
    world.sign_in("ana");
    let token = world.run(&["token"]).code(0).stdout.trim_end().to_owned();
    let [header, payload, signature] = *token.split('.').collect::<Vec<_>>() else { panic!("{token}") };

    let shown = world.run(&["token", "inspect", "ana"]).code(0).stdout;
    assert!(shown.contains("upn") && shown.contains(sandbox::ANA), "{shown}");
    assert!(shown.contains("(in 1 h") && shown.contains("IMAP: yes; POP3: no; SMTP: no"), "{shown}");
    let document = world.run(&["token", "inspect", "--json"]).code(0);
    for output in [&shown, &document.stdout] {
        for part in [header, payload, signature] {
            assert!(!output.contains(part), "{output}");
        }
    }
    let document = document.json();
    assert_eq!(document["claims"]["upn"], sandbox::ANA);
    assert_eq!((&document["kind"], &document["octets"]), (&"jwt".into(), &token.len().into()));
    assert_eq!(document["mail"], serde_json::json!({"imap": "yes", "pop3": "no", "smtp": "no"}));
    let claims = document["claims"].as_object().unwrap().len();
    assert_eq!(document["explained"].as_array().unwrap().len(), claims);
}

#[test]
fn files_and_pipes_are_read_without_any_account() {
    let world = World::new();
    let spec = TokenSpec::user(sandbox::ANA).audience("https://graph.microsoft.com");
    let token = issue(&world, &spec);
    let home = Home::new();
    let answer = format!("{{\"token_type\":\"Bearer\",\"access_token\":\"{token}\"}}");
    std::fs::write(home.path("answer"), answer).unwrap();
    for ran in [
        fed(&home, &["token", "inspect", "-", "--json"], format!("Bearer {token}\n").as_bytes()),
        home.run(&["token", "inspect", "answer", "--json"]),
        home.run(&["token", "inspect", "./answer", "--json"]),
    ] {
        let document = ran.code(0).json();
        assert_eq!(document["findings"][0]["kind"], "wrong-audience");
        assert_eq!(document["mail"]["imap"], "no");
    }
    let expired = issue(&world, &TokenSpec::user(sandbox::ANA).lifetime(-60));
    let document = fed(&home, &["token", "inspect", "-", "--json"], expired.as_bytes()).code(0).json();
    assert_eq!(document["findings"][0]["kind"], "expired");
    let opaque = fed(&home, &["token", "inspect", "-"], b"EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA").code(0);
    assert!(opaque.stdout.contains("opaque, 40 octets") && opaque.stdout.contains("personal"), "{opaque:?}");
    assert!(!opaque.stdout.contains("EwBAAl3B"), "{opaque:?}");
}

#[test]
fn a_token_in_the_command_line_is_refused_and_not_repeated() {
    let world = World::new();
    let token = issue(&world, &TokenSpec::user(sandbox::ANA));
    for args in [&["token", "inspect", token.as_str()][..], &["token", token.as_str()]] {
        let ran = world.run(args).code(2).says(&["looks like a token", "standard input"]);
        assert!(!ran.stderr.contains(&token[..30]) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
}

#[test]
fn what_is_no_token_is_a_2() {
    let home = Home::new();
    for input in [&b""[..], b"\n\n", b"\xff\xfe", &[b'a'; 300_000], b"two words"] {
        fed(&home, &["token", "inspect", "-"], input).code(2).says(&["standard input"]);
    }
    home.run(&["token", "inspect", "nothing/there"]).code(2).says(&["nothing/there"]);
    home.run(&["token", "inspect", "nobody"]).code(11);
    home.configure("[accounts.p]\nuser = \"a@x\"\npassword = { env = \"P\" }\n");
    home.run(&["token", "inspect", "p"]).code(2).says(&["password"]);
}
