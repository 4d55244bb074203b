//! Other people's programs sending to the sandbox by SMTP and reading from it by POP3: they judge its servers.

#[path = "support/tenant.rs"]
mod tenant;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use postkey_peers::{Program, available, node};
use sandbox::{ANA, Profile, RequestKind, Sandbox};
use serde_json::{Value, json};
use tenant::Tenant as Scene;

const BJORN: &str = "bjorn@contoso.example";
const MESSAGE: &str = "Subject: from a program\r\nFrom: ana@contoso.example\r\nTo: bjorn@contoso.example\r\n\
    Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <one@client.example>\r\n\r\n.\r\n..dots\r\nend\r\n";

impl Scene {
    fn set(test: &str, program: Program) -> Option<Self> {
        Self::like(test, program, Profile::default())
    }

    /// A sandbox whose POP3 and SMTP servers imitate that one.
    fn like(test: &str, program: Program, profile: Profile) -> Option<Self> {
        if !available(test, &[program]) {
            return None;
        }
        Some(Self::new(Sandbox::builder().messages(30).pop3(profile).smtp(profile)))
    }

    fn inbox(&self, user: &str) -> Vec<Vec<u8>> {
        let mailbox = self.sandbox.mailbox(user).unwrap();
        let (_, uids) = mailbox.uids("INBOX").unwrap();
        uids.into_iter().map(|uid| mailbox.message("INBOX", uid).unwrap().unwrap().octets).collect()
    }

    /// What came to Björn since there were so many messages, without what the server put in front.
    fn came(&self, before: usize) -> Vec<String> {
        let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).into_owned();
        let mine = |m: String| m.find("Subject: from a program").map_or(m.clone(), |at| m[at..].to_owned());
        self.inbox(BJORN).iter().skip(before).map(text).map(mine).collect()
    }
}

fn fed(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that fails early does not read it all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn curl(scene: &Scene, options: &str) -> Output {
    let all = format!("silent\nshow-error\nuser = \"{ANA}:\"\ncacert = \"{}\"\n{options}", scene.ca());
    let mut curl = Command::new(Program::Curl.find().unwrap());
    curl.args(["--config", "-"]);
    fed(curl, all.as_bytes())
}

#[test]
fn curl_reads_by_pop3() {
    let Some(scene) = Scene::set("curl_reads_by_pop3", Program::Curl) else { return };
    let messages = scene.inbox(ANA);
    // Of a message without an octet curl makes an empty line.
    for (index, octets) in messages.iter().enumerate().filter(|(_, octets)| !octets.is_empty()).take(8) {
        let url = format!("pop3s://localhost:{}/{}", scene.sandbox.ports().pop3s, index + 1);
        let output = curl(&scene, &format!("oauth2-bearer = \"{}\"\nurl = \"{url}\"\n", scene.token()));
        assert!(output.status.success(), "{}", said(&output));
        assert!(output.stdout == *octets, "message {} is not what the sandbox keeps", index + 1);
    }
    let url = format!("pop3s://localhost:{}/1", scene.sandbox.ports().pop3s);
    let output = curl(&scene, &format!("oauth2-bearer = \"{}\"\nurl = \"{url}\"\n", scene.expired_token()));
    assert_eq!(output.status.code(), Some(67), "login denied: {}", said(&output));
}

#[test]
fn curl_sends() {
    let Some(scene) = Scene::set("curl_sends", Program::Curl) else { return };
    let before = scene.inbox(BJORN).len();
    let file = scene.private("message", MESSAGE);
    let url = format!("smtp://localhost:{}", scene.sandbox.ports().submission);
    let options = |token: &str| {
        format!(
            "oauth2-bearer = \"{token}\"\nurl = \"{url}\"\nssl-reqd\nmail-from = \"{ANA}\"\nmail-rcpt = \"{BJORN}\"\n\
             upload-file = \"{file}\"\n"
        )
    };
    let output = curl(&scene, &options(&scene.token()));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(scene.came(before), [MESSAGE]);
    let output = curl(&scene, &options(&scene.expired_token()));
    assert_eq!(output.status.code(), Some(67), "login denied: {}", said(&output));
    assert_eq!(scene.came(before).len(), 1);
}

fn msmtp(scene: &Scene, token: &str) -> Output {
    let secret = scene.private("token", token);
    let file = scene.private(
        "msmtprc",
        &format!(
            "account default\nhost localhost\nport {}\ntls on\ntls_starttls on\ntls_trust_file {}\nauth xoauth2\nuser {ANA}\n\
             passwordeval cat {secret}\nfrom {ANA}\n",
            scene.sandbox.ports().submission,
            scene.ca()
        ),
    );
    let mut msmtp = Command::new(Program::Msmtp.find().unwrap());
    msmtp.args(["-C", &file, "--", BJORN]);
    // It reads lines as its system writes them.
    fed(msmtp, MESSAGE.replace("\r\n", "\n").as_bytes())
}

#[test]
fn msmtp_sends() {
    let Some(scene) = Scene::set("msmtp_sends", Program::Msmtp) else { return };
    let before = scene.inbox(BJORN).len();
    let output = msmtp(&scene, &scene.token());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(scene.came(before), [MESSAGE]);
    let output = msmtp(&scene, &scene.expired_token());
    assert_eq!(output.status.code(), Some(77), "no permission: {}", said(&output));
    assert_eq!(scene.came(before).len(), 1);
}

/// What mpop says, its conversation with the server included, and what it has fetched.
fn mpop(scene: &Scene, token: &str) -> (Output, Vec<Vec<u8>>) {
    let secret = scene.private("token", token);
    let maildir = scene.path("mail");
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(maildir.join(sub)).unwrap();
    }
    let file = scene.private(
        "mpoprc",
        &format!(
            "account default\nhost localhost\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nauth xoauth2\nuser {ANA}\n\
             passwordeval cat {secret}\nreceived_header off\nkeep on\nuidls_file {}\ndelivery maildir {}\n",
            scene.sandbox.ports().pop3s,
            scene.ca(),
            scene.path("uidls").display(),
            maildir.display()
        ),
    );
    let mut mpop = Command::new(Program::Mpop.find().unwrap());
    mpop.args(["--debug", "-C", &file]);
    let output = fed(mpop, b"");
    let files = fs::read_dir(maildir.join("new")).unwrap().flatten();
    (output, files.map(|f| fs::read(f.path()).unwrap()).collect())
}

/// What mpop has sent and got, line by line.
fn conversation(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

/// Line ends as this system writes them.
fn with_lf(octets: &[u8]) -> Vec<u8> {
    let crlf = |at: usize| octets[at..].starts_with(b"\r\n");
    octets.iter().enumerate().filter(|(at, _)| !crlf(*at)).map(|(_, octet)| *octet).collect()
}

/// mpop sends its token in a line of its own, as Exchange wants it, but it takes only `+ ` for the invitation (RFC 5034 section 4: there
/// is a space even where nothing follows). The other profile says that.
#[test]
fn mpop_reads() {
    let Some(scene) = Scene::like("mpop_reads", Program::Mpop, Profile::Plain) else { return };
    let (output, mut got) = mpop(&scene, &scene.token());
    assert!(output.status.success(), "{}", said(&output));
    assert!(conversation(&output).contains("--> AUTH XOAUTH2\n<-- + \n"), "{}", said(&output));
    let mut want: Vec<Vec<u8>> = scene.inbox(ANA).iter().map(|m| with_lf(m)).collect();
    got.sort();
    want.sort();
    assert!(got == want, "{} messages came, {} are there", got.len(), want.len());
    let (output, _) = mpop(&scene, &scene.expired_token());
    assert!(!output.status.success(), "{}", said(&output));
}

/// Exchange invites with a bare `+`, and mpop (1.4.18) gives up at that before it has sent the token. No setting of mpop changes it.
#[test]
fn mpop_does_not_take_the_invitation_of_exchange() {
    let test = "mpop_does_not_take_the_invitation_of_exchange";
    let Some(scene) = Scene::set(test, Program::Mpop) else { return };
    let (output, got) = mpop(&scene, &scene.token());
    assert!(conversation(&output).ends_with("--> AUTH XOAUTH2\n<-- +\n"), "{}", said(&output));
    assert!(said(&output).contains("mpop: POP3 server sent an invalid reply"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(76), "a protocol error: {}", said(&output));
    assert!(got.is_empty());
}

fn python(scene: &Scene, token: &str, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mail_clients.py");
    let mut python = Command::new(Program::Python.find().unwrap());
    python.arg(script).args(arguments).env("MAIL_TOKEN", token).env("SSL_CERT_FILE", scene.ca());
    fed(python, MESSAGE.as_bytes())
}

#[test]
fn smtplib_sends() {
    let Some(scene) = Scene::set("smtplib_sends", Program::Python) else { return };
    let before = scene.inbox(BJORN).len();
    let port = scene.sandbox.ports().submission.to_string();
    let output = python(&scene, &scene.token(), &["send", &port, ANA, BJORN]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(scene.came(before), [MESSAGE]);
    let output = python(&scene, &scene.expired_token(), &["send", &port, ANA, BJORN]);
    assert!(said(&output).contains("SMTPAuthenticationError"), "{}", said(&output));
    assert_eq!(scene.came(before).len(), 1);
}

#[test]
fn poplib_reads() {
    let Some(scene) = Scene::set("poplib_reads", Program::Python) else { return };
    let port = scene.sandbox.ports().pop3s.to_string();
    let output = python(&scene, &scene.token(), &["read", &port, ANA]);
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let want: Vec<String> =
        scene.inbox(ANA).iter().map(|m| m.iter().map(|&octet| char::from(octet)).collect()).collect();
    assert!(!want.is_empty());
    assert!(
        report["messages"] == json!(want),
        "{} messages",
        report["messages"].as_array().map_or(0, Vec::len)
    );
    let ids = report["ids"].as_array().unwrap();
    assert_eq!(
        ids.iter().collect::<std::collections::HashSet<_>>().len(),
        want.len(),
        "unique-ids are unique"
    );
    let output = python(&scene, &scene.expired_token(), &["read", &port, ANA]);
    assert!(said(&output).contains("error_proto"), "{}", said(&output));
}

/// The report of a script that sends a message so many times.
fn nodemailer(scene: &Scene, token: &str, count: usize) -> Vec<Value> {
    let port = scene.sandbox.ports().submission.to_string();
    let mut node = node("nodemailer.mjs").unwrap();
    node.args([&port, ANA, BJORN, &count.to_string()]);
    node.env("MAIL_TOKEN", token).env("NODE_EXTRA_CA_CERTS", scene.ca());
    let output = fed(node, MESSAGE.as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&output)))
}

#[test]
fn nodemailer_sends_over_a_pooled_connection() {
    let Some(scene) = Scene::set("nodemailer_sends_over_a_pooled_connection", Program::Node) else { return };
    let before = scene.inbox(BJORN).len();
    let report = nodemailer(&scene, &scene.token(), 5);
    assert_eq!(report.len(), 5);
    assert!(
        report.iter().all(|one| one["response"].as_str().is_some_and(|r| r.starts_with("250 "))),
        "{report:#?}"
    );
    assert_eq!(scene.came(before), [MESSAGE; 5]);
    assert_eq!(scene.sandbox.requests(RequestKind::SmtpConnection), 1);
}

#[test]
fn nodemailer_is_told_why_it_may_not_send() {
    let Some(scene) = Scene::set("nodemailer_is_told_why_it_may_not_send", Program::Node) else { return };
    let before = scene.inbox(BJORN).len();
    let report = nodemailer(&scene, &scene.expired_token(), 1);
    assert_eq!(
        (&report[0]["code"], &report[0]["responseCode"]),
        (&json!("EAUTH"), &json!(535)),
        "{report:#?}"
    );
    let response = report[0]["response"].as_str().unwrap();
    assert!(response.starts_with("535 5.7.3 Authentication unsuccessful"), "{response}");
    assert_eq!(scene.came(before).len(), 0);
}
