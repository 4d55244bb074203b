//! Commands: which of the handlers answers, or what answers instead of one.

use imap_proto::server::Fault;
use imap_proto::types::{Command, IdParams, Response, StatusKind};
use wire::Limit;

use crate::imap::fault::ImapFault;
use crate::imap::session::Session;
use crate::session::{Over, Step};

impl Session {
    pub(crate) async fn command(&mut self, command: Command<'static>) -> Step {
        use Command as C;
        match &command {
            C::Capability | C::Noop | C::Logout | C::Id(_) | C::Login { .. } => {}
            _ if self.intercepted()? => return Ok(()),
            _ => {}
        }
        match command {
            C::Capability => {
                self.capability()?;
                self.done("CAPABILITY")
            }
            C::Noop => {
                self.news(true)?;
                self.done("NOOP")
            }
            C::Check => {
                self.news(true)?;
                self.done("CHECK")
            }
            C::Id(_) => {
                self.server.untagged(&Response::Id(IdParams::new()))?;
                self.done("ID")
            }
            C::Logout => {
                self.bye("Microsoft Exchange Server IMAP4 server signing off.")?;
                self.done("LOGOUT")
            }
            C::Login { user, password } => self.login(&user.to_str_lossy(), &password),
            C::Namespace => self.namespace(),
            C::List { reference, pattern } => self.list(&reference, &pattern, false),
            C::Lsub { reference, pattern } => self.list(&reference, &pattern, true),
            C::Status { mailbox, items } => self.status(&mailbox, &items),
            C::Select { mailbox, params } => self.select(&mailbox, false, params.condstore),
            C::Examine { mailbox, params } => self.select(&mailbox, true, params.condstore),
            C::Create(mailbox) => self.create(&mailbox),
            C::Delete(mailbox) => self.delete(&mailbox),
            C::Rename { from, to } => self.rename(&from, &to),
            C::Subscribe(mailbox) => self.subscribe(&mailbox, true),
            C::Unsubscribe(mailbox) => self.subscribe(&mailbox, false),
            C::Close => self.close(true),
            C::Unselect => self.close(false),
            C::Expunge => self.expunge(None),
            C::UidExpunge(set) => self.expunge(Some(&set)),
            C::Search { uid, charset, key } => self.search(uid, charset, key).await,
            C::Fetch { uid, set, items, changed_since: None } => self.fetch(uid, &set, items).await,
            C::Store { uid, set, unchanged_since: None, action, silent, flags } => {
                self.store_flags(uid, &set, action, silent, &flags)
            }
            C::Copy { uid, set, mailbox } => self.copy(uid, &set, &mailbox, false),
            C::Move { uid, set, mailbox } => self.copy(uid, &set, &mailbox, true),
            _ => self.say_bad("Command Error. 12"),
        }
    }

    /// Whether something else than the command itself is the answer: no mailbox, or a fault.
    pub(crate) fn intercepted(&mut self) -> Result<bool, Over> {
        if let Some(left) = self.who.turn_away() {
            self.say_bad("User is authenticated but not connected.")?;
            if left == 0 {
                self.bye("Connection closed. 14")?;
                self.server.disconnect();
            }
            return Ok(true);
        }
        let fault =
            self.context.faults.take(|f| matches!(f, ImapFault::Throttled(_) | ImapFault::Unavailable));
        match fault {
            Some(ImapFault::Unavailable) => {
                self.server.raw(b"Server Unavailable. 15\r\n")?;
                self.say_bad("Server Unavailable. 15")?;
                Ok(true)
            }
            Some(ImapFault::Throttled(ms)) => {
                let text = format!("Request is throttled. Suggested Backoff Time: {ms} milliseconds");
                if self.throttled {
                    self.server.complete(StatusKind::No, None, &text)?;
                    self.bye("Connection closed. 14")?;
                    self.server.disconnect();
                } else {
                    self.throttled = true;
                    // Once more, for the next command.
                    self.context.faults.inject(ImapFault::Throttled(ms));
                    self.say_bad(&text)?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    pub(crate) fn bad(&mut self, fault: &Fault) -> Step {
        match fault {
            Fault::State(_) => self.say_bad("Command received in Invalid state."),
            Fault::Limit(Limit::Body) => Ok(self.server.complete(
                StatusKind::No,
                None,
                "Maximum size of appendable message has been exceeded",
            )?),
            Fault::NoTls => self.say_bad("Command received in Invalid state."),
            Fault::Tag => self.say_bad("Command Error. 10"),
            _ => self.say_bad("Command Argument Error. 11"),
        }
    }
}
