//! `postkey try`: the whole way, offline, in one command.

use std::path::{Path, PathBuf};

use ::sandbox::{ANA, Builder, Fault, Sandbox};
use archive::download::Plan;
use serde_json::json;

use super::{fetch, folders, sandbox};
use crate::args::Try;
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::mail::Access;
use crate::output::text::{many, safe};
use crate::output::{FAINT, Out, STRONG, with};
use crate::sign_in::{SignIn, Wishes};
use crate::signals::Stop;
use crate::tokens;

/// The account of the tour.
const ACCOUNT: &str = "tour";

/// How the configuration of the tour begins: a file that does not is somebody else's and is not overwritten.
const MARK: &str = "# Made by `postkey try`";

/// Takes the tour.
pub(crate) fn run(args: &Try, out: Out) -> Result<()> {
    super::block_on(async {
        let stop = Stop::listen()?;
        let place = Place::prepare(&args.dir)?;
        let messages = usize::try_from(args.messages).unwrap_or(usize::MAX);
        // One second between polls: nobody has to walk to another device.
        let builder = Sandbox::builder().messages(messages).fault(Fault::DeviceInterval(1));
        let tenant = Tenant::start(builder)?;
        let sandbox = &tenant.sandbox;
        place.configure(sandbox)?;
        let config = Config::load(Some(&place.config))?;

        out.line(format!(
            "A pretend Microsoft 365 tenant runs at {}. Nothing leaves this machine;\neverything that is made here is in {}.\n",
            sandbox.base_url(),
            place.root.display()
        ))?;
        stop.or(sign_in(sandbox, &config, out)).await?;
        let access =
            stop.or(Access::prepare(config.account(Some(ACCOUNT))?, &config, auth::Protocol::Imap)).await?;

        out.line(format!("{STRONG}2. The folders{STRONG:#}\n"))?;
        let found = stop.or(folders::list(&access)).await?;
        let names: Vec<String> = found.iter().map(|folder| safe(&folder.name)).collect();
        out.line(format!("{}: {}\n", many(found.len() as u64, "folder"), names.join(", ")))?;

        out.line(format!("{STRONG}3. The download{STRONG:#}\n"))?;
        let maildir = fetch::open(&place.mail, true)?;
        let done =
            fetch::download(&access, fetch::Wanted::Imap(Plan::default()), &maildir, out, stop.requested())
                .await;
        fetch::tell(&done, &place.mail, out)?;
        forget(&config).await?;
        let tour = json!({"user": ANA, "directory": place.root.display().to_string()});
        let document = with(fetch::document(&done, ACCOUNT, &place.mail), tour);
        done.verdict(ACCOUNT)?;
        out.line(next(&place))?;
        out.document(&document)
    })
}

/// The pretend tenant, on a thread of its own: the download writes to disk in between, and a server should not wait for
/// that.
struct Tenant {
    sandbox: Sandbox,
    /// Dropped, it ends the thread.
    _running: tokio::sync::oneshot::Sender<()>,
}

impl Tenant {
    fn start(builder: Builder) -> Result<Self> {
        let failed =
            |what: String| Failure::new(Exit::Unexpected, format!("the sandbox does not start: {what}"), "");
        let (tell, hear) = std::sync::mpsc::channel();
        let (running, ended) = tokio::sync::oneshot::channel();
        let serve = move || {
            let done = super::block_on(async {
                let _ = tell.send(builder.start().await.map_err(sandbox::started));
                let _ = ended.await;
                Ok(())
            });
            done.map_err(|failure| tracing::error!("the sandbox: {}", failure.message))
        };
        std::thread::Builder::new().spawn(serve).map_err(|error| failed(error.to_string()))?;
        let sandbox = hear.recv().map_err(|error| failed(error.to_string()))??;
        Ok(Self { sandbox, _running: running })
    }
}

/// The device sign-in, with the tour in the person's place.
async fn sign_in(sandbox: &Sandbox, config: &Config, out: Out) -> Result<()> {
    out.line(format!("{STRONG}1. The sign-in{STRONG:#}\n"))?;
    let account = config.account(Some(ACCOUNT))?;
    let store = tokens::open(config, ACCOUNT)?;
    let wishes = Wishes { qr: false, no_open: true, language: None, timeout: 0 };
    let sign_in = SignIn::new(&account, out, wishes)?;
    let code = sign_in.device_begin().await?;
    out.line(format!(
        "\n{FAINT}The tour plays the person: it opens that page, types the code, and signs in as {ANA}.{FAINT:#}\n"
    ))?;
    sandbox
        .approve_device(&code.user_code, ANA)
        .await
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string(), ""))?;
    let tokens = sign_in.device_end(&code).await?;
    account.keep(&store, tokens).await?;
    out.line(format!(
        "Signed in as {STRONG}{ANA}{STRONG:#}; the tokens are in the tour's store, encrypted.\n"
    ))
}

/// The tenant that issued the tokens ends with the tour.
async fn forget(config: &Config) -> Result<()> {
    let account = config.account(Some(ACCOUNT))?;
    let store = tokens::open(config, ACCOUNT)?;
    account.forget(&store).await.map(drop)
}

/// The tour's folder and what is in it.
struct Place {
    root: PathBuf,
    config: PathBuf,
    mail: PathBuf,
}

impl Place {
    fn prepare(root: &Path) -> Result<Self> {
        let place = Self { config: root.join("config.toml"), mail: root.join("Mail"), root: root.to_owned() };
        make(&place.root).map_err(|error| cannot(&place.root, &error))?;
        match std::fs::read_to_string(&place.config) {
            Ok(text) if !text.starts_with(MARK) => Err(Failure::new(
                Exit::Usage,
                format!("{} is not the tour's and is not touched", place.config.display()),
                "choose another folder: postkey try --dir FOLDER",
            )),
            _ => Ok(place),
        }
    }

    /// Writes the configuration that the rest of the tour goes by, as anybody would.
    fn configure(&self, sandbox: &Sandbox) -> Result<()> {
        let text = format!(
            "{MARK}; it is written anew each time, and its tenant ends with the tour.\n\
             state_dir = \"state\"\n\n\
             [accounts.{ACCOUNT}]\n\
             provider = \"microsoft\"\n\
             user = \"{ANA}\"\n\
             tenant = \"{tenant}\"\n\
             client_id = \"{client}\"\n\
             flow = \"device\"\n\n\
             [accounts.{ACCOUNT}.imap]\n\
             host = \"localhost\"\n\
             port = {port}\n\
             ca_file = \"ca.pem\"\n\n\
             [accounts.{ACCOUNT}.oauth]\n\
             authority = \"{authority}\"\n\
             ca_file = \"ca.pem\"\n",
            tenant = sandbox.tenant_id(),
            client = sandbox.public_client_id(),
            port = sandbox.ports().imaps,
            authority = sandbox.base_url(),
        );
        for (path, text) in [(&self.config, text.as_str()), (&self.root.join("ca.pem"), sandbox.ca_pem())] {
            std::fs::write(path, text).map_err(|error| cannot(path, &error))?;
        }
        Ok(())
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    let exit = match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Exit::NoPermission,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Exit::NoSpace,
        _ => Exit::Disk,
    };
    let message = format!("the tour cannot write to {}: {error}", path.display());
    Failure::new(exit, message, "choose another folder: postkey try --dir FOLDER")
}

#[cfg(unix)]
fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// What to do after the tour.
fn next(place: &Place) -> String {
    format!(
        "\n{STRONG}What happened{STRONG:#}\n\n\
         postkey asked the tenant for a device code, got an access token and a refresh token for it, opened an IMAP session\n\
         with XOAUTH2, listed the folders, and wrote every message to a Maildir in {mail}.\n\
         Look at it with any program that knows Maildir. Run `postkey try` again: it finds nothing new.\n\n\
         {STRONG}With a real mailbox{STRONG:#}\n\n  \
         1. Register an application at https://entra.microsoft.com (Identity, Applications, App registrations):\n     \
         platform \"Mobile and desktop applications\" with redirect http://localhost, \"Allow public client flows\" on,\n     \
         delegated permission IMAP.AccessAsUser.All of Microsoft Graph. Note the application id and the tenant id.\n  \
         2. postkey account add work --user you@your.domain --tenant TENANT-ID --client-id APPLICATION-ID\n  \
         3. postkey login work\n  \
         4. postkey fetch work --to maildir:Mail/work\n",
        mail = place.mail.display()
    )
}
