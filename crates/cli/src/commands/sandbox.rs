//! `postkey sandbox`

mod env;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::sandbox::{
    App, AppKind, DAEMON_APP, FILE_MOVER_APP, GOOGLE_APP, GoogleClient, PUBLIC_APP, Profile, SERVICE_ACCOUNT,
    Sandbox, StartError, UserKind, WEB_APP, WORKLOAD_SECRET, WORKLOAD_SUBJECT, WorkloadToken,
};
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
        let files = Files::write(&sandbox, args.ca_file.as_deref())?;
        describe(&sandbox, &files, out)?;
        out.document(&document(&sandbox, &files))?;
        // Last: whoever waits for it finds everything else done.
        let _env =
            args.env_file.as_deref().map(|path| env::EnvFile::write(path, &sandbox, &files)).transpose()?;
        if let Some(path) = &args.env_file {
            out.remark(format!("In another shell: . {}", env::to_source(path)));
        }
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

/// What a client needs on disk, in a directory of the owner's that lasts as long as the sandbox runs; the certificate may go elsewhere.
struct Files {
    ca: PathBuf,
    client_key: PathBuf,
    workload_token: PathBuf,
    service_account: PathBuf,
    /// The password of the user whom the variables name.
    password: PathBuf,
    /// What the places of work want to see before they lend a token.
    workload_secret: PathBuf,
    /// The secrets of the applications that are named, in the order of [`named`].
    secrets: Vec<(&'static str, PathBuf)>,
    /// A configuration that knows the sandbox as a provider, with a place for tokens of its own.
    config: PathBuf,
    _dir: tempfile::TempDir,
}

impl Files {
    fn write(sandbox: &Sandbox, ca: Option<&Path>) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("the sandbox's files cannot be written: {error}");
            Failure::new(
                Exit::Disk,
                message,
                "say where the certificate may go: --ca-file FILE; the others go where TMPDIR says",
            )
        };
        let mut dir = tempfile::Builder::new();
        dir.prefix("postkey-sandbox-");
        #[cfg(unix)]
        dir.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = dir.tempdir().map_err(failed)?;
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            let mut file = private(&path)?;
            file.write_all(text.as_bytes())?;
            Ok(path)
        };
        let key = sandbox.client_key();
        let pem = format!("{}{}", key.certificate_pem(), key.private_key_pem().expose());
        // A day, so that a person who tries things out need not start again.
        let token = sandbox.workload_token(&WorkloadToken::new(WORKLOAD_SUBJECT).lifetime(86_400));
        let account = sandbox
            .service_account_key(SERVICE_ACCOUNT)
            .map_err(|e| Failure::new(Exit::Unexpected, e.to_string(), ""))?;
        let ca = match ca {
            Some(path) => {
                std::fs::write(path, sandbox.ca_pem()).map_err(failed)?;
                std::path::absolute(path).map_err(failed)?
            }
            None => write("ca.pem", sandbox.ca_pem()).map_err(failed)?,
        };
        let mut secrets = Vec::new();
        for (name, app) in named(sandbox) {
            if let Some(secret) = app.secret() {
                let file = format!("{}.secret", name.to_lowercase().replace(' ', "-"));
                secrets.push((name, write(&file, secret.expose()).map_err(failed)?));
            }
        }
        if let Some(client) = google(sandbox) {
            secrets.push((GOOGLE_APP, write("gmail.secret", client.secret().expose()).map_err(failed)?));
        }
        let user = sandbox.users().iter().find(|user| user.upn() == ::sandbox::ANA);
        let password = user.map_or_else(String::new, |user| user.password().expose().to_owned());
        let config = write("config.toml", &env::configuration(sandbox, &ca)).map_err(failed)?;
        Ok(Self {
            ca,
            secrets,
            config,
            client_key: write("client.pem", &pem).map_err(failed)?,
            workload_token: write("workload-token", token.expose()).map_err(failed)?,
            service_account: write("service-account.json", account.expose()).map_err(failed)?,
            password: write("user.password", &password).map_err(failed)?,
            workload_secret: write("workload.secret", WORKLOAD_SECRET).map_err(failed)?,
            _dir: dir,
        })
    }
}

/// A new file that only its owner reads.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn describe(sandbox: &Sandbox, files: &Files, out: Out) -> Result<()> {
    let ports = sandbox.ports();
    let ca = files.ca.display();
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
        let fixed = match app.kind() {
            AppKind::Web => format!("  {FAINT}redirects {}{FAINT:#}", app.redirects().join(" ")),
            _ => String::new(),
        };
        out.line(format!("  {}  {name}{secret}{fixed}", app.id()))?;
    }
    if let Some(client) = google(sandbox) {
        let (id, name, secret) = (client.id(), client.display_name(), client.secret().expose());
        out.line(format!(
            "  {id}  {name}  secret {secret}  {FAINT}at {}{FAINT:#}",
            sandbox.google_authority()
        ))?;
    }
    out.line("\nInstead of a secret (these files end with the sandbox):")?;
    for (file, use_of) in [
        (&files.client_key, format!("certificate and private key of {WEB_APP} and {DAEMON_APP}")),
        (&files.workload_token, format!("a token of an outside issuer that {DAEMON_APP} trusts, for a day")),
        (&files.service_account, "key file of a Google-like service account".to_owned()),
    ] {
        out.line(format!("  {}  {FAINT}{use_of}{FAINT:#}", file.display()))?;
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

/// The client of the Google-like sign-in that people start with.
fn google(sandbox: &Sandbox) -> Option<&GoogleClient> {
    sandbox.google_clients().iter().find(|client| client.display_name() == GOOGLE_APP)
}

/// The applications that people start with; the others are for tests that know them.
fn named(sandbox: &Sandbox) -> impl Iterator<Item = (&'static str, &App)> {
    [PUBLIC_APP, WEB_APP, FILE_MOVER_APP, DAEMON_APP]
        .into_iter()
        .filter_map(|name| Some((name, sandbox.app(name)?)))
}

fn document(sandbox: &Sandbox, files: &Files) -> Value {
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
                "redirects": app.redirects(),
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
        "ca_file": files.ca.display().to_string(),
        "client_key_file": files.client_key.display().to_string(),
        "workload_token_file": files.workload_token.display().to_string(),
        "service_account_file": files.service_account.display().to_string(),
        "token_uri": format!("{}/token", sandbox.google_authority()),
        "google": {
            "authority": sandbox.google_authority(),
            "client_id": google(sandbox).map(GoogleClient::id),
            "client_secret": google(sandbox).map(|client| client.secret().expose()),
        },
        "workload": {
            "github_url": format!("{}/workload/github?api-version=2.0", sandbox.base_url()),
            "identity_url": format!("{}/workload/identity", sandbox.base_url()),
            "secret": WORKLOAD_SECRET,
        },
        "imap": {"host": "localhost", "port": ports.imaps, "starttls_port": ports.imap},
        "pop3": {"host": "localhost", "port": ports.pop3s, "stls_port": ports.pop3},
        "smtp": {"host": "localhost", "starttls_port": ports.submission},
        "users": users,
        "apps": apps,
    })
}
