//! Grants against the sandbox, over TLS.

use postkey_auth::http::{ReqwestHttp, ReqwestOptions};
use postkey_auth::provider::Access;
use postkey_auth::{
    Authorize, Callback, Client, Error, PasswordFailure, Protocol, Provider, Registration, SignedIn,
};
use sandbox::{ANA, RequestKind, Sandbox};
use wire::Secret;

use crate::browser::{Browser, user};

const MIA: &str = "mia@contoso.example";

fn provider(sandbox: &Sandbox) -> Provider {
    let table = format!("like = \"microsoft\"\nauthority = {:?}", sandbox.base_url());
    Provider::from_table("sandbox", &table.parse().unwrap()).unwrap()
}

pub(crate) fn client(sandbox: &Sandbox) -> Client<ReqwestHttp> {
    let registration = Registration::public(sandbox.public_client_id(), sandbox.tenant_id());
    let mut options = ReqwestOptions::default();
    options.extra_ca_pem = Some(sandbox.ca_pem().as_bytes().to_vec());
    let http = ReqwestHttp::new(&options).unwrap();
    Client::new(provider(sandbox).endpoints(&registration).unwrap(), registration, http)
}

pub(crate) fn scopes(sandbox: &Sandbox, protocols: &[Protocol]) -> Vec<String> {
    provider(sandbox).scopes_for(protocols, Access::Delegated).unwrap()
}

/// Signs Ana in by the browser, pasting the address she ends on.
async fn paste(sandbox: &Sandbox, scopes: &[String]) -> postkey_auth::Tokens {
    let client = client(sandbox);
    let (url, pending) = client.code_begin(&Authorize::new("http://localhost:50123/", scopes)).unwrap();
    let ended = Browser::new(sandbox).sign_in(url.as_str(), user(sandbox, ANA)).await;
    client.code_finish(pending, Callback::from_address(ended.as_str()).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_in_is_known_and_others_are_told_apart() {
    let sandbox = Sandbox::start().await.unwrap();
    let tokens = paste(&sandbox, &scopes(&sandbox, &[Protocol::Imap])).await;
    assert_eq!(tokens.signed_in_as(&ANA.to_uppercase(), &[]), SignedIn::AsMeant);
    match tokens.signed_in_as(MIA, &[]) {
        SignedIn::Other(found) => assert_eq!(found.username.as_deref(), Some(ANA)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refresh_token_serves_fewer_scopes_and_another_resource() {
    let sandbox = Sandbox::start().await.unwrap();
    let both = scopes(&sandbox, &[Protocol::Imap, Protocol::Smtp]);
    let first = paste(&sandbox, &both).await.refresh_token.unwrap();
    let client = client(&sandbox);
    let imap = ["https://outlook.office.com/IMAP.AccessAsUser.All".to_owned()];
    let narrowed = client.refresh(&first, &imap).await.unwrap();
    // Entra's answer names everything that was consented to for the resource, whatever was asked for.
    assert!(narrowed.scope.contains(&imap[0]), "{:?}", narrowed.scope);
    let elsewhere = ["https://outlook.office365.com/SMTP.Send".to_owned()];
    let other = client.refresh(&narrowed.refresh_token.unwrap(), &elsewhere).await.unwrap();
    let audience = postkey_auth::Claims::decode(&other.access_token).unwrap().text("aud");
    assert_eq!(audience.as_deref(), Some("https://outlook.office365.com"));
    assert_eq!(sandbox.requests(RequestKind::Refresh), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_work_where_nothing_forbids_them() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, scopes) = (client(&sandbox), scopes(&sandbox, &[Protocol::Imap]));
    // The grant shows no consent page: the person has consented before.
    paste(&sandbox, &scopes).await;
    let tokens = client.password(ANA, user(&sandbox, ANA).password(), &scopes).await.unwrap();
    assert_eq!(tokens.signed_in_as(ANA, &[]), SignedIn::AsMeant);
    assert!(client.refresh(&tokens.refresh_token.unwrap(), &scopes).await.is_ok());
    for (name, password, expected) in [
        (ANA, Secret::from("not hers"), PasswordFailure::Wrong),
        (MIA, user(&sandbox, MIA).password().clone(), PasswordFailure::SecondFactor),
        ("nobody@contoso.example", Secret::from("x"), PasswordFailure::PersonalAccount),
    ] {
        match client.password(name, &password, &scopes).await {
            Err(Error::Password { failure, .. }) => assert_eq!(failure, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
