//! The octets of messages.

use std::collections::VecDeque;

use pop3_proto::types::Command;
use pop3_proto::{CommandId, Event};

use super::{AHEAD, Pop3, message_number};
use crate::error::{Error, Reply};
use crate::imap::FetchError;

/// Takes messages as they come, each known by its number in the session. Octets are handed on as received with the stuffing of dots
/// taken out, in pieces of any size.
pub trait NumberSink {
    /// What the sink may fail with.
    type Error;

    /// A message begins. `false`: it is not wanted, its octets are skipped.
    ///
    /// # Errors
    /// Ends the download.
    fn begin(&mut self, number: u32) -> Result<bool, Self::Error>;

    /// More octets of the message.
    ///
    /// # Errors
    /// Ends the download.
    fn chunk(&mut self, octets: &[u8]) -> Result<(), Self::Error>;

    /// The message is complete.
    ///
    /// # Errors
    /// Ends the download.
    fn end(&mut self, number: u32) -> Result<(), Self::Error>;

    /// The message broke off: what was taken of it is not a message.
    fn abandon(&mut self);
}

/// What came of a download that ran to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrieved {
    /// Messages that the server refused to give out, with its reply, in the order they were asked for.
    pub refused: Vec<(u32, Reply)>,
}

impl Pop3 {
    /// Downloads messages. The commands travel ahead of the replies where the server allows it.
    ///
    /// A message that is refused does not end the download, unless the refusal is about the session: being asked to slow down, or not
    /// being connected to the mailbox.
    ///
    /// # Errors
    /// [`FetchError::Sink`] from the sink; after that the session is of no more use, because the rest of the replies is still on its way.
    /// Otherwise as every command.
    pub async fn retrieve<S: NumberSink>(
        &mut self,
        numbers: impl IntoIterator<Item = u32>,
        sink: &mut S,
    ) -> Result<Retrieved, FetchError<S::Error>> {
        let mut numbers = numbers.into_iter();
        let mut asked: VecDeque<(CommandId, u32)> = VecDeque::new();
        let mut outcome = Retrieved::default();
        // The message that is being received, and whether the sink wants it.
        let mut open: Option<bool> = None;
        loop {
            while asked.len() < AHEAD
                && let Some(number) = numbers.next()
            {
                let command = Command::Retr(message_number(number)?);
                asked.push_back((self.client.send(&command).map_err(Error::from)?, number));
            }
            if asked.is_empty() {
                return Ok(outcome);
            }
            let mut failed = None;
            let went = self
                .until(|event| {
                    let result = match event {
                        Event::MultiStart { id, .. } => match asked.front() {
                            Some((front, number)) if *front == id => {
                                sink.begin(*number).map(|wanted| open = Some(wanted))
                            }
                            _ => Ok(()),
                        },
                        Event::Chunk(octets) if open == Some(true) => sink.chunk(octets),
                        Event::End(id) if asked.front().is_some_and(|a| a.0 == id) => {
                            match (asked.pop_front(), open.take()) {
                                (Some((_, number)), Some(true)) => sink.end(number),
                                _ => Ok(()),
                            }
                        }
                        Event::Completed(c) if asked.front().is_some_and(|a| a.0 == c.id) => {
                            let Some((_, number)) = asked.pop_front() else { return Ok(Some(())) };
                            match Error::refused("RETR", Reply::from(c.reply)) {
                                Error::Refused { reply, .. } => outcome.refused.push((number, reply)),
                                error => return Err(error),
                            }
                            Ok(())
                        }
                        _ => Ok(()),
                    };
                    if let Err(e) = result {
                        failed = Some(e);
                    }
                    Ok(Some(()))
                })
                .await;
            if (failed.is_some() || went.is_err()) && open.take() == Some(true) {
                sink.abandon();
            }
            if let Some(failed) = failed {
                return Err(FetchError::Sink(failed));
            }
            went?;
        }
    }
}
