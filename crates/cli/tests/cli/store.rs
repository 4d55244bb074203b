//! `[store]`: where tokens and their key are kept.

use crate::support::*;

/// Signs in under this `[store]`, and gives the token again in another process.
fn works(world: &World, store: &str) -> String {
    world.configure(&format!("[store]\n{store}\n"));
    world.sign_in("ana");
    world.run(&["token"]).code(0).stdout
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn a_store_made_without_a_word_is_found_under_the_same_words_written_out() {
    let world = World::new();
    world.sign_in("ana");
    let token = world.run(&["token"]).code(0).stdout;
    world.configure("[store]\nkind = \"files\"\nkey = { file = \"~/.local/state/postkey/tokens.key\" }\n");
    assert_eq!(world.run(&["token"]).code(0).stdout, token);
}

#[test]
fn the_key_can_come_from_a_command_a_variable_or_a_credential() {
    let world = World::new();
    private(&world.home.path("key"), KEY);
    let token = works(&world, "key = { command = \"cat ~/key\" }");
    assert!(!world.home.state().join("tokens.key").exists());
    world.configure("[store]\nkey = { env = \"STORE_KEY\" }\n");
    let with = |name: &str, value: &std::ffi::OsStr| {
        finish(world.home.command(&["token"]).env(name, value).spawn().unwrap(), String::new())
    };
    assert_eq!(with("STORE_KEY", KEY.as_ref()).code(0).stdout, token);
    let wrong = with("STORE_KEY", "hunter2-canary".as_ref()).code(26).says(&["64 hexadecimal digits"]);
    assert!(!wrong.stderr.contains("canary"), "{}", wrong.stderr);
    world.run(&["token"]).code(10).says(&["STORE_KEY is not set"]);
    with("STORE_KEY", "ab".repeat(32).as_ref()).code(26).says(&["another key"]);
    // What systemd does for LoadCredential=key:…
    let credentials = world.home.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    private(&credentials.join("key"), KEY);
    world.configure("[store]\nkey = { credential = \"key\" }\n");
    assert_eq!(with("CREDENTIALS_DIRECTORY", credentials.as_os_str()).code(0).stdout, token);
    world.run(&["token"]).code(26).says(&["CREDENTIALS_DIRECTORY is not set", "LoadCredential=key"]);
}

#[test]
fn the_key_can_be_wrapped_for_a_private_key() {
    let world = World::new();
    let identity = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";
    private(&world.home.path("identity"), identity);
    let store = "key = { age = \"~/key.age\", identity = \"~/identity\" }";
    let token = works(&world, store);
    assert!(std::fs::read(world.home.path("key.age")).unwrap().starts_with(b"age-encryption.org/v1\n"));
    assert_eq!(world.run(&["token"]).code(0).stdout, token);
    std::fs::remove_file(world.home.path("key.age")).unwrap();
    world.run(&["token"]).code(26).says(&["key.age does not exist, yet the store holds entries"]);
    assert!(!world.home.path("key.age").exists());
}

#[test]
fn the_key_can_be_wrapped_by_a_passphrase() {
    let world = World::new();
    private(&world.home.path("words"), "correct horse");
    let token = works(&world, "key = { age = \"~/key.age\", passphrase = { file = \"~/words\" } }");
    private(&world.home.path("words"), "battery staple");
    let wrong = world.run(&["token"]).code(26).says(&["passphrase is wrong"]);
    assert!(!wrong.stderr.contains("staple"), "{}", wrong.stderr);
    private(&world.home.path("words"), "correct horse");
    assert_eq!(world.run(&["token"]).code(0).stdout, token);
}

#[test]
fn tokens_in_memory_leave_nothing_behind() {
    let world = World::new();
    world.configure("[store]\nkind = \"memory\"\n");
    // An application asks anew in every process.
    world.run(&["token", "daemon"]).code(0);
    world.run(&["token", "ana"]).code(24).says(&["no tokens are stored"]);
    assert!(!world.home.state().exists());
}

#[test]
fn without_a_session_bus_the_secret_service_is_named() {
    let world = World::new();
    world.configure("[store]\nkind = \"keyring\"\nkeyring = \"secret-service\"\n");
    let mut command = world.home.command(&["token"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    finish(command.spawn().unwrap(), String::new()).code(26).says(&["the Secret Service cannot be reached"]);
}
