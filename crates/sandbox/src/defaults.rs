//! The tenant that is there when nothing else was asked for.

use crate::directory::{App, Audience, SmtpRefusal, User};

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
        User::shared(SHARED).name("Information").full_access(ANA).full_access(daemon.id()).send_as(ANA),
        User::personal("dora@outlook.example", "Sandbox-Dora-1").name("Dora Duarte"),
    ]
}

/// Applications of the default tenant. The secrets hold the characters that form encoding gets wrong.
pub(crate) fn apps() -> Vec<App> {
    vec![
        App::public(PUBLIC_APP),
        App::public("Desktop mail, one tenant").audience(Audience::SingleTenant),
        App::public("Desktop mail, flows off").public_client_flows(false),
        App::web(WEB_APP, "Web~8Q+secret/of_the=web.app")
            .redirect("https://localhost:8443/callback")
            .redirect("http://localhost/callback"),
        App::daemon(DAEMON_APP, "Dmn~8Q+secret/of_the=daemon")
            .role("IMAP.AccessAsApp")
            .role("POP.AccessAsApp")
            .role("SMTP.SendAsApp"),
        App::daemon("Daemon without roles", "Bare~8Q+secret/without=roles"),
    ]
}
