//! What became of a message, recipient by recipient.

use smtp_proto::{Event, Stage};

use crate::reply::Reply;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// One entry for each recipient, in the order of the envelope.
    pub recipients: Vec<Fate>,
}

/// What became of a message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The server has taken responsibility for it.
    Accepted {
        /// What it said; often under which name it queued the message.
        reply: Reply,
    },
    /// The server refused the sender, this recipient or the message. It is not sent.
    Rejected {
        /// What was refused.
        stage: Stage,
        /// The refusal. Whether another try can help: [`Reply::is_transient`].
        reply: Reply,
    },
    /// Another recipient was refused and the envelope wants all or none ([`Partial::Refuse`](super::Partial::Refuse)). It is not sent.
    Withheld,
    /// The whole message was handed over and the connection ended without a reply. It may be sent or not; sending it again may make a
    /// duplicate.
    Unknown {
        /// How the connection ended.
        cause: String,
    },
}

impl Fate {
    /// Whether this recipient has not got it, and another try may help.
    fn is_transient(&self) -> bool {
        match self {
            Self::Rejected { reply, .. } => reply.is_transient(),
            Self::Withheld => true,
            Self::Accepted { .. } | Self::Unknown { .. } => false,
        }
    }
}

impl Outcome {
    /// Whether all recipients were accepted.
    pub fn is_accepted(&self) -> bool {
        self.recipients.iter().all(|fate| matches!(fate, Fate::Accepted { .. }))
    }

    /// Whether it is unknown for at least one recipient.
    pub fn is_unknown(&self) -> bool {
        self.recipients.iter().any(|fate| matches!(fate, Fate::Unknown { .. }))
    }

    /// Whether nobody has got it and everything that was refused may be accepted later, so that sending it again as it is makes sense and
    /// makes no duplicate.
    pub fn is_transient(&self) -> bool {
        self.recipients.iter().all(Fate::is_transient)
    }

    /// The recipients, by their place in the envelope, that were refused or held back and may be accepted later.
    pub fn retriable(&self) -> impl Iterator<Item = usize> + '_ {
        self.recipients.iter().enumerate().filter(|(_, fate)| fate.is_transient()).map(|(index, _)| index)
    }
}

/// What is known so far of a message on its way.
pub(super) struct Tally(Vec<Option<Fate>>);

/// What an event means for a message.
pub(super) enum Step {
    /// More is to come.
    Wait,
    /// The server wants the octets.
    Write,
    /// That was the end.
    Done(Outcome),
}

impl Tally {
    pub(super) fn new(recipients: usize) -> Self {
        Self(vec![None; recipients])
    }

    /// Takes an event that is about this message.
    pub(super) fn note(&mut self, event: Event) -> Step {
        match event {
            Event::WantsBody(_) => return Step::Write,
            Event::Recipient { index, reply, .. } => {
                if let (Some(fate), false) = (self.0.get_mut(index), reply.is_positive()) {
                    *fate = Some(Fate::Rejected { stage: Stage::Recipients, reply: reply.into() });
                }
            }
            Event::Accepted { reply, .. } => {
                let reply = Reply::from(reply);
                return Step::Done(self.end(|| Fate::Accepted { reply: reply.clone() }));
            }
            Event::Rejected { stage, reply, .. } => {
                let reply = Reply::from(reply);
                let held = stage == Stage::Recipients && self.0.iter().any(Option::is_some);
                return Step::Done(self.end(|| {
                    if held { Fate::Withheld } else { Fate::Rejected { stage, reply: reply.clone() } }
                }));
            }
            Event::PerRecipient { index, reply, last, .. } => {
                let accepted = reply.is_positive();
                let reply = Reply::from(reply);
                if let Some(fate) = self.0.get_mut(index) {
                    *fate = Some(if accepted {
                        Fate::Accepted { reply }
                    } else {
                        Fate::Rejected { stage: Stage::Message, reply }
                    });
                }
                if last {
                    return Step::Done(self.end(|| Fate::Withheld));
                }
            }
            _ => {}
        }
        Step::Wait
    }

    /// The connection ended behind the message.
    pub(super) fn unknown(&mut self, cause: &str) -> Outcome {
        self.end(|| Fate::Unknown { cause: cause.to_owned() })
    }

    fn end(&mut self, mut rest: impl FnMut() -> Fate) -> Outcome {
        Outcome {
            recipients: std::mem::take(&mut self.0)
                .into_iter()
                .map(|f| f.unwrap_or_else(&mut rest))
                .collect(),
        }
    }
}

/// Which message an event is about.
pub(super) fn about(event: &Event) -> Option<smtp_proto::CommandId> {
    match event {
        Event::WantsBody(id)
        | Event::Recipient { id, .. }
        | Event::Accepted { id, .. }
        | Event::Rejected { id, .. }
        | Event::PerRecipient { id, .. } => Some(*id),
        _ => None,
    }
}
