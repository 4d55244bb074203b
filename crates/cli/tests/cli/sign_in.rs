//! `postkey login`, every flow and every way it can end.

use std::time::Duration;

use sandbox::{ANA, ConsentPolicy, Fault, RequestKind, Rule};

use crate::person::{Person, browser};
use crate::support::*;

#[test]
fn a_device_code_signs_in() {
    let world = World::new();
    let ran = world.device(&["login"], |sandbox, code| world.approve(sandbox, code)).code(0);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
    // For whom, at what address, for which permissions; and no picture where there is no terminal.
    let page = format!("{}/devicelogin", world.sandbox.base_url());
    let ran = ran.says(&[ANA, &page, "IMAP.AccessAsUser.All", "Microsoft 365", world.sandbox.tenant_id()]);
    assert!(!ran.stderr.contains('█'));
    assert!(world.run(&["account", "show", "ana"]).code(0).stdout.contains("stored"));
}

#[test]
fn the_qr_code_comes_when_it_is_asked_for() {
    let world = World::new();
    let ran = world.device(&["login", "--qr"], |sandbox, code| world.approve(sandbox, code)).code(0);
    assert!(
        ran.stderr.lines().filter(|line| line.contains('█') || line.contains('▀')).count() > 10,
        "{}",
        ran.stderr
    );
}

#[test]
fn a_program_can_drive_the_device_sign_in() {
    let world = World::new();
    let mut child = world.home.command(&["login", "ana", "--json"]).spawn().unwrap();
    let (prompt, seen, rest) = until(&mut child, |line| serde_json::from_str::<serde_json::Value>(line).ok());
    let prompt = &prompt["device_sign_in"];
    assert!(prompt["expires_in"].as_u64().unwrap() > 800);
    world.approve(&world.sandbox, prompt["user_code"].as_str().unwrap());
    let ran = world.end(child, seen, rest).code(0);
    assert_eq!(ran.json()["user"], ANA);
    assert_eq!(ran.json()["renews"], true);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_language_reaches_the_service_and_its_sentence_the_person() {
    let world = World::new();
    let german = "Öffnen Sie zum Anmelden";
    let approve = |sandbox: &_, code: &str| world.approve(sandbox, code);
    let ran = world.device(&["login", "--language", "de-DE"], approve).code(0).says(&[german]);
    assert!(ran.stderr.contains("2. Type"), "{}", ran.stderr);
    assert!(!world.device(&["login"], approve).code(0).stderr.contains(german));
    let mut child = world.home.command(&["login", "--language", "de", "--json"]).spawn().unwrap();
    let (prompt, seen, rest) = until(&mut child, |line| serde_json::from_str::<serde_json::Value>(line).ok());
    let prompt = &prompt["device_sign_in"];
    assert!(prompt["message"].as_str().unwrap().starts_with(german), "{prompt}");
    world.approve(&world.sandbox, prompt["user_code"].as_str().unwrap());
    world.end(child, seen, rest).code(0);
    // What the browser is told to open is what the sandbox was asked for, letter by letter.
    let asked = |args: &[&str]| {
        let ran = browser(&world, args, Person::Accepts).code(0);
        let url = ran.stderr.lines().find_map(|line| url::Url::parse(line.trim()).ok()).unwrap();
        url.query_pairs().find(|(name, _)| name == "ui_locales").map(|(_, value)| value.into_owned())
    };
    assert_eq!(asked(&["login", "web", "--language", "pt-BR"]).as_deref(), Some("pt-BR"));
    assert_eq!(asked(&["login", "web"]), None);
    for wrong in ["", "deutsch bitte", "d", "de_DE", "de--DE", "de-DE&x=1"] {
        world.run(&["login", "--language", wrong]).code(2).says(&["de-DE"]);
    }
}

#[test]
fn a_sign_in_as_somebody_else_is_a_28_and_stores_nothing() {
    let world = World::new();
    let bjorn = |args: &[&str]| {
        world.device(args, |sandbox, code| {
            world.runtime.block_on(sandbox.approve_device(code, "bjorn@contoso.example")).unwrap();
        })
    };
    let ran = bjorn(&["login"]).code(28);
    ran.says(&["bjorn@contoso.example signed in", ANA, "aliases"]);
    world.run(&["token", "ana"]).code(24);
    // What was there stays there.
    world.sign_in("ana");
    let before = world.run(&["token", "ana"]).code(0).stdout;
    bjorn(&["login"]).code(28);
    assert_eq!(world.run(&["token", "ana"]).code(0).stdout, before);
    // Two names of one person.
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    let aliased =
        text.replacen("flow = \"device\"", "flow = \"device\"\naliases = [\"BJORN@contoso.example\"]", 1);
    world.home.configure(&aliased);
    bjorn(&["login"]).code(0);
}

#[test]
fn an_id_token_of_another_sign_in_is_a_24_and_stores_nothing() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::WrongNonce).times(1));
    let args = ["login", "ana", "--flow", "browser"];
    let ran = browser(&world, &args, Person::Accepts).code(24);
    ran.says(&["belongs to another sign-in", "Nothing was kept", "postkey login ana"]);
    world.run(&["token", "ana"]).code(24);
    browser(&world, &args, Person::Accepts).code(0);
    world.run(&["token", "ana"]).code(0);
}

#[test]
fn a_declined_device_code_is_a_22() {
    let world = World::new();
    let ran = world.device(&["login"], |sandbox, code| {
        world.runtime.block_on(sandbox.decline_device(code)).unwrap();
    });
    ran.code(22).says(&["declined", "postkey login ana"]);
    world.run(&["token", "ana"]).code(24);
}

#[test]
fn an_expired_device_code_is_a_23() {
    let world = World::new();
    let ran = world.device(&["login"], |sandbox, _| sandbox.advance(Duration::from_secs(901)));
    ran.code(23).says(&["expired", "new code", "postkey login ana"]);
}

#[test]
fn the_application_signs_in_on_its_own() {
    let world = World::new();
    let ran = world.run(&["login", "daemon"]).code(0);
    assert!(ran.stdout.contains("Signed in as the application"), "{}", ran.stdout);
    // Without a login as well: nobody is needed.
    world.run(&["logout", "daemon"]).code(0);
    let token = world.run(&["token", "daemon"]).code(0).stdout;
    assert!(token.starts_with("eyJ"), "{token}");
    // A person's sign-in and an application's are different accounts.
    world
        .run(&["login", "daemon", "--flow", "device"])
        .code(2)
        .says(&["different accounts", "flow = \"device\""]);
    world.run(&["login", "ana", "--flow", "app"]).code(2).says(&["flow = \"app\""]);
}

#[test]
fn mistakes_in_the_registration_are_a_20_and_name_what_to_change() {
    let world = World::new();
    let with = |from: &str, to: &str, account: &str| {
        world.configure("");
        let text = std::fs::read_to_string(world.home.config()).unwrap();
        assert!(text.contains(from));
        world.home.configure(&text.replace(from, to));
        world.run(&["login", account])
    };
    let tenant = world.sandbox.tenant_id();
    let wrong = with(tenant, "fabrikam.example", "ana").code(20);
    wrong.says(&["AADSTS90002", "tenant", "postkey account show ana", "Correlation ID"]);
    let id = world.sandbox.public_client_id();
    with(id, "00000000-1111-2222-3333-444444444444", "ana").code(20).says(&["AADSTS700016", "client id"]);
    world.configure("");
    private(&world.home.path("daemon.secret"), "not-the-secret-canary");
    let ran = world.run(&["login", "daemon"]).code(20).says(&["AADSTS7000215", "secret"]);
    assert!(!ran.stderr.contains("canary"));
}

#[test]
fn an_application_needs_a_tenant_of_its_own() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.home.configure(&text.replace(world.sandbox.tenant_id(), "organizations"));
    world.run(&["login", "daemon"]).code(10).says(&["tenant", "give its id"]);
}

#[test]
fn an_administrators_work_is_a_25() {
    let world = World::with(|builder| builder.consent_policy(ConsentPolicy::ManagedByMicrosoft));
    let ran = browser(&world, &["login", "web"], Person::Asks);
    ran.code(25).says(&["administrator"]);
}

#[test]
fn trouble_at_the_provider_is_a_27() {
    let world = World::new();
    world.sandbox.inject(Fault::Unavailable);
    world.run(&["login", "ana"]).code(27).says(&["503"]);
    world.sandbox.clear_faults();
    world.sandbox.inject(Rule::new(Fault::TooManyRequests(Some(7))));
    world.run(&["login", "ana"]).code(27).says(&["AADSTS90055", "wait 7 s"]);
}

#[test]
fn a_provider_that_is_not_there_is_a_27_and_one_with_a_foreign_certificate_a_31() {
    let world = World::new();
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.home.configure(&text.replace(&world.sandbox.base_url(), &format!("https://localhost:{port}")));
    world.run(&["login", "ana"]).code(27).says(&["cannot be reached"]);
    let without: String =
        text.lines().filter(|line| !line.starts_with("ca_file")).map(|line| format!("{line}\n")).collect();
    world.home.configure(&without);
    world.run(&["login", "ana"]).code(31).says(&["certificate", "ca_file under [accounts.ana.oauth]"]);
    world.home.configure(&text);
    std::fs::write(world.home.path("ca.pem"), "nonsense").unwrap();
    world.run(&["login", "ana"]).code(10).says(&["holds no certificate"]);
}

#[test]
fn the_browser_signs_in() {
    let world = World::new();
    let ran = browser(&world, &["login", "web"], Person::Accepts).code(0);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
    assert_eq!(world.sandbox.requests(RequestKind::AuthorizationCode), 1);
    assert!(world.run(&["token", "web"]).code(0).stdout.starts_with("eyJ"));
}

#[test]
fn a_refused_consent_is_a_21() {
    let world = World::new();
    browser(&world, &["login", "web"], Person::Refuses).code(21).says(&["declined", "postkey login web"]);
    browser(&world, &["login", "web"], Person::Cancels).code(21);
    world.run(&["token", "web"]).code(24);
}

#[test]
fn nobody_in_the_browser_is_a_24() {
    let world = World::new();
    let ran = world.run(&["login", "web", "--no-open", "--timeout", "1"]);
    ran.code(24).says(&["within 1 s", "--flow device", &world.sandbox.base_url()]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_end_a_sign_in_with_130() {
    let world = World::new();
    for (args, signal) in [(["login", "ana", "--qr"], "-INT"), (["login", "web", "--no-open"], "-TERM")] {
        let mut child = world.home.command(&args).spawn().unwrap();
        let ((), seen, rest) = until(&mut child, |line| line.starts_with("Waiting").then_some(()));
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        world.end(child, seen, rest).code(130).says(&["interrupted"]);
    }
}
