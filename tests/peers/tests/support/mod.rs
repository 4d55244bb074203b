//! What the tests with a Dovecot share: one that believes the tokens of a sandbox, with all its services, and sessions with it.
#![allow(dead_code, reason = "not every test uses all of it")]

pub(crate) mod office;

use std::convert::Infallible;
use std::time::Duration;

use postkey::smtp::{EhloName, Envelope, Mailbox, Options, Outcome};
use postkey::{Credential, Error, Mechanism, NumberSink, Pop3, Roots, Security, Server, Smtp};
use postkey_peers::{Config, Dovecot, Jwt, ServicePorts, Services, Tls, VerificationKey};
pub(crate) use sandbox::ANA;
use sandbox::{Sandbox, TokenSpec, User};

pub(crate) const BEN: &str = "ben@contoso.example";
/// What the tokens are for, as those for Exchange Online are.
pub(crate) const AUDIENCE: &str = "https://outlook.office365.com";

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A sandbox whose tokens a server other than Exchange can check by itself.
pub(crate) fn issuer(runtime: &tokio::runtime::Runtime) -> Sandbox {
    let builder =
        Sandbox::builder().messages(0).user(User::work(BEN, "Sandbox-Ben-1")).local_validation_claims();
    runtime.block_on(builder.start()).unwrap()
}

/// What Dovecot has to know to check that sandbox's tokens.
pub(crate) fn trust(sandbox: &Sandbox) -> Jwt {
    let key = VerificationKey { alg: "RS256".into(), kid: sandbox.kid(), key: sandbox.public_key_pem() };
    Jwt {
        issuer: sandbox.issuer().to_owned(),
        username_claim: "upn".into(),
        audience: Some(AUDIENCE.into()),
        keys: vec![key],
    }
}

/// A token that this Dovecot takes.
pub(crate) fn good(user: &str) -> TokenSpec {
    // Dovecot looks for the key in a folder that `azp` names; there is one for all here.
    TokenSpec::user(user).audience(AUDIENCE).claim("azp", serde_json::Value::Null)
}

/// Tokens that it does not take, and why.
pub(crate) fn bad(user: &str) -> [(&'static str, TokenSpec); 4] {
    [
        ("expired", good(user).lifetime(-60)),
        ("wrong issuer", good(user).issuer("https://sts.windows.net/somebody-else/")),
        ("wrong audience", good(user).audience("https://graph.microsoft.com")),
        ("not valid yet", good(user).not_before(600)),
    ]
}

pub(crate) struct House {
    pub(crate) dovecot: Dovecot,
    pub(crate) ports: ServicePorts,
    pub(crate) tls: Tls,
    sandbox: Sandbox,
    /// The sandbox's own; last, so that it ends last.
    _runtime: tokio::runtime::Runtime,
}

impl House {
    /// Submission hands on to this port.
    pub(crate) fn new(relay_port: u16) -> Self {
        let runtime = runtime();
        let sandbox = issuer(&runtime);
        let (jwt, services) = (Some(trust(&sandbox)), Some(Services { relay_port }));
        let config = Config { jwt, services, ..Config::default() };
        let dovecot = Dovecot::start(&config).unwrap();
        let ports = dovecot.services().unwrap();
        Self { dovecot, ports, tls: config.tls, sandbox, _runtime: runtime }
    }

    /// A token that the sandbox issued.
    pub(crate) fn issue(&self, spec: &TokenSpec) -> String {
        self.sandbox.issue_token(spec).unwrap().expose().to_owned()
    }

    pub(crate) fn token(&self, user: &str) -> String {
        self.issue(&good(user))
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::none().with_pem(self.dovecot.ca_pem().as_bytes(), "the test").unwrap()
    }

    pub(crate) fn pop3_server(&self, security: Security) -> Server {
        let port = if security == Security::Tls { self.ports.pop3s } else { self.ports.pop3 };
        Server::pop3("localhost", self.roots()).port(port).security(security)
    }

    pub(crate) fn submission_server(&self, security: Security) -> Server {
        let port = if security == Security::Tls { self.ports.submissions } else { self.ports.submission };
        Server::submission("localhost", self.roots()).port(port).security(security)
    }

    /// A session of this user with a server that these tokens are good for.
    pub(crate) async fn smtp(&self, server: &Server, user: &str) -> Smtp {
        let credential = Credential::fixed_token(user, self.token(user).as_str().into());
        match Smtp::open(server, &credential, &name()).await {
            Ok(smtp) => smtp,
            Err(e) => panic!("{e:?}\n{}", self.dovecot.log()),
        }
    }

    pub(crate) async fn pop3(&self, user: &str) -> Pop3 {
        let credential = Credential::fixed_token(user, self.token(user).as_str().into());
        match Pop3::open(&self.pop3_server(Security::Tls), &credential).await {
            Ok(pop3) => pop3,
            Err(e) => panic!("{e:?}\n{}", self.dovecot.log()),
        }
    }

    /// Waits until the user has so many messages and returns them all, by POP3.
    pub(crate) async fn messages(&self, user: &str, count: usize) -> Vec<Vec<u8>> {
        let mut last = Vec::new();
        for _ in 0..600 {
            let mut pop3 = self.pop3(user).await;
            if pop3.messages() as usize >= count {
                last = all(&mut pop3).await;
                pop3.quit().await.unwrap();
                break;
            }
            pop3.quit().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        last
    }
}

pub(crate) const BOTH: [Mechanism; 2] = [Mechanism::XOAuth2, Mechanism::OAuthBearer];

pub(crate) fn bearer(user: &str, token: &str, mechanism: Mechanism) -> Credential {
    match Credential::fixed_token(user, token.into()) {
        Credential::Bearer { user, tokens, .. } => Credential::Bearer { user, tokens, mechanism },
        other => other,
    }
}

pub(crate) fn name() -> EhloName {
    EhloName::new("client.example").unwrap()
}

pub(crate) fn envelope(from: &str, to: &[&str]) -> Envelope {
    let address = |a: &str| a.parse::<Mailbox>().unwrap();
    Envelope::new(address(from), to.iter().map(|a| address(a)))
}

pub(crate) async fn send(smtp: &mut Smtp, message: &[u8], options: &Options) -> Result<Outcome, Error> {
    smtp.send_bytes(&envelope(ANA, &[BEN]), message, options).await
}

#[derive(Default)]
struct Kept(Vec<Vec<u8>>);

impl NumberSink for Kept {
    type Error = Infallible;

    fn begin(&mut self, _: u32) -> Result<bool, Infallible> {
        self.0.push(Vec::new());
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.0.last_mut().expect("a message has begun").extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self, _: u32) -> Result<(), Infallible> {
        Ok(())
    }

    fn abandon(&mut self) {
        self.0.pop();
    }
}

/// Every message of the maildrop.
pub(crate) async fn all(pop3: &mut Pop3) -> Vec<Vec<u8>> {
    let numbers: Vec<u32> = pop3.list().await.unwrap().into_iter().map(|m| m.number).collect();
    let mut kept = Kept::default();
    let retrieved = pop3.retrieve(numbers, &mut kept).await.unwrap();
    assert!(retrieved.refused.is_empty(), "{retrieved:?}");
    kept.0
}

/// The message without the header fields that servers put in front: what is from the first `Subject:` line on.
pub(crate) fn without_trace(message: &[u8]) -> &[u8] {
    let at = message.windows(10).position(|w| w == b"\r\nSubject:").map_or(0, |at| at + 2);
    &message[at..]
}

/// The octets with CRLF for every CR and LF that stands alone, and at the end: what a server must see of them.
pub(crate) fn canonical(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(&octet) = octets.get(i) {
        match octet {
            b'\r' => {
                out.extend(b"\r\n");
                i += if octets.get(i + 1) == Some(&b'\n') { 2 } else { 1 };
            }
            b'\n' => {
                out.extend(b"\r\n");
                i += 1;
            }
            _ => {
                out.push(octet);
                i += 1;
            }
        }
    }
    if !out.ends_with(b"\r\n") {
        out.extend(b"\r\n");
    }
    out
}
