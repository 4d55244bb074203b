//! A private Dovecot: its own directories, its own ports on 127.0.0.1, run by whoever runs the test.

mod config;

use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getgid, getuid, kill_process};
use tempfile::TempDir;

pub use config::{Config, Jwt, ServicePorts, Services, VerificationKey};
use config::{Owner, Places, dovecot_conf, oauth2_conf};

use crate::Program;
use crate::net::{free_port, random};

/// A running server. Dropping it stops it and removes its directory.
#[derive(Debug)]
pub struct Dovecot {
    process: Child,
    dir: TempDir,
    mail: PathBuf,
    imap: u16,
    imaps: u16,
    services: Option<ServicePorts>,
    mail_ids: Option<(u32, u32)>,
    ca_pem: String,
    password: String,
}

/// `nobody`: Dovecot refuses to handle mail as root.
const NOBODY: u32 = 65_534;

/// How often another port is tried when somebody was faster.
const TRIES: usize = 5;

impl Dovecot {
    /// Starts the server and waits until it greets.
    ///
    /// # Errors
    /// When Dovecot is not installed, or does not start; the message then holds its log.
    pub fn start(config: &Config) -> io::Result<Self> {
        let program = Program::Dovecot.find().ok_or_else(|| {
            io::Error::new(ErrorKind::NotFound, "dovecot is not installed (package dovecot-imapd)")
        })?;
        let mut last = None;
        for _ in 0..TRIES {
            match Self::try_start(&program, config) {
                Err(e) if e.kind() == ErrorKind::AddrInUse => last = Some(e),
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| ErrorKind::AddrInUse.into()))
    }

    fn try_start(program: &Path, config: &Config) -> io::Result<Self> {
        let owner = owner()?;
        // Below /tmp and short: the path of a socket has at most 107 octets.
        let dir = tempfile::Builder::new().prefix("pk").tempdir()?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        for sub in ["run", "state", "keys"] {
            fs::create_dir(dir.path().join(sub))?;
        }
        let mail = config.mail_root.clone().unwrap_or_else(|| dir.path().join("mail"));
        fs::create_dir_all(&mail)?;
        let mail_ids = owner.is_root.then_some((owner.mail_uid, owner.mail_gid));
        if let Some((uid, gid)) = mail_ids {
            chown(&mail, Some(uid), Some(gid))?;
        }
        let greeting = format!("peer-{:016x}", random());
        let (imap, imaps) = (free_port()?, free_port()?);
        let services = config.services.as_ref().map(service_ports).transpose()?;
        let places = Places { dir: dir.path(), mail: &mail, imap, imaps, greeting: &greeting, services };
        write_files(config, &places, &owner)?;
        let process = Command::new(program)
            .args(["-F", "-c"])
            .arg(dir.path().join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(dir.path().join("stderr"))?)
            .spawn()?;
        let ca_pem = config.tls.ca_pem.clone();
        let password = config.password.clone();
        let mut server = Self { process, dir, mail, imap, imaps, services, mail_ids, ca_pem, password };
        server.wait_for(&greeting)?;
        Ok(server)
    }

    /// Ready is: both ports answer, and it is this server that does.
    fn wait_for(&mut self, greeting: &str) -> io::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let listens = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            let all =
                self.services.is_none_or(|s| listens(s.pop3s) && listens(s.submissions) && listens(s.lmtp));
            if greets(self.addr(), greeting) && listens(self.imaps) && all {
                return Ok(());
            }
            let ended = self.process.try_wait()?.is_some();
            if ended || Instant::now() > deadline {
                let log = self.log();
                let in_use = log.contains("Address already in use");
                let kind = if in_use { ErrorKind::AddrInUse } else { ErrorKind::Other };
                return Err(io::Error::new(kind, format!("dovecot did not start; its log says:\n{log}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The port that begins in plain text: STARTTLS is offered, but passwords are taken without it too.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.imap).into()
    }

    /// The port with TLS from the first octet.
    pub fn tls_addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.imaps).into()
    }

    /// The ports of the services besides IMAP, where [`Config::services`] asked for them.
    pub fn services(&self) -> Option<ServicePorts> {
        self.services
    }

    /// The certificate authority that a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The authority as a file, for programs.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Every user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The user's Maildir: its `new` and `cur` are INBOX, a directory `.Name` is the folder Name. Call [`Self::give`]
    /// after putting files there.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.mail.join(user).join("Maildir")
    }

    /// Puts a message into `cur` of a folder (`""` is INBOX), as it is: with CRLF line ends the server hands out
    /// exactly these octets. `unique` is the unique part of the file's name, `flags` the letters after `:2,`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn deliver(
        &self,
        user: &str,
        folder: &str,
        unique: &str,
        flags: &str,
        message: &[u8],
    ) -> io::Result<PathBuf> {
        let mut dir = self.maildir(user);
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(dir.join(sub))?;
        }
        if !folder.is_empty() {
            dir.push(format!(".{folder}"));
            for sub in ["cur", "new", "tmp"] {
                fs::create_dir_all(dir.join(sub))?;
            }
            File::create(dir.join("maildirfolder"))?;
        }
        let file = dir.join("cur").join(format!("{unique}:2,{flags}"));
        fs::write(&file, message)?;
        self.give(&self.mail.join(user))?;
        Ok(file)
    }

    /// Makes everything below belong to the user who handles mail: what root put there, that user could not
    /// change.
    ///
    /// # Errors
    /// When an owner cannot be changed.
    pub fn give(&self, path: &Path) -> io::Result<()> {
        let Some((uid, gid)) = self.mail_ids else { return Ok(()) };
        chown(path, Some(uid), Some(gid))?;
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                self.give(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// What the server wrote to its log and to standard error until now.
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.dir.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("stderr"), read("log")].concat()).into_owned()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // The master ends its children when it is asked to end; killed, it could not.
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn service_ports(wanted: &Services) -> io::Result<ServicePorts> {
    Ok(ServicePorts {
        pop3: free_port()?,
        pop3s: free_port()?,
        submission: free_port()?,
        submissions: free_port()?,
        lmtp: free_port()?,
        auth: free_port()?,
        relay: wanted.relay_port,
    })
}

fn greets(addr: SocketAddr, greeting: &str) -> bool {
    let Ok(stream) = TcpStream::connect(addr) else { return false };
    let mut line = String::new();
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    BufReader::new(stream).read_line(&mut line).is_ok_and(|_| line.contains(greeting))
}

fn write_files(config: &Config, places: &Places<'_>, owner: &Owner) -> io::Result<()> {
    let dir = places.dir;
    fs::write(dir.join("ca.pem"), &config.tls.ca_pem)?;
    fs::write(dir.join("cert.pem"), &config.tls.cert_pem)?;
    let mut key = File::create(dir.join("key.pem"))?;
    key.set_permissions(Permissions::from_mode(0o600))?;
    key.write_all(config.tls.key_pem.as_bytes())?;
    fs::write(dir.join("dovecot.conf"), dovecot_conf(config, places, owner))?;
    if let Some(jwt) = &config.jwt {
        fs::write(dir.join("oauth2.conf"), oauth2_conf(jwt, dir))?;
        for key in &jwt.keys {
            let file = dir.join("keys").join(key.path());
            fs::create_dir_all(file.parent().unwrap_or(dir))?;
            fs::write(file, &key.key)?;
        }
    }
    Ok(())
}

fn owner() -> io::Result<Owner> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    if uid == 0 {
        let (user, group) = (String::new(), String::new());
        return Ok(Owner { is_root: true, user, group, mail_uid: NOBODY, mail_gid: NOBODY });
    }
    let user = name_of("/etc/passwd", uid)?;
    let group = name_of("/etc/group", gid)?;
    Ok(Owner { is_root: false, user, group, mail_uid: uid, mail_gid: gid })
}

/// The name of a number, in the files that have `name:…:number:…` lines.
fn name_of(file: &str, id: u32) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let id = id.to_string();
    text.lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&id.as_str()))
        .and_then(|fields| fields.first().map(|name| (*name).to_owned()))
        .ok_or_else(|| {
            io::Error::new(ErrorKind::NotFound, format!("{file} has no name for {id}; dovecot needs one"))
        })
}
