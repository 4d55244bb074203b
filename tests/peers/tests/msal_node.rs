//! Microsoft's own library for Node against the sandbox: every flow that it has but on-behalf-of.

#[path = "support/oauth_node.rs"]
mod oauth_node;
#[path = "support/tenant.rs"]
mod tenant;

use oauth_node::{Scene, assert_is_anas, assert_is_the_daemons};
use sandbox::{ANA, Fault, RequestKind, Rule};

const SCRIPT: &str = "msal.mjs";

#[test]
fn device_code_and_silent_refresh() {
    let Some(scene) = Scene::set("device_code_and_silent_refresh") else { return };
    scene.sandbox.inject(Fault::DeviceInterval(1));
    let report = scene.run(SCRIPT, "device");
    assert_is_anas(&report, "0");
    assert_eq!(
        (report["username"].as_str(), report["idTokenClaims"]["preferred_username"].as_str()),
        (Some(ANA), Some(ANA))
    );
    let report = scene.run(SCRIPT, "silent");
    assert_is_anas(&report, "0");
    assert_eq!(
        (report["cached"].as_bool(), report["isNew"].as_bool()),
        (Some(true), Some(true)),
        "{report:#}"
    );
    assert_eq!(scene.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn device_code_that_is_declined() {
    let Some(scene) = Scene::set("device_code_that_is_declined") else { return };
    scene.sandbox.inject(Fault::DeviceInterval(1));
    scene.sandbox.inject(Rule::new(Fault::DeviceDeclined).times(1));
    let report = scene.run(SCRIPT, "device");
    assert!(report["error"].as_str().is_some_and(|e| e.contains("authorization_declined")), "{report:#}");
}

#[test]
fn authorization_code_of_a_public_client() {
    let Some(scene) = Scene::set("authorization_code_of_a_public_client") else { return };
    for flow in ["code", "form-post"] {
        let report = scene.run(SCRIPT, flow);
        assert_is_anas(&report, "0");
        assert_eq!(report["idTokenClaims"]["nonce"], "n", "{report:#}");
    }
}

/// It does judge: what comes back is held against what was sent.
#[test]
fn another_state_or_nonce_is_refused() {
    let Some(scene) = Scene::set("another_state_or_nonce_is_refused") else { return };
    for (fault, code) in [(Fault::WrongState, "state_mismatch"), (Fault::WrongNonce, "nonce_mismatch")] {
        scene.sandbox.inject(Rule::new(fault).times(1));
        assert_eq!(scene.run(SCRIPT, "code")["code"], code);
    }
}

/// The library listens itself, and the person comes to it.
#[test]
fn interactive_sign_in() {
    let Some(scene) = Scene::set("interactive_sign_in") else { return };
    assert_is_anas(&scene.run(SCRIPT, "interactive"), "0");
}

#[test]
fn authorization_code_of_a_web_application() {
    let Some(scene) = Scene::set("authorization_code_of_a_web_application") else { return };
    for (flow, proof) in [("web", "1"), ("web-certificate", "2")] {
        let report = scene.run(SCRIPT, flow);
        assert_is_anas(&report, proof);
    }
}

#[test]
fn password() {
    let Some(scene) = Scene::set("password") else { return };
    scene.sandbox.grant_admin_consent(scene.sandbox.public_client_id()).unwrap();
    assert_eq!(scene.run(SCRIPT, "password")["username"], ANA);
}

#[test]
fn client_credentials() {
    let Some(scene) = Scene::set("client_credentials") else { return };
    for (flow, proof) in [("secret", "1"), ("certificate", "2"), ("federated", "2")] {
        assert_is_the_daemons(&scene.run(SCRIPT, flow), proof);
    }
}
