//! `openid-client`, a certified OpenID Connect client that knows nothing of Microsoft, against the sandbox: its discovery document, id_tokens and
//! grants are what the standards say, but for what Entra itself does otherwise.

#[path = "support/oauth_node.rs"]
mod oauth_node;
#[path = "support/tenant.rs"]
mod tenant;

use oauth_node::{Scene, assert_is_anas, assert_is_the_daemons};
use sandbox::{ANA, Fault, RequestKind, Rule};

const SCRIPT: &str = "openid.mjs";

#[test]
fn discovery() {
    let Some(scene) = Scene::set("discovery") else { return };
    let report = scene.run(SCRIPT, "discovery");
    assert_eq!(report["issuer"], format!("{}/v2.0", scene.sandbox.authority()), "{report:#}");
    // It does judge: an issuer that is not the one asked is refused.
    scene.sandbox.inject(Fault::DiscoveryIssuer("https://another.example".into()));
    let report = scene.run(SCRIPT, "discovery");
    assert!(report["error"].is_string(), "{report:#}");
}

#[test]
fn code_with_pkce_and_refresh() {
    let Some(scene) = Scene::set("code_with_pkce_and_refresh") else { return };
    let report = scene.run(SCRIPT, "code");
    assert_is_anas(&report, "0");
    assert_eq!(report["idToken"]["preferred_username"], ANA);
    assert_eq!(
        (report["type"].as_str(), report["expiresIn"].as_u64()),
        (Some("bearer"), Some(4123)),
        "{report:#}"
    );
    let report = scene.run(SCRIPT, "refresh");
    assert_is_anas(&report, "0");
    assert_eq!(report["idToken"]["sub"], report["first"]["idToken"]["sub"]);
    assert_eq!(scene.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn what_the_client_refuses() {
    let Some(scene) = Scene::set("what_the_client_refuses") else { return };
    for fault in [
        Fault::WrongState,
        Fault::NoState,
        Fault::WrongNonce,
        Fault::IdTokenIssuer("https://another.example".into()),
        Fault::NoIdToken,
        Fault::ForeignCode,
        Fault::WrongIss,
        Fault::NotJson,
        Fault::Redirect,
    ] {
        let name = fault.name();
        scene.sandbox.inject(Rule::new(fault).times(1));
        let report = scene.run(SCRIPT, "code");
        assert!(report["error"].is_string(), "{name}: {report:#}");
    }
    assert_is_anas(&scene.run(SCRIPT, "code"), "0");
}

#[test]
fn code_of_a_web_application() {
    let Some(scene) = Scene::set("code_of_a_web_application") else { return };
    for (flow, proof) in [("web-post", "1"), ("web-basic", "1"), ("web-key", "2")] {
        let report = scene.run(SCRIPT, flow);
        assert_is_anas(&report, proof);
        assert_is_anas(&report["first"], proof);
    }
}

#[test]
fn device_code() {
    let Some(scene) = Scene::set("device_code") else { return };
    scene.sandbox.inject(Fault::DeviceInterval(1));
    scene.sandbox.inject(Rule::new(Fault::Pending).times(1));
    assert_is_anas(&scene.run(SCRIPT, "device"), "0");
    assert_eq!(scene.sandbox.requests(RequestKind::DevicePoll), 2);
    scene.sandbox.inject(Rule::new(Fault::DeviceAccessDenied).times(1));
    let report = scene.run(SCRIPT, "device");
    assert_eq!(report["cause"], "access_denied", "{report:#}");
}

#[test]
fn client_credentials() {
    let Some(scene) = Scene::set("client_credentials") else { return };
    for (flow, proof) in [("secret-post", "1"), ("secret-basic", "1"), ("key", "2")] {
        assert_is_the_daemons(&scene.run(SCRIPT, flow), proof);
    }
}
