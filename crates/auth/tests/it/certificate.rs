//! Certificates as credentials: files, thumbprints, client assertions (RFC 7523).

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use postkey_auth::credential::SignatureAlgorithm;
use postkey_auth::{Certificate, Client, Error, Registration};
use wire::Secret;
use x509_parser::parse_x509_certificate;

use crate::support::*;

/// As `openssl x509 -fingerprint` has them.
const SHA1: &str = "2167F985644949A91A068E84DDA25E40CAC93A5C";
const SHA256: &str = "83247E685569C36FB328BC57FD5DAEC24530D2F687993188EF6A36F1F0154543";
/// 27 Oct 2126 20:50:42 GMT and 20 Nov 2026 20:50:42 GMT.
const NOT_AFTER: u64 = 4_948_807_842;
const NOT_BEFORE: u64 = 1_795_207_842;

fn passphrase() -> Secret {
    Secret::from("opensesame")
}

fn joined(names: [&str; 2]) -> Vec<u8> {
    names.map(fixture).concat()
}

fn refused(result: Result<Certificate, Error>) -> String {
    match result {
        Err(error @ Error::Setting { setting: "certificate", .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_form_of_the_pair_is_the_same_pair() {
    let with = Some(passphrase());
    let pem = |key, passphrase: &Option<Secret>| {
        Certificate::from_octets(&joined(["certificate.pem", key]), passphrase.as_ref()).unwrap()
    };
    let pfx = |name| Certificate::from_octets(&fixture(name), with.as_ref()).unwrap();
    for certificate in [
        pem("key.pem", &None),
        pem("key-pkcs1.pem", &None),
        pem("key-encrypted.pem", &with),
        pem("key-encrypted-3des.pem", &with),
        Certificate::from_pem(&joined(["key.pem", "certificate.pem"]), None).unwrap(),
        pfx("modern.pfx"),
        pfx("legacy.pfx"),
    ] {
        assert_eq!((certificate.sha1().as_str(), certificate.sha256().as_str()), (SHA1, SHA256));
        assert_eq!((certificate.not_before(), certificate.not_after()), (NOT_BEFORE, NOT_AFTER));
        assert_eq!(certificate.subject(), "CN=postkey test daemon");
    }
}

#[test]
fn the_certificate_of_the_key_is_found_among_others() {
    let files = ["other-certificate.pem", "ec-certificate.pem", "certificate.pem", "key.pem"];
    let certificate = Certificate::from_pem(&files.map(fixture).concat(), None).unwrap();
    assert_eq!(certificate.sha1(), SHA1);
}

#[test]
fn a_key_of_another_certificate_is_refused_when_loaded() {
    for names in [["certificate.pem", "other-key.pem"], ["ec-certificate.pem", "key.pem"]] {
        let shown = refused(Certificate::from_pem(&joined(names), None));
        assert!(shown.contains("belongs to none"), "{shown}");
    }
}

#[test]
fn what_is_no_pair_is_refused_with_the_reason() {
    let pem = |names| Certificate::from_pem(&joined(names), None);
    for (result, words) in [
        (Certificate::from_pem(&fixture("certificate.pem"), None), "0 private keys"),
        (Certificate::from_pem(&fixture("key.pem"), None), "no certificate"),
        (pem(["key.pem", "other-key.pem"]), "2 private keys"),
        (pem(["certificate.pem", "key-encrypted.pem"]), "passphrase"),
        (pem(["ec-certificate.pem", "ec-key.pem"]), "RSA"),
        (Certificate::from_pem(b"", None), "0 private keys"),
        (Certificate::from_pem(&vec![b'-'; 1024 * 1024 + 1], None), "longer"),
        (Certificate::from_pfx(b"0\x82\x01\x00", &passphrase()), "not PKCS#12"),
        (Certificate::from_pfx(&fixture("modern.pfx"), &Secret::from("wrong")), "passphrase is wrong"),
        (Certificate::from_pfx(&fixture("legacy.pfx"), &Secret::default()), "passphrase is wrong"),
    ] {
        let shown = refused(result);
        assert!(shown.contains(words), "{shown}");
    }
    let encrypted = joined(["certificate.pem", "key-encrypted.pem"]);
    let shown = refused(Certificate::from_pem(&encrypted, Some(&Secret::from("wrong-passphrase"))));
    assert!(shown.contains("does not open") && !shown.contains("wrong-passphrase"), "{shown}");
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    for name in ["modern.pfx", "legacy.pfx"] {
        let whole = fixture(name);
        for length in (0..whole.len()).step_by(97) {
            assert!(Certificate::from_pfx(&whole[..length], &passphrase()).is_err());
        }
    }
    let whole = joined(["certificate.pem", "key.pem"]);
    for at in (0..whole.len()).step_by(41) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x15;
        let _ = Certificate::from_pem(&damaged, None);
        let _ = Certificate::from_pem(&whole[..at], None);
    }
}

#[test]
fn a_derivation_without_end_is_not_begun() {
    // The iteration count of the key derivation, 2048 as DER, becomes 2147483647.
    let text = String::from_utf8(fixture("key-encrypted.pem")).unwrap();
    let mut der = pem::parse(&text).unwrap().into_contents();
    let at = der.windows(4).position(|run| run == [2, 2, 8, 0]).unwrap();
    der.splice(at..at + 4, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
    // The five sequences around it are two octets longer now.
    for (start, length) in [(0, 4), (4, 2), (17, 2), (19, 2), (32, 2)] {
        assert_eq!(der[start], 0x30, "{start}");
        if length == 4 {
            let octets = u16::from_be_bytes([der[start + 2], der[start + 3]]) + 2;
            der[start + 2..start + 4].copy_from_slice(&octets.to_be_bytes());
        } else {
            der[start + 1] += 2;
        }
    }
    let key = pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", der));
    let octets = [fixture("certificate.pem"), key.into_bytes()].concat();
    let shown = refused(Certificate::from_pem(&octets, Some(&passphrase())));
    assert!(shown.contains("more work"), "{shown}");
}

async fn assertion_of(certificate: Certificate) -> (String, Form) {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "", 3599)]));
    let registration = Registration::with_certificate("CLIENT", certificate, "contoso.example");
    let client = client_of("microsoft", registration, &http, &clock);
    client.client_credentials(&app_scopes()).await.unwrap();
    let form = http.forms()[0].clone();
    (form["client_assertion"].clone(), form)
}

fn verify(assertion: &str, parameters: &'static RsaParameters) {
    let pem = fixture("certificate.pem");
    let der = pem::parse(&pem).unwrap().into_contents();
    let (_, certificate) = parse_x509_certificate(&der).unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    UnparsedPublicKey::new(parameters, key).verify(message.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn an_assertion_is_what_entra_wants() {
    let (assertion, form) = assertion_of(certificate()).await;
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!((form["client_id"].as_str(), form["grant_type"].as_str()), ("CLIENT", "client_credentials"));
    assert!(!form.contains_key("client_secret"));
    let thumbprint = "gyR-aFVpw2-zKLxX_V2uwkUw0vaHmTGI72o28fAVRUM";
    assert_eq!(
        jwt_part(&assertion, 0),
        serde_json::json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint})
    );
    let claims = jwt_part(&assertion, 1);
    let audience = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    for (name, value) in [("iss", "CLIENT"), ("sub", "CLIENT"), ("aud", audience)] {
        assert_eq!(claims[name], value, "{name}");
    }
    for (name, value) in [("iat", NOW), ("nbf", NOW), ("exp", NOW + 600)] {
        assert_eq!(claims[name], value, "{name}");
    }
    verify(&assertion, &RSA_PSS_2048_8192_SHA256);
    let (other, _) = assertion_of(certificate()).await;
    assert_ne!(claims["jti"], jwt_part(&other, 1)["jti"], "an assertion works once");
}

#[tokio::test]
async fn old_set_ups_get_rs256_and_sha_1() {
    let (assertion, _) = assertion_of(certificate().with_algorithm(SignatureAlgorithm::Rs256)).await;
    let thumbprint = "IWf5hWRJSakaBo6E3aJeQMrJOlw";
    assert_eq!(jwt_part(&assertion, 0), serde_json::json!({"alg": "RS256", "typ": "JWT", "x5t": thumbprint}));
    verify(&assertion, &RSA_PKCS1_2048_8192_SHA256);
}

/// A root, an issuer below it, and a certificate of the fixtures' key from that issuer: PEM of leaf, issuer, root.
fn issued() -> [String; 3] {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let ((root, root_key), (middle, middle_key)) = (authority("root"), authority("issuer"));
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let root = Issuer::from_params(&root, &root_key);
    let middle_pem = middle.signed_by(&middle_key, &root).unwrap().pem();
    let middle = Issuer::from_params(&middle, &middle_key);
    let mut leaf = CertificateParams::default();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "daemon.contoso.example");
    let key = KeyPair::from_pem(&String::from_utf8(fixture("key.pem")).unwrap()).unwrap();
    [leaf.signed_by(&key, &middle).unwrap().pem(), middle_pem, root_pem]
}

#[tokio::test]
async fn the_chain_goes_along_when_it_is_asked_for() {
    let base64 = |pem: &str| base64ct::Base64::encode_string(pem::parse(pem).unwrap().contents());
    let [leaf, issuer, root] = issued();
    let key = String::from_utf8(fixture("key.pem")).unwrap();
    let other = String::from_utf8(fixture("other-certificate.pem")).unwrap();
    let own = String::from_utf8(fixture("certificate.pem")).unwrap();
    for (files, chain) in [
        (vec![&leaf, &key], vec![&leaf]),
        (vec![&root, &other, &issuer, &key, &leaf], vec![&leaf, &issuer]),
        (vec![&leaf, &root, &key], vec![&leaf]),
        // Its own issuer: nothing is above it.
        (vec![&own, &key, &issuer], vec![&own]),
    ] {
        let pem: String = files.into_iter().map(String::as_str).collect();
        let certificate = Certificate::from_pem(pem.as_bytes(), None).unwrap();
        let (plain, _) = assertion_of(certificate.clone()).await;
        assert_eq!(jwt_part(&plain, 0).get("x5c"), None, "not unless it is asked for");
        for algorithm in [SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs256] {
            let (assertion, _) = assertion_of(certificate.clone().with_algorithm(algorithm).with_x5c()).await;
            let header = jwt_part(&assertion, 0);
            let expected: Vec<String> = chain.iter().map(|pem| base64(pem)).collect();
            assert_eq!(header["x5c"], serde_json::json!(expected));
            assert_eq!(header.as_object().unwrap().len(), 4, "the thumbprint is there all the same");
        }
    }
}

#[tokio::test]
async fn a_certificate_proves_the_client_in_other_grants_too() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT2", 60)]));
    let registration = Registration::with_certificate("CLIENT", certificate(), "contoso.example");
    let client = client_of("microsoft", registration, &http, &clock);
    client.refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap();
    verify(&http.forms()[0]["client_assertion"], &RSA_PSS_2048_8192_SHA256);
}

#[tokio::test]
async fn lg_04_an_assertion_that_comes_back_is_not_shown() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let registration = Registration::with_certificate("CLIENT", certificate(), "contoso.example");
    let endpoints = client_of("microsoft", registration.clone(), &http, &clock).endpoints().clone();
    let client = Client::with_clock(endpoints, registration, Echo, clock);
    let error = client.client_credentials(&app_scopes()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("AADSTS700027") && shown.contains("[redacted]") && !shown.contains("eyJ"),
        "{shown}"
    );
}

/// Refuses an assertion and repeats it.
struct Echo;

impl postkey_auth::http::Http for Echo {
    async fn send(
        &self,
        request: postkey_auth::http::HttpRequest,
    ) -> Result<postkey_auth::http::HttpResponse, postkey_auth::http::HttpError> {
        let form: Form = url::form_urlencoded::parse(request.body.expose()).into_owned().collect();
        let body = serde_json::json!({
            "error": "invalid_client",
            "error_description": format!("AADSTS700027: the assertion {} is wrong.", form["client_assertion"]),
            "suberror": form["client_assertion"],
        });
        answer(401, body.to_string())
    }
}

#[test]
fn nothing_of_the_key_is_printed() {
    let shown = format!("{:?} {:#?}", certificate(), Registration::with_certificate("C", certificate(), "T"));
    assert!(shown.contains(SHA256) && !shown.contains("key:") && !shown.contains("[48,"), "{shown}");
}
