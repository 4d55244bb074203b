//! `postkey token export` and `postkey token import`: from a machine with a browser to one without.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::*;

/// An X25519 key pair of age, made once with `age-keygen`; it opens nothing but these tests.
const RECIPIENT: &str = "age1q790xtyk72zvk87ynulsmfnqxlze78r5rcug73y0e9ap8q08yerqj609gg";
const IDENTITY: &str = "AGE-SECRET-KEY-1G5KCSFXUCAU6RQAEQ9NNGXA6C6DG6KNHPK4WN7LEHG6VR8ULRPLQWDG32W";

/// A second home, at the same sandbox.
fn server(world: &World) -> Home {
    let home = Home::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    home.configure(&text);
    private(&home.path("key.txt"), &format!("{IDENTITY}\n"));
    home
}

fn import(home: &Home, sealed: &str, args: &[&str]) -> Ran {
    let all = [&["token", "import", "-"], args].concat();
    let mut child = home.command(&all).stdin(Stdio::piped()).spawn().unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(sealed.as_bytes());
    finish(child, String::new())
}

fn identity(home: &Home) -> String {
    home.path("key.txt").display().to_string()
}

#[test]
fn a_sign_in_is_handed_to_another_machine() {
    let world = World::new();
    world.sign_in("ana");
    let token = world.run(&["token", "ana"]).code(0).stdout;
    let server = server(&world);
    server.run(&["token", "ana"]).code(24);
    let sealed = world.run(&["token", "export", "ana", "--to", RECIPIENT]).code(0);
    assert!(sealed.stdout.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{}", sealed.stdout);
    assert!(!sealed.stdout.contains(token.trim()) && sealed.stderr.is_empty());
    let ran = import(&server, &sealed.stdout, &["--identity", &identity(&server)]).code(0);
    assert!(ran.stdout.contains("ana"), "{}", ran.stdout);
    assert_eq!(server.run(&["token", "ana"]).code(0).stdout, token);
}

#[test]
fn a_move_leaves_nothing_behind_and_the_tokens_are_renewed_where_they_went() {
    let world = World::new();
    // So short that the token has ended when it arrives.
    world.sandbox.inject(sandbox::Rule::new(sandbox::Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    let ran = world.run(&["token", "export", "ana", "--to", RECIPIENT, "--move"]).code(0);
    let ran = ran.says(&["removed from this machine"]);
    let server = server(&world);
    import(&server, &ran.stdout, &["--identity", &identity(&server)]).code(0);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert!(server.run(&["token", "ana"]).code(0).stdout.starts_with("eyJ"));
    assert_eq!(world.sandbox.requests(sandbox::RequestKind::Refresh), 1);
    world.run(&["token", "ana"]).code(24);
    world.run(&["token", "export", "ana", "--to", RECIPIENT]).code(24);
}

#[test]
fn a_passphrase_seals_too() {
    let world = World::new();
    world.sign_in("ana");
    private(&world.home.path("pw"), "correct horse battery staple\n");
    let pw = world.home.path("pw").display().to_string();
    let sealed = world.run(&["token", "export", "ana", "--passphrase-file", &pw]).code(0).stdout;
    let server = server(&world);
    private(&server.path("wrong"), "wrong horse\n");
    let wrong = server.path("wrong").display().to_string();
    import(&server, &sealed, &["--passphrase-file", &wrong]).code(26);
    import(&server, &sealed, &["--passphrase-file", &pw]).code(0);
    assert!(server.run(&["token", "ana"]).code(0).stdout.starts_with("eyJ"));
}

#[test]
fn what_is_not_for_this_account_or_this_key_is_refused_and_nothing_changes() {
    let world = World::new();
    world.sign_in("ana");
    let sealed = world.run(&["token", "export", "ana", "--to", RECIPIENT]).code(0).stdout;
    let server = server(&world);
    // The account is called otherwise here: `web` has the same registration.
    import(&server, &sealed, &["--identity", &identity(&server), "--account", "web"]).code(0);
    assert!(server.run(&["token", "web"]).code(0).stdout.starts_with("eyJ"));
    import(&server, &sealed, &["--identity", &identity(&server), "--account", "daemon"])
        .code(10)
        .says(&["client id"]);
    import(&server, &sealed, &["--identity", &identity(&server), "--account", "nobody"]).code(11);
    import(&server, "nonsense", &["--identity", &identity(&server)]).code(26);
    let missing = import(&server, &sealed, &["--identity", "nowhere.txt"]).code(26).says(&["nowhere.txt"]);
    assert!(!missing.stderr.contains("the token store's key"), "{}", missing.stderr);
    let cut = &sealed[..sealed.len() / 2];
    import(&server, cut, &["--identity", &identity(&server)]).code(26);
    mode(&server.path("key.txt"), 0o644);
    import(&server, &sealed, &["--identity", &identity(&server)]).code(26).says(&["chmod"]);
    server.run(&["token", "ana"]).code(24);
    world.run(&["token", "export", "ana", "--to", "age1nonsense"]).code(26);
    world.run(&["token", "export", "daemon", "--to", RECIPIENT]).code(24);
}

#[test]
fn newer_tokens_stay_unless_they_are_to_be_overwritten() {
    let world = World::new();
    world.sign_in("ana");
    let old = world.run(&["token", "export", "ana", "--to", RECIPIENT]).code(0).stdout;
    let token = world.run(&["token", "ana"]).code(0).stdout;
    private(&world.home.path("key.txt"), IDENTITY);
    let identity = identity(&world.home);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    world.sign_in("ana");
    let new = world.run(&["token", "ana"]).code(0).stdout;
    assert_ne!(new, token);
    import(&world.home, &old, &["--identity", &identity]).code(26).says(&["--overwrite"]);
    assert_eq!(world.run(&["token", "ana"]).code(0).stdout, new);
    import(&world.home, &old, &["--identity", &identity, "--overwrite"]).code(0);
    assert_eq!(world.run(&["token", "ana"]).code(0).stdout, token);
}
