//! `postkey sandbox`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::sandbox::{App, AppKind, DAEMON_APP, PUBLIC_APP, Profile, Sandbox, StartError, UserKind, WEB_APP};
use serde_json::{Value, json};

use crate::args::{self, Imitate};
use crate::exit::{Exit, Failure, Result};
use crate::output::{FAINT, Out, STRONG};
use crate::signals::Stop;

/// Runs the pretend tenant until it is told to stop, which is its normal end.
pub(crate) fn run(args: &args::Sandbox, out: Out) -> Result<()> {
    super::block_on(async {
        let stop = Stop::listen()?;
        let profile = match args.imitate {
            Imitate::Exo2026 => Profile::Exo2026,
            Imitate::ExoClassic => Profile::ExoClassic,
            Imitate::Plain => Profile::Plain,
        };
        let mut builder = Sandbox::builder()
            .messages(usize::try_from(args.messages).unwrap_or(usize::MAX))
            .https_port(args.port)
            .imaps_port(args.imap_port)
            .imap_port(args.starttls_port)
            .pop3s_port(args.pop3_port)
            .submission_port(args.submission_port)
            .imap(profile)
            .pop3(profile)
            .smtp(profile);
        if let Some(port) = args.http_port {
            builder = builder.http_port(port);
        }
        let sandbox = builder.start().await.map_err(started)?;
        let ca = Ca::write(args.ca_file.as_deref(), sandbox.ca_pem())?;
        describe(&sandbox, ca.path(), out)?;
        out.document(&document(&sandbox, ca.path()))?;
        stop.requested().await;
        out.remark("The sandbox has ended; its tokens and mailboxes are gone.");
        Ok(())
    })
}

/// A sandbox that did not start.
pub(crate) fn started(error: StartError) -> Failure {
    let exit = if matches!(error, StartError::Listen { .. }) { Exit::Usage } else { Exit::Unexpected };
    Failure::new(exit, error.to_string(), "")
}

/// The certificate on disk, for as long as the sandbox runs if nobody said where.
enum Ca {
    Named(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

impl Ca {
    fn write(path: Option<&Path>, pem: &str) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("the CA certificate cannot be written: {error}");
            Failure::new(Exit::Disk, message, "say where it may go: --ca-file FILE")
        };
        let Some(path) = path else {
            let mut file = tempfile::Builder::new()
                .prefix("postkey-sandbox-ca-")
                .suffix(".pem")
                .tempfile()
                .map_err(failed)?;
            file.write_all(pem.as_bytes()).map_err(failed)?;
            return Ok(Self::Temporary(file));
        };
        std::fs::write(path, pem).map_err(failed)?;
        Ok(Self::Named(std::path::absolute(path).map_err(failed)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

fn describe(sandbox: &Sandbox, ca: &Path, out: Out) -> Result<()> {
    let ports = sandbox.ports();
    let ca = ca.display();
    out.line("A pretend Microsoft 365 tenant is running on this machine. Everything in it is invented.\n")?;
    let mut facts = vec![
        ("authority", sandbox.authority()),
        ("CA file", ca.to_string()),
        ("tenant", format!("{} ({})", sandbox.domain(), sandbox.tenant_id())),
        ("IMAP", format!("localhost:{} (TLS), localhost:{} (STARTTLS)", ports.imaps, ports.imap)),
        ("POP3", format!("localhost:{} (TLS), localhost:{} (STLS)", ports.pop3s, ports.pop3)),
        ("SMTP", format!("localhost:{} (STARTTLS)", ports.submission)),
    ];
    if let Some(base) = sandbox.plain_base_url() {
        facts.push(("without TLS", format!("{base}/{}", sandbox.tenant_id())));
    }
    for (name, value) in facts {
        out.line(format!("  {STRONG}{name:<12}{STRONG:#}{value}"))?;
    }
    out.line("\nUsers:")?;
    for user in sandbox.users() {
        let name = user.upn();
        match user.kind() {
            UserKind::SharedMailbox => out.line(format!("  {name:<28}{FAINT}shared mailbox{FAINT:#}"))?,
            _ => out.line(format!("  {name:<28}password {}", user.password().expose()))?,
        }
    }
    out.line("\nApplications (client ids):")?;
    for (name, app) in named(sandbox) {
        let secret = app.secret().map_or_else(String::new, |secret| format!("  secret {}", secret.expose()));
        out.line(format!("  {}  {name}{secret}", app.id()))?;
    }
    let (tenant, client) = (sandbox.tenant_id(), sandbox.public_client_id());
    let user = ::sandbox::ANA;
    out.line(format!(
        "\nWith postkey:\n  postkey account add pretend --user {user} --tenant {tenant} --client-id {client} \\\n    \
         --authority {base} --ca-file {ca} --imap-host localhost --imap-port {imaps} \\\n    \
         --protocol imap --protocol pop3 --protocol smtp --pop3-host localhost --pop3-port {pop3s} \\\n    \
         --smtp-host localhost --smtp-port {submission} --smtp-tls starttls\n  postkey login pretend\n  \
         postkey folders pretend\n  postkey send -a pretend --to {user} --subject Hello --body 'Hello yourself.'\n\n\
         With curl, once postkey has signed in:\n  curl --cacert {ca} --user {user} \\\n    \
         --oauth2-bearer \"$(postkey token pretend)\" imaps://localhost:{imaps}/\n",
        base = sandbox.base_url(),
        imaps = ports.imaps,
        pop3s = ports.pop3s,
        submission = ports.submission,
    ))?;
    out.remark(format!("{FAINT}Ctrl-C ends it.{FAINT:#}"));
    Ok(())
}

/// The applications that people start with; the others are for tests that know them.
fn named(sandbox: &Sandbox) -> impl Iterator<Item = (&'static str, &App)> {
    [PUBLIC_APP, WEB_APP, DAEMON_APP].into_iter().filter_map(|name| Some((name, sandbox.app(name)?)))
}

fn document(sandbox: &Sandbox, ca: &Path) -> Value {
    let ports = sandbox.ports();
    let users: Vec<Value> = sandbox
        .users()
        .iter()
        .map(|user| {
            let kind = match user.kind() {
                UserKind::Work => "work",
                UserKind::Personal => "personal",
                UserKind::SharedMailbox => "shared",
                _ => "other",
            };
            json!({"name": user.upn(), "password": user.password().expose(), "kind": kind})
        })
        .collect();
    let apps: Vec<Value> = named(sandbox)
        .map(|(name, app)| {
            let kind = match app.kind() {
                AppKind::Public => "public",
                AppKind::Web => "web",
                AppKind::Daemon => "daemon",
                _ => "other",
            };
            json!({
                "name": name,
                "client_id": app.id(),
                "client_secret": app.secret().map(wire::Secret::expose),
                "kind": kind,
            })
        })
        .collect();
    json!({
        "authority": sandbox.authority(),
        "base_url": sandbox.base_url(),
        "http_url": sandbox.plain_base_url(),
        "tenant_id": sandbox.tenant_id(),
        "domain": sandbox.domain(),
        "ca_file": ca.display().to_string(),
        "imap": {"host": "localhost", "port": ports.imaps, "starttls_port": ports.imap},
        "pop3": {"host": "localhost", "port": ports.pop3s, "stls_port": ports.pop3},
        "smtp": {"host": "localhost", "starttls_port": ports.submission},
        "users": users,
        "apps": apps,
    })
}
