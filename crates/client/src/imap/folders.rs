//! Which folders there are, and opening one.

use imap_proto::types::{Attribute, Code, Command, ListPattern, Mailbox, Response, SelectParams, StatusKind};
use imap_proto::{Event, Misuse};

use super::{Imap, accept};
use crate::error::{Error, Reply};

/// A folder as LIST tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folder {
    /// The name for people. Where the server's name cannot be decoded (it should be modified UTF-7, RFC 3501 section 5.1.3), its
    /// octets with everything unprintable escaped.
    pub name: String,
    /// The name for the server.
    pub mailbox: Mailbox<'static>,
    /// The character between levels of the hierarchy.
    pub delimiter: Option<char>,
    /// Attributes, `\Noselect` and special uses among them, as the server spells them.
    pub attributes: Vec<Attribute<'static>>,
    /// Whether it can be opened.
    pub selectable: bool,
}

/// A folder that has been opened for reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examined {
    /// Number of messages.
    pub exists: u32,
    /// UIDs mean the same messages as long as this does not change; `None` when the server gave none that is valid: UIDs must
    /// not be remembered then.
    pub uid_validity: Option<u32>,
    /// The next message will have at least this UID.
    pub uid_next: Option<u32>,
    /// The greatest mod-sequence (RFC 7162), when the server keeps them for this folder.
    pub highest_mod_seq: Option<u64>,
}

impl Imap {
    /// All folders of the personal namespace that the server lists, in its order.
    ///
    /// # Errors
    /// As every command.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Error> {
        let reference = Mailbox::new(&b""[..]).map_err(Misuse::Invalid)?;
        let pattern = ListPattern::new(&b"*"[..]).map_err(Misuse::Invalid)?;
        let id = self.client.send(&Command::List { reference, pattern })?;
        let mut found = Vec::new();
        self.finish("LIST", id, |event| {
            if let Event::Data(data) = event
                && let Response::List(entry) = *data
                && found.len() < MOST
            {
                let selectable = entry.is_selectable();
                let entry = entry.into_owned();
                if !entry.mailbox.as_bytes().is_empty() {
                    found.push(Folder {
                        name: readable(&entry.mailbox),
                        delimiter: entry.delimiter.map(|d| d.as_char()),
                        attributes: entry.attributes,
                        mailbox: entry.mailbox,
                        selectable,
                    });
                }
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Opens a folder for reading (EXAMINE): nothing on the server changes, no message is marked as seen.
    ///
    /// # Errors
    /// [`Error::NoFolder`] when the server says NO; otherwise as every command.
    pub async fn examine(&mut self, mailbox: &Mailbox<'_>) -> Result<Examined, Error> {
        let condstore = self.has(&imap_proto::types::Capability::CondStore);
        let params = SelectParams { condstore };
        let id = self.client.send(&Command::Examine { mailbox: mailbox.borrowed(), params })?;
        let mut seen = Examined::default();
        let mut note = |code: &Option<Code<'static>>| match code {
            Some(Code::UidValidity(n)) => seen.uid_validity = Some(n.get()),
            Some(Code::UidNext(n)) => seen.uid_next = Some(n.get()),
            // Without the extension nobody has promised what the number means.
            Some(Code::HighestModSeq(n)) if condstore => seen.highest_mod_seq = Some(n.get()),
            _ => {}
        };
        let mut exists = 0;
        let completed = self
            .completed(id, |event| {
                match event {
                    Event::Status(status) => note(&status.code),
                    Event::Data(data) => {
                        if let Response::Exists(n) = *data {
                            exists = n;
                        }
                    }
                    _ => {}
                }
                Ok(())
            })
            .await?;
        seen.exists = exists;
        let reply = Reply::of(completed.status.clone());
        if completed.status.kind == StatusKind::No && reply.throttle().is_none() && !reply.is_auth() {
            return Err(Error::NoFolder { name: readable(mailbox), reply });
        }
        accept("EXAMINE", completed)?;
        Ok(seen)
    }
}

/// More folders than this are not listed: no mailbox has them, and memory is finite.
const MOST: usize = 100_000;

/// A folder name for people.
pub(super) fn readable(mailbox: &Mailbox<'_>) -> String {
    if mailbox.is_inbox() {
        return "INBOX".to_owned();
    }
    match mailbox.decoded() {
        Some(name) => wire::printable(name.as_bytes()),
        None => wire::printable(mailbox.as_bytes()),
    }
}
