//! `postkey login`, every flow and every way it can end.

use std::path::PathBuf;
use std::time::Duration;

use sandbox::{ANA, ConsentPolicy, Fault, RequestKind, Rule};

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
fn a_sign_in_as_somebody_else_is_remarked_upon() {
    let world = World::new();
    let ran = world.device(&["login"], |sandbox, code| {
        world.runtime.block_on(sandbox.approve_device(code, "bjorn@contoso.example")).unwrap();
    });
    let ran = ran.code(0).says(&["the configuration says ana@contoso.example"]);
    assert!(ran.stdout.contains("Signed in as bjorn@contoso.example"), "{}", ran.stdout);
    let ran = world.run(&["folders"]);
    assert!([33, 34].contains(&ran.code), "{ran:?}");
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

/// What the person in the browser does.
#[derive(Clone, Copy)]
pub(crate) enum Person {
    Accepts,
    Refuses,
    Cancels,
    Asks,
}

/// Runs a browser sign-in; the browser is a script that hands the address to this test, which walks the pages.
pub(crate) fn browser(world: &World, args: &[&str], person: Person) -> Ran {
    let handed = world.home.path("address");
    let _ = std::fs::remove_file(&handed);
    let script = world.home.path("browser");
    let text = format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", handed.display());
    std::fs::write(&script, text).unwrap();
    mode(&script, 0o755);
    let mut command = world.home.command(args);
    command.env("POSTKEY_BROWSER", &script);
    let child = command.spawn().unwrap();
    let address = wait_for(&handed);
    world.runtime.block_on(walk(world, &address, person));
    finish(child, String::new())
}

fn wait_for(path: &PathBuf) -> String {
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no browser was opened");
}

async fn walk(world: &World, address: &str, person: Person) {
    let http = client(world);
    let page = http.get(address).send().await.unwrap().text().await.unwrap();
    let user = world.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
    assert!(page.contains(&format!("value=\"{ANA}\"")), "the account is filled in");
    let flow = field(&page, "flow");
    let action = if matches!(person, Person::Cancels) { "cancel" } else { "signin" };
    let form = [
        ("flow", flow.as_str()),
        ("loginfmt", ANA),
        ("passwd", user.password().expose()),
        ("action", action),
    ];
    let mut page = post(&http, &format!("{}/login", world.sandbox.base_url()), &form).await;
    let action = match person {
        Person::Accepts => Some("accept"),
        Person::Refuses => Some("cancel"),
        Person::Asks => Some("admin"),
        Person::Cancels => None,
    };
    if let Some(action) = action {
        let flow = field(&page, "flow");
        page = post(
            &http,
            &format!("{}/consent", world.sandbox.base_url()),
            &[("flow", flow.as_str()), ("action", action)],
        )
        .await;
    }
    // form_post: the code comes back in a form, not in an address that a history would keep.
    let target = between(&page, "action=\"", "\"");
    assert!(target.starts_with("http://localhost:"), "{page}");
    let names: Vec<String> = page
        .split("type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    let values: Vec<String> = names.iter().map(|name| field(&page, name)).collect();
    let fields: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
    let last = post(&http, &target, &fields).await;
    assert!(
        !fields.iter().any(|(name, value)| *name == "code" && last.contains(value)),
        "the page reflects the code"
    );
}

async fn post(http: &reqwest::Client, url: &str, form: &[(&str, &str)]) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    request.send().await.unwrap().text().await.unwrap()
}

fn field(page: &str, name: &str) -> String {
    let value = between(page, &format!("name=\"{name}\" value=\""), "\"");
    value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

fn client(world: &World) -> reqwest::Client {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().use_preconfigured_tls(config).no_proxy().build().unwrap()
}
