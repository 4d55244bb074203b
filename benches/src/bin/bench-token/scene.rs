//! An account that is signed in at the sandbox, and the same token where the other programs look for one.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postkey_benches::measured::clear;
use serde_json::{Value, json};

use crate::turns::Series;

/// Where Debian's mutt has it.
const MUTT: &str = "/usr/share/doc/mutt/examples/mutt_oauth2.py";

pub(crate) struct Scene {
    program: PathBuf,
    dir: PathBuf,
    token: String,
}

/// The pretend tenant, for as long as signing in takes.
struct Tenant(Child);

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Scene {
    pub(crate) fn set(program: &Path, dir: &Path) -> Result<Self, String> {
        let io = |e: std::io::Error| format!("{}: {e}", dir.display());
        clear(dir).map_err(io)?;
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        let mut scene = Self { program: program.to_owned(), dir: dir.to_owned(), token: String::new() };
        scene.sign_in()?;
        scene.token = said(scene.postkey(&["token", "work"]))?.trim_end().to_owned();
        scene.write("token", &format!("{}\n", scene.token))?;
        Ok(scene)
    }

    fn sign_in(&self) -> Result<(), String> {
        let mut tenant = self.postkey(&["sandbox", "--json", "--messages", "0", "--ca-file", "ca.pem"]);
        let tenant = tenant.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut tenant = Tenant(tenant.map_err(|e| format!("{}: {e}", self.program.display()))?);
        let mut line = String::new();
        let out = tenant.0.stdout.take().ok_or("the sandbox says nothing")?;
        BufReader::new(out).read_line(&mut line).map_err(|e| e.to_string())?;
        let about: Value = serde_json::from_str(&line).map_err(|e| format!("the sandbox: {e}"))?;
        let apps = about["apps"].as_array().cloned().unwrap_or_default();
        let app = apps.iter().find(|app| app["kind"] == "daemon").ok_or("the sandbox has no daemon")?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.write("secret", &text(&app["client_secret"]))?;
        said(self.postkey(&[
            "account",
            "add",
            "work",
            "--flow",
            "app",
            "--user",
            &text(&about["users"][0]["name"]),
            "--tenant",
            &text(&about["tenant_id"]),
            "--client-id",
            &text(&app["client_id"]),
            "--client-secret-file",
            "secret",
            "--authority",
            &text(&about["base_url"]),
            "--ca-file",
            "ca.pem",
            "--imap-host",
            "localhost",
            "--imap-port",
            &text(&about["imap"]["port"]),
        ]))?;
        said(self.postkey(&["login", "work"])).map(drop)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.dir.join(name);
        let written =
            fs::write(&path, text).and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)));
        written.map(|()| path.clone()).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.dir).env("PATH", "/usr/bin:/bin").current_dir(&self.dir);
        command
    }

    pub(crate) fn postkey(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.program);
        command.args(arguments);
        command
    }

    pub(crate) fn cat(&self) -> Command {
        let mut command = self.command("/bin/cat");
        command.arg("token");
        command
    }

    pub(crate) fn octets(&self) -> usize {
        self.token.len()
    }

    /// Without encryption, and with gpg as it comes, which is how its own text wants it.
    pub(crate) fn mutt(&self) -> Result<(Command, Command), String> {
        let script = fs::read_to_string(MUTT).map_err(|e| format!("{MUTT}: {e}"))?;
        let decrypt = "DECRYPTION_PIPE = ['gpg', '--decrypt']";
        if !script.contains(decrypt) {
            return Err(format!("{MUTT} is not the one that is known here"));
        }
        let stored = json!({
            "registration": "microsoft",
            "authflow": "devicecode",
            "email": "ana@contoso.example",
            "access_token": self.token,
            "access_token_expiration": "2999-01-01T00:00:00",
            "refresh_token": "none",
        });
        let stored = self.write("mutt.json", &stored.to_string())?;
        let plain = self.write("plain.py", &script.replace(decrypt, "DECRYPTION_PIPE = ['cat']"))?;
        let gpg = self.write("gpg.py", &script)?;

        let key =
            ["--batch", "--passphrase", "", "--quick-generate-key", "bench", "default", "default", "never"];
        let mut made = self.command("gpg");
        said({
            made.args(key);
            made
        })?;
        let mut sealed = self.command("gpg");
        sealed.args([
            "--batch",
            "--trust-model",
            "always",
            "--recipient",
            "bench",
            "--output",
            "mutt.gpg",
            "--encrypt",
        ]);
        sealed.arg(&stored);
        said(sealed)?;
        fs::set_permissions(self.dir.join("mutt.gpg"), Permissions::from_mode(0o600))
            .map_err(|e| e.to_string())?;
        let call = |script: &Path, file: &str| {
            let mut command = self.command("/usr/bin/python3");
            command.arg(script).arg(file);
            command
        };
        Ok((call(&plain, "mutt.json"), call(&gpg, "mutt.gpg")))
    }

    /// That all of them print the token, but for the one that prints a response of SASL.
    pub(crate) fn same(&self, all: &[Series]) -> Result<(), String> {
        for series in all.iter().filter(|series| !series.label.contains("--sasl")) {
            let mut command = self.command(series.command.get_program());
            command.args(series.command.get_args());
            if said(command)?.trim_end() != self.token {
                return Err(format!("{} prints something else than the token", series.label));
            }
        }
        Ok(())
    }
}

/// The agent that gpg left behind ends with the run.
impl Drop for Scene {
    fn drop(&mut self) {
        let mut end = self.command("gpgconf");
        let _ = end.args(["--kill", "gpg-agent"]).stderr(Stdio::null()).status();
        let _ = clear(&self.dir);
    }
}

fn said(mut command: Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{:?} ended with {}: {}", command.get_program(), output.status, errors.trim()));
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}
