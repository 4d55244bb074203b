//! The lines for whoever owns the redirect address, as the page on web applications has them.

use auth::http::{ReqwestHttp, ReqwestOptions};
use auth::provider::Access;
use auth::{Authorize, Callback, Client, Pending, Protocol, Provider, Registration, Tokens};
use sandbox::{App, Sandbox};
use url::Url;

use crate::person::{Person, Visitor};

/// The route that begins a sign-in: where to send the browser, and what to keep in its session.
fn begin(client: &Client<ReqwestHttp>, scopes: &[String]) -> Result<(Url, Pending), auth::Error> {
    client.code_begin(&Authorize::new("https://mail.contoso.com/callback", scopes))
}

/// The route of the redirect address: who signed in, and the tokens.
async fn finish(
    client: &Client<ReqwestHttp>,
    kept: Pending,
    query: &str,
) -> Result<(String, Tokens), auth::Error> {
    let tokens = client.code_finish(kept, Callback::from_query(query)?).await?;
    let who = tokens.identity().and_then(|identity| identity.username).unwrap_or_default();
    Ok((who, tokens))
}

#[test]
fn the_page_has_these_lines() {
    let page = std::fs::read_to_string(super::docs().join("web-application.md")).unwrap();
    let shown = page.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(include_str!("web_application.rs").contains(shown), "the page shows other lines:\n{shown}");
}

#[tokio::test]
async fn two_people_sign_in_at_an_address_of_the_applications_own() {
    let app = App::web("portal", "portal-secret").redirect("https://mail.contoso.com/callback");
    let sandbox = Sandbox::builder().messages(0).app(app).start().await.unwrap();
    let settings = format!("like = \"microsoft\"\nauthority = \"{}\"", sandbox.base_url());
    let provider = Provider::from_table("sandbox", &settings.parse().unwrap()).unwrap();
    let id = sandbox.app("portal").unwrap().id();
    let registration = Registration::with_secret(id, "portal-secret".to_owned().into(), sandbox.tenant_id());
    let mut options = ReqwestOptions::default();
    options.extra_ca_pem = Some(sandbox.ca_pem().as_bytes().to_vec());
    let http = ReqwestHttp::new(&options).unwrap();
    let client = Client::new(provider.endpoints(&registration).unwrap(), registration, http);
    let scopes = provider.scopes_for(&[Protocol::Imap], Access::Delegated).unwrap();

    // Both are under way at the same time.
    let people = [&sandbox.users()[0], &sandbox.users()[1]];
    let begun = people.map(|_| begin(&client, &scopes).unwrap());
    for (user, (mut url, kept)) in people.into_iter().zip(begun) {
        url.query_pairs_mut().append_pair("login_hint", user.upn());
        let visitor =
            Visitor::new(&sandbox.base_url(), sandbox.ca_pem(), user.upn(), user.password().expose());
        let address: Url = visitor.ends_on(url.as_str(), Person::Accepts).await.parse().unwrap();
        assert_eq!(address.host_str(), Some("mail.contoso.com"));
        let (who, tokens) = finish(&client, kept, address.query().unwrap()).await.unwrap();
        assert_eq!(who, user.upn());
        assert!(tokens.refresh_token.is_some());
    }
}
