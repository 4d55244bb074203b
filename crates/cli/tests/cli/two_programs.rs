//! `postkey` and `postkey-full`: who does what, and that nobody can tell.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::*;

/// `postkey` in a folder of its own, without the other one. A link and no copy: a file that was just written may still be open for that in
/// a process that another test is making, and cannot be run then.
fn alone() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("postkey");
    std::fs::hard_link(env!("CARGO_BIN_EXE_postkey"), &program).unwrap();
    (folder, program)
}

fn ran(home: &Home, program: &Path, args: &[&str]) -> Ran {
    finish(home.command_of(program, args).spawn().unwrap(), String::new())
}

#[cfg(unix)]
#[test]
fn a_stored_token_needs_the_small_program_alone() {
    let world = World::new();
    let (_folder, postkey) = alone();
    let without = |args: &[&str]| ran(&world.home, &postkey, args);
    // Nothing is stored yet, and nothing is said but that the other program is missing.
    let refused = without(&["token"]).code(1);
    refused.says(&["postkey-full", "install both"]);
    assert!(!world.home.state().exists(), "looking for a token makes no store");
    world.sign_in("ana");
    for args in [
        &["token"][..],
        &["token", "ana", "--json"],
        &["token", "--sasl=xoauth2"],
        &["token", "--for", "imap", "--sasl", "oauthbearer", "--json"],
    ] {
        let full = ran(&world.home, Path::new(env!("CARGO_BIN_EXE_postkey-full")), args).code(0);
        let small = without(args).code(0);
        assert_eq!((small.stdout.is_empty(), small.stderr.as_str()), (false, ""));
        if args.contains(&"--json") {
            let (mut small, mut full) = (small.json(), full.json());
            for document in [&mut small, &mut full] {
                document["expires_in"].take();
            }
            assert_eq!(small, full);
        } else {
            assert_eq!(small.stdout, full.stdout, "{args:?}");
        }
    }
    let elsewhere = world.home.path("c.toml");
    std::fs::rename(world.home.config(), &elsewhere).unwrap();
    let mut command = world.home.command_of(&postkey, &["token"]);
    command.env("POSTKEY_CONFIG", &elsewhere);
    assert_eq!(finish(command.spawn().unwrap(), String::new()).code(0).stdout.lines().count(), 1);
    for args in [&["folders"][..], &["token", "bob"], &["token", "--for", "smtp", "-v"], &["--version"]] {
        without(args).code(1).says(&["postkey-full"]);
    }
}

/// The program that has to do with a wrong key, a store open to others or a broken configuration is the whole one, and it
/// alone speaks.
#[cfg(unix)]
#[test]
fn what_is_wrong_is_said_once_and_by_the_whole_program() {
    let world = World::new();
    world.sign_in("ana");
    let key = world.home.state().join("tokens.key");
    mode(&key, 0o644);
    let said = world.run(&["token"]).code(26);
    assert_eq!((said.stdout.as_str(), said.stderr.matches("error:").count()), ("", 1));
    mode(&key, 0o600);
    let said = world.run(&["token", "nobody"]).code(11);
    assert_eq!((said.stdout.as_str(), said.stderr.matches("error:").count()), ("", 1));
}

#[test]
fn help_calls_both_by_the_name_that_people_use() {
    let home = Home::new();
    for program in [env!("CARGO_BIN_EXE_postkey"), env!("CARGO_BIN_EXE_postkey-full")] {
        let help = ran(&home, Path::new(program), &["token", "--help"]).code(0).stdout;
        assert!(help.contains("Usage: postkey token") && !help.contains("postkey-full"), "{help}");
    }
}
