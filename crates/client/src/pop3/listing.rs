//! Which messages there are.

use std::collections::BTreeMap;

use pop3_proto::Event;
use pop3_proto::types::{Command, Entry};

use super::Pop3;
use crate::error::Error;

/// A message of the maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pop3Message {
    /// Its number in this session.
    pub number: u32,
    /// Its unique-id: 1 to 70 printable characters without space, that mean the same in every session. `None` when the server has none
    /// for it, or one that cannot be read. Servers exist that give two messages the same.
    pub uidl: Option<String>,
    /// Its size in octets, as the server estimates it.
    pub size: Option<u64>,
}

/// Most messages of a maildrop; a server that lists more is not telling the truth.
const MOST: usize = 1_000_000;

impl Pop3 {
    /// All messages with their unique-ids and sizes, in the order of their numbers. UIDL and LIST share a round trip where the server
    /// allows it.
    ///
    /// Lines that cannot be read are left out, message by message: what has neither a unique-id nor a size is still here if the server
    /// counts it, up to the number of messages it gave at the start.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server refuses LIST (that it refuses UIDL shows in the missing unique-ids); otherwise as every
    /// command.
    pub async fn list(&mut self) -> Result<Vec<Pop3Message>, Error> {
        let uidl = self.client.send(&Command::Uidl(None))?;
        let list = self.client.send(&Command::List(None))?;
        let mut found: BTreeMap<u32, Pop3Message> = BTreeMap::new();
        let mut note = |event: Event<'_>| {
            let (number, uidl, size) = match event {
                Event::Entry(Entry::UniqueId(id)) => (id.number.get(), Some(id.id.as_str().to_owned()), None),
                Event::Entry(Entry::Scan(scan)) => (scan.number.get(), None, Some(scan.octets)),
                Event::Malformed { error, raw } => {
                    tracing::debug!(
                        "a line of a listing that cannot be read ({error}), {} octets",
                        raw.len()
                    );
                    return Ok(());
                }
                _ => return Ok(()),
            };
            if found.len() >= MOST && !found.contains_key(&number) {
                return Err(Error::Pop3(pop3_proto::Error::Limit(wire::Limit::Lines)));
            }
            let message = found.entry(number).or_insert(Pop3Message { number, uidl: None, size: None });
            message.uidl = uidl.or(message.uidl.take());
            message.size = size.or(message.size);
            Ok(())
        };
        self.lines(uidl, &mut note).await?;
        if let Some(refused) = self.lines(list, &mut note).await? {
            return Err(Error::refused("LIST", refused));
        }
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        for number in 1..=self.stat.messages.min(most) {
            found.entry(number).or_insert(Pop3Message { number, uidl: None, size: None });
        }
        Ok(found.into_values().collect())
    }
}
