//! Commands on their way out.

use alloc::boxed::Box;
use alloc::vec::Vec;

use sasl::ClientExchange;
use wire::SecretBytes;

use super::Client;
use super::event::CommandId;
use super::transaction::Transaction;

/// What is special about a command.
#[derive(Debug)]
pub(super) enum Kind {
    Plain {
        verb: &'static str,
        line: Vec<u8>,
    },
    /// EHLO and LHLO, whose reply says what the server can do; HELO, whose reply does not.
    Hello {
        verb: &'static str,
        line: Vec<u8>,
    },
    StartTls,
    Auth {
        exchange: Box<ClientExchange>,
        initial: Option<SecretBytes>,
    },
    Quit,
    Message(Box<Transaction>),
}

impl Kind {
    /// The verb that the next reply belongs to.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Plain { verb, .. } | Self::Hello { verb, .. } => verb,
            Self::StartTls => "STARTTLS",
            Self::Auth { .. } => "AUTH",
            Self::Quit => "QUIT",
            Self::Message(t) => t.verb(),
        }
    }
}

/// One command or message, not yet answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: CommandId,
    pub(super) kind: Kind,
}

impl Client {
    /// Writes what may go out now.
    pub(super) fn pump(&mut self) {
        let pipelining = self.pipelines();
        loop {
            if let Some(Pending { kind: Kind::Message(t), .. }) = self.in_flight.back_mut() {
                t.write_commands(pipelining, &mut self.out);
            }
            let free = match (self.in_flight.front(), self.outgoing.front()) {
                (_, None) => false,
                (None, Some(_)) => true,
                (
                    Some(Pending { kind: Kind::Message(t), .. }),
                    Some(Pending { kind: Kind::Message(_), .. }),
                ) => pipelining && t.can_be_followed() && self.in_flight.len() == 1,
                _ => false,
            };
            if !free || self.out.len() >= self.outbox() {
                return;
            }
            let Some(mut next) = self.outgoing.pop_front() else { return };
            match &mut next.kind {
                Kind::Plain { line, .. } | Kind::Hello { line, .. } => self.out.push(line),
                Kind::StartTls => self.out.push(b"STARTTLS\r\n"),
                Kind::Quit => self.out.push(b"QUIT\r\n"),
                Kind::Auth { exchange, initial } => {
                    self.out.push(b"AUTH ");
                    self.out.push(exchange.mechanism().as_bytes());
                    match initial.take() {
                        Some(response) => {
                            self.out.push(b" ");
                            self.out.push_secret_line(response.expose());
                        }
                        None => self.out.push(b"\r\n"),
                    }
                }
                Kind::Message(_) => {}
            }
            self.in_flight.push_back(next);
        }
    }
}
