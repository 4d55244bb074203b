//! The contract between a protocol and whoever moves its bytes.

use alloc::vec::Vec;

use crate::{InBuf, OutBuf, Tick};

/// A protocol as a pure function of octets and time: no socket, no clock, no thread.
///
/// One machine is one side of one connection. The driver calls [`advance`](Self::advance) and does what the answer
/// says; it knows nothing of the protocol. Commands, events and everything else specific are inherent methods of the
/// machine. The trait has no associated types, so a driver is compiled once, for `&mut dyn Machine`.
///
/// # The contract
///
/// * What a machine does depends on the octets and the ticks it is given, never on how the octets were cut.
/// * After [`Need::Event`] the event must be taken before `advance` is called again; it may borrow from the input buffer.
///   The octets behind it are consumed by the next `advance`.
/// * Order is total: output that was in the buffer when [`Need::Upgrade`] is returned goes out before the new layer,
///   everything after inside it.
/// * An upgrade is asked for only while the inbox is empty. Octets that arrive before
///   [`upgraded`](Self::upgraded) make the connection fail: they came from outside the new layer (STARTTLS injection).
/// * Errors that end the connection are reported once as an event and stick: from then on the answer is [`Need::Close`] and
///   nothing more is sent.
pub trait Machine {
    /// Frames and sequences until something is needed. Never blocks, never reads a clock.
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need;

    /// Octets to send, in order; the driver reports progress with [`OutBuf::sent`].
    fn output(&mut self) -> &mut OutBuf;

    /// When [`advance`](Self::advance) must be called again even if nothing arrives.
    fn deadline(&self) -> Option<Tick>;

    /// The driver finished what [`Need::Upgrade`] asked for.
    fn upgraded(&mut self, done: Upgraded);
}

/// What a machine needs before it can go on.
///
/// Exhaustive on purpose: a new variant must break every driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Need {
    /// An event is ready: take it with the protocol's own method.
    Event,
    /// Octets, the end of the stream, or the deadline. Send pending output meanwhile.
    Input,
    /// A call from the application. Send pending output, but do not read (back-pressure).
    App,
    /// Send all pending output, add the layer, then call [`Machine::upgraded`].
    Upgrade(Layer),
    /// Send what is pending, then close. Nothing will be read any more.
    Close,
}

/// A layer under the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// TLS, negotiated in-band (STARTTLS, STLS).
    Tls,
    /// DEFLATE compression (RFC 4978).
    Deflate,
}

/// A layer is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// Which one.
    pub layer: Layer,
    /// Channel binding data of the layer (`tls-exporter`, RFC 9266), for SASL mechanisms that bind to it.
    pub channel_binding: Option<Vec<u8>>,
}

impl Upgraded {
    /// TLS is in place, without channel binding data.
    pub fn tls() -> Self {
        Self { layer: Layer::Tls, channel_binding: None }
    }
}
