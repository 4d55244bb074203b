//! Which real programs are on this machine.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that tests start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// The IMAP server, package dovecot-imapd.
    Dovecot,
    /// Dovecot's services besides IMAP, packages dovecot-pop3d, dovecot-submissiond and dovecot-lmtpd.
    DovecotServices,
    /// The mail transfer agent, package postfix; only root can run one.
    Postfix,
    /// The sending client, package msmtp.
    Msmtp,
    /// The POP3 client, package mpop.
    Mpop,
    /// The command-line client, package curl.
    Curl,
    /// Any Python 3; it has imaplib.
    Python,
    /// A Python that can import `msal`: the one that `cargo xtask packages` set up.
    Msal,
    /// Node with the packages that `cargo xtask packages` installed; [`node`](crate::node()) runs a script with them.
    Node,
    /// A Python that can import `jwt` and `cryptography`: the same.
    PyJwt,
    /// The mailbox synchroniser, package isync.
    Mbsync,
    /// The browser and what drives it, packages chromium and chromium-driver; it is the driver that is found.
    Chromium,
    /// The plugin by which mbsync speaks XOAUTH2, package libsasl2-modules-kdexoauth2.
    SaslXoauth2,
    /// The mail reader, package mutt.
    Mutt,
    /// What gives a program a terminal, package bsdutils.
    Script,
    /// The mailbox synchroniser in Python, package offlineimap3.
    OfflineImap,
    /// Debian's git with `send-email` and the Perl modules that needs, packages git-email and libmailtools-perl.
    GitSendEmail,
    /// The authorisation server, packages glewlwyd and sqlite3, which makes its database.
    Glewlwyd,
    /// The file encryptor, package age.
    Age,
    /// GNOME Keyring on a session bus of its own, and what asks it: packages gnome-keyring, dbus and libsecret-tools.
    SecretService,
    /// This project's own program, as the test run built it.
    Postkey,
}

impl Program {
    /// Where it is, if it is here.
    pub fn find(self) -> Option<PathBuf> {
        match self {
            Self::Dovecot => on_path("dovecot"),
            Self::DovecotServices => dovecot_services(),
            Self::Postfix => on_path("postfix").filter(|_| rustix::process::getuid().is_root()),
            Self::Msmtp => on_path("msmtp"),
            Self::Mpop => on_path("mpop"),
            Self::Curl => on_path("curl"),
            Self::PyJwt => environment_python().filter(|python| imports(python, "jwt, cryptography")),
            Self::Mbsync => on_path("mbsync"),
            Self::SaslXoauth2 => sasl_xoauth2(),
            Self::Mutt => on_path("mutt"),
            Self::Script => on_path("script"),
            Self::OfflineImap => on_path("offlineimap"),
            Self::GitSendEmail => git_send_email(),
            Self::Python => environment_python().or_else(|| on_path("python3")),
            Self::Msal => environment_python().filter(|python| imports(python, "msal")),
            Self::Node => on_path("node").filter(|_| node_packages().is_some()),
            Self::Chromium => on_path("chromium").and_then(|_| on_path("chromedriver")),
            Self::Glewlwyd => on_path("glewlwyd")
                .filter(|_| on_path("sqlite3").is_some() && Path::new(crate::glewlwyd::TABLES).is_file()),
            Self::Age => on_path("age").filter(|_| on_path("age-keygen").is_some()),
            Self::SecretService => on_path("gnome-keyring-daemon")
                .filter(|_| on_path("dbus-run-session").and_then(|_| on_path("secret-tool")).is_some()),
            Self::Postkey => own_program(),
        }
    }

    fn how_to_get(self) -> &'static str {
        match self {
            Self::Dovecot => "install the package dovecot-imapd",
            Self::DovecotServices => {
                "install the packages dovecot-pop3d, dovecot-submissiond and dovecot-lmtpd"
            }
            Self::Postfix => "install the package postfix and be root",
            Self::Msmtp => "install the package msmtp",
            Self::Mpop => "install the package mpop",
            Self::Curl => "install the package curl",
            Self::Mbsync => "install the package isync",
            Self::SaslXoauth2 => "install the package libsasl2-modules-kdexoauth2",
            Self::Mutt => "install the package mutt",
            Self::Script => "install the package bsdutils",
            Self::OfflineImap => "install the package offlineimap3",
            Self::GitSendEmail => "install the packages git-email, libmailtools-perl and libauthen-sasl-perl",
            Self::Python => "install the package python3",
            Self::Msal | Self::PyJwt => "run `cargo xtask packages`",
            Self::Node => "install nodejs (20.19 or newer) and npm and run `cargo xtask packages`",
            Self::Chromium => "install the packages chromium and chromium-driver",
            Self::Glewlwyd => "install the packages glewlwyd and sqlite3",
            Self::Age => "install the package age",
            Self::SecretService => "install the packages gnome-keyring, dbus and libsecret-tools",
            Self::Postkey => "run `cargo build -p postkey-cli`",
        }
    }
}

/// Whether a test that needs these programs can run. When not, it says so on standard error and in the file
/// that `POSTKEY_SKIPPED` names (the test command counts its lines), and the test returns.
///
/// ```no_run
/// # use postkey_peers::{Program, available};
/// #[test]
/// fn curl_reads_from_dovecot() {
///     if !available("curl_reads_from_dovecot", &[Program::Dovecot, Program::Curl]) {
///         return;
///     }
/// }
/// ```
#[must_use]
pub fn available(test: &str, programs: &[Program]) -> bool {
    let missing: Vec<Program> = programs.iter().copied().filter(|program| program.find().is_none()).collect();
    let Some(first) = missing.first() else { return true };
    let line = format!("{test}: no {missing:?} here ({})\n", first.how_to_get());
    eprint!("skipped: {line}");
    if let Some(log) = std::env::var_os("POSTKEY_SKIPPED") {
        // One write per line, so that lines of several processes do not mix.
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .and_then(|mut f| f.write_all(line.as_bytes()));
        if let Err(e) = written {
            panic!("cannot write to {}: {e}", Path::new(&log).display());
        }
    }
    false
}

/// Daemons are in directories that an ordinary user's `PATH` lacks.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

fn dovecot_services() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| ["pop3", "submission", "lmtp"].iter().all(|name| dir.join(name).is_file());
    ["/usr/lib/dovecot", "/usr/libexec/dovecot"].map(PathBuf::from).into_iter().find(complete)
}

/// The folder of the SASL library's plugins is named after the machine's kind.
fn sasl_xoauth2() -> Option<PathBuf> {
    let kinds = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    kinds.map(|kind| kind.join("sasl2/libkdexoauth2.so")).find(|plugin| plugin.is_file())
}

/// Not just any git on the `PATH`: the one that belongs to the `send-email` that was found.
fn git_send_email() -> Option<PathBuf> {
    let parts = [
        "/usr/lib/git-core/git-send-email",
        "/usr/share/perl5/Mail/Address.pm",
        "/usr/share/perl5/Authen/SASL.pm",
    ];
    let git = PathBuf::from("/usr/bin/git");
    parts.iter().all(|part| Path::new(part).is_file()).then_some(git).filter(|git| git.is_file())
}

fn environment_python() -> Option<PathBuf> {
    let named = std::env::var_os("POSTKEY_PYTHON").map(PathBuf::from);
    let usual = || Some(target_dir()?.join("xtask/venv/bin/python"));
    named.filter(|python| python.is_file()).or_else(usual).filter(|python| python.is_file())
}

/// The folder whose `node_modules` is complete: the stamp is written last.
pub(crate) fn node_packages() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| dir.join("made-from").is_file();
    let named = std::env::var_os("POSTKEY_NODE").map(PathBuf::from);
    named.filter(complete).or_else(|| Some(target_dir()?.join("xtask/node"))).filter(complete)
}

fn imports(python: &Path, module: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn own_program() -> Option<PathBuf> {
    let named = std::env::var_os("POSTKEY_BIN").map(PathBuf::from);
    named.or_else(|| Some(profile_dir()?.join("postkey"))).filter(|program| program.is_file())
}

/// `target/debug` when the running test is `target/debug/deps/name-hash`.
fn profile_dir() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let dir = test.parent()?;
    Some(if dir.ends_with("deps") { dir.parent()? } else { dir }.to_path_buf())
}

fn target_dir() -> Option<PathBuf> {
    Some(profile_dir()?.parent()?.to_path_buf())
}
