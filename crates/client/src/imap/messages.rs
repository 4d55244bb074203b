//! Messages: which there are, and their octets.

use std::collections::VecDeque;

use imap_proto::grammar::SearchPart;
use imap_proto::types::{
    Code, Command, FetchData, FetchItem, FetchItems, FlagSet, SearchKey, SequenceSet, StatusKind, UidSet,
};
use imap_proto::{CommandId, Event, Fetch, Misuse};

use super::Imap;
use super::listing::TOO_MANY;
use crate::error::{Error, Reply, Throttle};

/// What is known of a message when its octets begin.
#[derive(Clone, Copy, Debug)]
pub struct MessageMeta<'a> {
    /// The message.
    pub uid: u32,
    /// Length in octets, as announced for the body itself (not RFC822.SIZE, which is an estimate at Exchange).
    pub len: u64,
    /// Its flags, if the server told them before the body.
    pub flags: Option<&'a FlagSet<'static>>,
    /// Its internal date in seconds since 1970, if the server told it before the body.
    pub internal_date: Option<i64>,
}

/// Takes messages as they come. Octets are handed on as received, in pieces of any size.
pub trait MessageSink {
    /// What the sink may fail with.
    type Error;

    /// A message begins. `false`: it is not wanted, its octets are skipped.
    ///
    /// # Errors
    /// Ends the download.
    fn begin(&mut self, meta: MessageMeta<'_>) -> Result<bool, Self::Error>;

    /// More octets of the message.
    ///
    /// # Errors
    /// Ends the download.
    fn chunk(&mut self, octets: &[u8]) -> Result<(), Self::Error>;

    /// The message is complete. `meta` is everything the server said of it, before and after the body.
    ///
    /// # Errors
    /// Ends the download.
    fn end(&mut self, meta: MessageMeta<'_>) -> Result<(), Self::Error>;

    /// The message broke off: what was taken of it is not a message.
    fn abandon(&mut self);
}

/// Why a download stopped: the server's side or the sink's.
#[derive(Debug)]
pub enum FetchError<E> {
    /// The connection, the protocol or the server.
    Mail(Error),
    /// The sink.
    Sink(E),
}

impl<E> From<Error> for FetchError<E> {
    fn from(error: Error) -> Self {
        Self::Mail(error)
    }
}

/// What came of a download that ran to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// UIDs that were asked for and not delivered, in order.
    pub missing: Vec<u32>,
    /// Refusals on the way.
    pub refusals: Vec<Refusal>,
}

/// A command of a download that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The messages it asked for and did not get.
    pub uids: Vec<u32>,
    /// The server's reply.
    pub reply: Reply,
}

impl Imap {
    /// UIDs of the messages that match, in order.
    ///
    /// # Errors
    /// As every command.
    pub async fn search(&mut self, key: &SearchKey<'_>) -> Result<UidSet, Error> {
        let id = self.client.send(&Command::Search { uid: true, charset: None, key: key.clone() })?;
        let mut found = Vec::new();
        self.finish("UID SEARCH", id, |event| {
            if let Event::Numbers { numbers, .. } = event {
                if found.len() > MOST {
                    return Err(TOO_MANY);
                }
                found.extend(numbers.filter_map(|part| match part {
                    Ok(SearchPart::Number(uid)) => Some(uid.get()),
                    _ => None,
                }));
            }
            Ok(())
        })
        .await?;
        found.sort_unstable();
        found.dedup();
        Ok(UidSet::from_sorted(found).map_err(Misuse::Invalid)?)
    }

    /// Downloads messages of the open folder into `sink`: flags, internal date and all octets.
    ///
    /// Each set is one command; `depth` of them are kept in flight, so that the connection never runs dry between them.
    /// Data nobody asked for is ignored. What was asked for and did not come is listed in the [`Outcome`].
    ///
    /// # Errors
    /// [`FetchError::Sink`] with the sink's own error; [`FetchError::Mail`] when the connection or the protocol breaks or the
    /// server asks to slow down. The session is of no use after an error.
    pub async fn download<S: MessageSink>(
        &mut self,
        sets: impl IntoIterator<Item = UidSet>,
        depth: usize,
        sink: &mut S,
    ) -> Result<Outcome, FetchError<S::Error>> {
        let mut sets = sets.into_iter();
        let mut outcome = Outcome::default();
        let mut wanted = Wanted::default();
        let mut message = Message::default();
        loop {
            while wanted.asked.len() < depth.max(1) {
                let Some(set) = sets.next() else { break };
                let id = self.ask(&set)?;
                wanted.asked.push_back(Asked::new(id, &set));
            }
            if wanted.asked.is_empty() {
                outcome.missing.sort_unstable();
                return Ok(outcome);
            }
            let mut failed = None;
            self.until(|event| {
                match event {
                    Event::Fetch(fetch) => {
                        if let Err(e) = message.take(fetch, &mut wanted, sink) {
                            failed = Some(FetchError::Sink(e));
                        }
                    }
                    Event::Completed(completed) => {
                        let Some(asked) = wanted.finish(completed.id) else { return Ok(Some(())) };
                        let missing: Vec<u32> = asked.missing().collect();
                        outcome.missing.extend(&missing);
                        if completed.status.kind != StatusKind::Ok {
                            let reply = Reply::of(completed.status);
                            if let Some(wait) = reply.throttle() {
                                failed = Some(Error::Throttled(Throttle { reply, wait }).into());
                            } else if reply.is_auth() {
                                failed = Some(Error::NotConnected(reply).into());
                            } else {
                                outcome.refusals.push(Refusal { uids: missing, reply });
                            }
                        }
                    }
                    Event::Malformed { error, raw } if message.is_open() => {
                        tracing::debug!("FETCH data that cannot be read ({error}), {} octets", raw.len());
                    }
                    Event::Status(status) if matches!(status.code, Some(Code::Alert)) => {
                        tracing::warn!("the server says: {}", wire::printable(status.text.as_bytes()));
                    }
                    _ => {}
                }
                Ok(Some(()))
            })
            .await
            .inspect_err(|_| message.give_up(sink))?;
            if let Some(failed) = failed {
                message.give_up(sink);
                return Err(failed);
            }
        }
    }

    fn ask(&mut self, set: &UidSet) -> Result<CommandId, Error> {
        let items = vec![FetchItem::Uid, FetchItem::Flags, FetchItem::InternalDate, FetchItem::PEEK_FULL];
        let set = SequenceSet::try_from(set.clone()).map_err(Misuse::Invalid)?;
        let command = Command::Fetch { uid: true, set, items: FetchItems::List(items), changed_since: None };
        Ok(self.client.send(&command)?)
    }
}

/// More numbers than this are no search result, in any mailbox.
const MOST: usize = 4_000_000;

/// The commands in flight and what they asked for.
#[derive(Default)]
struct Wanted {
    asked: VecDeque<Asked>,
}

/// One command: its UIDs in order, and which of them have come.
struct Asked {
    id: CommandId,
    uids: Vec<u32>,
    come: Vec<bool>,
}

impl Asked {
    fn new(id: CommandId, set: &UidSet) -> Self {
        let uids: Vec<u32> = set.iter().collect();
        Self { id, come: vec![false; uids.len()], uids }
    }

    fn missing(&self) -> impl Iterator<Item = u32> + '_ {
        self.uids.iter().zip(&self.come).filter(|(_, come)| !**come).map(|(uid, _)| *uid)
    }
}

impl Wanted {
    /// Whether the message was asked for and has not come yet.
    fn awaits(&self, uid: u32) -> bool {
        self.asked.iter().any(|a| a.uids.binary_search(&uid).is_ok_and(|i| !a.come[i]))
    }

    fn came(&mut self, uid: u32) {
        for a in &mut self.asked {
            if let Ok(i) = a.uids.binary_search(&uid) {
                a.come[i] = true;
            }
        }
    }

    fn finish(&mut self, id: CommandId) -> Option<Asked> {
        let at = self.asked.iter().position(|a| a.id == id)?;
        self.asked.remove(at)
    }

    /// The one message that can be meant when the server does not say which.
    fn only(&self) -> Option<u32> {
        match (self.asked.len(), self.asked.front()) {
            (1, Some(a)) if a.uids.len() == 1 && !a.come[0] => Some(a.uids[0]),
            _ => None,
        }
    }
}

/// The message whose FETCH data is being received.
#[derive(Default)]
struct Message {
    /// As the server told it.
    uid: Option<u32>,
    /// Under which UID the body went to the sink.
    taken_as: Option<u32>,
    flags: Option<FlagSet<'static>>,
    internal_date: Option<i64>,
    len: u64,
    body: Body,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Body {
    /// None yet.
    #[default]
    None,
    /// Going to the sink.
    Taken,
    /// Going nowhere.
    Skipped,
    /// At the sink, complete.
    Complete,
}

impl Message {
    fn is_open(&self) -> bool {
        matches!(self.body, Body::Taken | Body::Complete)
    }

    fn give_up<S: MessageSink>(&mut self, sink: &mut S) {
        if self.is_open() {
            sink.abandon();
        }
        *self = Self::default();
    }

    fn meta(&self, uid: u32) -> MessageMeta<'_> {
        MessageMeta { uid, len: self.len, flags: self.flags.as_ref(), internal_date: self.internal_date }
    }

    fn take<S: MessageSink>(
        &mut self,
        fetch: Fetch<'_>,
        wanted: &mut Wanted,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        match fetch {
            Fetch::Start(_) | Fetch::Abandoned => self.give_up(sink),
            Fetch::Item(FetchData::Uid(uid)) => self.uid = Some(uid.get()),
            Fetch::Item(FetchData::Flags(flags)) => self.flags = Some(flags.into_owned()),
            Fetch::Item(FetchData::InternalDate(date)) => self.internal_date = date.map(|d| d.to_unix()),
            Fetch::Item(FetchData::Body { name, origin: None, data: Some(octets) }) if name.is_full() => {
                let taken = self.begin(octets.len() as u64, wanted, sink)?;
                if taken {
                    sink.chunk(&octets)?;
                    self.body = Body::Complete;
                }
            }
            Fetch::Body { name, origin: None, len } if name.is_full() => {
                self.begin(len, wanted, sink)?;
            }
            Fetch::Chunk(octets) if self.body == Body::Taken => sink.chunk(octets)?,
            Fetch::BodyEnd if self.body == Body::Taken => self.body = Body::Complete,
            Fetch::End => {
                // A UID that was only assumed must have been confirmed by the end.
                if let (Body::Complete, Some(uid)) = (self.body, self.uid)
                    && self.taken_as == Some(uid)
                {
                    sink.end(self.meta(uid))?;
                    wanted.came(uid);
                    self.body = Body::None;
                }
                self.give_up(sink);
            }
            _ => {}
        }
        Ok(())
    }

    /// A whole body begins. Servers are free to tell the UID behind it; where only one message can be meant, it is
    /// assumed to be that one until the end of the data.
    fn begin<S: MessageSink>(
        &mut self,
        len: u64,
        wanted: &mut Wanted,
        sink: &mut S,
    ) -> Result<bool, S::Error> {
        if self.body != Body::None {
            return Ok(false);
        }
        self.len = len;
        self.body = Body::Skipped;
        let Some(uid) = self.uid.or_else(|| wanted.only()).filter(|uid| wanted.awaits(*uid)) else {
            return Ok(false);
        };
        if sink.begin(self.meta(uid))? {
            self.body = Body::Taken;
            self.taken_as = Some(uid);
        } else {
            wanted.came(uid);
        }
        Ok(self.body == Body::Taken)
    }
}
