//! `postkey sandbox`, used the way it says that it can be used.

use std::io::{BufRead as _, BufReader, Read as _};

use crate::support::*;

#[cfg(unix)]
#[test]
fn the_sandbox_runs_until_it_is_told_to_stop_and_what_it_prints_works() {
    let home = Home::new();
    let mut child = home.command(&["sandbox", "--messages", "30", "--json"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let facts: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let daemon = facts["apps"].as_array().unwrap().iter().find(|app| app["kind"] == "daemon").unwrap();
    private(&home.path("secret"), daemon["client_secret"].as_str().unwrap());
    home.run(&[
        "account",
        "add",
        "pretend",
        "--user",
        "ana@contoso.example",
        "--flow",
        "app",
        "--client-secret-file",
        "secret",
        "--client-id",
        &text(&daemon["client_id"]),
        "--authority",
        &text(&facts["authority"]),
        "--ca-file",
        &text(&facts["ca_file"]),
        "--imap-host",
        "localhost",
        "--imap-port",
        &facts["imap"]["port"].to_string(),
    ])
    .code(0);
    let folders = home.run(&["folders"]).code(0).stdout;
    assert!(folders.contains("Sent Items"), "{folders}");
    let report = home.run(&["fetch", "--to", "maildir:Mail", "--json"]).code(0).json();
    assert_eq!(report["stored"], 30);

    use std::os::unix::fs::PermissionsExt as _;
    for (name, beginning) in [
        ("client_key_file", "-----BEGIN CERTIFICATE-----"),
        ("workload_token_file", "eyJ"),
        ("service_account_file", "{"),
    ] {
        let path = std::path::PathBuf::from(text(&facts[name]));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(beginning), "{name}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let dir = std::fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(dir.permissions().mode() & 0o777, 0o700, "{name}");
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    stdout.read_to_string(&mut line).unwrap();
    finish(child, String::new()).code(0);
    assert!(!std::path::Path::new(&text(&facts["ca_file"])).exists(), "the temporary CA file is gone");
    assert!(!std::path::Path::new(&text(&facts["client_key_file"])).exists(), "so is the key");
    home.run(&["folders"]).code(10).says(&["cannot be used", "postkey account show pretend"]);
}

#[cfg(unix)]
#[test]
fn the_text_for_people_has_what_a_client_needs() {
    let home = Home::new();
    let mut child = home.command(&["sandbox", "--ca-file", "ca.pem", "--imitate", "plain"]).spawn().unwrap();
    let ((), seen, rest) = until(&mut child, |line| line.contains("Ctrl-C").then_some(()));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    drop((seen, rest));
    let ran = finish(child, String::new()).code(0);
    for word in [
        "authority",
        "ca.pem",
        "ana@contoso.example",
        "password",
        "Desktop mail",
        "http://localhost:3017/",
        "client.pem",
        "workload-token",
        "service-account.json",
        "curl --cacert",
        "postkey account add",
    ] {
        assert!(ran.stdout.contains(word), "{word:?} is missing in: {}", ran.stdout);
    }
    assert!(std::fs::read_to_string(home.path("ca.pem")).unwrap().contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    home.run(&["sandbox", "--port", &port]).code(2).says(&[&port, "choose another port"]);
}

#[cfg(unix)]
#[test]
fn the_variables_are_for_their_owner_alone_hold_no_secret_and_go_with_the_sandbox() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let home = Home::new();
    // What lies under the name is replaced, not written through.
    std::fs::write(home.path("other"), "other").unwrap();
    symlink(home.path("other"), home.path("sandbox.env")).unwrap();
    let mut child =
        home.command(&["sandbox", "--messages", "0", "--env-file", "sandbox.env"]).spawn().unwrap();
    let ((), seen, rest) =
        until(&mut child, |line| line.contains("In another shell: . ./sandbox.env").then_some(()));
    let path = home.path("sandbox.env");
    assert_eq!(std::fs::read_to_string(home.path("other")).unwrap(), "other");
    assert_eq!(std::fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut named = 0;
    for (name, value) in text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')) {
        let value = value.trim_matches('\'');
        assert!(!value.is_empty(), "{name} is empty");
        if name.ends_with("_FILE") || matches!(name, "SANDBOX_CA" | "POSTKEY_CONFIG") {
            let meta = std::fs::metadata(value).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{name}");
            let held = std::fs::read_to_string(value).unwrap();
            assert!(!name.contains("SECRET") || !text.contains(held.trim()), "{name} is in the file itself");
            named += 1;
        }
    }
    assert!(named >= 8, "{text}");

    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    drop((seen, rest));
    finish(child, String::new()).code(0);
    assert!(!path.exists(), "the variables outlive the sandbox");
}

#[cfg(unix)]
#[test]
fn variables_that_cannot_be_written_end_the_sandbox() {
    let home = Home::new();
    home.run(&["sandbox", "--env-file", "nowhere/sandbox.env"])
        .code(43)
        .says(&["nowhere/sandbox.env", "--env-file"]);
}
