//! Other people's programs with `postkey token` as their password command: the examples of docs/token-command.md, word for word but for
//! host, ports and certificate, each to the mail really read or sent.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use postkey_peers::{Program, available};
use sandbox::{ANA, Fault, PUBLIC_APP, RequestKind, Sandbox};

const PAGE: &str = include_str!("../../../docs/token-command.md");
const BJORN: &str = "bjorn@contoso.example";
const MESSAGE: &str =
    "Subject: by a token\nFrom: ana@contoso.example\nTo: bjorn@contoso.example\n\nThe body.\n";

/// The `n`th block of code under a heading of the page.
fn example(heading: &str, n: usize) -> &'static str {
    let section = PAGE.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
    let block = section.split("```").nth(2 * n + 1).unwrap();
    block.split_once('\n').unwrap().1
}

/// A home with an account `work` that is signed in.
struct Scene {
    sandbox: Sandbox,
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn set(test: &str, programs: &[Program]) -> Option<Self> {
        if !available(test, &[&[Program::Postkey], programs].concat()) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let builder = Sandbox::builder().messages(5).fault(Fault::DeviceInterval(1));
        let sandbox = runtime.block_on(builder.start()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let scene = Self { sandbox, dir, runtime };
        scene.write("ca.pem", scene.sandbox.ca_pem());
        scene.configure();
        scene.sign_in();
        Some(scene)
    }

    fn configure(&self) {
        let (ports, ca) = (self.sandbox.ports(), self.path("ca.pem").display().to_string());
        let tenant = self.sandbox.tenant_id();
        let id = self.sandbox.app(PUBLIC_APP).unwrap().id();
        let authority = self.sandbox.base_url();
        let config = format!(
            "[accounts.work]\nuser = \"{ANA}\"\ntenant = \"{tenant}\"\nclient_id = \"{id}\"\nflow = \"device\"\n\
             [accounts.work.oauth]\nauthority = \"{authority}\"\nca_file = \"{ca}\"\n\
             [accounts.work.imap]\nhost = \"localhost\"\nport = {}\nca_file = \"{ca}\"\n\
             [accounts.work.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"starttls\"\nca_file = \"{ca}\"\n",
            ports.imaps, ports.submission
        );
        self.write(".config/postkey/config.toml", &config);
    }

    fn sign_in(&self) {
        let mut login = self.command(&Program::Postkey.find().unwrap());
        let mut login = login.args(["login", "work", "--json"]).spawn().unwrap();
        let mut prompt = String::new();
        let mut said = BufReader::new(login.stderr.take().unwrap());
        said.read_line(&mut prompt).unwrap();
        let prompt: serde_json::Value = serde_json::from_str(&prompt).unwrap();
        let code = prompt["device_sign_in"]["user_code"].as_str().unwrap();
        self.runtime.block_on(self.sandbox.approve_device(code, ANA)).unwrap();
        assert!(login.wait().unwrap().success());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner may read, as most of these programs want it.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }

    /// An example with this sandbox in the place of Microsoft's servers.
    fn example(&self, heading: &str, n: usize) -> String {
        let ports = self.sandbox.ports();
        let (imap, smtp) = (ports.imaps.to_string(), ports.submission.to_string());
        let text = example(heading, n);
        text.replace("outlook.office365.com", "localhost")
            .replace("smtp.office365.com", "localhost")
            .replace("993", &imap)
            .replace("587", &smtp)
    }

    /// A program in this home that finds `postkey` as its user would.
    fn command(&self, program: &Path) -> Command {
        let own = Program::Postkey.find().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.dir.path()).current_dir(self.dir.path());
        command.env("PATH", format!("{}:{path}", own.parent().unwrap().display())).env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, mut command: Command, input: &str) -> Output {
        let mut child = command.spawn().unwrap();
        // A program that fails early does not read it all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// INBOX of a user, without line ends, in which programs differ.
    fn inbox(&self, user: &str) -> Vec<String> {
        let mailbox = self.sandbox.mailbox(user).unwrap();
        let (_, uids) = mailbox.uids("INBOX").unwrap();
        uids.into_iter().map(|uid| text(&mailbox.message("INBOX", uid).unwrap().unwrap().octets)).collect()
    }

    /// What is below a folder, without line ends.
    fn files(&self, name: &str) -> Vec<String> {
        let (mut found, mut folders) = (Vec::new(), vec![self.path(name)]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => found.push(text(&fs::read(path).unwrap())),
                }
            }
        }
        found
    }

    /// The subjects of Ana's messages in the sandbox, each of which must stand in what a program has read.
    fn subjects(&self) -> Vec<String> {
        let subject = |message: &String| {
            let header = message.split("\n\n").next().unwrap_or_default();
            header.lines().find(|line| line.starts_with("Subject: ")).map(str::to_owned)
        };
        let subjects: Vec<String> = self.inbox(ANA).iter().filter_map(subject).collect();
        assert!(subjects.len() >= 3, "{subjects:?}");
        subjects
    }

    #[track_caller]
    fn all_read(&self, read: &str, output: &Output) {
        for subject in self.subjects() {
            assert!(read.contains(&subject), "{subject:?} was not read: {}", said(output));
        }
    }

    /// That the last message of Björn holds this, and is the only new one.
    #[track_caller]
    fn sent(&self, before: usize, wanted: &str, output: &Output) {
        assert!(output.status.success(), "{}", said(output));
        let inbox = self.inbox(BJORN);
        assert_eq!(inbox.len(), before + 1, "{}", said(output));
        assert!(inbox[before].contains(wanted), "{}", inbox[before]);
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).replace("\r\n", "\n")
}

fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn msmtp_sends() {
    let Some(scene) = Scene::set("msmtp_sends", &[Program::Msmtp]) else { return };
    scene.write(".msmtprc", &format!("defaults\ntls_trust_file ~/ca.pem\n{}", scene.example("msmtp", 0)));
    let send = |scene: &Scene| {
        let mut msmtp = scene.command(&Program::Msmtp.find().unwrap());
        msmtp.args(["--account", "work", "--", BJORN]);
        scene.run(msmtp, MESSAGE)
    };
    let before = scene.inbox(BJORN).len();
    scene.sent(before, MESSAGE, &send(&scene));
    // Signed out, there is no token, and nothing is sent.
    let mut logout = scene.command(&Program::Postkey.find().unwrap());
    logout.args(["logout", "work"]);
    assert!(scene.run(logout, "").status.success());
    let output = send(&scene);
    assert!(!output.status.success() && said(&output).contains("no tokens are stored"), "{}", said(&output));
    assert_eq!(scene.inbox(BJORN).len(), before + 1);
}

fn mbsync(scene: &Scene) -> Command {
    let trust = format!("CertificateFile {}\nAuthMechs", scene.path("ca.pem").display());
    scene.write(".mbsyncrc", &scene.example("mbsync", 0).replacen("AuthMechs", &trust, 1));
    fs::create_dir_all(scene.path("Mail/work")).unwrap();
    let mut mbsync = scene.command(&Program::Mbsync.find().unwrap());
    mbsync.args(["--quiet", "work"]);
    mbsync
}

#[test]
fn mbsync_reads() {
    let Some(scene) = Scene::set("mbsync_reads", &[Program::Mbsync, Program::SaslXoauth2]) else { return };
    let output = scene.run(mbsync(&scene), "");
    assert!(output.status.success(), "{}", said(&output));
    scene.all_read(&scene.files("Mail/work").concat(), &output);
}

#[test]
fn mbsync_needs_a_plugin_for_xoauth2() {
    let Some(scene) = Scene::set("mbsync_needs_a_plugin_for_xoauth2", &[Program::Mbsync]) else { return };
    let mut mbsync = mbsync(&scene);
    mbsync.env("SASL_PATH", scene.dir.path());
    let output = scene.run(mbsync, "");
    assert!(!output.status.success() && said(&output).contains("SASL"), "{}", said(&output));
}

#[test]
fn mutt_reads_and_sends() {
    let Some(scene) = Scene::set("mutt_reads_and_sends", &[Program::Mutt, Program::Script]) else { return };
    let more = "set ssl_ca_certificates_file = \"~/ca.pem\"\nset copy = no\nset delete = no\nset quit = yes\n\
                set confirmappend = no\nset confirmcreate = no\nset wait_key = no\n";
    scene.write(".muttrc", &format!("{more}{}", scene.example("mutt", 0)));
    let before = scene.inbox(BJORN).len();
    let mut send = scene.command(&Program::Mutt.find().unwrap());
    send.args(["-s", "by mutt", BJORN]);
    scene.sent(before, "\nThe body of mutt.\n", &scene.run(send, "The body of mutt.\n"));
    // To read, mutt wants a terminal and somebody at its keys.
    let keys = "<tag-pattern>~A<enter><tag-prefix><copy-message>~/got<enter><quit>";
    let mut read = scene.command(&Program::Script.find().unwrap());
    read.env("TERM", "xterm").args(["--quiet", "--return", "--command"]);
    read.arg(format!("{} -e 'push \"{keys}\"'", Program::Mutt.find().unwrap().display())).arg("/dev/null");
    let output = scene.run(read, "");
    scene.all_read(&text(&fs::read(scene.path("got")).unwrap_or_default()), &output);
}

#[test]
fn offlineimap_reads() {
    let Some(scene) = Scene::set("offlineimap_reads", &[Program::OfflineImap]) else { return };
    scene.write(".offlineimap.py", &scene.example("offlineimap", 0));
    let ca = scene.path("ca.pem").display().to_string();
    let config = scene.example("offlineimap", 1).replace("/etc/ssl/certs/ca-certificates.crt", &ca);
    scene.write(".offlineimaprc", &config);
    let mut offlineimap = scene.command(&Program::OfflineImap.find().unwrap());
    offlineimap.args(["-o", "-u", "basic"]);
    let output = scene.run(offlineimap, "");
    assert!(output.status.success(), "{}", said(&output));
    scene.all_read(&scene.files("Mail/work-offline").concat(), &output);
}

/// A repository with one commit and its patch; returns git with the lines of an example as its configuration.
fn git(scene: &Scene, config: &str) -> Command {
    let git = || {
        let mut git = scene.command(&Program::GitSendEmail.find().unwrap());
        git.env("GIT_CONFIG_NOSYSTEM", "1");
        git
    };
    let run = |arguments: &[&str]| {
        let mut git = git();
        git.args(arguments);
        let output = scene.run(git, "");
        assert!(output.status.success(), "{}", said(&output));
    };
    scene.write(".gitconfig", &format!("[user]\n    name = Ana\n    email = {ANA}\n{config}"));
    scene.write("file", "text\n");
    for arguments in [&["init", "--quiet"][..], &["add", "file"], &["commit", "--quiet", "-m", "a change"]] {
        run(arguments);
    }
    run(&["format-patch", "--quiet", "--root", "-1"]);
    let mut send = git();
    send.args(["send-email", "--confirm=never", "--suppress-cc=all", "--to", BJORN, "0001-a-change.patch"]);
    send
}

#[test]
fn git_sends_by_postkey() {
    let Some(scene) = Scene::set("git_sends_by_postkey", &[Program::GitSendEmail]) else { return };
    let before = scene.inbox(BJORN).len();
    let output = scene.run(git(&scene, &scene.example("git send-email", 0)), "");
    scene.sent(before, "Subject: [PATCH] a change\n", &output);
}

#[test]
fn git_sends_by_msmtp() {
    let Some(scene) = Scene::set("git_sends_by_msmtp", &[Program::GitSendEmail, Program::Msmtp]) else {
        return;
    };
    scene.write(".msmtprc", &format!("defaults\ntls_trust_file ~/ca.pem\n{}", scene.example("msmtp", 0)));
    let before = scene.inbox(BJORN).len();
    let output = scene.run(git(&scene, example("git send-email", 1)), "");
    scene.sent(before, "Subject: [PATCH] a change\n", &output);
}

/// What the page says of git's own SMTP: it depends on Perl's library, and the token is not the matter.
#[test]
fn git_alone_knows_xoauth2_where_perl_does() {
    let Some(scene) = Scene::set("git_alone_knows_xoauth2_where_perl_does", &[Program::GitSendEmail]) else {
        return;
    };
    if Path::new("/usr/share/perl5/Authen/SASL/Perl/XOAUTH2.pm").exists() {
        // Newer than what the page was tried with.
        return;
    }
    scene.write("helper", "#!/bin/sh\necho \"username=ana@contoso.example\"\necho \"password=$(postkey token work --for smtp)\"\n");
    fs::set_permissions(scene.path("helper"), Permissions::from_mode(0o700)).unwrap();
    let config = format!(
        "[credential]\n    helper = {0}/helper\n[sendemail]\n    smtpServer = localhost\n    smtpServerPort = {1}\n\
         smtpEncryption = tls\n    smtpSSLCertPath = {0}/ca.pem\n    smtpUser = {ANA}\n    smtpAuth = XOAUTH2\n",
        scene.dir.path().display(),
        scene.sandbox.ports().submission
    );
    let before = scene.inbox(BJORN).len();
    let output = scene.run(git(&scene, &config), "");
    assert!(
        !output.status.success() && said(&output).contains("No SASL mechanism found"),
        "{}",
        said(&output)
    );
    assert_eq!(scene.inbox(BJORN).len(), before);
}

#[test]
fn programs_in_a_row_cost_one_sign_in() {
    let Some(scene) = Scene::set("programs_in_a_row_cost_one_sign_in", &[Program::Msmtp]) else { return };
    scene.write(".msmtprc", &format!("defaults\ntls_trust_file ~/ca.pem\n{}", scene.example("msmtp", 0)));
    for _ in 0..3 {
        let mut msmtp = scene.command(&Program::Msmtp.find().unwrap());
        msmtp.args(["--account", "work", "--", BJORN]);
        assert!(scene.run(msmtp, MESSAGE).status.success());
    }
    assert_eq!(scene.sandbox.requests(RequestKind::Refresh), 0);
}
