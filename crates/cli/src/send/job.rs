//! One message on its way: whom it is still to reach, how often it was tried, what became of it.

use std::time::Duration;

use driver::Error as Connection;
use postkey::Error;
use postkey::smtp::{BareNewline, Envelope, Fate, Mailbox, Options, Outcome, Partial, Recipient};

use super::deliver::Manner;
use super::message::Message;
use super::patience::Patience;
use crate::exit::{Exit, Failure, Result};

/// Messages of more octets than this go by BDAT where the server offers it. Of a shorter one nothing is gained, and by DATA the commands of
/// the next message travel with its end.
const LONG: u64 = 64 * 1024;

/// A message, and how far it has come.
pub(crate) struct Job {
    /// Its octets.
    pub(crate) message: Message,
    place: usize,
    recipients: Vec<Mailbox>,
    /// Those it is still to reach, by their place.
    pending: Vec<usize>,
    patience: Patience,
    done: Delivered,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// One entry for each recipient; `None` for one that the server was never asked about.
    pub(crate) fates: Vec<Option<Fate>>,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// Why it could not be tried (again), if that is so.
    pub(crate) failure: Option<Failure>,
    /// Whether the failure is one of the session, which other messages would meet as well.
    pub(crate) of_session: bool,
}

/// A message of the report: it is over.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its place on the command line.
    pub(crate) place: usize,
    /// What to call it.
    pub(crate) label: String,
    /// Its Message-ID, if it has one.
    pub(crate) message_id: Option<String>,
    /// Its octets on the wire.
    pub(crate) octets: u64,
    /// Whom it was for.
    pub(crate) recipients: Vec<Mailbox>,
    /// What became of it.
    pub(crate) done: Delivered,
}

/// It is to be tried again.
#[derive(Debug)]
pub(crate) struct Again {
    /// After this time.
    pub(crate) after: Duration,
    /// For this reason.
    pub(crate) why: String,
}

impl Job {
    /// A message that has not been tried.
    pub(crate) fn new(place: usize, message: Message, recipients: Vec<Mailbox>, manner: &Manner) -> Self {
        Self {
            message,
            place,
            pending: (0..recipients.len()).collect(),
            patience: Patience::new(manner.tries, manner.wait),
            done: Delivered {
                fates: vec![None; recipients.len()],
                tries: 0,
                failure: None,
                of_session: false,
            },
            recipients,
        }
    }

    /// To those who have not got it.
    pub(super) fn envelope(&self, manner: &Manner) -> Envelope {
        let to = self.pending.iter().filter_map(|at| self.recipients.get(*at));
        let mut envelope = Envelope::new(manner.sender.clone(), []);
        envelope.recipients = to.cloned().map(Recipient::from).collect();
        envelope.partial = if manner.partial { Partial::Accept } else { Partial::Refuse };
        envelope
    }

    /// How it is sent.
    pub(super) fn options(&self, manner: &Manner) -> Options {
        Options {
            size: Some(self.message.size),
            eight_bit: self.message.eight_bit,
            chunking: manner.chunking && self.message.size > LONG,
            bare_newline: if manner.raw { BareNewline::Refuse } else { BareNewline::Normalise },
        }
    }

    /// Takes what the server said in one try. Only those recipients are tried again who have not got it.
    pub(super) fn answered(&mut self, outcome: Outcome, partial: bool) -> Option<Again> {
        self.done.tries = self.done.tries.saturating_add(1);
        // Unless parts may be sent, one recipient who is refused for good settles it for all.
        let again: Vec<usize> = match partial || outcome.is_transient() {
            true => outcome.retriable().filter_map(|at| self.pending.get(at)).copied().collect(),
            false => Vec::new(),
        };
        let replies = outcome.recipients.iter().filter_map(reply);
        let asked = replies.clone().filter_map(|reply| reply.throttle().flatten()).max();
        let why = replies.map(ToString::to_string).next_back().unwrap_or_default();
        for (at, fate) in self.pending.iter().zip(outcome.recipients) {
            if let Some(slot) = self.done.fates.get_mut(*at) {
                *slot = Some(fate);
            }
        }
        if again.is_empty() {
            return None;
        }
        self.pending = again;
        self.again(asked, why)
    }

    /// Takes an error that ended one try, and what it means to the user.
    pub(super) fn failed(&mut self, error: &Error, failure: Failure) -> Option<Again> {
        self.done.tries = self.done.tries.saturating_add(1);
        self.done.of_session = !matches!(error, Error::SmtpMisuse(_) | Error::Source(_));
        self.done.failure = Some(failure);
        if !error.is_transient() || is_unreachable(error) {
            return None;
        }
        self.again(error.retry_after(), error.to_string())
    }

    /// It will not be tried, for a reason that is not its own.
    pub(super) fn stopped(&mut self, failure: Failure) {
        self.done.of_session = true;
        self.done.failure = Some(failure);
    }

    /// It was to be tried again, and all ended before.
    pub(super) fn given_up(mut self, again: &Again, exit: Exit) -> Finished {
        let what = format!("{}; it was not tried again", again.why);
        self.stopped(Failure::new(exit, what, "run the same command again for this message"));
        self.finish()
    }

    fn again(&mut self, asked: Option<Duration>, why: String) -> Option<Again> {
        let after = self.patience.next(asked)?;
        self.done.failure = None;
        self.done.of_session = false;
        Some(Again { after, why })
    }

    /// Its line of the report.
    pub(super) fn finish(self) -> Finished {
        let Message { label, message_id, size, .. } = self.message;
        let (place, recipients, done) = (self.place, self.recipients, self.done);
        Finished { place, label, message_id, octets: size, recipients, done }
    }
}

impl Finished {
    /// A message that could not even be prepared.
    pub(crate) fn not_prepared(place: usize, label: String, failure: Failure) -> Self {
        let done = Delivered { fates: Vec::new(), tries: 0, failure: Some(failure), of_session: false };
        Self { place, label, message_id: None, octets: 0, recipients: Vec::new(), done }
    }

    /// The end of all, if it was a failure that other messages would meet as well.
    pub(super) fn ends_all(&self) -> Option<Exit> {
        let failure = self.done.failure.as_ref().filter(|_| self.done.of_session)?;
        Some(failure.exit)
    }

    /// Success, or the failure that says most.
    pub(crate) fn verdict(&self) -> Result<()> {
        super::verdict::of(&self.done, &self.recipients)
    }
}

/// The refusal in a fate.
pub(crate) fn reply(fate: &Fate) -> Option<&postkey::Reply> {
    match fate {
        Fate::Accepted { reply } | Fate::Rejected { reply, .. } => Some(reply),
        _ => None,
    }
}

/// Nobody was there at all: that is for the one who configured it to look at, not for waiting.
fn is_unreachable(error: &Error) -> bool {
    matches!(error, Error::Connection(Connection::Resolve { .. } | Connection::Connect { .. }))
}
