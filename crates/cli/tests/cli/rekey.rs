//! `postkey store`: what is there, and the key on its way to another place.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::*;

const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";
const STRANGER: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn signed_in() -> (World, String) {
    let world = World::new();
    world.sign_in("ana");
    let token = world.run(&["token"]).code(0).stdout;
    (world, token)
}

/// The key's text, which nothing but its places may show.
fn key(world: &World) -> String {
    std::fs::read_to_string(world.home.state().join("tokens.key")).unwrap().trim().to_owned()
}

#[test]
fn the_key_goes_from_place_to_place_and_every_token_stays() {
    let (world, token) = signed_in();
    let secret = key(&world);
    private(&world.home.path("identity"), IDENTITY);
    private(&world.home.path("words"), "correct horse");
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.home.configure(&format!("# mine\n{text}[store] # here\nkind = \"files\"   # as ever\n"));
    let entries = files(&world.home.state().join("tokens"));
    let before: Vec<Vec<u8>> = entries.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (place, kind) in [
        (&["--age", "k.age", "--identity", "identity", "--recipient", STRANGER][..], "age"),
        (&["--age", "p.age", "--passphrase-file", "words"], "age"),
        (&["--file", "key"], "file"),
    ] {
        let ran = world.run(&[&["store", "rekey", "--json"], place].concat()).code(0);
        assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret), "{ran:?}");
        let document = ran.json();
        assert_eq!(
            (&document["to"]["kind"], &document["changed"]),
            (&json!(kind), &json!(true)),
            "{place:?}"
        );
        // From any folder, because the configuration has whole paths.
        let mut elsewhere = world.home.command(&["token"]);
        elsewhere.current_dir("/");
        assert_eq!(finish(elsewhere.spawn().unwrap(), String::new()).code(0).stdout, token);
        assert_eq!(world.run(&["store", "show", "--json"]).code(0).json()["key"]["kind"], kind);
    }
    assert_eq!(key(&world), std::fs::read_to_string(world.home.path("key")).unwrap().trim());
    let after: Vec<Vec<u8>> = entries.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert_eq!(before, after);
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("[store] # here\nkind = \"files\"   # as ever\n"));
    // Twice is once.
    let again = world.run(&["store", "rekey", "--file", "key", "--json"]).code(0).json();
    assert_eq!(again["changed"], false);
    assert_eq!(std::fs::read_to_string(world.home.config()).unwrap(), text);
    // The old places are of no use to the tokens any more.
    for old in ["k.age", "p.age", ".local/state/postkey/tokens.key"] {
        std::fs::remove_file(world.home.path(old)).unwrap();
    }
    assert_eq!(world.run(&["token"]).code(0).stdout, token);
}

#[test]
fn what_cannot_be_written_must_hold_the_key_already() {
    let (world, token) = signed_in();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.run(&["store", "rekey", "--env", "STORE_KEY"]).code(10).says(&[
        "cannot be moved to the environment variable STORE_KEY",
        "the key is the text of",
        "tokens.key",
    ]);
    world
        .run(&["store", "rekey", "--command", &format!("echo {}", "ab".repeat(32))])
        .code(26)
        .says(&["another key", "put that there yourself"]);
    world.run(&["store", "rekey", "--credential", "k"]).code(26).says(&["CREDENTIALS_DIRECTORY"]);
    assert_eq!(std::fs::read_to_string(world.home.config()).unwrap(), text);
    let command = format!("cat '{}'", world.home.state().join("tokens.key").display());
    world.run(&["store", "rekey", "--command", &command]).code(0);
    let shown = world.run(&["store", "show"]).code(0).stdout;
    assert!(shown.contains("the command `cat") && shown.contains("1 (ana)"), "{shown}");
    assert_eq!(world.run(&["token"]).code(0).stdout, token);
}

#[test]
fn what_fails_leaves_configuration_and_key_as_they_were() {
    let (world, token) = signed_in();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    private(&world.home.path("other"), &"ab".repeat(32));
    private(&world.home.path("identity"), IDENTITY);
    private(&world.home.path("there.age"), "age-encryption.org/v1\n");
    for (place, code, words) in [
        (&["--file", "other"][..], 26, "another key already"),
        (&["--file", "nowhere/key"], 26, "nowhere/key"),
        (&["--age", "k.age", "--identity", "missing"], 26, "missing"),
        (
            &["--age", "k.age", "--identity", "identity", "--recipient", "age1x"],
            10,
            "a recipient is written as",
        ),
        (&["--age", "there.age", "--identity", "identity", "--recipient", STRANGER], 26, "there already"),
        (&["--age", "k.age"], 2, "what opens the age file is missing"),
        (&["--file", "k", "--identity", "identity"], 2, "go with age"),
        (&["--file", "k", "--env", "K"], 2, "cannot be used with"),
        (&[], 2, "--file"),
    ] {
        world.run(&[&["store", "rekey"], place].concat()).code(code).says(&[words]);
        assert_eq!(std::fs::read_to_string(world.home.config()).unwrap(), text, "{place:?}");
        assert_eq!(world.run(&["token"]).code(0).stdout, token);
    }
    assert_eq!(std::fs::read_to_string(world.home.path("other")).unwrap(), "ab".repeat(32));
    assert!(!world.home.path("k.age").exists() && !world.home.path("k").exists());
}

#[test]
fn a_store_without_a_key_has_none_to_move() {
    let world = World::new();
    world
        .run(&["store", "rekey", "--file", "k"])
        .code(26)
        .says(&["no token store", "before the first login"]);
    let shown = world.run(&["store", "show"]).code(0).stdout;
    assert!(shown.contains("not made yet") && shown.contains("entries  none"), "{shown}");
    assert!(!world.home.state().exists(), "looking made something");
    world.configure("[store]\nkind = \"memory\"\n");
    world.run(&["store", "rekey", "--file", "k"]).code(2).says(&["has no key"]);
    assert_eq!(world.run(&["store", "show", "--json"]).code(0).json()["kind"], "memory");
}

#[test]
fn what_is_wrong_with_an_entry_is_shown_and_a_26() {
    let (world, _) = signed_in();
    world.run(&["token", "daemon"]).code(0);
    let whole = world.run(&["store", "show", "--json"]).code(0).json();
    let accounts: Vec<&Value> = whole["entries"].as_array().unwrap().iter().map(|e| &e["account"]).collect();
    assert_eq!(accounts, ["ana", "daemon"]);
    let tokens = files(&world.home.state().join("tokens"));
    let entry = tokens.iter().find(|path| path.extension().is_some_and(|kind| kind == "token")).unwrap();
    let mut octets = std::fs::read(entry).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    std::fs::write(entry, octets).unwrap();
    let ran = world.run(&["store", "show", "--json"]).code(26);
    let document = ran.json();
    assert_eq!(
        (document["entries"].as_array().unwrap().len(), document["problems"].as_array().unwrap().len()),
        (1, 1)
    );
    assert!(entry.exists(), "looking moved something");
    // Without its key nothing can be said of the entries, and where it should be is said all the same.
    std::fs::remove_file(world.home.state().join("tokens.key")).unwrap();
    let ran = world.run(&["store", "show"]).code(26);
    assert!(ran.stdout.contains("the file ") && ran.stdout.contains("tokens.key does not exist"), "{ran:?}");
    assert!(!ran.stdout.contains("\nentries "), "{ran:?}");
}

#[test]
fn killed_at_any_moment_the_configuration_names_a_place_where_the_key_is() {
    let (world, token) = signed_in();
    let began = Instant::now();
    world.run(&["store", "rekey", "--file", "first"]).code(0);
    let whole = began.elapsed();
    let (mut moved, rounds) = (0, 40_u32);
    for round in 0..rounds {
        let target = format!("key-{round}");
        let mut child = world.home.command(&["store", "rekey", "--file", &target]).spawn().unwrap();
        // Spread over the time that a whole run takes, and a bit more.
        std::thread::sleep(whole * (round + 1) / rounds + Duration::from_micros(500));
        let _ = child.kill();
        child.wait().unwrap();
        let text = std::fs::read_to_string(world.home.config()).unwrap();
        moved += u32::from(text.contains(&format!("{target}\"")));
        assert_eq!(world.run(&["token"]).code(0).stdout, token, "round {round}: {text}");
    }
    // What is left is no obstacle.
    world.run(&["store", "rekey", "--file", "last"]).code(0);
    assert_eq!(world.run(&["token"]).code(0).stdout, token, "{moved} of {rounds} were done before the kill");
}
