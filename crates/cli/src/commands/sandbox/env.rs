//! What a person at a shell needs to use a sandbox: variables to be read by `.`, and a configuration that knows it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::sandbox::{
    ANA, DAEMON_APP, FILE_MOVER_APP, FILE_MOVER_REDIRECT, GOOGLE_APP, PUBLIC_APP, SHARED, Sandbox, WEB_APP,
};

use super::{Files, google};
use crate::exit::{Exit, Failure, Result};

/// The file of variables; it goes when this is dropped.
pub(super) struct EnvFile(PathBuf);

impl EnvFile {
    /// Writes it whole or not at all, for its owner's eyes only. What was there under the name is replaced.
    pub(super) fn write(path: &Path, sandbox: &Sandbox, files: &Files) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Failure::new(Exit::Disk, message, "say where it may go: --env-file FILE")
        };
        let path = std::path::absolute(path).map_err(failed)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(text(sandbox, files).as_bytes()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(Self(path))
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The argument of the shell's `.`, which looks for names without a slash elsewhere.
pub(super) fn to_source(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if text.contains('/') { text } else { format!("./{text}") };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text } else { quoted(&text) }
}

/// The lines of the file. Secrets are not among them: they are in files, whose names are.
fn text(sandbox: &Sandbox, files: &Files) -> String {
    let ports = sandbox.ports();
    let id = |name: &str| sandbox.app(name).map_or("", |app| app.id()).to_owned();
    let secret = |name: &str| {
        let found = files.secrets.iter().find(|(app, _)| *app == name);
        found.map_or_else(String::new, |(_, path)| path.display().to_string())
    };
    let variables = [
        ("POSTKEY_CONFIG", files.config.display().to_string()),
        ("SANDBOX_AUTHORITY", sandbox.authority()),
        ("SANDBOX_BASE_URL", sandbox.base_url()),
        ("SANDBOX_CA", files.ca.display().to_string()),
        ("SANDBOX_TENANT", sandbox.tenant_id().to_owned()),
        ("SANDBOX_DOMAIN", sandbox.domain().to_owned()),
        ("SANDBOX_USER", ANA.to_owned()),
        ("SANDBOX_PASSWORD_FILE", files.password.display().to_string()),
        ("SANDBOX_SHARED_MAILBOX", SHARED.to_owned()),
        ("SANDBOX_PUBLIC_CLIENT_ID", id(PUBLIC_APP)),
        ("SANDBOX_WEB_CLIENT_ID", id(WEB_APP)),
        ("SANDBOX_WEB_SECRET_FILE", secret(WEB_APP)),
        ("SANDBOX_MOVER_CLIENT_ID", id(FILE_MOVER_APP)),
        ("SANDBOX_MOVER_SECRET_FILE", secret(FILE_MOVER_APP)),
        ("SANDBOX_MOVER_REDIRECT", FILE_MOVER_REDIRECT.to_owned()),
        ("SANDBOX_DAEMON_CLIENT_ID", id(DAEMON_APP)),
        ("SANDBOX_DAEMON_SECRET_FILE", secret(DAEMON_APP)),
        ("SANDBOX_CERTIFICATE_FILE", files.client_key.display().to_string()),
        ("SANDBOX_WORKLOAD_TOKEN_FILE", files.workload_token.display().to_string()),
        ("SANDBOX_WORKLOAD_SECRET_FILE", files.workload_secret.display().to_string()),
        ("SANDBOX_SERVICE_ACCOUNT_FILE", files.service_account.display().to_string()),
        ("SANDBOX_GOOGLE_CLIENT_ID", google(sandbox).map_or("", |client| client.id()).to_owned()),
        ("SANDBOX_GOOGLE_SECRET_FILE", secret(GOOGLE_APP)),
        ("SANDBOX_TOKEN_URI", format!("{}/token", sandbox.google_authority())),
        ("SANDBOX_HOST", "localhost".to_owned()),
        ("SANDBOX_IMAP_PORT", ports.imaps.to_string()),
        ("SANDBOX_IMAP_STARTTLS_PORT", ports.imap.to_string()),
        ("SANDBOX_POP3_PORT", ports.pop3s.to_string()),
        ("SANDBOX_POP3_STLS_PORT", ports.pop3.to_string()),
        ("SANDBOX_SMTP_STARTTLS_PORT", ports.submission.to_string()),
    ];
    let mut text = String::from("# Of a running postkey sandbox; read it into a shell: . ./FILE\n");
    for (name, value) in variables {
        let _ = writeln!(text, "export {name}={}", quoted(&value));
    }
    text
}

/// A word of the shell that stands for exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A configuration without accounts: the sandbox as two providers, and its own place for tokens, which goes with it.
pub(super) fn configuration(sandbox: &Sandbox, ca: &Path) -> String {
    use toml_edit::{DocumentMut, InlineTable, Item, Table, value};
    let ports = sandbox.ports();
    let server = |port: u16, tls: &str| {
        let mut server = InlineTable::new();
        server.insert("host", "localhost".into());
        server.insert("port", i64::from(port).into());
        server.insert("tls", tls.into());
        value(toml_edit::Array::from_iter([server]))
    };
    let provider = |like: &str, title: &str, authority: String| {
        let mut servers = Table::new();
        servers.insert("imap", server(ports.imaps, "implicit"));
        servers.insert("pop3", server(ports.pop3s, "implicit"));
        servers.insert("smtp", server(ports.submission, "starttls"));
        let mut provider = Table::new();
        provider.insert("like", value(like));
        provider.insert("title", value(title));
        provider.insert("authority", value(authority));
        provider.insert("ca_file", value(ca.display().to_string()));
        provider.insert("servers", Item::Table(servers));
        Item::Table(provider)
    };
    let mut providers = Table::new();
    providers.set_implicit(true);
    providers.insert("sandbox", provider("microsoft", "the sandbox", sandbox.base_url()));
    let mut google = provider("google", "the sandbox, as Google", sandbox.google_authority());
    // Google's own is on another host than its pages.
    if let Some(google) = google.as_table_mut() {
        google.insert("token", value("{authority}/token"));
    }
    providers.insert("sandbox-google", google);
    let mut document = DocumentMut::new();
    document.insert("state_dir", value("state"));
    document.insert("providers", Item::Table(providers));
    document.to_string()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_so_that_the_shell_finds_it() {
        for (path, named) in [
            ("sandbox.env", "./sandbox.env"),
            ("/a/b.env", "/a/b.env"),
            ("my env", "'./my env'"),
            ("../x", "../x"),
        ] {
            assert_eq!(to_source(Path::new(path)), named);
        }
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["", "plain", "it's", "$HOME `id` \"x\"\\", "''", "two words\nand lines"] {
            let script = format!("printf %s {}", quoted(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
