//! Commands on mailboxes as a whole.

use std::num::NonZeroU32;

use imap_proto::types::{
    Attribute, Code, Delimiter, ListEntry, ListKind, ListPattern, Mailbox, Namespace, Namespaces, Response,
    StatusData, StatusItem, StatusKind, StatusResponse, Text,
};

use crate::imap::flags;
use crate::imap::session::Session;
use crate::mail::pattern::fits;
use crate::mail::store::{INBOX, Refused};
use crate::session::{Over, Step};

impl Session {
    pub(crate) fn namespace(&mut self) -> Step {
        let prefix = Mailbox::new(&b""[..]).map_err(|_| Over)?;
        let personal = vec![Namespace { prefix, delimiter: Some(Delimiter::SLASH) }];
        self.server.untagged(&Response::Namespace(Namespaces { personal, ..Namespaces::default() }))?;
        self.done("NAMESPACE")
    }

    pub(crate) fn list(&mut self, reference: &Mailbox<'_>, pattern: &ListPattern<'_>, lsub: bool) -> Step {
        let (name, kind) = if lsub { ("LSUB", ListKind::Lsub) } else { ("LIST", ListKind::List) };
        let Some(store) = self.mailbox() else { return Err(Over) };
        let mut entries: Vec<(String, Vec<Attribute<'static>>)> = Vec::new();
        if pattern.as_bytes().is_empty() {
            entries.push((String::new(), vec![Attribute::NoSelect]));
        } else {
            let whole = [reference.as_bytes(), pattern.as_bytes()].concat();
            // Wildcards are plain ASCII in modified UTF-7, so the pattern decodes as a name does.
            let pattern = Mailbox::new(whole).ok().and_then(|m| m.decoded());
            let pattern = pattern.unwrap_or_default();
            let wanted =
                |name: &str| fits(&pattern, name) || (name == INBOX && fits(&pattern.to_uppercase(), INBOX));
            if lsub {
                entries
                    .extend(store.subscriptions().into_iter().filter(|n| wanted(n)).map(|n| (n, Vec::new())));
            } else {
                for listed in store.list().into_iter().filter(|l| wanted(&l.name)) {
                    let mut attributes = Vec::new();
                    if listed.name == INBOX {
                        attributes.push(Attribute::Marked);
                    }
                    attributes.push(if listed.has_children {
                        Attribute::HasChildren
                    } else {
                        Attribute::HasNoChildren
                    });
                    entries.push((listed.name, attributes));
                }
            }
        }
        for (name, attributes) in entries {
            let Ok(mailbox) = name.parse::<Mailbox<'static>>() else { continue };
            let entry = ListEntry { kind, attributes, delimiter: Some(Delimiter::SLASH), mailbox };
            self.server.untagged(&Response::List(entry))?;
        }
        self.done(name)
    }

    pub(crate) fn status(&mut self, mailbox: &Mailbox<'static>, items: &[StatusItem]) -> Step {
        let Some(store) = self.mailbox() else { return Err(Over) };
        let status = mailbox.decoded().and_then(|n| store.find(&n)).and_then(|id| store.status(id));
        let Some(status) = status else { return self.absent(mailbox) };
        let mut data = StatusData::default();
        for item in items {
            match item {
                StatusItem::Messages => data.messages = Some(status.messages),
                StatusItem::Recent => data.recent = Some(status.recent),
                StatusItem::UidNext => data.uid_next = NonZeroU32::new(status.uid_next),
                StatusItem::UidValidity => data.uid_validity = NonZeroU32::new(status.uid_validity),
                StatusItem::Unseen => data.unseen = Some(status.unseen),
                _ => return self.say_bad("Command Argument Error. 11"),
            }
        }
        self.server.untagged(&Response::MailboxStatus { mailbox: mailbox.clone(), data })?;
        self.news(true)?;
        self.done("STATUS")
    }

    pub(crate) fn select(&mut self, mailbox: &Mailbox<'static>, read_only: bool, condstore: bool) -> Step {
        self.view = None;
        let Some(store) = self.mailbox() else { return Err(Over) };
        if condstore {
            return self.say_bad("Command Argument Error. 11");
        }
        let Some(id) = mailbox.decoded().and_then(|n| store.find(&n)) else { return self.absent(mailbox) };
        let (Some(view), Some(status)) = (store.open(id, read_only), store.status(id)) else {
            return self.absent(mailbox);
        };
        self.server.untagged(&Response::Exists(view.len()))?;
        // A mailbox that is only examined shows everything as recent.
        self.server.untagged(&Response::Recent(view.recent()))?;
        self.server.untagged(&Response::Flags(flags::all()))?;
        let permanent = if read_only { imap_proto::types::FlagSet::new() } else { flags::all() };
        self.note(Code::PermanentFlags(permanent), "Permanent flags")?;
        if let Some(unseen) = view.first_unseen().and_then(NonZeroU32::new) {
            self.note(
                Code::Unseen(unseen),
                &format!("Is the first unseen message in {}", mailbox_text(mailbox)),
            )?;
        }
        if let Some(validity) = NonZeroU32::new(view.uid_validity) {
            self.note(Code::UidValidity(validity), "UIDVALIDITY value")?;
        }
        if let Some(next) = NonZeroU32::new(status.uid_next) {
            self.note(Code::UidNext(next), "The next unique identifier value")?;
        }
        self.view = Some(view);
        let (code, text) = if read_only {
            (Code::ReadOnly, "EXAMINE completed.")
        } else {
            (Code::ReadWrite, "SELECT completed.")
        };
        Ok(self.server.complete(StatusKind::Ok, Some(code), text)?)
    }

    pub(crate) fn close(&mut self, expunge: bool) -> Step {
        if let (Some(view), Some(store)) = (self.view.take(), self.mailbox())
            && expunge
            && !view.read_only
        {
            store.expunge(view.folder, None);
        }
        self.done(if expunge { "CLOSE" } else { "UNSELECT" })
    }

    pub(crate) fn create(&mut self, mailbox: &Mailbox<'_>) -> Step {
        self.alter("CREATE", |store, name| store.create(name), mailbox)
    }

    pub(crate) fn delete(&mut self, mailbox: &Mailbox<'_>) -> Step {
        self.alter("DELETE", |store, name| store.delete(name), mailbox)
    }

    pub(crate) fn rename(&mut self, from: &Mailbox<'_>, to: &Mailbox<'_>) -> Step {
        let Some(to) = to.decoded() else { return self.say_bad("Command Argument Error. 11") };
        self.alter("RENAME", |store, from| store.rename(from, &to), from)
    }

    pub(crate) fn subscribe(&mut self, mailbox: &Mailbox<'_>, on: bool) -> Step {
        let name = if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
        let act = |store: &crate::mail::store::Store, mailbox: &str| {
            if on && store.find(mailbox).is_none() {
                return Err(Refused::NotThere);
            }
            store.subscribe(mailbox, on);
            Ok(())
        };
        self.alter(name, act, mailbox)
    }

    fn alter(
        &mut self,
        command: &str,
        act: impl FnOnce(&crate::mail::store::Store, &str) -> Result<(), Refused>,
        mailbox: &Mailbox<'_>,
    ) -> Step {
        let Some(store) = self.mailbox() else { return Err(Over) };
        let Some(name) = mailbox.decoded() else { return self.say_bad("Command Argument Error. 11") };
        match act(&store, &name) {
            Ok(()) => {
                // Only a mailbox that is still there has news.
                if self.view.as_ref().is_some_and(|v| store.status(v.folder).is_some()) {
                    self.news(true)?;
                }
                self.done(command)
            }
            Err(Refused::NotThere) => self.no(None, &format!("{} doesn't exist.", mailbox_text(mailbox))),
            Err(Refused::Exists) => {
                self.no(None, &format!("Folder {} already exists.", mailbox_text(mailbox)))
            }
            Err(Refused::Reserved) => self.no(None, "Folder name is reserved"),
            Err(Refused::HasChildren) => {
                self.no(None, &format!("{command} failed. The folder has subfolders."))
            }
        }
    }

    fn absent(&mut self, mailbox: &Mailbox<'_>) -> Step {
        self.no(None, &format!("{} doesn't exist.", mailbox_text(mailbox)))
    }

    fn note(&mut self, code: Code<'_>, text: &str) -> Step {
        let text = Text::new(text.as_bytes()).map_err(|_| Over)?;
        let status = StatusResponse::untagged(StatusKind::Ok, text).with_code(code);
        Ok(self.server.untagged(&Response::Status(status))?)
    }
}

/// A mailbox name for a text: control characters would break the line.
fn mailbox_text(mailbox: &Mailbox<'_>) -> String {
    mailbox.as_bytes().escape_ascii().to_string()
}
