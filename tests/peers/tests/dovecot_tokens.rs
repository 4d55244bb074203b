//! Tokens that the sandbox issued, judged by a real Dovecot, over both bearer mechanisms.

mod support;

use std::time::Duration;

use postkey::{Credential, Error, Imap, Mechanism, Roots, Security, Server, Token, TokenFuture, TokenSource};
use postkey_peers::{Config, Dovecot, Program, available};
use sandbox::{Sandbox, TokenSpec};
use support::{ANA, BOTH, bad, good, issuer, runtime, trust};
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

impl Scene {
    fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Dovecot]) {
            return None;
        }
        let runtime = runtime();
        let sandbox = issuer(&runtime);
        let dovecot = Dovecot::start(&Config { jwt: Some(trust(&sandbox)), ..Config::default() }).unwrap();
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
}

#[test]
fn a_good_token_opens_the_mailbox() {
    let Some(scene) = Scene::set("a_good_token_opens_the_mailbox") else { return };
    for mechanism in BOTH {
        for security in [Security::Tls, Security::StartTls] {
            let result = scene.open(&good(ANA), mechanism, security);
            assert!(result.is_ok(), "{mechanism:?} {security:?}: {result:?}\n{}", scene.dovecot.log());
        }
    }
    assert!(scene.open(&good(ANA), Mechanism::Offered, Security::Tls).is_ok());
}

#[test]
fn bad_tokens_are_refused_with_the_servers_reason() {
    let Some(scene) = Scene::set("bad_tokens_are_refused_with_the_servers_reason") else { return };
    for mechanism in BOTH {
        for (what, spec) in bad(ANA) {
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
        assert!(scene.open(&good(ANA).pad_to(5_000), mechanism, Security::Tls).is_ok(), "5 KB are fine");
        let error = scene.open(&good(ANA).pad_to(12_000), mechanism, Security::Tls).unwrap_err();
        let named = matches!(
            error,
            Error::Connection(_) | Error::Protocol(_) | Error::SignIn { .. } | Error::Refused { .. }
        );
        assert!(named, "{error:?}");
    }
}
