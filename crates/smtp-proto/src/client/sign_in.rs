//! AUTH (RFC 4954).

use alloc::boxed::Box;

use sasl::{ClientExchange, ClientMechanism, Room};

use super::Client;
use super::event::CommandId;
use super::queue::{Kind, Pending};
use crate::config::InitialResponse;
use crate::error::{Error, Misuse};
use crate::session::State;
use crate::types::{Command, Mechanism, Reply};

/// Longest AUTH command with an initial response, CRLF included, in octets (RFC 4954 section 4, RFC 5321 section 4.5.3.1.4).
const AUTH_LINE: usize = 512;

impl Client {
    /// Signs in with a SASL mechanism. An initial response rides on the command where the whole line stays within 512 octets, and waits for
    /// 334 otherwise.
    ///
    /// # Errors
    /// [`Misuse::State`] before EHLO, after a sign-in or while anything is in flight; [`Misuse::NoTls`] without TLS (unless the
    /// configuration says [`DangerousPlaintext`](wire::Security::DangerousPlaintext) or the mechanism shows no secret);
    /// [`Misuse::Sasl`] when the mechanism refuses its credentials; [`Misuse::Over`].
    pub fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<CommandId, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        if self.state != State::Ready || self.authenticated || self.is_busy() {
            return Err(Misuse::State);
        }
        if mechanism.needs_tls() && !self.config.security.allows_credentials(self.tls) {
            return Err(Misuse::NoTls);
        }
        let name = Mechanism::new(mechanism.name()).map_err(Misuse::Invalid)?;
        let around = "AUTH  \r\n".len().saturating_add(name.as_str().len());
        let room = match self.config.initial_response {
            InitialResponse::Fitting => Room::Octets(AUTH_LINE.saturating_sub(around)),
            InitialResponse::Never => Room::None,
        };
        let (exchange, initial) =
            ClientExchange::begin(mechanism, (&self.config.limits).into(), room, &mut self.redactor)
                .map_err(Misuse::Sasl)?;
        let exchange = Box::new(exchange);
        self.enqueue(&Command::Auth { mechanism: name, initial: None }, |_, _| Kind::Auth {
            exchange,
            initial,
        })
    }

    /// 334 (RFC 4954 section 4).
    pub(super) fn challenge(&mut self, reply: &Reply) {
        let Some(Pending { kind: Kind::Auth { exchange, .. }, .. }) = self.in_flight.front_mut() else {
            return;
        };
        let text = reply.text();
        let text = text.trim_matches(' ').as_bytes();
        // The invitation is empty by the book, and "go ahead" or anything else from some servers; a refusal ahead of the credentials
        // is JSON.
        let refusal =
            || sasl::base64::decode(text).is_ok_and(|json| json.trim_ascii_start().starts_with(b"{"));
        let text = if exchange.is_holding() && !refusal() { b"" } else { text };
        if let Err(error) = exchange.challenge(text).write(&mut self.out, &mut self.redactor) {
            self.fail(Error::Sasl(error));
        }
    }
}
