//! The server, the mailboxes and the directories of a run.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use peers::{Config, Dovecot, Hs256, Jwt};
use postkey_benches::mailbox::{Mailbox, write_huge};
use postkey_benches::measured::clear;
use rustix::fs::FlockOperation;

use crate::options::Options;

/// The user with the many messages.
pub(crate) const MANY: &str = "perf";
/// The user with the one large message.
pub(crate) const HUGE: &str = "huge";

const SEED: u64 = 42;
const ISSUER: &str = "https://issuer.example/";

pub(crate) struct Lab {
    pub(crate) options: Options,
    pub(crate) server: Dovecot,
    /// The same mailboxes without CONDSTORE.
    pub(crate) server_without_condstore: Dovecot,
    /// Where [`server`](Self::server) talks POP3 over TLS.
    pop3s: SocketAddr,
    /// How many directories have been set aside.
    retired: Cell<usize>,
    /// Locked while the run lasts: two at once would measure each other and share their files.
    _lock: File,
}

/// Dovecot's capabilities before a login, but for CONDSTORE and QRESYNC.
const WITHOUT_CONDSTORE: &str = "imap_capability = IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ \
    SORT THREAD=REFERENCES MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED ESEARCH WITHIN \
    LIST-STATUS BINARY MOVE SPECIAL-USE\n";

/// What makes Dovecot talk POP3 too.
fn pop3(at: SocketAddr) -> String {
    format!(
        "protocols = imap pop3\n\
         service pop3-login {{\n\
         \x20 inet_listener pop3 {{\n    port = 0\n  }}\n\
         \x20 inet_listener pop3s {{\n    address = {}\n    port = {}\n    ssl = yes\n  }}\n}}\n",
        at.ip(),
        at.port()
    )
}

impl Lab {
    /// Starts the servers and makes the mailboxes, unless an earlier run left the same ones.
    pub(crate) fn set_up(options: Options) -> io::Result<Self> {
        for dir in [&options.work, &options.tmpfs] {
            fs::create_dir_all(dir)?;
        }
        let lock = File::create(options.work.join("lock"))?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|e| {
            io::Error::new(e.kind(), format!("another run works in {}: {e}", options.work.display()))
        })?;
        let signer = Hs256::new(b"a secret for measurements, nothing else");
        let config = Config {
            jwt: Some(Jwt {
                issuer: ISSUER.into(),
                username_claim: "sub".into(),
                audience: None,
                keys: vec![signer.verification_key()],
            }),
            mail_root: Some(options.work.join("server")),
            extra: "maildir_very_dirty_syncs = yes\nauth_cache_size = 1M\n".into(),
            ..Config::default()
        };
        let pop3s = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let with_pop3 = Config { extra: format!("{}{}", config.extra, pop3(pop3s)), ..config.clone() };
        let without = Config { extra: format!("{}{WITHOUT_CONDSTORE}", config.extra), ..config.clone() };
        let lab = Self {
            server: Dovecot::start(&with_pop3)?,
            server_without_condstore: Dovecot::start(&without)?,
            options,
            pop3s,
            retired: Cell::new(0),
            _lock: lock,
        };
        for user in [MANY, HUGE] {
            let token = signer.token(ISSUER, user, Duration::from_secs(7 * 86_400));
            fs::write(lab.token_file(user), token + "\n")?;
        }
        let (count, huge) = (lab.options.count, lab.options.huge << 20);
        lab.mailbox(MANY, &format!("{count} messages, seed {SEED}"), |maildir| {
            Mailbox::new(count, SEED).write(maildir).map(drop)
        })?;
        if lab.options.wants("huge") {
            lab.mailbox(HUGE, &format!("one message of {huge} octets"), |maildir| write_huge(maildir, huge))?;
        }
        Ok(lab)
    }

    /// Takes a directory of downloads out of the way. On a disk nothing is deleted before the run is over: ext4 does not give the inodes of
    /// deleted files away for some minutes and looks at each of them whenever a file is made, so that whoever comes after a deletion pays
    /// several times as much for its files as the one before.
    pub(crate) fn retire(&self, dir: &Path) -> io::Result<()> {
        if !dir.starts_with(&self.options.work) || !dir.exists() {
            return clear(dir);
        }
        let aside = self.aside();
        fs::create_dir_all(&aside)?;
        let number = self.retired.replace(self.retired.get() + 1);
        fs::rename(dir, aside.join(number.to_string()))
    }

    fn aside(&self) -> PathBuf {
        self.options.work.join(format!("aside-{}", std::process::id()))
    }

    pub(crate) fn pop3s(&self) -> SocketAddr {
        self.pop3s
    }

    pub(crate) fn token_file(&self, user: &str) -> PathBuf {
        self.options.work.join(format!("token-{user}"))
    }

    fn mailbox(&self, user: &str, what: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let maildir = self.server.maildir(user);
        let stamp = self.options.work.join(format!("made-{user}"));
        if fs::read_to_string(&stamp).is_ok_and(|made| made == what) {
            return Ok(());
        }
        let start = Instant::now();
        let home = maildir.parent().unwrap_or(&maildir);
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        write(&maildir)?;
        self.server.give(home)?;
        fs::write(stamp, what)?;
        eprintln!("made the mailbox of {user}: {what} ({:.1} s)", start.elapsed().as_secs_f64());
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(e) = clear(&self.aside()) {
            eprintln!("{} could not be removed: {e}", self.aside().display());
        }
    }
}
