//! A machine with its receive buffer, for everyday use.

use crate::{InBuf, Machine, Need, Tick};

/// One machine and the buffer it reads from.
#[derive(Debug)]
pub struct Session<M> {
    /// The protocol.
    pub machine: M,
    /// What has been received.
    pub input: InBuf,
}

impl<M: Machine> Session<M> {
    /// A machine with an empty buffer that holds at most `inbox` unread octets
    /// (see [`Limits::inbox`](crate::Limits::inbox)).
    pub fn new(machine: M, inbox: usize) -> Self {
        Self { machine, input: InBuf::new(inbox) }
    }

    /// Appends received octets and advances: for tests and for drivers that own their reads.
    pub fn feed(&mut self, octets: &[u8], now: Tick) -> Need {
        self.input.extend(octets);
        self.advance(now)
    }

    /// [`Machine::advance`] on the bundled buffer.
    pub fn advance(&mut self, now: Tick) -> Need {
        self.machine.advance(&mut self.input, now)
    }
}
