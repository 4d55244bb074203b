//! The device authorisation grant, by the library and through the pages.

mod common;

use std::time::Duration;

use common::*;
use postkey_sandbox::{ANA, App, CallError, Fault, RequestKind, Rule, Sandbox};
use serde_json::Value;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(sandbox: &Sandbox, tenant: &str) -> Value {
    let scope = format!("openid offline_access {IMAP}");
    let form = [("client_id", sandbox.public_client_id()), ("scope", scope.as_str())];
    let (status, body) = post(sandbox, &format!("{tenant}/oauth2/v2.0/devicecode"), &form).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn poll(sandbox: &Sandbox, tenant: &str, device_code: &str) -> (u16, Value) {
    let form =
        [("client_id", sandbox.public_client_id()), ("grant_type", GRANT), ("device_code", device_code)];
    post(sandbox, &format!("{tenant}/oauth2/v2.0/token"), &form).await
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn approved_by_the_library() {
    let sandbox = Sandbox::start().await.unwrap();
    let device = begin(&sandbox, "organizations").await;
    assert_eq!(text(&device, "user_code").len(), 9);
    assert_eq!((device["interval"].as_u64(), device["expires_in"].as_u64()), (Some(5), Some(900)));
    assert_eq!(text(&device, "verification_uri"), format!("{}/devicelogin", sandbox.base_url()));
    assert!(text(&device, "message").contains(text(&device, "user_code")));
    let dc = text(&device, "device_code");
    let (status, body) = poll(&sandbox, "organizations", dc).await;
    assert_eq!((status, text(&body, "error"), code(&body)), (400, "authorization_pending", 70016));
    sandbox.approve_device(text(&device, "user_code"), ANA).await.unwrap();
    let (status, body) = poll(&sandbox, "organizations", dc).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(text(&body, "id_token"))["preferred_username"], ANA);
    // A code works once.
    let (_, body) = poll(&sandbox, "organizations", dc).await;
    assert_eq!((text(&body, "error"), code(&body)), ("bad_verification_code", 70018));
    assert_eq!(sandbox.requests(RequestKind::DevicePoll), 3);
}

#[tokio::test]
async fn approved_through_the_pages() {
    let sandbox = Sandbox::start().await.unwrap();
    let device = begin(&sandbox, "common").await;
    let http = http(&sandbox);
    let page = http.get(text(&device, "verification_uri")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<label for=\"otc\">"));
    let post = |otc: String| http.post(text(&device, "verification_uri")).form(&[("otc", otc)]).send();
    let wrong = post("AAAAAAAAA".to_owned()).await.unwrap().text().await.unwrap();
    assert!(wrong.contains("role=\"alert\""));
    // Lower case and a hyphen, as people type.
    let typed = text(&device, "user_code").to_lowercase();
    let typed = format!(" {}-{}", &typed[..4], &typed[4..]);
    let page = post(typed).await.unwrap().text().await.unwrap();
    let next = submit_sign_in(&sandbox, &page, ANA, &password(&sandbox, ANA)).await.text().await.unwrap();
    let done = press(&sandbox, &next, "accept").await;
    assert_eq!(done.status(), 200);
    assert_eq!(poll(&sandbox, "common", text(&device, "device_code")).await.0, 200);
}

#[tokio::test]
async fn declined_and_admin_and_expired() {
    let sandbox = Sandbox::start().await.unwrap();
    let device = begin(&sandbox, "common").await;
    sandbox.decline_device(text(&device, "user_code")).await.unwrap();
    let (status, body) = poll(&sandbox, "common", text(&device, "device_code")).await;
    assert_eq!((status, text(&body, "error")), (400, "authorization_declined"));

    let device = begin(&sandbox, "common").await;
    let url = format!("{}/devicelogin", sandbox.base_url());
    let form = [("otc", text(&device, "user_code"))];
    let page = http(&sandbox).post(url).form(&form).send().await.unwrap().text().await.unwrap();
    let next = submit_sign_in(&sandbox, &page, ANA, &password(&sandbox, ANA)).await.text().await.unwrap();
    press(&sandbox, &next, "admin").await;
    let (_, body) = poll(&sandbox, "common", text(&device, "device_code")).await;
    assert_eq!(code(&body), 90094);

    let device = begin(&sandbox, "common").await;
    sandbox.advance(Duration::from_secs(901));
    let (_, body) = poll(&sandbox, "common", text(&device, "device_code")).await;
    assert_eq!((text(&body, "error"), code(&body)), ("expired_token", 70019));
    let late = sandbox.approve_device(text(&device, "user_code"), ANA).await;
    assert!(matches!(late, Err(CallError::UnknownUserCode(_))));
}

#[tokio::test]
async fn polls_that_are_wrong() {
    let sandbox = Sandbox::start().await.unwrap();
    let device = begin(&sandbox, "common").await;
    let dc = text(&device, "device_code");
    sandbox.approve_device(text(&device, "user_code"), ANA).await.unwrap();
    let (_, body) = poll(&sandbox, "organizations", dc).await;
    assert_eq!(code(&body), 70018, "another tenant form does not know the code");
    let (_, body) = poll(&sandbox, "common", "1.Anonsense").await;
    assert_eq!(code(&body), 70018);
    let form = [("client_id", sandbox.public_client_id()), ("grant_type", GRANT)];
    let (_, body) = post(&sandbox, "common/oauth2/v2.0/token", &form).await;
    assert_eq!(code(&body), 900144);
    // The short name some clients send.
    let form =
        [("client_id", sandbox.public_client_id()), ("grant_type", "device_code"), ("device_code", dc)];
    assert_eq!(post(&sandbox, "common/oauth2/v2.0/token", &form).await.0, 200);
}

#[tokio::test]
async fn the_domain_and_the_guid_are_the_same_tenant() {
    let sandbox = Sandbox::start().await.unwrap();
    let device = begin(&sandbox, sandbox.domain()).await;
    sandbox.approve_device(text(&device, "user_code"), ANA).await.unwrap();
    assert_eq!(poll(&sandbox, sandbox.tenant_id(), text(&device, "device_code")).await.0, 200);
}

#[tokio::test]
async fn public_client_flows_switched_off() {
    let app = App::public("Off").public_client_flows(false);
    let id = app.id().to_owned();
    let sandbox = Sandbox::builder().app(app).start().await.unwrap();
    let form = [("client_id", id.as_str()), ("scope", IMAP)];
    let (_, device) = post(&sandbox, "common/oauth2/v2.0/devicecode", &form).await;
    let form =
        [("client_id", id.as_str()), ("grant_type", GRANT), ("device_code", text(&device, "device_code"))];
    let (status, body) = post(&sandbox, "common/oauth2/v2.0/token", &form).await;
    assert_eq!((status, code(&body), text(&body, "error")), (401, 7000218, "invalid_client"));
}

#[tokio::test]
async fn the_device_endpoint_refuses_and_tolerates() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.public_client_id();
    for (tenant, form, number) in [
        ("common", vec![("scope", IMAP)], 900144),
        ("common", vec![("client_id", id)], 900144),
        ("common", vec![("client_id", "nobody"), ("scope", IMAP)], 700016),
        ("common", vec![("client_id", id), ("scope", "https://outlook.office.com/Nope")], 650053),
        (
            "common",
            vec![("client_id", id), ("scope", "User.Read https://outlook.office.com/SMTP.Send")],
            28000,
        ),
        ("fabrikam.example", vec![("client_id", id), ("scope", IMAP)], 90002),
    ] {
        let (status, body) = post(&sandbox, &format!("{tenant}/oauth2/v2.0/devicecode"), &form).await;
        assert_eq!((status, code(&body)), (400, number), "{body}");
    }
    // By GET, as one client in use does.
    let url = format!("{}/common/oauth2/v2.0/devicecode?client_id={id}&scope=openid", sandbox.base_url());
    assert_eq!(http(&sandbox).get(url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_of_the_device_flow() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(Rule::new(Fault::VerificationUrl).times(1));
    sandbox.inject(Rule::new(Fault::DeviceInterval(1)).times(1));
    sandbox.inject(Rule::new(Fault::DeviceCodeLifetime(30)).times(1));
    let device = begin(&sandbox, "common").await;
    assert!(device["verification_url"].is_string() && device["verification_uri"].is_null());
    assert_eq!((device["interval"].as_u64(), device["expires_in"].as_u64()), (Some(1), Some(30)));

    sandbox.inject(Rule::new(Fault::DeviceEndpointRefuses).times(1));
    sandbox.inject(Rule::new(Fault::ErrorWithStatus200).times(1));
    let form = [("client_id", sandbox.public_client_id()), ("scope", IMAP)];
    let (status, body) = post(&sandbox, "common/oauth2/v2.0/devicecode", &form).await;
    assert_eq!((status, code(&body)), (200, 90023));

    sandbox.approve_device(text(&device, "user_code"), ANA).await.unwrap();
    sandbox.inject(Rule::new(Fault::SlowDown).times(1));
    sandbox.inject(Rule::new(Fault::Pending).times(2));
    sandbox.inject(Rule::new(Fault::DeviceExpired).times(1).client("another"));
    let mut errors = Vec::new();
    loop {
        let (status, body) = poll(&sandbox, "common", text(&device, "device_code")).await;
        if status == 200 {
            break;
        }
        errors.push(text(&body, "error").to_owned());
    }
    assert_eq!(errors, ["slow_down", "authorization_pending", "authorization_pending"]);
}
