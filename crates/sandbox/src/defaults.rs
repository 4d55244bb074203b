//! The tenant that is there when nothing else was asked for.

use crate::certificate::Certificate;
use crate::directory::{App, Audience, SignInRefusal, SmtpRefusal, User};
use crate::google_client::GoogleClient;
use crate::service_account::{GOOGLE_MAIL_SCOPE, ServiceAccount};
use crate::workload::{Federated, WORKLOAD_ISSUER};

/// The default tenant's domain; `.example` is reserved (RFC 2606), so nothing can leave by mistake.
pub const DOMAIN: &str = "contoso.example";

/// The user examples use.
pub const ANA: &str = "ana@contoso.example";

/// The shared mailbox that [`ANA`] and the daemon application may open.
pub const SHARED: &str = "info@contoso.example";

/// The name of the default public client.
pub const PUBLIC_APP: &str = "Desktop mail";

/// The name of the default web application.
pub const WEB_APP: &str = "Web mail";

/// The name of the default daemon.
pub const DAEMON_APP: &str = "Archive daemon";

/// The name of the default program that moves files: a confidential client with one fixed redirect, [`FILE_MOVER_REDIRECT`].
pub const FILE_MOVER_APP: &str = "File mover";

/// The redirect URI of [`FILE_MOVER_APP`].
pub const FILE_MOVER_REDIRECT: &str = "http://localhost:3017/";

/// The page whose address holds the code, as public clients register it. A redirect to it may also name the sandbox's own
/// page, `{base URL}/common/oauth2/nativeclient`.
pub const NATIVE_CLIENT: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/// The subject that [`DAEMON_APP`] trusts the sandbox's outside issuer to speak for.
pub const WORKLOAD_SUBJECT: &str = "system:serviceaccount:mail:archive";

/// The default service account of the Google-like token endpoint.
pub const SERVICE_ACCOUNT: &str = "archive@contoso-mail.iam.gserviceaccount.example";

/// Service accounts of the default tenant.
pub(crate) fn service_accounts() -> Vec<ServiceAccount> {
    vec![ServiceAccount::new(SERVICE_ACCOUNT).delegated(GOOGLE_MAIL_SCOPE)]
}

/// The name of the default client of the Google-like sign-in, a desktop application.
pub const GOOGLE_APP: &str = "Desktop mail for Gmail";

/// The client of that name.
pub(crate) fn google_client() -> GoogleClient {
    GoogleClient::desktop(GOOGLE_APP, "GOCSPX-sandbox_secret-0123456789")
}

/// Users of the default tenant.
pub(crate) fn users() -> Vec<User> {
    let daemon = App::daemon(DAEMON_APP, "");
    vec![
        User::work(ANA, "Sandbox-Ana-1").name("Ana Lima").full_access(daemon.id()),
        User::work("bjorn@contoso.example", "Sandbox-Björn-1").name("Björn Åkesson"),
        User::work("mia@contoso.example", "Sandbox-Mia-1").name("Mia Novak").with_mfa(),
        User::work("noimap@contoso.example", "Sandbox-Noimap-1").name("Nora Imap").without_imap(),
        User::work("nopop@contoso.example", "Sandbox-Nopop-1").name("Nina Pop").without_pop3(),
        User::work("nosmtp@contoso.example", "Sandbox-Nosmtp-1")
            .name("Noah Smtp")
            .without_smtp(SmtpRefusal::Mailbox),
        User::work("nolicence@contoso.example", "Sandbox-Nolicence-1").name("Noel Licence").without_licence(),
        User::work("felix@contoso.example", "Sandbox-Felix-1").name("Felix Federated").federated(),
        User::work("paula@contoso.example", "Sandbox-Paula-1").name("Paula Passkey").passwordless(),
        User::work("locked@contoso.example", "Sandbox-Locked-1")
            .name("Lou Locked")
            .blocked(SignInRefusal::Locked),
        User::shared(SHARED).name("Information").full_access(ANA).full_access(daemon.id()).send_as(ANA),
        User::personal("dora@outlook.example", "Sandbox-Dora-1").name("Dora Duarte"),
    ]
}

/// Applications of the default tenant. The secrets hold the characters that form encoding gets wrong.
pub(crate) fn apps() -> Vec<App> {
    vec![
        App::public(PUBLIC_APP).redirect(NATIVE_CLIENT),
        App::public("Desktop mail, one tenant").audience(Audience::SingleTenant),
        App::public("Desktop mail, flows off").public_client_flows(false),
        App::web(WEB_APP, "Web~8Q+secret/of_the=web.app")
            .redirect("https://localhost:8443/callback")
            .redirect("http://localhost/callback")
            .certificate(Certificate::sandbox()),
        App::web(FILE_MOVER_APP, "Mov~8Q+secret/of_the=mover").redirect(FILE_MOVER_REDIRECT),
        App::daemon(DAEMON_APP, "Dmn~8Q+secret/of_the=daemon")
            .expired_secret("Old~8Q+secret/of_the=daemon")
            .certificate(Certificate::sandbox())
            .federated(Federated::new(WORKLOAD_ISSUER, WORKLOAD_SUBJECT))
            .role("IMAP.AccessAsApp")
            .role("POP.AccessAsApp")
            .role("SMTP.SendAsApp"),
        App::daemon("Daemon without roles", "Bare~8Q+secret/without=roles"),
    ]
}
