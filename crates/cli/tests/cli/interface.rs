//! What every command has in common: help, codes, colours, JSON, completions, man pages.

use std::process::Stdio;

use crate::support::*;

#[test]
fn help_has_examples_and_a_wrong_command_line_is_a_2() {
    let home = Home::new();
    let help = home.run(&["--help"]).code(0).stdout;
    assert!(help.contains("postkey try") && help.contains("Examples:"), "{help}");
    for command in ["try", "login", "token", "fetch", "send", "sandbox", "completions"] {
        let help = home.run(&[command, "--help"]).code(0).stdout;
        assert!(help.contains("Examples:"), "{command}: {help}");
    }
    assert!(home.run(&["--version"]).code(0).stdout.starts_with("postkey "));
    home.run(&[]).code(2);
    home.run(&["fecth"]).code(2).says(&["fetch"]);
    home.run(&["fetch", "w"]).code(2).says(&["--to"]);
    home.run(&["fetch", "w", "--to", "Mail"]).code(2).says(&["maildir:PATH"]);
    home.run(&["fetch", "w", "--to", "maildir:x", "--since", "gestern"]).code(2).says(&["2026-01-31"]);
    home.run(&["token", "--for", "jmap"]).code(2).says(&["imap", "pop3", "smtp"]);
    home.run(&["send", "a.eml"]).code(11);
    home.run(&["send", "-bs"]).code(2);
}

#[test]
fn exit_codes_are_listed() {
    let home = Home::new();
    let listed = home.run(&["exit-codes", "--json"]).code(0).json();
    let codes: Vec<u64> =
        listed["exit_codes"].as_array().unwrap().iter().map(|c| c["code"].as_u64().unwrap()).collect();
    assert_eq!(
        codes,
        [
            1, 2, 10, 11, 12, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30, 31, 32, 33, 34, 35, 36, 37, 40, 41, 42,
            43, 44, 50, 60, 61, 62, 130
        ]
    );
    assert!(home.run(&["exit-codes"]).code(0).stdout.contains(" 24  somebody must sign in"));
}

#[test]
fn failures_are_json_when_asked_for() {
    let home = Home::new();
    let failure = |args: &[&str]| -> serde_json::Value {
        let ran = home.run(args);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        let document: serde_json::Value =
            serde_json::from_str(&ran.stderr).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr));
        assert_eq!(document["error"]["exit_code"], ran.code);
        document["error"].clone()
    };
    let error = failure(&["--json", "token", "nobody"]);
    assert_eq!((error["kind"].as_str(), error["exit_code"].as_i64()), (Some("unknown-account"), Some(11)));
    assert!(error["advice"].as_str().unwrap().contains("postkey account add"));
    let error = failure(&["fetch", "--json"]);
    assert_eq!(error["kind"], "usage");
    assert!(error["message"].as_str().unwrap().contains("--to"), "{error}");
    assert_eq!(error["advice"], "see: postkey fetch --help");
    home.configure("x = 1\n");
    assert_eq!(failure(&["--json", "folders"])["kind"], "config");
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let home = Home::new();
    let run = |args: &[&str], variable: Option<&str>| {
        let mut command = home.command(args);
        if let Some(name) = variable {
            command.env(name, "1");
        }
        let ran = finish(command.spawn().unwrap(), String::new());
        ran.stdout + &ran.stderr
    };
    assert!(!run(&["token", "x"], None).contains('\x1b'), "not into a pipe");
    assert!(run(&["--color", "always", "token", "x"], None).contains('\x1b'));
    assert!(!run(&["--color", "never", "token", "x"], Some("CLICOLOR_FORCE")).contains('\x1b'));
    assert!(!run(&["token", "x"], Some("NO_COLOR")).contains('\x1b'));
}

#[test]
fn completions_come_out_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(&["completions", shell]).code(0).stdout;
        assert!(
            script.contains("postkey") && script.contains("fetch") && script.contains("no-fsync"),
            "{shell}"
        );
    }
    home.run(&["completions", "cmd"]).code(2);
    if let Ok(mut bash) = std::process::Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn() {
        use std::io::Write as _;
        let script = home.run(&["completions", "bash"]).stdout;
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(bash.wait().unwrap().success(), "bash does not accept its script");
    }
}

#[test]
fn man_pages_come_out_for_every_command() {
    let home = Home::new();
    assert!(home.run(&["man"]).code(0).stdout.contains(".TH postkey"));
    home.run(&["man", "pages"]).code(0);
    for page in
        ["postkey.1", "postkey-fetch.1", "postkey-login.1", "postkey-account-add.1", "postkey-sandbox.1"]
    {
        let text = std::fs::read_to_string(home.path("pages").join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    std::fs::write(home.path("file"), "").unwrap();
    home.run(&["man", "file"]).says(&["man pages cannot be written"]);
}

#[test]
fn quiet_is_quiet_about_what_was_done() {
    let home = Home::new();
    let add = ["-q", "account", "add", "w", "--user", "a@contoso.example", "--client-id", "c"];
    for args in [&add[..], &["-q", "logout", "w"], &["-q", "account", "remove", "w"], &["-q", "man", "pages"]]
    {
        let ran = home.run(args).code(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{args:?}");
    }
    // What was asked for comes all the same.
    home.run(&add).code(0);
    assert!(home.run(&["-q", "account", "list"]).code(0).stdout.contains("a@contoso.example"));
}

/// A reader that goes away early is nobody's mistake.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_quiet() {
    let home = Home::new();
    let mut command = home.command(&["exit-codes"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let ran = finish(command.spawn().unwrap(), String::new());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
