//! `postkey status`

use std::time::Duration;

use sandbox::{ANA, Fault, RequestKind, Rule};
use serde_json::Value;

use crate::support::*;

const DAY: u64 = 86_400;

/// The report on one account, and on one thing it depends on.
fn credential<'a>(document: &'a Value, account: &str, credential: &str) -> (&'a Value, &'a Value) {
    let find = |list: &'a Value, key: &str, name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|entry| entry[key] == name)
            .unwrap_or_else(|| panic!("{name}: {list}"))
    };
    let account = find(&document["accounts"], "name", account);
    (account, find(&account["credentials"], "credential", credential))
}

#[test]
fn what_ends_when_is_told_without_asking_anybody() {
    let world = World::new();
    world.sign_in("ana");
    let before = world.sandbox.requests(RequestKind::Refresh);
    // With the CA file gone, anything that was set up for the network would fail.
    std::fs::remove_file(world.home.path("ca.pem")).unwrap();
    let document = world.run(&["status", "ana", "--json"]).code(0).json();
    let now = document["now"].as_u64().unwrap();
    let (account, access) = credential(&document, "ana", "access_token");
    assert_eq!((account["state"].as_str(), access["bound"].as_str()), (Some("fine"), Some("exact")));
    assert!(access["ends_at"].as_u64().unwrap() > now);
    let (_, refresh) = credential(&document, "ana", "refresh_token");
    assert_eq!(refresh["bound"], "latest");
    let days = (refresh["ends_at"].as_u64().unwrap() - now).div_ceil(DAY);
    assert_eq!(days, 90);
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), before);
    let shown = world.run(&["status", "ana"]).code(0).stdout;
    assert!(
        shown.contains("refresh token  at the latest 2")
            && (shown.contains("in 89 days") || shown.contains("in 90 days")),
        "{shown}"
    );
}

#[test]
fn nobody_signed_in_is_a_24_and_applications_need_not() {
    let world = World::new();
    let ran = world.run(&["status", "--json"]).code(24);
    let document = ran.json();
    let states: Vec<_> =
        document["accounts"].as_array().unwrap().iter().map(|a| a["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["ended", "fine", "ended"], "ana, daemon, web");
    assert!(!world.home.state().exists(), "looking makes no store");
    world.run(&["status", "daemon"]).code(0);
    world.run(&["status", "nobody"]).code(11);
}

#[test]
fn who_cannot_sign_in_with_what_is_configured_is_not_fine() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.run(&["token", "daemon"]).code(0);
    let tenant = format!("tenant = \"{}\"\n", world.sandbox.tenant_id());
    let secret = "client_secret = { file = \"~/daemon.secret\" }";
    let not_fine = |text: &str, words: &[&str]| {
        world.home.configure(text);
        let ran = world.run(&["status", "daemon", "--json"]).code(10);
        let account = &ran.json()["accounts"][0];
        assert_eq!(account["state"], "ended");
        for word in words {
            assert!(account["problem"]["message"].as_str().unwrap().contains(word), "{word}: {account}");
        }
    };
    not_fine(&text.replace(&tenant, ""), &["names no tenant"]);
    not_fine(&text.replace(&tenant, "tenant = \"organizations\"\n"), &["names no tenant"]);
    let password = text.replace("flow = \"app\"", "flow = \"password\"");
    not_fine(&password.replace(&tenant, "tenant = \"common\"\n"), &["is not for passwords"]);
    not_fine(&text.replace(secret, "client_secret = { file = \"~/gone\" }"), &["gone", "cannot be read"]);
    not_fine(&text.replace(secret, "assertion = { file = \"~/gone\" }"), &["assertion", "gone"]);
    not_fine(&text.replace("tenant =", "provider = \"google\"\ntenant ="), &["Gmail"]);
    // What only another environment has is no reason to complain.
    world.home.configure(&text.replace(secret, "client_secret = { env = \"ELSEWHERE\" }"));
    world.run(&["status", "daemon"]).code(0);
    // Looking runs no command.
    world.home.configure(&text.replace(secret, "client_secret = { command = \"touch ~/ran\" }"));
    world.run(&["status", "daemon"]).code(0);
    assert!(!world.home.path("ran").exists());
}

#[test]
fn a_service_accounts_key_is_looked_at_and_has_no_end() {
    let world = World::new();
    let key = world.sandbox.service_account_key(sandbox::SERVICE_ACCOUNT).unwrap();
    let path = world.home.path("key.json");
    world.home.configure(&format!(
        "[accounts.robot]\nprovider = \"google\"\nuser = \"{ANA}\"\nservice_account = \"{}\"\n",
        path.display()
    ));
    let problem = |words: &str| {
        let ran = world.run(&["status", "--json"]).code(10);
        let message = ran.json()["accounts"][0]["problem"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words) && message.contains("key.json"), "{message}");
    };
    problem("cannot be read");
    private(&path, "{\"type\": \"authorized_user\"}");
    problem("not service_account");
    private(&path, key.expose());
    let document = world.run(&["status", "--json"]).code(0).json();
    let (account, key) = credential(&document, "robot", "service_account_key");
    assert_eq!((account["state"].as_str(), key["bound"].as_str()), (Some("fine"), Some("never")));
    assert!(key["ends_at"].is_null(), "{key}");
    let shown = world.run(&["status"]).code(0).stdout;
    assert!(shown.contains("no end") && shown.contains("do not end by themselves"), "{shown}");
    mode(&path, 0o644);
    problem("others may read");
}

#[test]
fn the_secret_ends_on_the_day_that_is_written_down() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    let with = |day: &str| {
        text.replace("client_secret =", &format!("client_secret_expires = {day}\nclient_secret ="))
    };
    let (_, secret) = (0, |ran: Ran| credential(&ran.json(), "daemon", "client_secret").1.clone());
    let unknown = secret(world.run(&["status", "daemon", "--json"]).code(0));
    assert_eq!((unknown["ends_at"].is_null(), unknown["bound"].as_str()), (true, Some("unknown")));
    for day in ["2026-01-31", "\"2026-01-31\"", "2026-01-31T12:00:00Z"] {
        world.home.configure(&with(day));
        let ended = secret(world.run(&["status", "daemon", "--json"]).code(20));
        assert_eq!(
            (ended["ends_at"].as_u64(), ended["state"].as_str()),
            (Some(1_769_817_600), Some("ended")),
            "{day}"
        );
    }
    world.home.configure(&with("2199-01-31"));
    world.run(&["status", "daemon"]).code(0);
    for wrong in ["\"gestern\"", "12:00:00", "5"] {
        world.home.configure(&with(wrong));
        world.run(&["account", "show", "daemon"]).code(10).says(&["client_secret_expires", "2027-01-31"]);
    }
}

/// Whose project is in testing at Google, or whose tenant has a rule of its own, writes it down.
#[test]
fn how_long_refresh_tokens_live_can_be_configured() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    assert!(!text.contains("provider ="), "{text}");
    let with = |more: &str| {
        let text = text.replacen("[accounts.ana]\n", "[accounts.ana]\nprovider = \"own\"\n", 1);
        world.home.configure(&format!("{text}\n[providers.own]\nlike = \"microsoft\"\n{more}"));
    };
    with("refresh_token = { unused_days = 3, earlier = \"on Sundays\" }");
    world.sign_in("ana");
    let shown = world.run(&["status", "ana"]).code(0).stdout;
    assert!(
        shown.contains("after 3 days without use") && shown.contains("or earlier: on Sundays"),
        "{shown}"
    );
    assert!(shown.contains("in 2 days") || shown.contains("in 3 days"), "{shown}");
    world.run(&["status", "ana", "--nagios", "--within", "4"]).code(1);
    with("refresh_token.unused_days = 0");
    let document = world.run(&["status", "ana", "--json"]).code(0).json();
    assert_eq!(credential(&document, "ana", "refresh_token").1["bound"], "unknown");
    let shown = world.run(&["provider", "show", "own"]).code(0).stdout;
    assert!(shown.contains("refresh_token") && shown.contains("unused_days = 0"), "{shown}");
}

#[test]
fn a_renewal_that_was_refused_is_reported_whatever_the_calendar_says() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    world.sandbox.revoke_sessions(ANA).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    world.run(&["status", "ana"]).code(0);
    world.run(&["token"]).code(24);
    let shown = world.run(&["status", "ana"]).code(24).stdout;
    assert!(shown.contains("AADSTS50173") && shown.contains("postkey login ana"), "{shown}");
    assert_eq!(shown.matches("AADSTS50173").count(), 1, "{shown}");
    assert!(!shown.contains("in 89 days") && !shown.contains("renewed by whoever"), "{shown}");
    let document = world.run(&["status", "ana", "--json"]).code(24).json();
    let (_, token) = credential(&document, "ana", "refresh_token");
    assert!(token["ends_at"].as_u64().unwrap() <= document["now"].as_u64().unwrap(), "{token}");
}

#[test]
fn without_a_refresh_token_the_access_token_is_what_ends() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::NoRefreshToken).times(1));
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(2)).times(1));
    world.sign_in("ana");
    let document = world.run(&["status", "ana", "--json"]).json();
    assert_eq!(credential(&document, "ana", "access_token").0["credentials"].as_array().unwrap().len(), 1);
    std::thread::sleep(Duration::from_millis(2500));
    world.run(&["status", "ana"]).code(24);
}

#[test]
fn nagios_gets_a_line_and_a_code() {
    let world = World::new();
    let plugin = |args: &[&str], code: i32| {
        let ran = world.run(&[&["status", "--nagios"], args].concat()).code(code);
        assert_eq!((ran.stdout.lines().count(), ran.stderr.as_str()), (1, ""), "{ran:?}");
        ran.stdout
    };
    assert!(plugin(&["ana"], 2).starts_with("POSTKEY CRITICAL - ana: nobody has signed in"));
    world.sign_in("ana");
    let line = plugin(&["ana"], 0);
    assert!(
        line.starts_with("POSTKEY OK - 1 account; next: ana: refresh token ends at the latest in "),
        "{line}"
    );
    assert!(line.contains(" | 'ana_access_token'=") && line.contains("s;1209600:;0:"), "{line}");
    assert!(
        plugin(&["ana", "--within", "90"], 1)
            .starts_with("POSTKEY WARNING - ana: refresh token ends at the latest")
    );
    assert!(plugin(&["nobody"], 3).starts_with("POSTKEY UNKNOWN - "));
    std::fs::write(world.home.state().join("tokens.key"), "nonsense").unwrap();
    assert!(plugin(&["ana"], 3).starts_with("POSTKEY UNKNOWN - ana: "));
    world.home.configure("[accounts.w]\n");
    assert!(plugin(&[], 3).contains("`user` is missing"));
    // A wrong command line is no state of the accounts either.
    assert_eq!(world.run(&["status", "--nagios", "--within", "soon"]).code, 3);
}

#[test]
fn prometheus_gets_metrics_whatever_the_state() {
    let world = World::new();
    world.sign_in("ana");
    let text = world.run(&["status", "--prometheus"]).code(0).stdout;
    assert!(text.contains("\npostkey_account_state{account=\"ana\"} 0\n"), "{text}");
    assert!(text.contains("\npostkey_account_state{account=\"web\"} 2\n"), "{text}");
    let metric = "postkey_credential_expiry_timestamp_seconds{account=\"ana\",credential=\"refresh_token\",bound=\"latest\"} ";
    let value = text.lines().find_map(|line| line.strip_prefix(metric)).unwrap();
    assert!(value.parse::<u64>().unwrap() > 1_790_000_000);
    world.run(&["status", "--prometheus", "--json"]).code(2);
}
