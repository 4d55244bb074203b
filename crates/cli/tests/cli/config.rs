//! Mistakes in the configuration: place, name, and what would be right.

use crate::support::*;

/// The text must be refused with code 10, at this place, with these words.
#[track_caller]
fn refused(text: &str, place: &str, words: &[&str]) {
    let home = Home::new();
    home.configure(text);
    let ran = home.run(&["account", "show", "w"]).code(10).says(words);
    assert!(ran.stderr.contains(&format!("config.toml:{place}")), "{place}: {}", ran.stderr);
    assert!(ran.stdout.is_empty());
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

const OK: &str = "[accounts.w]\nuser = \"a@x\"\nclient_id = \"c\"\n";

#[test]
fn mistakes_are_named_with_line_column_and_setting() {
    refused("[accounts.w]\nusre = \"a@x\"\n", "2:1:", &["`usre` in [accounts.w]", "did you mean `user`?"]);
    refused("acounts = 1\n", "1:1:", &["`acounts`", "`accounts`"]);
    let mistyped = format!("[acounts.w]\nuser = \"a@x\"\n{OK}[accounts.w.imap]\n");
    refused(&mistyped, "1:2:", &["`acounts`", "did you mean `accounts`?"]);
    refused(
        &format!("{OK}[accounts.w.imap]\nprot = 1\n"),
        "5:1:",
        &["`prot` in [accounts.w.imap]", "`port`"],
    );
    refused(&format!("{OK}[accounts.w.imap]\nport = 70000\n"), "5:8:", &["accounts.w.imap.port", "65535"]);
    refused(
        &format!("{OK}flow = \"devise\"\n"),
        "4:8:",
        &["accounts.w.flow", "`device`", "did you mean \"device\"?"],
    );
    refused(&format!("{OK}[accounts.w.imap]\ntls = \"none\"\n"), "5:7:", &["`implicit`", "`starttls`"]);
    refused("[accounts.w]\nflow = \"device\"\n", "1:", &["`user` is missing in [accounts.w]"]);
    refused(&format!("{OK}user = \"b@x\"\n"), "4:1:", &["duplicate"]);
    refused("[accounts.w\n", "1:", &[]);
    refused("[accounts.w]\nuser = \"hunter2\n", "2:", &[]);
}

#[test]
fn mistakes_of_meaning_are_placed_as_well() {
    refused("[accounts.w]\nuser = \"a@x\"\n", "1:", &["accounts.w.client_id: it is missing"]);
    refused(
        &format!("default_account = \"v\"\n{OK}"),
        "1:1:",
        &["there is no account \"v\"", "there are: w"],
    );
    refused(
        &format!("{OK}provider = \"gogle\"\n"),
        "4:1:",
        &["accounts.w.provider", "did you mean \"google\"?"],
    );
    refused(&format!("{OK}tenant = \"a/../b\"\n"), "4:1:", &["accounts.w.tenant"]);
    refused(&format!("{OK}[accounts.w.oauth]\nauthority = \"http://x.example\"\n"), "5:1:", &["not https"]);
    refused(
        &format!("{OK}[accounts.w.imap]\nhost = \"h.example\"\ntls = \"dangerous-plaintext\"\n"),
        "6:1:",
        &["clear text", "this machine only"],
    );
    refused(
        &format!("{OK}provider = \"mine\"\n[providers.mine]\ntitle = \"Mine\"\n"),
        "5:",
        &["providers.mine", "missing"],
    );
}

#[test]
fn lg_secrets_in_the_file_are_refused_without_being_repeated() {
    for field in ["client_secret", "token", "password"] {
        refused(
            &format!("{OK}{field} = \"hunter2\"\n"),
            &format!("4:{}", field.len() + 4),
            &["does not belong into this file", "{ file ="],
        );
    }
    refused(&format!("{OK}client_secret = {{ evn = \"hunter2\" }}\n"), "4:", &["`evn`", "`env`"]);
    // A secret in the wrong place is not repeated either.
    refused(
        &format!("{OK}[accounts.w.imap]\nport = \"hunter2\"\n"),
        "5:8:",
        &["accounts.w.imap.port", "65535"],
    );
}

#[test]
fn a_file_that_is_not_there_or_not_safe() {
    let home = Home::new();
    home.run(&["--config", "nowhere.toml", "account", "show", "w"])
        .code(10)
        .says(&["nowhere.toml does not exist"]);
    home.configure(OK);
    #[cfg(unix)]
    {
        mode(&home.config(), 0o666);
        home.run(&["account", "show", "w"]).code(10).says(&["everybody", "chmod 600"]);
        mode(&home.config(), 0o644);
    }
    home.run(&["account", "show", "w"]).code(0);
}

#[test]
fn the_configuration_can_be_named_by_the_environment() {
    let home = Home::new();
    std::fs::write(home.path("mine.toml"), OK).unwrap();
    let mut command = home.command(&["account", "list", "--json"]);
    command.env("POSTKEY_CONFIG", home.path("mine.toml"));
    let ran = finish(command.spawn().unwrap(), String::new()).code(0);
    assert_eq!(ran.json()["default"], "w");
}

#[test]
fn secrets_by_reference_that_cannot_be_had() {
    let world = World::new();
    let secret = world.home.path("daemon.secret");
    #[cfg(unix)]
    {
        mode(&secret, 0o640);
        world.run(&["login", "daemon"]).code(10).says(&["others may read", "0640", "chmod 600"]);
    }
    std::fs::remove_file(&secret).unwrap();
    world.run(&["login", "daemon"]).code(10).says(&["daemon.secret cannot be read"]);
    let with = |reference: &str| {
        let table = world.account("x", "app", sandbox::DAEMON_APP);
        world.home.configure(&table.replace("{ file = \"~/daemon.secret\" }", reference));
        world.run(&["login", "x"])
    };
    with("{ env = \"NOT_SET\" }").code(10).says(&["NOT_SET is not set"]);
    with("{ command = \"exit 3\" }").code(10).says(&["exit 3", "by hand"]);
    with("{ command = \"true\" }").code(10).says(&["gives nothing"]);
}

#[test]
fn a_provider_of_ones_own_is_used() {
    let home = Home::new();
    home.configure(
        "[accounts.w]\nprovider = \"mine\"\nuser = \"a@x\"\nclient_id = \"c\"\n\
         [providers.mine]\nlike = \"microsoft\"\ntitle = \"Mine\"\nauthority = \"https://sts.example\"\n\
         [[providers.mine.servers.imap]]\nhost = \"mail.example\"\nport = 1993\ntls = \"implicit\"\n",
    );
    let shown = home.run(&["account", "show", "--json"]).code(0).json();
    assert_eq!(shown["server"]["host"], "mail.example");
    assert_eq!(shown["server"]["port"], 1993);
    assert_eq!(shown["token_endpoint"], "https://sts.example/organizations/oauth2/v2.0/token");
}

/// The example that the documentation gives must be one that is read.
#[test]
fn the_documented_configuration_is_right() {
    let page = include_str!("../../../../docs/configuration.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let home = Home::new();
    home.configure(example);
    let shown = home.run(&["account", "show", "--json"]).code(0).json();
    assert_eq!(
        (shown["name"].as_str(), shown["mailbox"].as_str()),
        (Some("work"), Some("info@contoso.example"))
    );
    assert_eq!(shown["scopes"].as_array().unwrap().len(), 2);
    let listed = home.run(&["account", "list", "--json"]).code(0).json();
    assert!(
        listed["accounts"].as_array().unwrap().iter().all(|account| account.get("mistake").is_none()),
        "{listed}"
    );
    home.configure(&format!(
        "{example}[accounts.s]\nuser = \"a@x\"\nclient_id = \"c\"\nprovider = \"sovereign\"\n"
    ));
    let shown = home.run(&["account", "show", "s", "--json"]).code(0).json();
    assert_eq!(shown["token_endpoint"], "https://login.cloud.example/organizations/oauth2/v2.0/token");
}
