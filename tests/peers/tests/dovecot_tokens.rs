//! Tokens that the sandbox issued, judged by a real Dovecot, over both bearer mechanisms.

use std::time::Duration;

use postkey::{Credential, Error, Imap, Mechanism, Roots, Security, Server, Token, TokenFuture, TokenSource};
use postkey_peers::{Config, Dovecot, Jwt, Program, VerificationKey, available};
use sandbox::{ANA, Sandbox, TokenSpec};
use wire::Secret;

struct Given(Secret);

impl TokenSource for Given {
    fn token(&self, _: postkey::Ask) -> TokenFuture<'_> {
        Box::pin(std::future::ready(Ok(Token { secret: self.0.clone(), expires_at: None })))
    }
}

struct Scene {
    runtime: tokio::runtime::Runtime,
    sandbox: Sandbox,
    dovecot: Dovecot,
}

const AUDIENCE: &str = "https://outlook.office365.com";

impl Scene {
    fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Dovecot]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::builder().local_validation_claims().start()).unwrap();
        let key = VerificationKey { alg: "RS256".into(), kid: sandbox.kid(), key: sandbox.public_key_pem() };
        let jwt = Jwt {
            issuer: sandbox.issuer().to_owned(),
            username_claim: "upn".into(),
            audience: Some(AUDIENCE.into()),
            keys: vec![key],
        };
        let dovecot = Dovecot::start(&Config { jwt: Some(jwt), ..Config::default() }).unwrap();
        dovecot.deliver(ANA, "", "1.one", "S", b"Subject: one\r\n\r\ntext\r\n").unwrap();
        Some(Self { runtime, sandbox, dovecot })
    }

    fn open(&self, spec: &TokenSpec, mechanism: Mechanism, security: Security) -> Result<(), Error> {
        let token = self.sandbox.issue_token(spec).unwrap();
        let roots = Roots::none().with_pem(self.dovecot.ca_pem().as_bytes(), "dovecot").unwrap();
        let port = match security {
            Security::Tls => self.dovecot.tls_addr().port(),
            _ => self.dovecot.addr().port(),
        };
        let mut server = Server::imap("localhost", roots).port(port).security(security);
        server.timeouts.auth = Duration::from_secs(20);
        let credential = Credential::Bearer {
            user: ANA.into(),
            tokens: std::sync::Arc::new(Given(token.clone())),
            mechanism,
        };
        let result = self.runtime.block_on(async {
            let mut imap = Imap::open(&server, &credential).await?;
            let folders = imap.folders().await?;
            let inbox = folders.iter().find(|f| f.mailbox.is_inbox()).expect("an INBOX");
            assert_eq!(imap.examine(&inbox.mailbox).await?.exists, 1);
            imap.logout().await;
            Ok(())
        });
        if let Err(e) = &result {
            let shown = format!("{e} {e:?}");
            assert!(!shown.contains(&token.expose()[token.len() - 20..]), "the token is shown: {shown}");
        }
        result
    }

    fn good(&self) -> TokenSpec {
        // Dovecot looks for the key in a folder that `azp` names; there is one for all here.
        TokenSpec::user(ANA).audience(AUDIENCE).claim("azp", serde_json::Value::Null)
    }
}

const BOTH: [Mechanism; 2] = [Mechanism::XOAuth2, Mechanism::OAuthBearer];

#[test]
fn a_good_token_opens_the_mailbox() {
    let Some(scene) = Scene::set("a_good_token_opens_the_mailbox") else { return };
    for mechanism in BOTH {
        for security in [Security::Tls, Security::StartTls] {
            let result = scene.open(&scene.good(), mechanism, security);
            assert!(result.is_ok(), "{mechanism:?} {security:?}: {result:?}\n{}", scene.dovecot.log());
        }
    }
    assert!(scene.open(&scene.good(), Mechanism::Offered, Security::Tls).is_ok());
}

#[test]
fn bad_tokens_are_refused_with_the_servers_reason() {
    let Some(scene) = Scene::set("bad_tokens_are_refused_with_the_servers_reason") else { return };
    for mechanism in BOTH {
        for (what, spec) in [
            ("expired", scene.good().lifetime(-60)),
            ("wrong issuer", scene.good().issuer("https://sts.windows.net/somebody-else/")),
            ("wrong audience", scene.good().audience("https://graph.microsoft.com")),
            ("not valid yet", scene.good().not_before(600)),
        ] {
            match scene.open(&spec, mechanism, Security::Tls) {
                Err(Error::SignIn { reply, reason }) => {
                    assert!(reply.is_auth(), "{what}: {reply}");
                    let reason = reason.expect("Dovecot sends an error challenge");
                    assert!(reason.contains("401") || reason.contains("invalid_token"), "{what}: {reason}");
                }
                other => panic!("{what} with {mechanism:?}: {other:?}\n{}", scene.dovecot.log()),
            }
        }
    }
}

#[test]
fn a_token_beyond_what_the_server_takes_is_a_named_error() {
    // Dovecot resets the connection between 8.0 and 9.4 KB of token.
    let Some(scene) = Scene::set("a_token_beyond_what_the_server_takes_is_a_named_error") else { return };
    for mechanism in BOTH {
        assert!(scene.open(&scene.good().pad_to(5_000), mechanism, Security::Tls).is_ok(), "5 KB are fine");
        let error = scene.open(&scene.good().pad_to(12_000), mechanism, Security::Tls).unwrap_err();
        let named = matches!(
            error,
            Error::Connection(_) | Error::Protocol(_) | Error::SignIn { .. } | Error::Refused { .. }
        );
        assert!(named, "{error:?}");
    }
}
