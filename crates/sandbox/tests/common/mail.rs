//! Sending over lines, and looking at what has come of it.

use postkey_sandbox::{Mailbox, Sandbox};

use super::lines::Lines;

pub const BJORN: &str = "bjorn@contoso.example";

pub async fn sandbox() -> Sandbox {
    Sandbox::builder().messages(10).start().await.unwrap()
}

/// Sends by DATA; the last reply.
pub async fn send(lines: &mut Lines, from: &str, to: &[&str], message: &str) -> String {
    let reply = lines.say(&format!("MAIL FROM:<{from}>")).await;
    if !reply.starts_with("250 ") {
        return reply;
    }
    for to in to {
        let reply = lines.say(&format!("RCPT TO:<{to}>")).await;
        assert!(reply.starts_with("250 "), "{to}: {reply}");
    }
    assert_eq!(lines.say("DATA").await, "354 Start mail input; end with <CRLF>.<CRLF>");
    lines.send(message.as_bytes()).await;
    lines.say(".").await
}

pub fn folder(mailbox: &Mailbox, name: &str) -> Vec<Vec<u8>> {
    let uids = mailbox.uids(name).unwrap().1;
    uids.into_iter().map(|uid| mailbox.message(name, uid).unwrap().unwrap().octets).collect()
}

/// The messages that came to a folder since it held `before`.
pub fn news(sandbox: &Sandbox, user: &str, name: &str, before: usize) -> Vec<Vec<u8>> {
    folder(&sandbox.mailbox(user).unwrap(), name).split_off(before)
}

pub fn count(sandbox: &Sandbox, user: &str, name: &str) -> usize {
    sandbox.mailbox(user).unwrap().uids(name).unwrap().1.len()
}

/// A delivered message without the Received field in front.
pub fn untraced(octets: &[u8]) -> &[u8] {
    assert!(octets.starts_with(b"Received: "), "{}", octets.escape_ascii());
    let end = octets.windows(2).position(|w| w == b"\r\n").unwrap();
    &octets[end + 2..]
}
