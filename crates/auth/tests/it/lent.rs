//! Tokens for another resource, by the refresh token of the account's own entry.

use std::sync::Arc;

use postkey_auth::http::ReqwestHttp;
use postkey_auth::store::{
    MemoryStore, Renewal, Source, TokenStore, Wanted, access_token, access_token_by, save,
};
use postkey_auth::{Client, Clock, Error, SignIn};
use wire::Secret;

use crate::processes::{client_at, run, sign_in, store_in, transport};
use crate::support::*;

const GRAPH: &str = "https://graph.microsoft.com/.default";

fn mail(client: &TestClient) -> Wanted {
    Wanted::new("ana", client, imap_scopes(), Renewal::Refresh)
}

fn graph(client: &TestClient) -> Wanted {
    Wanted::new("ana", client, vec![GRAPH.to_owned()], Renewal::Refresh)
}

/// A store in which Ana has signed in for mail, with RT-0.
async fn signed_in(clock: &Arc<FakeClock>) -> MemoryStore {
    let store = MemoryStore::default();
    let http = FakeHttp::answering([granted("AT-0", "RT-0", 3600)]);
    let client = client(&http, clock);
    let tokens = client.refresh(&Secret::from("RT-first"), &imap_scopes()).await.unwrap();
    save(&store, &mail(&client).key, tokens, clock).await.unwrap();
    store
}

fn refresh_token(store: &impl TokenStore, wanted: &Wanted) -> Option<Secret> {
    store.load(&wanted.key).unwrap()?.tokens?.refresh_token
}

#[tokio::test]
async fn the_token_is_kept_apart_and_the_refresh_token_stays_with_its_owner() {
    let clock = FakeClock::new();
    let store = signed_in(&clock).await;
    let http = FakeHttp::answering([
        granted("GT-1", "RT-1", 3600),
        granted("GT-2", "", 3600),
        granted("AT-1", "RT-2", 3600),
    ]);
    let client = client(&http, &clock);
    let (mail, graph) = (mail(&client), graph(&client));
    for source in [Source::Renewed, Source::Stored] {
        let issued = access_token_by(&store, &client, &mail.key, &graph).await.unwrap();
        assert_eq!((issued.token.expose(), issued.source), ("GT-1", source));
    }
    let form = &http.forms()[0];
    assert_eq!((form["refresh_token"].as_str(), form["scope"].as_str()), ("RT-0", GRAPH));
    // The owner has the new one beside the access token it had, and nobody else has any.
    assert_eq!(refresh_token(&store, &mail).unwrap().expose(), "RT-1");
    assert_eq!(refresh_token(&store, &graph), None);
    assert_eq!(access_token(&store, &client, &mail).await.unwrap().token.expose(), "AT-0");
    clock.advance(3600);
    assert_eq!(access_token_by(&store, &client, &mail.key, &graph).await.unwrap().token.expose(), "GT-2");
    assert_eq!(access_token(&store, &client, &mail).await.unwrap().token.expose(), "AT-1");
    let sent: Vec<String> = http.forms().into_iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(sent, ["RT-0", "RT-1", "RT-1"]);
    assert_eq!(refresh_token(&store, &mail).unwrap().expose(), "RT-2");
}

#[tokio::test]
async fn a_refusal_is_remembered_where_it_belongs() {
    let clock = FakeClock::new();
    let store = signed_in(&clock).await;
    let http = FakeHttp::answering([refusal("invalid_grant", 65001), granted("AT-1", "RT-1", 3600)]);
    let client = client(&http, &clock);
    let (mail, graph) = (mail(&client), graph(&client));
    for _ in 0..3 {
        let error = access_token_by(&store, &client, &mail.key, &graph).await.unwrap_err();
        assert!(error.to_string().contains("65001"), "{error}");
    }
    assert_eq!(http.seen().len(), 1);
    let record = store.load(&graph.key).unwrap().unwrap();
    assert!(record.tokens.is_none() && record.failure.is_some(), "{record:?}");
    // Mail goes on as if nothing had happened.
    assert_eq!(refresh_token(&store, &mail).unwrap().expose(), "RT-0");
    clock.advance(3500);
    assert_eq!(access_token(&store, &client, &mail).await.unwrap().token.expose(), "AT-1");
}

#[tokio::test]
async fn without_a_refresh_token_there_is_none_to_lend_and_oneself_is_no_lender() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    let client = client(&http, &clock);
    let (mail, graph) = (mail(&client), graph(&client));
    match access_token_by(&MemoryStore::default(), &client, &mail.key, &graph).await {
        Err(Error::SignInAgain(reason)) => assert_eq!(*reason, SignIn::Never { account: "ana".into() }),
        other => panic!("{other:?}"),
    }
    let store = signed_in(&clock).await;
    clock.advance(3600);
    assert_eq!(access_token_by(&store, &client, &mail.key, &mail).await.unwrap().token.expose(), "AT-1");
}

#[tokio::test]
async fn bare_and_mixed_scopes_are_refused_before_any_request() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    for (scopes, words) in [
        (vec!["Mail.Read"], "https://graph.microsoft.com/Mail.Read"),
        (vec![GRAPH, "https://graph.microsoft.com/Mail.Read"], "alone"),
        (
            vec!["https://graph.microsoft.com/Mail.Read", "https://outlook.office.com/SMTP.Send"],
            "two resources",
        ),
    ] {
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        let error = client.endpoints().refreshable(&scopes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(client.refresh(&Secret::from("RT"), &scopes).await.is_err());
    }
    assert!(http.seen().is_empty());
}

/// Threads that renew both at once, at a server that ends everything when a refresh token is used twice.
#[cfg(unix)]
#[test]
fn two_resources_never_spend_one_refresh_token_twice() {
    const ROUNDS: u64 = 4;
    let server = StrictServer::start(1, false);
    let folder = tempfile::tempdir().unwrap();
    sign_in(&server, folder.path());
    let wishes = |client: &Client<ReqwestHttp, Quick>| {
        ["mail", "https://other.example/x"]
            .map(|scope| Wanted::new("ana", client, vec![scope.to_owned()], Renewal::Refresh))
    };
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (server, folder) = (&server, folder.path());
            scope.spawn(move || {
                run(async {
                    let plain = client_at(server.address, transport());
                    let registration = plain.registration().clone();
                    let client = Client::with_clock(server.endpoints(), registration, transport(), Quick);
                    let [mail, other] = wishes(&client);
                    for _ in 0..ROUNDS {
                        let wanted = if thread % 2 == 0 { &mail } else { &other };
                        let store = store_in(folder);
                        let issued = access_token_by(&store, &client, &mail.key, wanted).await.unwrap();
                        while Quick.now() < issued.expires_at {
                            Quick.sleep(std::time::Duration::from_millis(20)).await;
                        }
                    }
                });
            });
        }
    });
    assert!(!server.revoked());
    let client = Client::with_clock(
        server.endpoints(),
        postkey_auth::Registration::public("CLIENT", ""),
        transport(),
        Quick,
    );
    let last = refresh_token(&store_in(folder.path()), &wishes(&client)[0]).unwrap();
    assert_eq!(last.expose(), format!("RT-{}", server.serial()));
    assert!(server.refreshes() >= 2 * ROUNDS, "{}", server.refreshes());
}
