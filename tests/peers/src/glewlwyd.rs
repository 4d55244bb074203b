//! A second authorisation server that is not ours: Glewlwyd, with a database of its own.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::node::node;
use crate::{Program, free_port};

/// Where Debian keeps the statements that make the tables.
pub(crate) const TABLES: &str = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, on loopback without TLS. What is registered stands in `node/glewlwyd.mjs`. Dropping it ends it.
#[derive(Debug)]
pub struct Glewlwyd {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Glewlwyd {
    /// Starts one; [`Program::Glewlwyd`] and [`Program::Node`] have to be here. `redirect` is the address that the public client has.
    ///
    /// # Errors
    /// When it does not start or cannot be set up; its log is in the error.
    pub fn start(redirect: &str) -> io::Result<Self> {
        let program = Program::Glewlwyd.find().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let dir = tempfile::tempdir()?;
        let port = free_port()?;
        let database = dir.path().join("database");
        let made = Command::new("sqlite3").arg(&database).stdin(fs::File::open(TABLES)?).output()?;
        succeeded(&made)?;
        let file = dir.path().join("configuration");
        fs::write(&file, configuration(port, dir.path(), &database))?;
        let log = fs::File::create(dir.path().join("log"))?;
        let child = Command::new(program)
            .arg(format!("--config-file={}", file.display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        // From here on it ends with this value.
        let server = Self { child, port, dir };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > PATIENCE {
                return Err(io::Error::other(server.log()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        server
            .act("setup", redirect)
            .map_err(|error| io::Error::other(format!("{error}\n{}", server.log())))?;
        Ok(server)
    }

    /// Its issuer; the discovery document is below it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://localhost:{}/api/oidc", self.port)
    }

    /// The person lets the device with this code in.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn approve(&self, user_code: &str) -> io::Result<()> {
        self.act("device", user_code).map(drop)
    }

    /// The person opens this address, signs in and grants everything; the text of the page where that ends.
    ///
    /// # Errors
    /// When the server does not send the browser back.
    pub fn browse(&self, address: &str) -> io::Result<String> {
        self.act("browse", address)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn act(&self, what: &str, argument: &str) -> io::Result<String> {
        let mut script = node("glewlwyd.mjs").ok_or_else(|| io::Error::other("there is no Node"))?;
        succeeded(&script.args([what, &self.port.to_string(), argument]).output()?)
    }
}

fn succeeded(output: &Output) -> io::Result<String> {
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn configuration(port: u16, dir: &Path, database: &Path) -> String {
    let modules = "/usr/lib/glewlwyd";
    // It wants the names of the TLS files even when it has no use for them.
    format!(
        r#"port = {port}
bind_address = "127.0.0.1"
external_url = "http://localhost:{port}"
login_url = "login.html"
api_prefix = "api"
log_mode = "console"
log_level = "DEBUG"
cookie_secure = 0
session_expiration = 3600
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
use_secure_connection = false
secure_connection_key_file = "none"
secure_connection_pem_file = "none"
secure_connection_ca_file = "none"
static_files_path = "{}"
static_files_mime_types = ({{ extension = ".html" mime_type = "text/html" }})
hash_algorithm = "SHA512"
database = {{ type = "sqlite3" path = "{}" }}
"#,
        dir.display(),
        database.display()
    )
}

impl Drop for Glewlwyd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
