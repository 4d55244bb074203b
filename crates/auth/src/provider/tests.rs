//! The data, and what a configuration does to it.

use super::*;
use crate::scope::one_resource;

fn registration_for(provider: &Provider) -> Registration {
    match provider.client_secret {
        SecretRule::Required => Registration::with_secret("id", wire::Secret::from("s"), ""),
        _ => Registration::public("id", ""),
    }
}

#[test]
fn every_table_of_the_data_is_a_provider_with_endpoints() {
    let tables: Table = include_str!("providers.toml").parse().unwrap();
    assert_eq!(Provider::all().len(), tables.len());
    for (name, table) in &tables {
        let provider = Provider::builtin(name).unwrap();
        assert_eq!(Provider::from_table(name, table.as_table().unwrap()).unwrap(), provider);
        let endpoints = provider.endpoints(&registration_for(&provider)).unwrap();
        assert!(endpoints.authorize.is_some() && !provider.mechanisms.is_empty(), "{name}");
        for url in endpoints.authorize.iter().chain(&endpoints.device).chain([&endpoints.token]) {
            assert_eq!(url.scheme(), "https", "{name}");
        }
        for (flow, reason) in &provider.unsupported {
            assert!(reason.ends_with('.') && provider.allows(*flow).is_err(), "{name}");
        }
        let device = provider.device.is_some();
        assert!(
            device || provider.allows(Flow::Device).is_err(),
            "{name} does not say why it has no device flow"
        );
    }
}

/// What is known of a provider's mail is known whole: scopes and servers, of one resource; what is not
/// known is said.
#[test]
fn mail_by_oauth_has_scopes_and_servers_or_a_reason() {
    let protocols = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp];
    for provider in Provider::all() {
        let name = &provider.name;
        for protocol in protocols {
            let scopes = provider.scopes_for(&[protocol], Access::Delegated);
            let served = !provider.servers.of(protocol).is_empty();
            let told = !provider.notes.is_empty() || provider.allows(Flow::Browser).is_err();
            assert!(scopes.is_ok() && served || told, "{name} {protocol}");
        }
        let known: Vec<Protocol> =
            protocols.into_iter().filter(|protocol| !provider.scopes.of(*protocol).is_empty()).collect();
        if provider.quirks.scope_names_resource {
            one_resource(&provider.scopes_for(&known, Access::Delegated).unwrap()).unwrap();
            one_resource(&provider.scopes.app_only).unwrap();
        }
    }
}

#[test]
fn a_flow_without_mail_is_refused_with_the_reason_and_can_be_allowed() {
    let google = Provider::builtin("google").unwrap();
    let error = google.allows(Flow::Device).unwrap_err();
    assert!(matches!(error, Error::Unsupported { flow: Flow::Device, .. }));
    assert!(error.to_string().contains("no mail scope"), "{error}");
    assert!(google.allows(Flow::Browser).is_ok() && google.allows(Flow::ServiceAccount).is_ok());
    let over: Table = "[unsupported]\ndevice = \"\"".parse().unwrap();
    assert!(google.with_overrides(&over).unwrap().allows(Flow::Device).is_ok());
    let wrong: Table = "like = \"google\"\n[unsupported]\nteleport = \"no\"".parse().unwrap();
    assert!(Provider::from_table("x", &wrong).is_err());
}

#[test]
fn how_long_refresh_tokens_live_is_data_that_a_configuration_can_change() {
    let life = |name: &str| Provider::builtin(name).unwrap().refresh_token;
    for name in ["microsoft", "outlook-com", "microsoft-gcc-high", "microsoft-21vianet", "microsoft-govsg"] {
        assert_eq!(life(name).unused_until(1_000), Some(1_000 + 90 * 86_400), "{name}");
    }
    assert_eq!(life("google").unused_days, 181);
    assert_eq!((life("yahoo").unused_until(1_000), life("fastmail")), (None, RefreshTokenLife::default()));
    let own = |text: &str| Provider::from_table("own", &text.parse().unwrap()).unwrap().refresh_token;
    let testing = own("like = \"google\"\nrefresh_token.unused_days = 7");
    assert_eq!((testing.unused_days, testing.earlier), (7, life("google").earlier));
    let unknown = own("like = \"microsoft\"\nrefresh_token = { unused_days = 0, earlier = \"\" }");
    assert_eq!(unknown.unused_until(1_000), None);
    assert_eq!(unknown.to_string(), "at a time that the provider does not publish");
    let shown =
        own("like = \"microsoft\"\nrefresh_token = { unused_days = 1, earlier = \"at\\u001b[2J night\" }")
            .to_string();
    assert_eq!(shown, "after a day without use (each use begins it anew), or earlier: at [2J night");
    let most = own(&format!("like = \"yahoo\"\nrefresh_token.unused_days = {}", u32::MAX));
    assert_eq!(most.unused_until(u64::MAX), Some(u64::MAX));
    for wrong in ["-1", "\"90\"", "4294967296"] {
        let table = format!("like = \"microsoft\"\nrefresh_token.unused_days = {wrong}");
        assert!(Provider::from_table("own", &table.parse().unwrap()).is_err(), "{wrong}");
    }
}

#[test]
fn the_sovereign_clouds_have_their_own_sign_in() {
    for (name, host) in [
        ("microsoft-bleu", "login.sovcloud-identity.fr"),
        ("microsoft-delos", "login.sovcloud-identity.de"),
        ("microsoft-govsg", "login.sovcloud-identity.sg"),
        ("microsoft-21vianet", "login.partner.microsoftonline.cn"),
    ] {
        let provider = Provider::builtin(name).unwrap();
        let endpoints = provider.endpoints(&Registration::public("id", "T")).unwrap();
        assert_eq!(endpoints.token.host_str(), Some(host));
    }
    let error = Provider::builtin("microsoft-bleu").unwrap().scopes_for(&[Protocol::Imap], Access::Delegated);
    assert!(error.unwrap_err().to_string().contains("configuration"), "never another cloud's scope");
}

#[test]
fn microsoft_is_as_documented() {
    let provider = Provider::builtin("microsoft").unwrap();
    let endpoints = provider.endpoints(&Registration::public("id", "contoso.onmicrosoft.com")).unwrap();
    assert_eq!(
        endpoints.token.as_str(),
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
    );
    assert_eq!(
        endpoints.device.unwrap().as_str(),
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/devicecode"
    );
    assert_eq!(
        provider.scopes_for(&[Protocol::Imap, Protocol::Smtp], Access::Delegated).unwrap(),
        [
            "openid",
            "profile",
            "email",
            "offline_access",
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send"
        ]
    );
    assert_eq!(
        provider.scopes_for(&[Protocol::Imap], Access::AppOnly).unwrap(),
        ["https://outlook.office365.com/.default"]
    );
    let imap = &provider.servers.of(Protocol::Imap)[0];
    assert_eq!((imap.host.as_str(), imap.port, imap.tls), ("outlook.office365.com", 993, Tls::Implicit));
}

#[test]
fn the_clouds_keep_apart() {
    let dod = Provider::builtin("microsoft-dod").unwrap();
    assert_eq!(dod.authority, "https://login.microsoftonline.us");
    assert_eq!(dod.scopes.imap, ["https://outlook.office365.us/IMAP.AccessAsUser.All"]);
    assert_eq!(dod.scopes.app_only, ["https://outlook-dod.office365.us/.default"]);
    let personal = Provider::builtin("outlook-com").unwrap();
    assert!(personal.scopes_for(&[Protocol::Imap], Access::AppOnly).is_err());
    assert!(
        personal.endpoints(&Registration::public("id", "")).unwrap().token.path().starts_with("/consumers/")
    );
}

#[test]
fn a_configuration_overrides_only_what_it_mentions() {
    let table: Table = r#"
        like = "microsoft"
        authority = "https://localhost:8443"
        ca_file = "/etc/sandbox.pem"
        [servers]
        imap = [{ host = "localhost", port = 1993, tls = "implicit" }]
    "#
    .parse()
    .unwrap();
    let provider = Provider::from_table("pretend", &table).unwrap();
    assert_eq!(provider.name, "pretend");
    assert_eq!(provider.servers.imap[0].port, 1993);
    assert_eq!(provider.servers.smtp[0].host, "smtp.office365.com");
    assert_eq!(provider.ca_file.as_deref(), Some(std::path::Path::new("/etc/sandbox.pem")));
    let endpoints = provider.endpoints(&Registration::public("id", "T")).unwrap();
    assert_eq!(endpoints.token.as_str(), "https://localhost:8443/T/oauth2/v2.0/token");

    let over: Table = "authority = \"http://127.0.0.1:9\"".parse().unwrap();
    let again = provider.with_overrides(&over).unwrap();
    assert_eq!(again.servers, provider.servers);
    assert_eq!(again.endpoints(&Registration::public("id", "T")).unwrap().token.port(), Some(9));
}

#[test]
fn mistakes_are_named() {
    let wrong = |text: &str| Provider::from_table("x", &text.parse().unwrap()).unwrap_err().to_string();
    assert!(wrong("like = \"nobody\"").contains("microsoft-gcc-high"));
    assert!(wrong("like = \"microsoft\"\nautority = \"x\"").contains("autority"));
    assert!(wrong("title = \"x\"").contains("missing field"));
    let plain: Table = "like = \"microsoft\"\nauthority = \"http://login.example\"".parse().unwrap();
    let provider = Provider::from_table("x", &plain).unwrap();
    assert!(matches!(provider.endpoints(&Registration::public("id", "T")), Err(Error::InsecureUrl { .. })));
}

#[test]
fn a_secret_is_there_exactly_where_the_provider_wants_one() {
    let secret = || Registration::with_secret("id", wire::Secret::from("s"), "");
    let check = |name: &str, registration| Provider::builtin(name).unwrap().endpoints(&registration);
    assert!(check("google", Registration::public("id", "")).is_err());
    assert!(check("google", secret()).is_ok());
    assert!(check("fastmail", secret()).is_err());
    assert!(check("microsoft", Registration::public("id", "")).is_ok());
    assert!(check("microsoft", secret()).is_ok());
}

#[test]
fn a_tenant_cannot_leave_its_place_in_the_address() {
    let provider = Provider::builtin("microsoft").unwrap();
    for tenant in ["../x", "a/b", "a?b", "a#b", "a b", "..", "@evil", "ä"] {
        assert!(provider.endpoints(&Registration::public("id", tenant)).is_err(), "{tenant}");
    }
}
