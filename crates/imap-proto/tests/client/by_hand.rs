//! What a caller does between two octets of the server.

use postkey_imap_proto::types::{Command, Mailbox, SelectParams};
use postkey_imap_proto::{Config, Security};
use wire::Need;

use super::*;

/// A client by hand: what a caller does between two octets of the server.
pub(crate) struct ByHand {
    pub(crate) client: postkey_imap_proto::Client,
    pub(crate) input: wire::InBuf,
    pub(crate) now: wire::Tick,
}

impl ByHand {
    pub(crate) fn new() -> Self {
        Self::with(Config::new(Security::DangerousPlaintext))
    }

    pub(crate) fn with(config: Config) -> Self {
        let client = postkey_imap_proto::Client::new(config);
        Self { client, input: wire::InBuf::new(1 << 20), now: wire::Tick::ZERO }
    }

    /// What the server says, and whatever comes of it; the error that ended the connection, if one did.
    pub(crate) fn hear(&mut self, octets: &str) -> Option<postkey_imap_proto::Error> {
        use wire::Machine as _;
        assert_eq!(self.input.extend(octets.as_bytes()), octets.len());
        while self.client.advance(&mut self.input, self.now) == Need::Event {
            if let Err(error) = self.client.event(&self.input).unwrap() {
                return Some(error);
            }
        }
        None
    }

    /// What the driver sends.
    pub(crate) fn sends(&mut self) -> String {
        use wire::Machine as _;
        let _ = self.client.advance(&mut self.input, self.now);
        let out = self.client.output();
        let sent = String::from_utf8(out.pending().to_vec()).unwrap();
        out.sent(sent.len());
        sent
    }

    /// So much time goes by.
    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = wire::Tick::from_millis(self.now.as_millis() + seconds * 1_000);
    }
}

#[test]
fn a_mailbox_is_selected_when_the_last_of_several_selects_succeeds() {
    let named = |name: &'static [u8]| Command::Select {
        mailbox: Mailbox::new(name).unwrap(),
        params: SelectParams::default(),
    };
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.send(&named(b"gone")).unwrap();
    c.client.send(&named(b"there")).unwrap();
    assert_eq!(c.sends(), "A1 SELECT gone\r\nA2 SELECT there\r\n");
    assert_eq!(c.hear("A1 NO no such mailbox\r\nA2 OK [READ-WRITE] done\r\n"), None);
    assert_eq!(c.client.state(), postkey_imap_proto::State::Selected);
    c.client.send(&fetch()).unwrap();
    // And the other way round: RFC 3501 section 6.3.1.
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.send(&named(b"there")).unwrap();
    c.client.send(&named(b"gone")).unwrap();
    c.sends();
    assert_eq!(c.hear("A1 OK done\r\nA2 NO no such mailbox\r\n"), None);
    assert_eq!(c.client.state(), postkey_imap_proto::State::Authenticated);
}

#[test]
fn a_reply_to_a_command_that_still_waits_to_be_sent() {
    let mut c = ByHand::with(Config::new(Security::StartTls));
    assert_eq!(c.hear("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"), None);
    c.client.starttls().unwrap();
    c.client.send(&Command::Noop).unwrap();
    assert_eq!(c.sends(), "A1 STARTTLS\r\n");
    let error = c.hear("A2 OK done already\r\n").unwrap();
    assert_eq!(error, postkey_imap_proto::Error::UnexpectedTag { tag: "A2".into() });
}

#[test]
fn nothing_is_said_before_the_greeting() {
    let mut c = ByHand::new();
    c.client.send(&Command::Capability).unwrap();
    assert_eq!(c.sends(), "");
    assert_eq!(c.hear("* OK hi\r\n"), None);
    assert_eq!(c.sends(), "A1 CAPABILITY\r\n");
}

#[test]
fn no_body_before_sign_in_is_longer_than_any_other_literal() {
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK hi\r\n"), None);
    let error = c.hear("* 1 FETCH (BODY[] {4097}\r\n").unwrap();
    assert_eq!(error, postkey_imap_proto::Error::Limit(wire::Limit::Literal));
}

#[test]
fn bodies_before_sign_in_count_as_all_else_does() {
    let mut c = ByHand::new();
    assert_eq!(c.hear("* OK hi\r\n"), None);
    let body = format!("* 1 FETCH (BODY[] {{4000}}\r\n{})\r\n", "x".repeat(4000));
    let error = (0..20).find_map(|_| c.hear(&body)).unwrap();
    assert_eq!(error, postkey_imap_proto::Error::Limit(wire::Limit::PreAuthTotal));
}

#[test]
fn the_invitation_to_idle_invites_nothing_else() {
    // DONE before the server listens; a literal must wait for an invitation of its own.
    let odd = Command::Create(Mailbox::new("\u{e4}".as_bytes().to_vec()).unwrap());
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.idle().unwrap();
    assert_eq!(c.sends(), "A1 IDLE\r\n");
    c.client.done().unwrap();
    c.client.send(&odd).unwrap();
    let mut sent = c.sends();
    assert_eq!(c.hear("+ idling\r\n"), None);
    sent += &c.sends();
    assert!(!sent.contains('\u{e4}'), "{sent}");
    assert_eq!(c.hear("A1 OK done\r\n"), None);
    sent += &c.sends();
    assert_eq!(sent, "DONE\r\nA2 CREATE {2}\r\n");
    assert_eq!(c.hear("+ go\r\n"), None);
    assert_eq!(c.sends(), "\u{e4}\r\n");
}

#[test]
fn enable_comes_before_any_mailbox_is_selected() {
    // RFC 5161 section 3.1
    use postkey_imap_proto::types::Capability;
    let enable = || Command::Enable(vec![Capability::CondStore]);
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    assert!(c.client.send(&enable()).is_ok());
    c.client.send(&select()).unwrap();
    assert_eq!(c.client.send(&enable()), Err(postkey_imap_proto::Misuse::State));
    c.client.send(&Command::Close).unwrap();
    assert_eq!(c.client.send(&enable()), Err(postkey_imap_proto::Misuse::State));
    assert_eq!(c.sends(), "A1 ENABLE CONDSTORE\r\nA2 SELECT INBOX\r\nA3 CLOSE\r\n");
}

#[test]
fn nothing_of_a_message_goes_out_when_the_connection_is_over() {
    use postkey_imap_proto::Misuse;
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    c.client.append(Mailbox::INBOX, Default::default(), None, 20).unwrap();
    c.sends();
    assert_eq!(c.hear("+ go\r\n"), None);
    assert_eq!(c.client.write_body(b"0123456789"), Ok(10));
    c.sends();
    assert!(c.hear("* BYE too long a day\r\n").is_some());
    assert_eq!(c.client.write_body(b"0123456789"), Err(Misuse::Over));
    let mut idle = ByHand::new();
    assert_eq!(idle.hear("* PREAUTH hi\r\n"), None);
    idle.client.idle().unwrap();
    idle.sends();
    assert!(idle.hear("* BYE too long a day\r\n").is_some());
    assert_eq!(idle.client.done(), Err(Misuse::Over));
    assert!(c.client.output().is_empty() && idle.client.output().is_empty());
}
