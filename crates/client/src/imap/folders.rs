//! Which folders there are, and opening one.

use imap_proto::types::{
    Attribute, Capability, Code, Command, FlagSet, ListPattern, Mailbox, Response, SelectParams, StatusKind,
};
use imap_proto::{CommandId, Completed, Event, Misuse};

use super::listing::Listing;
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
    /// The first call after [`open`](Self::open) costs nothing: the folders came with the proof that the mailbox can be reached.
    ///
    /// # Errors
    /// As every command.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Error> {
        if let Some(folders) = self.folders.take() {
            return Ok(folders);
        }
        let id = self.client.send(&list()?)?;
        let mut found = Vec::new();
        self.finish("LIST", id, |event| {
            note(event, &mut found);
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
        let (id, condstore) = self.send_examine(mailbox)?;
        let mut seen = Examined::default();
        let completed = self
            .completed(id, |event| {
                seen.note(&event, condstore);
                Ok(())
            })
            .await?;
        examined(mailbox, completed)?;
        Ok(seen)
    }

    /// Opens a folder like [`examine`](Self::examine), and lists UIDs and flags of its messages, or of those that changed since a
    /// mod-sequence (RFC 7162), in the same round trip.
    ///
    /// # Errors
    /// [`Error::NoFolder`] when the server says NO; otherwise as every command.
    pub async fn examine_and_list(
        &mut self,
        mailbox: &Mailbox<'_>,
        changed_since: Option<u64>,
        each: impl FnMut(u32, &FlagSet<'_>),
    ) -> Result<Examined, Error> {
        let (id, condstore) = self.send_examine(mailbox)?;
        let changed_since = changed_since.filter(|_| condstore);
        let list = self.send_flags(changed_since)?;
        let mut seen = Examined::default();
        let mut listing = Listing::new(each);
        let completed = self
            .completed(id, |event| {
                seen.note(&event, condstore);
                Ok(())
            })
            .await?;
        let listed = self
            .completed(list, |event| {
                seen.note(&event, condstore);
                listing.take(event);
                Ok(())
            })
            .await?;
        examined(mailbox, completed)?;
        // There is nothing to list in an empty folder, and some servers say so with BAD.
        if seen.exists > 0 {
            accept("UID FETCH", listed)?;
        }
        Ok(seen)
    }

    fn send_examine(&mut self, mailbox: &Mailbox<'_>) -> Result<(CommandId, bool), Error> {
        let condstore = self.has(&Capability::CondStore);
        let params = SelectParams { condstore };
        let id = self.client.send(&Command::Examine { mailbox: mailbox.borrowed(), params })?;
        Ok((id, condstore))
    }
}

impl Examined {
    fn note(&mut self, event: &Event<'_>, condstore: bool) {
        match event {
            Event::Status(status) => match &status.code {
                Some(Code::UidValidity(n)) => self.uid_validity = Some(n.get()),
                Some(Code::UidNext(n)) => self.uid_next = Some(n.get()),
                // Without the extension nobody has promised what the number means.
                Some(Code::HighestModSeq(n)) if condstore => self.highest_mod_seq = Some(n.get()),
                _ => {}
            },
            Event::Data(data) => {
                if let Response::Exists(n) = **data {
                    self.exists = n;
                }
            }
            _ => {}
        }
    }
}

/// What came of EXAMINE.
fn examined(mailbox: &Mailbox<'_>, completed: Completed) -> Result<(), Error> {
    let reply = Reply::of(completed.status.clone());
    if completed.status.kind == StatusKind::No && reply.throttle().is_none() && !reply.is_auth() {
        return Err(Error::NoFolder { name: readable(mailbox), reply });
    }
    accept("EXAMINE", completed).map(drop)
}

/// `LIST "" *`
pub(super) fn list() -> Result<Command<'static>, Error> {
    let reference = Mailbox::new(&b""[..]).map_err(Misuse::Invalid)?;
    let pattern = ListPattern::new(&b"*"[..]).map_err(Misuse::Invalid)?;
    Ok(Command::List { reference, pattern })
}

/// Adds the folder that an event is about.
pub(super) fn note(event: Event<'_>, found: &mut Vec<Folder>) {
    if let Event::Data(data) = event
        && let Response::List(entry) = *data
        && found.len() < MOST
        && !entry.mailbox.as_bytes().is_empty()
    {
        let selectable = entry.is_selectable();
        let entry = entry.into_owned();
        found.push(Folder {
            name: readable(&entry.mailbox),
            delimiter: entry.delimiter.map(|d| d.as_char()),
            attributes: entry.attributes,
            mailbox: entry.mailbox,
            selectable,
        });
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
