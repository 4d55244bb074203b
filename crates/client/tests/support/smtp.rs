//! Scripts of SMTP servers.

use postkey::Smtp;
use postkey::smtp::{EhloName, Envelope, Mailbox};

use super::{Step, hear, say, serve};

pub(crate) const EHLO: &str = "250-mx.example Hello\r\n250-SIZE 1000000\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 AUTH LOGIN XOAUTH2\r\n";
pub(crate) const MAIL: &str = "MAIL FROM:<ana@contoso.example>";

pub(crate) fn name() -> EhloName {
    EhloName::new("client.example").unwrap()
}

pub(crate) fn to(recipients: &[&str]) -> Envelope {
    let from: Mailbox = "ana@contoso.example".parse().unwrap();
    Envelope::new(from, recipients.iter().map(|r| r.parse().unwrap()))
}

pub(crate) fn connected(ehlo: &str, rest: Vec<Step>) -> Vec<Step> {
    let mut script = vec![say("220 mx.example\r\n"), hear("EHLO client.example\r\n"), say(ehlo)];
    script.extend(rest);
    script
}

pub(crate) async fn session(rest: Vec<Step>) -> (Smtp, tokio::task::JoinHandle<Vec<u8>>) {
    let (server, heard) = serve(connected(EHLO, rest)).await;
    (Smtp::connect(&server, &name()).await.unwrap(), heard)
}

/// The commands of one message in one group, its text up to the final dot.
pub(crate) fn message(recipient: &str, size: usize, text: &str) -> Vec<Step> {
    vec![
        hear(&format!("{MAIL} SIZE={size}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n")),
        say("250 ok\r\n250 ok\r\n354 go\r\n"),
        hear(text),
    ]
}
