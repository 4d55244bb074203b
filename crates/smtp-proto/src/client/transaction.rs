//! One message on its way: what has been asked, what has been answered, what follows.
//!
//! ```text
//! Commands ──► Body ──► Outcome ──► (done)
//!    │          │          │
//!    ├─► Dot ───┤          │        354 came although there is nobody to send to: a lone dot (RFC 2920 section 3.1)
//!    └──────────┴─► Draining ─► Resetting ─► (done)
//! ```

use alloc::vec::Vec;

use wire::{OutBuf, dot};

use super::event::Stage;
use crate::types::{Partial, Reply, Transfer};

/// A message between MAIL and its last reply.
#[derive(Debug)]
pub(super) struct Transaction {
    /// MAIL and every RCPT.
    pub(super) lines: Vec<u8>,
    /// Octets of them that have been sent.
    pub(super) at: usize,
    /// Number of recipients.
    pub(super) recipients: usize,
    /// Commands sent and commands answered: MAIL, every RCPT, DATA.
    pub(super) sent: usize,
    pub(super) answered: usize,
    /// MAIL has been accepted.
    pub(super) begun: bool,
    /// Recipients accepted, by their place in the envelope.
    pub(super) accepted: Vec<usize>,
    pub(super) refusal: Option<(Stage, Reply)>,
    pub(super) partial: Partial,
    pub(super) transfer: Transfer,
    pub(super) policy: Option<dot::BareNewline>,
    pub(super) progress: Progress,
}

/// How far a transaction has come.
#[derive(Debug)]
pub(super) enum Progress {
    /// Commands are being sent and answered.
    Commands,
    /// The message is being sent by DATA.
    Data(dot::Encoder),
    /// The message is being sent by BDAT.
    Bdat(Chunks),
    /// The whole message has been written.
    Outcome {
        /// How many octets had been sent since the start of the connection when the last one of the message was.
        end: u64,
        /// Replies to chunks that come before the one that counts.
        chunks: u32,
        /// Replies that have come (LMTP).
        replies: usize,
    },
    /// A lone dot has been sent.
    Dot,
    /// The message has been refused; so many replies to its chunks are still to come.
    Draining(u32),
    /// RSET has been sent.
    Resetting,
}

/// A message in chunks (RFC 3030).
#[derive(Debug)]
pub(super) struct Chunks {
    /// `None`: octets go as they are.
    pub(super) encoder: Option<dot::Encoder>,
    /// What has not been sent yet.
    pub(super) pending: Vec<u8>,
    /// Chunks without reply.
    pub(super) unanswered: u32,
    /// Whether the message is complete.
    pub(super) ended: bool,
}

/// What follows when all commands that were sent have been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another command.
    Line,
    /// DATA.
    Data,
    /// The message.
    Body,
    /// A lone dot.
    Dot,
    /// The end.
    Reject,
}

impl Transaction {
    /// Whether DATA may go out before the recipients have been answered: only if their replies cannot forbid it.
    pub(super) fn data_rides_along(&self) -> bool {
        self.transfer == Transfer::Data && (self.partial == Partial::Accept || self.recipients == 1)
    }

    /// Commands before DATA.
    fn before_data(&self) -> usize {
        self.recipients.saturating_add(1)
    }

    /// Sends as many commands as may go now.
    pub(super) fn write_commands(&mut self, pipelining: bool, out: &mut OutBuf) {
        if !matches!(self.progress, Progress::Commands) {
            return;
        }
        let rest = self.lines.get(self.at..).unwrap_or_default();
        if pipelining {
            if self.sent == 0 {
                out.push(rest);
                self.at = self.lines.len();
                self.sent = self.before_data();
                if self.data_rides_along() {
                    self.write_data(out);
                }
            }
        } else if self.sent == self.answered && !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
            out.push(rest.get(..end).unwrap_or_default());
            self.at = self.at.saturating_add(end);
            self.sent = self.sent.saturating_add(1);
        }
    }

    pub(super) fn write_data(&mut self, out: &mut OutBuf) {
        out.push(b"DATA\r\n");
        self.sent = self.sent.saturating_add(1);
    }

    /// The verb that the next reply belongs to.
    pub(super) fn verb(&self) -> &'static str {
        match self.progress {
            Progress::Commands if self.answered == 0 => "MAIL",
            Progress::Commands if self.answered < self.before_data() => "RCPT",
            Progress::Commands => "DATA",
            Progress::Data(_) | Progress::Dot => "DATA",
            Progress::Outcome { .. } if self.transfer == Transfer::Data => "DATA",
            Progress::Bdat(_) | Progress::Outcome { .. } | Progress::Draining(_) => "BDAT",
            Progress::Resetting => "RSET",
        }
    }

    /// Whether the message is wanted by enough.
    fn is_viable(&self) -> bool {
        let enough = self.partial == Partial::Accept || self.accepted.len() == self.recipients;
        self.begun && !self.accepted.is_empty() && enough
    }

    /// What follows; `go_ahead`: the last reply was 354. `None` while replies are outstanding.
    pub(super) fn next(&self, go_ahead: bool) -> Option<Next> {
        if self.answered < self.sent {
            return None;
        }
        Some(match () {
            () if go_ahead && self.is_viable() => Next::Body,
            () if go_ahead => Next::Dot,
            // DATA has been refused.
            () if self.answered > self.before_data() => Next::Reject,
            () if self.answered == self.before_data() && !self.is_viable() => Next::Reject,
            () if self.answered == self.before_data() && self.transfer == Transfer::Bdat => Next::Body,
            () if self.answered == self.before_data() => Next::Data,
            () if !self.begun => Next::Reject,
            () if self.refusal.is_some() && self.partial == Partial::Refuse => Next::Reject,
            () => Next::Line,
        })
    }

    /// Whether the message may have been delivered without a reply to say so.
    pub(super) fn is_unknown(&self, sent: u64) -> bool {
        matches!(self.progress, Progress::Outcome { end, .. } if sent >= end) && self.refusal.is_none()
    }

    /// Whether the next transaction may be sent in the same group (RFC 2920 section 3.1).
    pub(super) fn can_be_followed(&self) -> bool {
        matches!(self.progress, Progress::Outcome { .. }) && self.transfer == Transfer::Data
    }
}
