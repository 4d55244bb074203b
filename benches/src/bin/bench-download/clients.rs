//! The programs that are compared and how each is called.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use peers::Program;
use postkey_benches::measured::CommandLine;

use crate::lab::Lab;

/// What they are called on the command line and in the tables is their variant's name in small letters, `raw-null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    RawNull,
    RawFlags,
    Raw,
    AsyncImap,
    Postkey,
    PostkeyNoFsync,
    Mbsync,
    MbsyncFsync,
    Curl,
    FacadePop3,
    PostkeyPop3,
    PostkeyPop3NoFsync,
    Poplib,
    CurlPop3,
}

/// Where a program downloads from and to.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) server: SocketAddr,
    pub(crate) user: &'static str,
    /// How many messages there are.
    pub(crate) messages: usize,
    /// For the program's own files and, below `mail`, what it downloads.
    pub(crate) dir: PathBuf,
}

impl Job {
    pub(crate) fn mail(&self) -> PathBuf {
        self.dir.join("mail")
    }
}

impl Client {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether what it stores can be counted.
    pub(crate) fn stores(self) -> bool {
        !matches!(self, Self::RawNull | Self::RawFlags)
    }

    /// Where the program is, if it is here.
    pub(crate) fn program(self) -> Option<PathBuf> {
        let built = |relative: &str| {
            let own = std::env::current_exe().ok()?;
            Some(own.parent()?.join(relative)).filter(|program| program.is_file())
        };
        match self {
            Self::RawNull | Self::RawFlags | Self::Raw => built("rawdl"),
            Self::AsyncImap => built("../bench-peers/release/async-imap-download"),
            Self::FacadePop3 => built("facade"),
            Self::Postkey | Self::PostkeyNoFsync | Self::PostkeyPop3 | Self::PostkeyPop3NoFsync => {
                Program::Postkey.find()
            }
            Self::Poplib => Program::Python.find(),
            Self::Mbsync | Self::MbsyncFsync => Program::Mbsync.find(),
            Self::Curl | Self::CurlPop3 => Program::Curl.find(),
        }
    }

    /// Writes what the program needs besides its arguments, and says how to call it.
    pub(crate) fn prepare(self, program: &Path, lab: &Lab, job: &Job) -> io::Result<CommandLine> {
        fs::create_dir_all(job.mail())?;
        let ca = lab.server.ca_file();
        let (ca, mail) = (text(&ca), text(&job.mail()));
        let mut line = vec![text(program)];
        let mut add = |arguments: &[&str]| line.extend(arguments.iter().map(ToString::to_string));
        let password = lab.server.password();
        let server = job.server.to_string();
        match self {
            Self::RawNull => add(&[&server, &ca, job.user, password, "null"]),
            Self::RawFlags => add(&[&server, &ca, job.user, password, "flags"]),
            Self::Raw | Self::AsyncImap => add(&[&server, &ca, job.user, password, &mail]),
            Self::Postkey | Self::PostkeyNoFsync => {
                let config = job.dir.join("config.toml");
                write_private(&config, &postkey_config(lab, job, &ca))?;
                add(&["--config", &text(&config), "fetch", "perf", "--folder", "INBOX"]);
                add(&["--to", &format!("maildir:{mail}"), "--quiet"]);
                if self == Self::PostkeyNoFsync {
                    add(&["--no-fsync"]);
                }
            }
            Self::FacadePop3 => add(&["pop3", &server, &ca, job.user, password, &mail]),
            Self::PostkeyPop3 | Self::PostkeyPop3NoFsync => {
                let config = job.dir.join("config.toml");
                let text_of =
                    postkey_config(lab, job, &ca).replace("[accounts.perf.imap]", "[accounts.perf.pop3]");
                write_private(&config, &text_of)?;
                add(&["--config", &text(&config), "fetch", "perf", "--protocol", "pop3"]);
                add(&["--to", &format!("maildir:{mail}"), "--quiet"]);
                if self == Self::PostkeyPop3NoFsync {
                    add(&["--no-fsync"]);
                }
            }
            Self::Poplib => {
                add(&["-c", include_str!("poplib_download.py")]);
                add(&[&server, &ca, job.user, password, &mail]);
            }
            Self::CurlPop3 => {
                let url = format!("pop3s://{server}/[1-{}]", job.messages);
                add(&["-s", "--cacert", &ca, "-u", &format!("{}:{password}", job.user), &url]);
                add(&["-o", &format!("{mail}/#1")]);
            }
            Self::Mbsync | Self::MbsyncFsync => {
                let config = job.dir.join("mbsyncrc");
                let fsync = if self == Self::MbsyncFsync { "yes" } else { "no" };
                write_private(&config, &mbsync_config(job, &ca, &mail, password, fsync))?;
                add(&["-q", "-c", &text(&config), "perf"]);
            }
            Self::Curl => {
                let url = format!("imaps://{server}/INBOX;UID=[1-{}]", job.messages);
                add(&["-s", "--cacert", &ca, "-u", &format!("{}:{password}", job.user), &url]);
                add(&["-o", &format!("{mail}/#1")]);
            }
        }
        Ok(line)
    }
}

fn postkey_config(lab: &Lab, job: &Job, ca: &str) -> String {
    format!(
        "state_dir = \"{}\"\n\n\
         [accounts.perf]\n\
         provider = \"microsoft\"\n\
         user = \"{}\"\n\
         token = {{ command = \"cat {}\" }}\n\n\
         [accounts.perf.imap]\n\
         host = \"127.0.0.1\"\n\
         port = {}\n\
         tls = \"implicit\"\n\
         ca_file = \"{ca}\"\n",
        text(&job.dir.join("state")),
        job.user,
        text(&lab.token_file(job.user)),
        job.server.port(),
    )
}

fn mbsync_config(job: &Job, ca: &str, mail: &str, password: &str, fsync: &str) -> String {
    format!(
        "FSync {fsync}\n\n\
         IMAPAccount perf\nHost localhost\nPort {}\nUser {}\nPass {password}\nSSLType IMAPS\nAuthMechs PLAIN\n\
         CertificateFile {ca}\nPipelineDepth 500\n\n\
         IMAPStore remote\nAccount perf\n\n\
         MaildirStore local\nPath {mail}/\nInbox {mail}/INBOX\nSubFolders Verbatim\n\n\
         Channel perf\nFar :remote:\nNear :local:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n",
        job.server.port(),
        job.user,
    )
}

fn write_private(path: &Path, content: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(content.as_bytes())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
