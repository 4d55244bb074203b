//! The façade as a program of its own, so that its memory and its time can be seen from outside.
//!
//! `hostile-client HOST-SPEC` where the specification is JSON (see [`Spec`]) on standard input. It does what a download does and prints
//! one JSON object; whatever the server does, it must end by itself.

use std::io::Read as _;
use std::time::Duration;

use imap_proto::types::SearchKey;
use postkey::smtp::{EhloName, Envelope, Mailbox, Options};
use postkey::{
    Credential, Error, FetchError, Imap, MessageMeta, MessageSink, NumberSink, Pop3, Roots, Security,
};
use postkey::{Server, Smtp};
use postkey_peers::hostile_client::{Spec, Told, high_water};

/// Keeps what came, as a download would.
#[derive(Default)]
struct Sink {
    open: Option<(u32, Vec<u8>)>,
    stored: Vec<(u32, String)>,
}

impl MessageSink for Sink {
    type Error = std::convert::Infallible;

    fn begin(&mut self, meta: MessageMeta<'_>) -> Result<bool, Self::Error> {
        self.open = Some((meta.uid, Vec::new()));
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        if let Some((_, body)) = &mut self.open {
            body.extend_from_slice(&octets[..octets.len().min(1_000)]);
        }
        Ok(())
    }

    fn end(&mut self, _: MessageMeta<'_>) -> Result<(), Self::Error> {
        if let Some((uid, body)) = self.open.take() {
            self.stored.push((uid, String::from_utf8_lossy(&body).into_owned()));
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.open = None;
    }
}

/// The server with the short waits of a test.
fn server(spec: &Spec) -> Result<Server, Error> {
    let security = match spec.security.as_str() {
        "starttls" => Security::StartTls,
        "tls" => Security::Tls,
        _ => Security::DangerousPlaintext,
    };
    let roots = Roots::none().with_pem(spec.ca_pem.as_bytes(), "the test")?;
    let server = match spec.proto.as_str() {
        "pop3" => Server::pop3("localhost", roots),
        "smtp" => Server::submission("localhost", roots),
        _ => Server::imap("localhost", roots),
    };
    let mut server = server.port(spec.port).security(security);
    server.connect_timeout = Duration::from_secs(2);
    server.tls_timeout = Duration::from_secs(2);
    server.timeouts.greeting = Duration::from_secs(2);
    server.timeouts.auth = Duration::from_secs(2);
    server.timeouts.command = Duration::from_secs(2);
    server.pop3_timeouts.greeting = Duration::from_secs(2);
    server.pop3_timeouts.auth = Duration::from_secs(2);
    server.pop3_timeouts.command = Duration::from_secs(2);
    server.smtp_timeouts.greeting = Duration::from_secs(2);
    server.smtp_timeouts.command = Duration::from_secs(2);
    Ok(server)
}

fn credential(spec: &Spec) -> Credential {
    match &spec.password {
        Some(password) => Credential::Password { user: "ana".into(), password: password.as_str().into() },
        None => Credential::fixed_token("ana@contoso.example", spec.token.as_str().into()),
    }
}

async fn imap(spec: &Spec, told: &mut Told) -> Result<(), Error> {
    let (server, credential) = (server(spec)?, credential(spec));
    let mut imap = Imap::open(&server, &credential).await?;
    told.signed_in = true;
    let folders = imap.folders().await?;
    told.folders = folders.iter().map(|f| f.name.clone()).collect();
    let Some(inbox) = folders.iter().find(|f| f.mailbox.is_inbox()) else { return Ok(()) };
    // As a download does it.
    let (examined, listed) =
        imap.examine_and_list(&inbox.mailbox, None, |uid, _| told.listed.push(uid)).await?;
    told.exists = examined.exists;
    told.uid_validity = examined.uid_validity;
    told.unreadable = listed.unreadable + listed.without_flags.len() as u64;
    told.found = imap.search(&SearchKey::All).await?.count();
    let mut sink = Sink::default();
    // The second and third one by one, as a download does for what did not come with the others.
    for uid in [1, 2, 3] {
        let set = imap_proto::types::UidSet::from_sorted([uid])
            .map_err(|e| Error::Misuse(imap_proto::Misuse::Invalid(e)))?;
        let result = imap.download([set], 1, &mut sink).await;
        told.stored = sink.stored.clone();
        match result {
            Ok(outcome) => told.missing.extend(outcome.missing),
            Err(FetchError::Mail(e)) => return Err(e),
            Err(FetchError::Sink(never)) => match never {},
        }
    }
    imap.logout().await;
    Ok(())
}

/// Keeps what came by POP3.
#[derive(Default)]
struct Maildrop {
    open: Option<(Vec<u8>, u64)>,
    stored: Vec<(u32, String)>,
    octets: u64,
}

impl NumberSink for Maildrop {
    type Error = std::convert::Infallible;

    fn begin(&mut self, _: u32) -> Result<bool, Self::Error> {
        self.open = Some((Vec::new(), 0));
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        if let Some((body, total)) = &mut self.open {
            body.extend_from_slice(&octets[..octets.len().min(1_000usize.saturating_sub(body.len()))]);
            *total += octets.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self, number: u32) -> Result<(), Self::Error> {
        if let Some((body, total)) = self.open.take() {
            self.stored.push((number, String::from_utf8_lossy(&body).into_owned()));
            self.octets += total;
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.open = None;
    }
}

/// Downloads everything and deletes what arrived.
async fn pop3(spec: &Spec, told: &mut Told) -> Result<(), Error> {
    let mut pop3 = Pop3::open(&server(spec)?, &credential(spec)).await?;
    told.signed_in = true;
    told.exists = pop3.messages();
    let listed = pop3.list().await?;
    told.unique_ids = listed.iter().map(|m| (m.number, m.uidl.clone())).collect();
    let mut kept = Maildrop::default();
    let result = pop3.retrieve(listed.iter().map(|m| m.number), &mut kept).await;
    told.stored = kept.stored.clone();
    told.octets = kept.octets;
    match result {
        Ok(retrieved) => told.missing.extend(retrieved.refused.iter().map(|(number, _)| *number)),
        Err(FetchError::Mail(e)) => return Err(e),
        Err(FetchError::Sink(never)) => match never {},
    }
    for (number, _) in &kept.stored {
        pop3.delete(*number).await?;
    }
    pop3.quit().await
}

/// Sends one message to two recipients.
async fn smtp(spec: &Spec, told: &mut Told) -> Result<(), Error> {
    let address = |a: &str| a.parse::<Mailbox>().expect("an address");
    let name = EhloName::new("client.example").expect("a name");
    let mut smtp = Smtp::open(&server(spec)?, &credential(spec), &name).await?;
    told.signed_in = true;
    let envelope = Envelope::new(address("ana@x.example"), [address("b@x.example"), address("c@x.example")]);
    let outcome = smtp.send_bytes(&envelope, MESSAGE, &Options::default()).await?;
    told.fates = outcome.recipients.iter().map(|fate| format!("{fate:?}")).collect();
    smtp.quit().await;
    Ok(())
}

const MESSAGE: &[u8] = b"Subject: one\r\n\r\nhello one\r\n";

async fn session(spec: &Spec, told: &mut Told) -> Result<(), Error> {
    match spec.proto.as_str() {
        "pop3" => pop3(spec, told).await,
        "smtp" => smtp(spec, told).await,
        _ => imap(spec, told).await,
    }
}

fn main() {
    let mut spec = String::new();
    std::io::stdin().read_to_string(&mut spec).expect("a specification on standard input");
    let spec: Spec = serde_json::from_str(&spec).expect("a specification");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut told = Told::default();
    let started = std::time::Instant::now();
    if let Err(error) = runtime.block_on(session(&spec, &mut told)) {
        told.message = error.to_string();
        told.error = Some(format!("{error:?}"));
    }
    told.seconds = started.elapsed().as_secs_f64();
    told.rss = high_water();
    told.listed.truncate(10);
    println!("{}", serde_json::to_string(&told).expect("JSON"));
}
