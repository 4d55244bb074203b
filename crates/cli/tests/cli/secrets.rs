//! No secret in any output, log, error or readable file (LG-01, LG-04, LG-05, LG-09, AU-46).

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use sandbox::{ANA, DAEMON_APP};

use crate::support::*;

/// Every form in which a secret could be written.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    let message = format!("user={ANA}\x01auth=Bearer {secret}\x01\x01");
    forms.push(Base64::encode_string(message.as_bytes()).into_bytes());
    for skip in 0..3 {
        // At each of the three alignments; the ends depend on what stands around.
        let encoded = Base64::encode_string(secret.as_bytes().get(skip..).unwrap());
        forms.push(encoded.as_bytes()[..encoded.len() - 4].to_vec());
        let encoded = Base64UrlUnpadded::encode_string(secret.as_bytes().get(skip..).unwrap());
        forms.push(encoded.as_bytes()[..encoded.len() - 4].to_vec());
    }
    forms.push(secret.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect());
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().into_bytes());
    forms.push(serde_json::to_string(secret).unwrap().trim_matches('"').as_bytes().to_vec());
    // A piece of it is enough to be a leak.
    forms.push(secret.as_bytes()[secret.len() - 16..].to_vec());
    forms.sort();
    forms.dedup();
    forms
}

fn holds(text: &[u8], form: &[u8]) -> bool {
    text.windows(form.len()).any(|window| window == form)
}

#[track_caller]
fn clean(what: &str, text: &[u8], secrets: &[String]) {
    for (i, secret) in secrets.iter().enumerate() {
        for form in forms(secret) {
            assert!(!holds(text, &form), "{what} holds secret {i} as {}", String::from_utf8_lossy(&form));
        }
    }
}

#[test]
fn lg_no_secret_is_said_logged_or_left_in_a_file() {
    let world = World::new();
    let client_secret = world.sandbox.app(DAEMON_APP).unwrap().secret().unwrap().expose().to_owned();
    let mut said = Vec::new();
    let mut hear = |what: &str, ran: Ran| said.push((what.to_owned(), ran.stdout + &ran.stderr));
    let args = ["-vvvv", "login", "web"];
    hear("browser", crate::person::browser(&world, &args, crate::person::Person::Accepts).code(0));
    assert_eq!(world.sandbox.handed_out().len(), 2, "an authorisation code and a refresh token");
    let approve = |sandbox: &sandbox::Sandbox, code: &str| world.approve(sandbox, code);
    hear("device", world.device(&["-vvvv", "login", "ana"], approve).code(0));
    hear("app", world.run(&["-vvvv", "login", "daemon"]).code(0));
    let logged = |args: &[&str]| {
        let mut command = world.home.command(args);
        command.env("POSTKEY_LOG", "trace").env("RUST_BACKTRACE", "1").env("RUST_LOG", "trace");
        finish(command.spawn().unwrap(), String::new())
    };
    hear("show", logged(&["account", "show", "daemon"]));
    hear("list", logged(&["account", "list", "--json"]));
    let (ana, daemon) =
        (logged(&["-vvvv", "token", "ana"]).code(0), logged(&["-vvvv", "token", "daemon"]).code(0));
    let mut secrets = vec![client_secret, ana.stdout.trim().to_owned(), daemon.stdout.trim().to_owned()];
    hear("token's log", Ran { stdout: String::new(), ..ana });
    hear("token's log", Ran { stdout: String::new(), ..daemon });
    for account in ["ana", "daemon"] {
        hear("folders", logged(&["-vvvv", "folders", account]).code(0));
        hear("fetch", logged(&["-vvvv", "fetch", account, "--to", &format!("maildir:{account}")]).code(0));
    }
    private(&world.home.path("daemon.secret"), &format!("{}x", secrets[0]));
    hear("a wrong secret", logged(&["-vvvv", "login", "daemon"]).code(20));
    world.configure("");
    hear("logout", logged(&["-vvvv", "logout", "ana"]).code(0));
    hear("daemon again", logged(&["-vvvv", "token", "daemon", "--json"]));
    // The last one is meant to print a token.
    said.pop();

    assert!(world.sandbox.handed_out().len() >= 4, "a device code and another refresh token");
    secrets.extend(world.sandbox.handed_out().iter().map(|secret| secret.expose().to_owned()));
    // The address the browser was given is the test's own file, and holds no code.
    for (what, text) in &said {
        clean(what, text.as_bytes(), &secrets);
    }
    // The log must have been on, or its silence says nothing.
    assert!(
        said.iter().any(|(what, text)| what == "folders" && text.contains("AUTHENTICATE XOAUTH2")),
        "{said:?}"
    );
    for file in files(world.home.dir.path()).into_iter().filter(|file| !file.ends_with("daemon.secret")) {
        clean(&file.display().to_string(), &std::fs::read(&file).unwrap(), &secrets);
        clean("a file's name", file.display().to_string().as_bytes(), &secrets);
    }
    clean("the configuration", &std::fs::read(world.home.config()).unwrap(), &secrets);
}

#[test]
fn lg_the_test_would_notice() {
    let secret = "Dmn~8Q+secret/of_the=daemon".to_owned();
    let message = Base64::encode_string(format!("user={ANA}\x01auth=Bearer {secret}\x01\x01").as_bytes());
    for leak in [
        secret.clone(),
        message,
        "secret=Dmn%7E8Q%2Bsecret%2Fof_the%3Ddaemon".into(),
        "…et/of_the=daemon".into(),
    ] {
        assert!(forms(&secret).iter().any(|form| holds(leak.as_bytes(), form)), "{leak}");
    }
}

/// LG-09: what other processes of this machine can see of a running sign-in.
#[cfg(target_os = "linux")]
#[test]
fn lg_09_the_list_of_processes_shows_no_secret() {
    let world = World::new();
    let table = world.account("x", "app", DAEMON_APP);
    let dump = world.home.path("dump");
    // The command sees the program that started it: its parent's arguments and environment.
    let command = format!(
        "cat /proc/$PPID/cmdline /proc/$PPID/environ > '{}'; cat '{}'",
        dump.display(),
        world.home.path("daemon.secret").display()
    );
    world.home.configure(&table.replace("file = \"~/daemon.secret\"", &format!("command = \"{command}\"")));
    world.run(&["token", "x"]).code(0);
    let secret = std::fs::read_to_string(world.home.path("daemon.secret")).unwrap();
    let seen = std::fs::read(&dump).unwrap();
    assert!(holds(&seen, b"token"), "the dump is of the program");
    clean("the process", &seen, &[secret]);
}
