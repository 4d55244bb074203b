//! `postkey account`

use crate::support::*;

const ADD: [&str; 9] = [
    "account",
    "add",
    "work",
    "--user",
    "ana@contoso.example",
    "--client-id",
    "c-1",
    "--tenant",
    "contoso.example",
];

#[test]
fn an_account_is_added_listed_shown_and_removed() {
    let home = Home::new();
    home.run(&ADD).code(0).says(&["Next: postkey login work"]);
    let listed = home.run(&["account", "list", "--json"]).code(0).json();
    assert_eq!(listed["default"], "work");
    assert_eq!(listed["accounts"][0]["server"]["host"], "outlook.office365.com");
    let shown = home.run(&["account", "show"]).code(0).stdout;
    assert!(shown.contains("https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"), "{shown}");
    assert!(shown.contains("none; run: postkey login work"), "{shown}");
    home.run(&["account", "remove", "work"]).code(0);
    home.run(&["account", "show", "work"]).code(11);
    assert_eq!(home.run(&["account", "list", "--json"]).code(0).json()["accounts"], serde_json::json!([]));
}

#[cfg(unix)]
#[test]
fn the_configuration_is_its_owners_and_keeps_comments() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.configure(
        "# about my mail\n[accounts.old] # the first\nuser = \"o@x.example\"\nclient_id = \"c\"\n",
    );
    home.run(&ADD).code(0);
    let text = std::fs::read_to_string(home.config()).unwrap();
    assert!(text.starts_with("# about my mail\n[accounts.old] # the first\n"), "{text}");
    assert_eq!(std::fs::metadata(home.config()).unwrap().permissions().mode() & 0o777, 0o600);
    let fresh = Home::new();
    fresh.run(&ADD).code(0);
    assert_eq!(std::fs::metadata(fresh.config()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(fresh.path(".config/postkey")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn every_option_ends_up_where_it_is_read() {
    let home = Home::new();
    private(&home.path("secret"), "s3cret");
    std::fs::write(home.path("ca.pem"), "x").unwrap();
    home.run(&[
        "account",
        "add",
        "shared",
        "--user",
        "ana@contoso.example",
        "--mailbox",
        "info@contoso.example",
        "--client-id",
        "c",
        "--client-secret-file",
        "secret",
        "--flow",
        "app",
        "--imap-host",
        "mail.example",
        "--imap-tls",
        "starttls",
        "--imap-port",
        "1143",
        "--ca-file",
        "ca.pem",
        "--authority",
        "https://login.example:8443/contoso.example",
    ])
    .code(0);
    let shown = home.run(&["account", "show", "shared", "--json"]).code(0).json();
    assert_eq!(shown["mailbox"], "info@contoso.example");
    assert_eq!(shown["server"], serde_json::json!({"host": "mail.example", "port": 1143, "tls": "starttls"}));
    assert_eq!(shown["tenant"], "contoso.example");
    assert_eq!(shown["token_endpoint"], "https://login.example:8443/contoso.example/oauth2/v2.0/token");
    assert_eq!(shown["scopes"], serde_json::json!(["https://outlook.office365.com/.default"]));
    assert_eq!(shown["flow"], "app");
    let text = std::fs::read_to_string(home.config()).unwrap();
    assert!(text.contains(&format!("{{ file = \"{}\" }}", home.path("secret").display())), "{text}");
    assert!(!text.contains("s3cret"));
}

#[test]
fn what_proves_the_application_and_who_the_user_also_is_can_be_added() {
    let home = Home::new();
    let add = |name: &str, more: &[&str]| {
        home.run(
            &[&["account", "add", name, "--user", "a@x.example", "--client-id", "c", "--tenant", "t"], more]
                .concat(),
        )
    };
    add("a", &["--alias", "b@x.example", "--alias", "c@x.example"]).code(0);
    assert_eq!(
        home.run(&["account", "show", "a", "--json"]).code(0).json()["aliases"],
        serde_json::json!(["b@x.example", "c@x.example"])
    );
    assert!(home.run(&["account", "show", "a"]).code(0).stdout.contains("b@x.example c@x.example"));
    let certificate = ["--flow", "certificate", "--certificate", "app.pem"];
    add("rs", &[&certificate[..], &["--certificate-algorithm", "rs256"]].concat()).code(0);
    add("ps", &[&certificate[..], &["--certificate-algorithm", "PS256"]].concat()).code(0);
    let shown = |name: &str| home.run(&["account", "show", name]).code(0).stdout;
    assert!(shown("rs").contains("app.pem (RS256)") && shown("ps").contains("app.pem (PS256)"));
    add("x", &[&certificate[..], &["--certificate-algorithm", "ES256"]].concat())
        .code(2)
        .says(&["PS256", "RS256"]);
    add("x", &["--certificate-algorithm", "RS256"]).code(2).says(&["--certificate"]);
    add("gh", &["--flow", "federated", "--assertion-github-actions"]).code(0);
    add("mi", &["--flow", "federated", "--assertion-managed-identity=id-1"]).code(0);
    assert!(shown("gh").contains("GitHub Actions") && shown("mi").contains("managed identity id-1"));
    add("x", &["--assertion-github-actions", "--assertion-managed-identity"]).code(2);
}

#[test]
fn what_cannot_work_is_refused_and_leaves_no_trace() {
    let home = Home::new();
    home.run(&ADD).code(0);
    let before = std::fs::read_to_string(home.config()).unwrap();
    home.run(&ADD).code(2).says(&["there is an account \"work\" already", "postkey account remove work"]);
    let add = |more: &[&str]| home.run(&[&["account", "add"][..], more].concat());
    add(&["-rf", "--user", "a@b"]).code(2);
    add(&["a/b", "--user", "a@b", "--client-id", "c"]).code(2).says(&["letters, digits"]);
    add(&["x", "--user", "a@b"]).code(2).says(&["client_id", "not added"]);
    add(&["x", "--user", "a@b", "--client-id", "c", "--provider", "microsft"])
        .code(2)
        .says(&["\"microsoft\""]);
    add(&["x", "--user", "a@b", "--client-id", "c", "--authority", "http://login.example"])
        .code(2)
        .says(&["not https"]);
    add(&["x", "--user", "a@b", "--client-id", "c", "--tenant", "../../evil"]).code(2).says(&["tenant"]);
    add(&["x", "--user", "a@b", "--client-id", "c", "--imap-host", "imap://h"]).code(2).says(&["host"]);
    add(&["x", "--user", "a\nb", "--client-id", "c"]).code(2).says(&["user"]);
    // Secrets cannot be given, only named.
    add(&["x", "--user", "a@b", "--client-id", "c", "--client-secret", "hunter2"]).code(2);
    assert_eq!(std::fs::read_to_string(home.config()).unwrap(), before);
}

#[test]
fn removing_an_account_removes_its_tokens() {
    let world = World::new();
    world.sign_in("ana");
    let tokens = || {
        files(&world.home.state())
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "token"))
            .count()
    };
    assert_eq!(tokens(), 1);
    world.run(&["account", "remove", "ana"]).code(0);
    assert_eq!(tokens(), 0);
    world.run(&["account", "remove", "ana"]).code(11);
}

#[test]
fn an_account_is_named_only_where_there_is_a_choice() {
    let home = Home::new();
    home.run(&["account", "show"]).code(11).says(&["there is no account", "postkey account add"]);
    home.configure(
        "[accounts.a]\nuser = \"a@x\"\nclient_id = \"c\"\n[accounts.b]\nuser = \"b@x\"\nclient_id = \"c\"\n",
    );
    home.run(&["account", "show"]).code(11).says(&["several", "there are: a, b", "default_account"]);
    home.run(&["folders", "c"]).code(11).says(&["there is no account \"c\"", "there are: a, b"]);
    home.run(&["token", "bb"]).code(11).says(&["did you mean \"b\"?"]);
}

#[test]
fn pop3_and_smtp_have_servers_and_scopes_of_their_own() {
    let home = Home::new();
    home.run(&ADD).code(0);
    let shown = home.run(&["account", "show", "work", "--json"]).code(0).json();
    assert_eq!(shown["protocols"], serde_json::json!(["imap"]));
    assert!(!shown["scopes"].to_string().contains("SMTP.Send"), "{shown}");
    std::fs::write(home.path("ca.pem"), "x").unwrap();
    let more =
        ["--protocol", "imap", "--protocol", "smtp", "--smtp-host", "relay.example", "--smtp-port", "587"];
    let add: Vec<&str> = ADD.iter().map(|arg| if *arg == "work" { "post" } else { arg }).collect();
    home.run(&[&add[..], &more[..], &["--ca-file", "ca.pem"]].concat()).code(0);
    let shown = home.run(&["account", "show", "post", "--json"]).code(0).json();
    assert_eq!(shown["protocols"], serde_json::json!(["imap", "smtp"]));
    assert_eq!(
        shown["smtp"],
        serde_json::json!({"host": "relay.example", "port": 587, "tls": "starttls"}),
        "587 means STARTTLS"
    );
    assert!(
        shown["scopes"].to_string().contains("SMTP.Send") && !shown["scopes"].to_string().contains("POP.")
    );
    assert!(shown["pop3"].is_null());
    assert_eq!(shown["sending"]["from"], "ana@contoso.example");
}

#[test]
fn mistakes_in_the_identities_are_named_with_their_place() {
    let home = Home::new();
    for (setting, key) in [
        ("sender = \"nobody\"", "sender"),
        ("sender = \"a@b>\\r\\nRCPT TO:<x@y\"", "sender"),
        ("from = \"a@b, c@d\"", "from"),
        ("user = \"a\\u0001b\"", "user"),
        ("ehlo_name = \"two words\"", "ehlo_name"),
        ("host = \"smtp://x\"", "host"),
    ] {
        home.configure(&format!(
            "[accounts.w]\nuser = \"a@b\"\nclient_id = \"c\"\n[accounts.w.smtp]\n{setting}\n"
        ));
        let ran = home.run(&["account", "show", "w"]).code(10);
        ran.says(&[&format!("config.toml:5:1: accounts.w.smtp.{key}")]);
    }
    home.configure("[accounts.w]\nuser = \"a\"\nclient_id = \"c\"\nprotocols = []\n");
    home.run(&["account", "show", "w"]).code(10).says(&["at least one protocol"]);
    // Without anything about sending, a user that is no address is fine until something is sent.
    home.configure("[accounts.w]\nuser = \"a\"\npassword = { command = \"echo p\" }\n");
    home.run(&["account", "show", "w"]).code(0);
    home.run(&["send", "b@x.example"]).code(10).says(&["no address to send from"]);
}
