//! What the program `hostile-client` is asked and what it tells.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Where to connect and as whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// `imap`, `pop3` or `smtp`.
    pub proto: String,
    /// Port on localhost.
    pub port: u16,
    /// `plain`, `starttls` or `tls`.
    pub security: String,
    /// The authority that is trusted.
    pub ca_pem: String,
    /// The access token.
    pub token: String,
    /// With it, a password instead of the token.
    pub password: Option<String>,
}

/// How it went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// The error, as programs see it.
    pub error: Option<String>,
    /// The error, as people see it.
    pub message: String,
    /// Whether the sign-in counted.
    pub signed_in: bool,
    /// Folders listed.
    pub folders: Vec<String>,
    /// Messages in INBOX, as EXAMINE said.
    pub exists: u32,
    /// Its UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// The first UIDs listed with their flags.
    pub listed: Vec<u32>,
    /// Messages that are there and could not be listed properly.
    pub unreadable: u64,
    /// UIDs that SEARCH found.
    pub found: u64,
    /// Messages that arrived whole: UID (POP3: number) and the first octets of each piece.
    pub stored: Vec<(u32, String)>,
    /// Messages that were asked for and did not come.
    pub missing: Vec<u32>,
    /// POP3: the messages listed, with their unique-ids.
    pub unique_ids: Vec<(u32, Option<String>)>,
    /// POP3: octets of all messages that arrived whole.
    pub octets: u64,
    /// SMTP: what became of the message for each recipient.
    pub fates: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// Its largest resident memory, in KiB.
    pub rss: u64,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the program told.
    pub told: Told,
    /// All it printed, on both channels.
    pub output: String,
}

/// Runs the program, for so long at most.
///
/// # Panics
/// When it does not end in time, dies of a signal or panics: no server may bring that about.
#[must_use]
pub fn run(program: &Path, spec: &Spec, limit: Duration) -> Run {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("RUST_BACKTRACE", "0")
        .spawn()
        .expect("the program starts");
    let json = serde_json::to_string(spec).expect("JSON");
    child.stdin.take().expect("a pipe").write_all(json.as_bytes()).expect("the program reads");
    let deadline = Instant::now() + limit;
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let out = child.wait_with_output().expect("output");
            panic!("still running after {limit:?}: {}", String::from_utf8_lossy(&out.stderr));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let out = child.wait_with_output().expect("output");
    let output = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "it ended with {}: {output}", out.status);
    let told: Told = serde_json::from_slice(&out.stdout).expect("it tells how it went");
    Run { told, output }
}

/// The largest resident memory of this process so far, in KiB (Linux; 0 elsewhere).
#[must_use]
pub fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}
