//! What a private Dovecot is told.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::Tls;

/// How to run a [`crate::Dovecot`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The certificate it shows, on the implicit-TLS port and behind STARTTLS.
    pub tls: Tls,
    /// Every user has this password (LOGIN, AUTHENTICATE PLAIN and LOGIN).
    pub password: String,
    /// Tokens that XOAUTH2 and OAUTHBEARER accept; without this, the mechanisms are not offered.
    pub jwt: Option<Jwt>,
    /// More than IMAP: POP3, submission, delivery by LMTP, and sign-in for a Postfix.
    pub services: Option<Services>,
    /// Where mailboxes are kept; `None` is a temporary directory that goes with the server.
    pub mail_root: Option<PathBuf>,
    /// Further lines of configuration, verbatim; they come last and so override the rest.
    pub extra: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tls: Tls::localhost(),
            password: "pass".into(),
            jwt: None,
            services: None,
            mail_root: None,
            extra: String::new(),
        }
    }
}

/// What [`Config::services`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// The port on 127.0.0.1 where submission hands on what it takes: plain SMTP, without sign-in.
    pub relay_port: u16,
}

/// The ports of [`Services`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServicePorts {
    /// POP3 with STLS.
    pub pop3: u16,
    /// POP3 with TLS from the first octet.
    pub pop3s: u16,
    /// Submission with STARTTLS.
    pub submission: u16,
    /// Submission with TLS from the first octet.
    pub submissions: u16,
    /// Delivery by LMTP, to everybody.
    pub lmtp: u16,
    /// Dovecot's authentication protocol, as Postfix speaks it.
    pub auth: u16,
    /// Where submission hands on, as [`Services::relay_port`] says.
    pub relay: u16,
}

/// How tokens are checked: locally, by their signature and claims.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The only issuer that is believed.
    pub issuer: String,
    /// The claim that names the user, such as `email` or `upn`.
    pub username_claim: String,
    /// With it, the `aud` claim must contain this.
    pub audience: Option<String>,
    /// The keys that tokens may be signed with.
    pub keys: Vec<VerificationKey>,
}

/// One key of [`Jwt`].
#[derive(Clone, Debug)]
pub struct VerificationKey {
    /// `RS256`, `PS256`, `ES256` or `HS256`.
    pub alg: String,
    /// The `kid` of the token's header; `default` for tokens without one.
    pub kid: String,
    /// A public key in PEM; for HS256 the secret in base64.
    pub key: String,
}

impl VerificationKey {
    /// Its file below the directory of keys. The first part is the token's `azp` claim, or `default`.
    pub(super) fn path(&self) -> PathBuf {
        // Dovecot escapes what could leave the directory.
        let kid = self.kid.replace('%', "%25").replace('.', "%2e").replace('/', "%2f");
        Path::new("default").join(&self.alg).join(kid)
    }
}

/// What differs between a server that root runs and one that anybody runs.
pub(super) struct Owner {
    pub(super) is_root: bool,
    /// The user (name and group) whom the server's inner processes run as, where it is not root.
    pub(super) user: String,
    pub(super) group: String,
    /// The owner of the mail.
    pub(super) mail_uid: u32,
    pub(super) mail_gid: u32,
}

/// Where everything is.
pub(super) struct Places<'a> {
    pub(super) dir: &'a Path,
    pub(super) mail: &'a Path,
    pub(super) imap: u16,
    pub(super) imaps: u16,
    pub(super) greeting: &'a str,
    pub(super) services: Option<ServicePorts>,
}

/// The main configuration file.
pub(super) fn dovecot_conf(config: &Config, places: &Places<'_>, owner: &Owner) -> String {
    let Places { dir, mail, imap, imaps, greeting, services } = places;
    let (dir, mail) = (dir.display(), mail.display());
    let Owner { mail_uid, mail_gid, .. } = owner;
    let mechanisms = if config.jwt.is_some() { "plain login xoauth2 oauthbearer" } else { "plain login" };
    let protocols = if services.is_some() { "imap pop3 submission lmtp" } else { "imap" };
    let mut text = format!(
        "base_dir = {dir}/run\n\
         state_dir = {dir}/state\n\
         instance_name = {greeting}\n\
         log_path = {dir}/log\n\
         auth_verbose = yes\n\
         protocols = {protocols}\n\
         listen = 127.0.0.1\n\
         login_greeting = {greeting}\n\
         mail_location = maildir:{mail}/%u/Maildir\n\
         mail_uid = {mail_uid}\n\
         mail_gid = {mail_gid}\n\
         first_valid_uid = 1\n\
         first_valid_gid = 1\n\
         ssl = yes\n\
         ssl_cert = <{dir}/cert.pem\n\
         ssl_key = <{dir}/key.pem\n\
         ssl_min_protocol = TLSv1.2\n\
         disable_plaintext_auth = no\n\
         auth_mechanisms = {mechanisms}\n\
         auth_failure_delay = 0\n\
         mail_max_userip_connections = 1000\n\
         mail_fsync = never\n\
         default_vsz_limit = 4G\n\
         imap_hibernate_timeout = 0\n"
    );
    if config.jwt.is_some() {
        let _ = write!(
            text,
            "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {dir}/oauth2.conf\n}}\n"
        );
    }
    let _ = write!(
        text,
        "passdb {{\n  driver = static\n  mechanisms = plain login\n  args = password={}\n}}\n\
         userdb {{\n  driver = static\n  args = allow_all_users=yes uid={mail_uid} gid={mail_gid} home={mail}/%u\n}}\n\
         namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n\
         service imap-login {{\n\
         \x20 inet_listener imap {{\n    address = 127.0.0.1\n    port = {imap}\n  }}\n\
         \x20 inet_listener imaps {{\n    address = 127.0.0.1\n    port = {imaps}\n    ssl = yes\n  }}\n\
         \x20 service_count = 0\n  process_min_avail = 1\n}}\n\
         service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n",
        config.password
    );
    if let Some(ports) = services {
        text.push_str(&further_services(ports));
    }
    if !owner.is_root {
        let Owner { user, group, .. } = owner;
        let _ = write!(
            text,
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n"
        );
        let chrooted = ["anvil", "imap-login", "stats"].into_iter();
        let more = ["pop3-login", "submission-login"].into_iter().filter(|_| services.is_some());
        for service in chrooted.chain(more) {
            let _ = write!(text, "service {service} {{\n  chroot =\n}}\n");
        }
    }
    text.push_str(&config.extra);
    text.push('\n');
    text
}

fn further_services(ports: &ServicePorts) -> String {
    let ServicePorts { pop3, pop3s, submission, submissions, lmtp, auth, relay } = ports;
    let listener = |name: &str, port: &u16, ssl: &str| {
        format!("  inet_listener {name} {{\n    address = 127.0.0.1\n    port = {port}\n{ssl}  }}\n")
    };
    let tls = "    ssl = yes\n";
    format!(
        "hostname = dovecot.example\n\
         submission_relay_host = 127.0.0.1\n\
         submission_relay_port = {relay}\n\
         submission_relay_trusted = no\n\
         pop3_uidl_format = %08Xu%08Xv\n\
         service pop3-login {{\n{}{}  service_count = 0\n}}\n\
         service submission-login {{\n{}{}  service_count = 0\n}}\n\
         service lmtp {{\n{}}}\n\
         service auth {{\n{}}}\n",
        listener("pop3", pop3, ""),
        listener("pop3s", pop3s, tls),
        listener("submission", submission, ""),
        listener("submissions", submissions, tls),
        listener("lmtp", lmtp, ""),
        listener("auth", auth, ""),
    )
}

/// The file that the oauth2 passdb reads.
pub(super) fn oauth2_conf(jwt: &Jwt, dir: &Path) -> String {
    let mut text = format!(
        "introspection_mode = local\n\
         local_validation_key_dict = fs:posix:prefix={}/keys/\n\
         issuers = {}\n\
         username_attribute = {}\n",
        dir.display(),
        jwt.issuer,
        jwt.username_claim
    );
    if let Some(audience) = &jwt.audience {
        let _ = writeln!(text, "client_id = {audience}");
    }
    text
}
