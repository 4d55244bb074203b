//! A private Postfix: its own configuration, queue and ports on 127.0.0.1; people sign in at a [`Dovecot`], and everything that is sent
//! is delivered to it.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::net::free_port;
use crate::{Dovecot, Program, ServicePorts, Tls};

/// A running server. Dropping it stops it and removes its directory.
#[derive(Debug)]
pub struct Postfix {
    master: Child,
    dir: TempDir,
    smtp: u16,
    smtps: u16,
}

impl Postfix {
    /// Starts the server and waits until it greets. The Dovecot must have its services; mail to everybody at this domain is delivered
    /// to it, other recipients are refused. It also listens where the Dovecot's submission hands on ([`ServicePorts::relay`]), without
    /// sign-in.
    ///
    /// # Errors
    /// When Postfix is not installed, when this is not root, or when it does not start; the message then holds its log.
    pub fn start(dovecot: &Dovecot, tls: &Tls, domain: &str) -> io::Result<Self> {
        let missing = || io::Error::new(ErrorKind::NotFound, "postfix is not installed, or this is not root");
        let program = Program::Postfix.find().ok_or_else(missing)?;
        let services = dovecot.services().ok_or_else(|| io::Error::other("the Dovecot has IMAP only"))?;
        let dir = tempfile::Builder::new().prefix("pf").tempdir()?;
        // The server's processes are other users than root.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        for sub in ["queue", "data"] {
            fs::create_dir(dir.path().join(sub))?;
        }
        chown(dir.path().join("data"), Some(user("postfix")?), None)?;
        let (smtp, smtps) = (free_port()?, free_port()?);
        fs::write(dir.path().join("cert.pem"), format!("{}{}", tls.key_pem, tls.cert_pem))?;
        fs::set_permissions(dir.path().join("cert.pem"), Permissions::from_mode(0o600))?;
        fs::write(dir.path().join("main.cf"), main_cf(dir.path(), services, domain))?;
        fs::write(dir.path().join("master.cf"), master_cf(smtp, smtps, services.relay))?;
        // Makes the directories of the queue.
        let checked = Command::new(&program).arg("-c").arg(dir.path()).arg("check").output()?;
        if !checked.status.success() {
            let said = String::from_utf8_lossy(&checked.stderr).into_owned();
            return Err(io::Error::other(format!("postfix check: {said}")));
        }
        let master = Command::new(daemons(&program, dir.path())?.join("master"))
            .arg("-d")
            .arg("-c")
            .arg(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(dir.path().join("stderr"))?)
            .spawn()?;
        let mut server = Self { master, dir, smtp, smtps };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !greets(self.smtp) {
            if self.master.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(io::Error::other(format!(
                    "postfix did not start; its log says:\n{}",
                    self.log()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The port for submission with STARTTLS.
    pub fn port(&self) -> u16 {
        self.smtp
    }

    /// The port for submission with TLS from the first octet.
    pub fn tls_port(&self) -> u16 {
        self.smtps
    }

    /// What the server wrote to its log and to standard error until now.
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.dir.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("stderr"), read("log")].concat()).into_owned()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // The master ends its children when it is asked to end; killed, it could not.
        if let Some(pid) = i32::try_from(self.master.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.master.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut code = [0; 4];
    stream.read_exact(&mut code).is_ok() && code == *b"220 "
}

/// Where this Postfix keeps its daemons.
fn daemons(postfix: &Path, config: &Path) -> io::Result<PathBuf> {
    let said = Command::new(postfix.with_file_name("postconf"))
        .arg("-c")
        .arg(config)
        .args(["-h", "daemon_directory"])
        .output()?;
    Ok(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()))
}

/// The number of a user.
fn user(name: &str) -> io::Result<u32> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|rest| rest.split(':').nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, format!("there is no user {name}")))
}

fn main_cf(dir: &Path, services: ServicePorts, domain: &str) -> String {
    let (dir, ServicePorts { lmtp, auth, .. }) = (dir.display(), services);
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {dir}/queue\n\
         data_directory = {dir}/data\n\
         maillog_file = {dir}/log\n\
         maillog_file_prefixes = {dir}\n\
         myhostname = postfix.example\n\
         mydestination =\n\
         mynetworks =\n\
         alias_maps =\n\
         alias_database =\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         local_header_rewrite_clients =\n\
         smtpd_peername_lookup = no\n\
         smtp_dns_support_level = disabled\n\
         virtual_mailbox_domains = {domain}\n\
         virtual_transport = lmtp:inet:127.0.0.1:{lmtp}\n\
         message_size_limit = 104857600\n\
         virtual_mailbox_limit = 0\n\
         smtpd_sasl_auth_enable = yes\n\
         smtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = inet:127.0.0.1:{auth}\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_auth_only = yes\n\
         smtpd_tls_chain_files = {dir}/cert.pem\n\
         smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
         smtpd_recipient_restrictions = reject_unauth_destination, permit_sasl_authenticated, reject\n"
    )
}

/// The services of a stock installation that mail from a client to LMTP passes through, none in a chroot.
fn master_cf(smtp: u16, smtps: u16, relay: u16) -> String {
    format!(
        "127.0.0.1:{smtp} inet n - n - - smtpd\n\
         127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         127.0.0.1:{relay} inet n - n - - smtpd -o smtpd_sasl_auth_enable=no -o smtpd_relay_restrictions=reject_unauth_destination \
         -o smtpd_recipient_restrictions=permit\n\
         pickup unix n - n 60 1 pickup\n\
         cleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\n\
         rewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\n\
         trace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\n\
         flush unix n - n 1000? 0 flush\n\
         proxymap unix - - n - - proxymap\n\
         smtp unix - - n - - smtp\n\
         error unix - - n - - error\n\
         retry unix - - n - - error\n\
         discard unix - - n - - discard\n\
         lmtp unix - - n - - lmtp\n\
         anvil unix - - n - 1 anvil\n\
         scache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}
