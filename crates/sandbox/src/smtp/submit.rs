//! A complete message: whether its author may be who it says, and where it goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Clock;
use crate::directory::Directory;
use crate::mail::store::INBOX;
use crate::mail::stores::Stores;
use crate::mail::{address, header};
use crate::profile::HOST;
use crate::seed::{self, Flags};
use crate::smtp::session::Sender;

/// Where copies of what was sent are kept.
const SENT: &str = "Sent Items";

/// Why a message cannot be sent: the rest of the reply behind its code.
pub(crate) type Refusal = (u16, String);

impl Sender {
    /// Whether this sender may use an address in From or MAIL FROM.
    fn may_use(&self, directory: &Directory, address: &str) -> bool {
        let own = address.eq_ignore_ascii_case(&self.mailbox);
        let granted = directory
            .user(address)
            .is_some_and(|u| u.send_as.iter().any(|who| who.eq_ignore_ascii_case(&self.identity)));
        own || granted
    }

    /// Looks at the envelope's sender (`None` for the null path) and at the header.
    ///
    /// # Errors
    /// What to answer.
    pub(crate) fn check(
        &self,
        directory: &Directory,
        from: Option<&str>,
        message: &[u8],
    ) -> Result<(), Refusal> {
        let authors = addresses(message, "From");
        let senders = addresses(message, "Sender");
        if authors.len() > 1 && senders.is_empty() {
            let text = "5.1.20 Multiple From addresses are not allowed without Sender address";
            return Err((550, text.to_owned()));
        }
        let used = from.into_iter().chain(authors.iter().chain(&senders).map(String::as_str));
        match used.into_iter().find(|address| !self.may_use(directory, address)) {
            Some(address) => Err((
                554,
                format!(
                    "5.2.252 SendAsDenied; {} not allowed to send as {address}; \
                     STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process \
                     message due to a permanent exception [Hostname={HOST}]",
                    self.mailbox
                ),
            )),
            None => Ok(()),
        }
    }
}

/// The addresses of a field of the header, however often it is there. What cannot be said in a reply is shown as `?`.
fn addresses(message: &[u8], name: &str) -> Vec<String> {
    let end = header::header_end(message, 0..message.len());
    let fields = header::fields(message, 0..end).into_iter();
    let named = fields
        .filter(|f| message.get(f.name.clone()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes())));
    named
        .flat_map(|f| address::parse(&header::unfold(message.get(f.value).unwrap_or_default())))
        .filter_map(|a| {
            let text = [a.mailbox?, b"@".to_vec(), a.host?].concat();
            let text = String::from_utf8_lossy(&text).replace(char::is_control, "?");
            Some(text.chars().take(320).collect())
        })
        .collect()
}

/// A message with its envelope, on its way.
pub(crate) struct Submission<'s> {
    /// The mailbox that was signed in to.
    pub(crate) mailbox: &'s str,
    /// UPNs of recipients in the tenant.
    pub(crate) recipients: &'s BTreeSet<String>,
    /// The message as it came.
    pub(crate) message: Vec<u8>,
}

impl Submission<'_> {
    /// Puts the message into the recipients' INBOXes and the sender's Sent Items.
    pub(crate) fn deliver(self, directory: &Directory, stores: &Stores, clock: &Clock) {
        let now = i64::try_from(clock.now()).unwrap_or(0);
        // One copy, however many get it.
        let delivered: Arc<[u8]> = stamped(&self.message, now).into();
        for upn in self.recipients {
            let Some(store) = directory.user(upn).map(|u| stores.of(u)) else { continue };
            if let Some(inbox) = store.find(INBOX) {
                store.append(inbox, Flags::default(), now, Arc::clone(&delivered));
            }
        }
        let Some(store) = directory.user(self.mailbox).map(|u| stores.of(u)) else { return };
        if store.find(SENT).is_none() {
            // Another connection may make it at the same time; then there is one, too.
            let _ = store.create(SENT);
        }
        if let Some(sent) = store.find(SENT) {
            store.append(sent, Flags { seen: true, ..Flags::default() }, now, self.message);
        }
    }
}

/// What recipients get: a Received field in front, and no Bcc.
fn stamped(message: &[u8], now: i64) -> Vec<u8> {
    let end = header::header_end(message, 0..message.len());
    let mut out =
        format!("Received: from submission ({HOST}) by {HOST}; {}\r\n", seed::date(now, 0)).into_bytes();
    out.reserve(message.len());
    let mut at = 0;
    for field in header::fields(message, 0..end) {
        if message.get(field.name.clone()).is_some_and(|n| n.eq_ignore_ascii_case(b"Bcc")) {
            out.extend_from_slice(message.get(at..field.whole.start).unwrap_or_default());
            at = field.whole.end;
        }
    }
    out.extend_from_slice(message.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::User;

    fn directory() -> Directory {
        Directory {
            domain: "contoso.example".to_owned(),
            tenant_id: "t".to_owned(),
            users: vec![
                User::work("ana@contoso.example", ""),
                User::work("bjorn@contoso.example", ""),
                User::shared("info@contoso.example").send_as("ana@contoso.example"),
            ],
            apps: Vec::new(),
        }
    }

    fn check(from: Option<&str>, message: &str) -> Option<u16> {
        let ana =
            Sender { mailbox: "ana@contoso.example".to_owned(), identity: "ana@contoso.example".to_owned() };
        ana.check(&directory(), from, message.as_bytes()).err().map(|(code, _)| code)
    }

    #[test]
    fn authors() {
        let ana = Some("Ana@contoso.example");
        assert_eq!(check(ana, "From: Ana <ANA@contoso.example>\r\n\r\n"), None);
        assert_eq!(check(ana, "Subject: no author\r\n\r\nFrom: bjorn@contoso.example\r\n"), None);
        assert_eq!(check(ana, "From: \"ana@contoso.example\" <bjorn@contoso.example>\r\n\r\n"), Some(554));
        assert_eq!(check(ana, "FROM:\r\n bjorn@contoso.example\r\n\r\n"), Some(554), "folded");
        assert_eq!(check(ana, "From: ana@contoso.example\r\nFrom: bjorn@contoso.example\r\n\r\n"), Some(550));
        assert_eq!(check(ana, "From: info@contoso.example\r\n\r\n"), None, "granted");
        assert_eq!(check(Some("info@contoso.example"), "From: info@contoso.example\r\n\r\n"), None);
        assert_eq!(check(Some("bjorn@contoso.example"), "From: ana@contoso.example\r\n\r\n"), Some(554));
        assert_eq!(check(None, "From: ana@contoso.example\r\n\r\n"), None, "the null path");
        let two = "From: ana@contoso.example, info@contoso.example\r\n";
        assert_eq!(check(ana, &format!("{two}\r\n")), Some(550));
        assert_eq!(check(ana, &format!("{two}Sender: ana@contoso.example\r\n\r\n")), None);
        assert_eq!(check(ana, &format!("{two}Sender: bjorn@contoso.example\r\n\r\n")), Some(554));
    }

    #[test]
    fn blind_copies_are_blind() {
        let message =
            b"To: a@b\r\nBCC: secret@b,\r\n more@b\r\nSubject: s\r\nbcc: third@b\r\n\r\nBcc: text\r\n";
        let out = stamped(message, 0);
        let first = out.windows(2).position(|w| w == b"\r\n").unwrap() + 2;
        assert!(out.starts_with(b"Received: "));
        assert_eq!(&out[first..], b"To: a@b\r\nSubject: s\r\n\r\nBcc: text\r\n");
    }
}
