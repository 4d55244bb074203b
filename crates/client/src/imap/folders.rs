//! Which folders there are, and opening one.

use imap_proto::types::{
    Attribute, Capability, Code, Command, FlagSet, ListPattern, Mailbox, Response, SelectParams, SequenceSet,
    StatusKind,
};
use imap_proto::{CommandId, Completed, Event, Misuse};

use super::listing::{Listed, Listing, TOO_MANY};
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
        let mut found = Found::default();
        self.finish("LIST", id, |event| found.take(event)).await?;
        self.unreadable_folders = found.unreadable;
        Ok(found.folders)
    }

    /// Lines about folders that could not be read when folders were last listed: folders that [`folders`](Self::folders) lacks.
    pub fn unreadable_folders(&self) -> u64 {
        self.unreadable_folders
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
        self.exists = seen.exists;
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
    ) -> Result<(Examined, Listed), Error> {
        let (id, condstore) = self.send_examine(mailbox)?;
        let changed_since = changed_since.filter(|_| condstore);
        let list = self.send_flags(SequenceSet::all(), changed_since)?;
        let mut seen = Examined::default();
        // What is announced bounds what is listed; until then any mailbox may be that large.
        let mut listing = Listing::new(0, each);
        let mut replies = [None, None];
        self.until(|event| {
            seen.note(&event, condstore);
            match event {
                Event::Completed(c) if c.id == id => replies[0] = Some(*c),
                Event::Completed(c) if c.id == list => replies[1] = Some(*c),
                event => listing.take(event)?,
            }
            Ok(replies.iter().all(Option::is_some).then_some(()))
        })
        .await?;
        let [Some(completed), Some(listed)] = replies else { return Err(Error::Misuse(Misuse::State)) };
        examined(mailbox, completed)?;
        self.exists = seen.exists;
        // There is nothing to list in an empty folder, and some servers say so with BAD.
        if seen.exists > 0 {
            accept("UID FETCH", listed)?;
        }
        Ok((seen, listing.listed))
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

/// Folders as LIST tells of them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) folders: Vec<Folder>,
    octets: usize,
    /// Lines that could not be read.
    pub(super) unreadable: u64,
}

impl Found {
    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Data(data) => {
                if let Response::List(entry) = *data
                    && !entry.mailbox.as_bytes().is_empty()
                {
                    self.octets =
                        self.octets.saturating_add(entry.mailbox.as_bytes().len()).saturating_add(100);
                    if self.octets > MOST {
                        return Err(TOO_MANY);
                    }
                    let selectable = entry.is_selectable();
                    let entry = entry.into_owned();
                    self.folders.push(Folder {
                        name: readable(&entry.mailbox),
                        delimiter: entry.delimiter.map(|d| d.as_char()),
                        attributes: entry.attributes,
                        mailbox: entry.mailbox,
                        selectable,
                    });
                }
            }
            Event::Malformed { raw, .. } => {
                self.unreadable +=
                    u64::from(raw.get(..7).is_some_and(|r| r.eq_ignore_ascii_case(b"* LIST ")));
            }
            _ => {}
        }
        Ok(())
    }
}

/// So much may a server say about folders, in octets of their names and a bit for each: no mailbox has more, and memory is finite.
const MOST: usize = 8 << 20;

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
