//! `postkey login` with everything an application can prove itself by, and by password.

use std::io::Write as _;
use std::process::Stdio;

use sandbox::{ANA, DAEMON_APP, RequestKind, SERVICE_ACCOUNT, WORKLOAD_SUBJECT, WorkloadToken};

use crate::support::*;

/// A world with the account `proof`, whose table has these lines besides the usual ones.
fn with(app: &str, lines: &str) -> World {
    let world = World::new();
    configure(&world, app, lines);
    world
}

fn configure(world: &World, app: &str, lines: &str) {
    let account = world.account("proof", "FLOW", app).replace("flow = \"FLOW\"\n", &format!("{lines}\n"));
    world.home.configure(&account);
}

fn key_files(world: &World) {
    let key = world.sandbox.client_key();
    private(&world.home.path("app.key"), key.private_key_pem().expose());
    std::fs::write(world.home.path("app.crt"), key.certificate_pem()).unwrap();
    private(
        &world.home.path("app.pem"),
        &format!("{}{}", key.certificate_pem(), key.private_key_pem().expose()),
    );
}

/// Signs in, has a token, and has one again after the store was emptied: nobody is needed.
fn works_alone(world: &World) {
    let ran = world.run(&["login", "proof"]).code(0);
    assert!(ran.stdout.contains("Signed in as the application"), "{}", ran.stdout);
    world.run(&["logout", "proof"]).code(0);
    assert!(world.run(&["token", "proof"]).code(0).stdout.starts_with("eyJ"));
}

#[test]
fn a_certificate_signs_the_application_in() {
    let world = with(DAEMON_APP, "flow = \"certificate\"\ncertificate = { file = \"~/app.pem\" }");
    key_files(&world);
    works_alone(&world);
    let two =
        "flow = \"app\"\ncertificate = { file = \"~/app.crt\", key = \"~/app.key\", algorithm = \"RS256\" }";
    configure(&world, DAEMON_APP, two);
    works_alone(&world);
    let shown = world.run(&["account", "show", "proof"]).code(0).stdout;
    assert!(shown.contains("app.crt (RS256)"), "{shown}");
    configure(&world, DAEMON_APP, "flow = \"app\"\ncertificate = { file = \"~/app.pem\", x5c = true }");
    works_alone(&world);
    let shown = world.run(&["account", "show", "proof"]).code(0).stdout;
    assert!(shown.contains("app.pem (PS256, x5c)"), "{shown}");
    assert_eq!(world.sandbox.requests(RequestKind::ClientCredentials), 6);
}

#[test]
fn a_key_that_others_can_read_or_that_is_another_ones_is_a_10() {
    let world = with(DAEMON_APP, "flow = \"certificate\"\ncertificate = { file = \"~/app.pem\" }");
    world.run(&["login", "proof"]).code(10).says(&["app.pem", "cannot be read"]);
    key_files(&world);
    mode(&world.home.path("app.pem"), 0o640);
    world.run(&["login", "proof"]).code(10).says(&["others may read", "chmod 600"]);
    mode(&world.home.path("app.pem"), 0o600);
    std::fs::write(
        world.home.path("app.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    world.run(&["login", "proof"]).code(10).says(&["certificate", "app.pem"]);
    assert_eq!(world.sandbox.requests(RequestKind::ClientCredentials), 0);
}

#[test]
fn an_outside_issuers_assertion_signs_the_application_in_from_a_file_and_from_a_command() {
    let world = with(DAEMON_APP, "flow = \"federated\"\nassertion = { file = \"~/token\" }");
    let token = world.sandbox.workload_token(&WorkloadToken::new(WORKLOAD_SUBJECT));
    private(&world.home.path("token"), token.expose());
    works_alone(&world);
    let command = format!("cat '{}'", world.home.path("token").display());
    configure(&world, DAEMON_APP, &format!("flow = \"app\"\nassertion = {{ command = \"{command}\" }}"));
    works_alone(&world);
    // Somebody whom the registration does not trust.
    let other = world.sandbox.workload_token(&WorkloadToken::new("system:serviceaccount:mail:other"));
    private(&world.home.path("token"), other.expose());
    let ran = world.run(&["login", "proof"]).code(20).says(&["AADSTS700213"]);
    assert!(!ran.stderr.contains(other.expose()));
    configure(&world, DAEMON_APP, "flow = \"federated\"\nassertion = { github-actions = \"\" }");
    world.run(&["login", "proof"]).code(10).says(&["assertion", "ACTIONS_ID_TOKEN_REQUEST_URL"]);
}

#[test]
fn a_service_account_acts_for_the_user() {
    let world = World::new();
    let key = world.sandbox.service_account_key(SERVICE_ACCOUNT).unwrap();
    private(&world.home.path("key.json"), key.expose());
    let ca = world.home.path("ca.pem").display().to_string();
    world.home.configure(&format!(
        "[accounts.robot]\nprovider = \"pretend\"\nuser = \"{ANA}\"\nservice_account = \"~/key.json\"\n\
         [providers.pretend]\nlike = \"google\"\ntoken = \"{}/google/token\"\nca_file = \"{ca}\"\n",
        world.sandbox.base_url()
    ));
    let ran = world.run(&["login", "robot"]).code(0);
    assert!(ran.stdout.contains(&format!("service account for {ANA}")), "{}", ran.stdout);
    assert!(!world.run(&["token", "robot"]).code(0).stdout.trim().is_empty());
}

#[test]
fn a_password_signs_in_with_a_warning_from_the_configuration_or_from_the_keyboard() {
    let world = World::new();
    let password = world.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap().password().clone();
    let account = world.account("proof", "password", sandbox::PUBLIC_APP);
    let (head, tail) = account.split_once("[accounts.proof.oauth]\n").unwrap();
    world.home.configure(&format!("{head}[accounts.proof.oauth]\npassword = {{ file = \"~/pw\" }}\n{tail}"));
    private(&world.home.path("pw"), password.expose());
    // Nobody can accept anything in this flow.
    world.run(&["login", "proof"]).code(24).says(&["AADSTS65001"]);
    world.sandbox.grant_admin_consent(world.sandbox.public_client_id()).unwrap();
    let ran = world.run(&["login", "proof"]).code(0).says(&["warning", "multi-factor"]);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")));
    assert!(world.run(&["token", "proof"]).code(0).stdout.starts_with("eyJ"));

    world.home.configure(&account);
    let typed = |text: &str| {
        let mut child = world.home.command(&["login", "proof"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        finish(child, String::new())
    };
    let ran = typed(&format!("{}\n", password.expose())).code(0);
    assert!(!ran.stderr.contains(password.expose()));
    let ran = typed("wrong-canary\n").says(&["AADSTS50126"]);
    assert!(ran.code != 0 && !ran.stderr.contains("canary"), "{ran:?}");
    typed("").code(24).says(&["no password was given"]);
}

#[test]
fn one_proof_only_and_the_one_that_the_flow_needs() {
    let world = with(DAEMON_APP, "flow = \"certificate\"\nclient_secret = { env = \"X\" }");
    world.run(&["account", "show", "proof"]).code(10).says(&["certificate needs certificate"]);
    let both = "client_secret = { env = \"X\" }\ncertificate = { file = \"a.pem\" }";
    configure(&world, DAEMON_APP, both);
    world
        .run(&["account", "show", "proof"])
        .code(10)
        .says(&["client_secret and certificate exclude each other"]);
    configure(&world, DAEMON_APP, "flow = \"service-account\"");
    world.run(&["account", "show", "proof"]).code(10).says(&["service_account"]);
}

#[test]
fn a_provider_that_wants_a_secret_takes_one_and_says_when_it_lacks() {
    let home = Home::new();
    let account = "[accounts.g]\nprovider = \"google\"\nuser = \"ana@example.com\"\nclient_id = \"x\"\n";
    home.configure(account);
    home.run(&["account", "show", "g"]).code(10).says(&["secret"]);
    home.configure(&format!("{account}client_secret = {{ env = \"X\" }}\n"));
    let shown = home.run(&["account", "show", "g"]).code(0).stdout;
    assert!(shown.contains("https://oauth2.googleapis.com/token"), "{shown}");
    home.run(&["login", "g", "--flow", "device"]).says(&["no mail scope"]);
}

#[test]
fn an_application_is_told_which_of_its_two_rights_is_missing() {
    // No role in the token: Exchange does not know it.
    let world = with("Daemon without roles", "flow = \"app\"\nclient_secret = { file = \"~/bare.secret\" }");
    let secret = world.sandbox.app("Daemon without roles").unwrap().secret().unwrap();
    private(&world.home.path("bare.secret"), secret.expose());
    world.run(&["folders", "proof"]).code(33).says(&["IMAP.AccessAsApp", "Get-ServicePrincipal"]);
    // Roles, but no permission on this mailbox.
    configure(&world, DAEMON_APP, "flow = \"app\"\nclient_secret = { file = \"~/daemon.secret\" }");
    private(
        &world.home.path("daemon.secret"),
        world.sandbox.app(DAEMON_APP).unwrap().secret().unwrap().expose(),
    );
    let text = std::fs::read_to_string(world.home.config()).unwrap();
    world.home.configure(&text.replace(ANA, "bjorn@contoso.example"));
    world
        .run(&["folders", "proof"])
        .code(34)
        .says(&["full access to bjorn@contoso.example (Get-MailboxPermission)"]);
}
