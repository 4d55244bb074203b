//! What a server's machine reports.

use sasl::Credentials;

use super::error::Fault;
use crate::types::{Command, Mechanism, Name, Password};

/// Something the client said. After every event the machine waits until the application has answered; the next command is
/// not looked at before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A command, allowed in the state the session is in. Answer with [`complete`](super::Server::complete), or, where
    /// [`Command::is_multi_line`] and it succeeds, with [`start`](super::Server::start).
    ///
    /// Commands that are conversations have events of their own (PASS, AUTH, STLS); an unknown name comes as
    /// [`Command::Unknown`] in every state. `USER` completed with `+OK` is remembered for PASS. After `QUIT` is completed the
    /// connection is closed.
    Command(Command),
    /// `PASS` directly behind an accepted `USER`. Completed with `+OK` it signs the user in.
    Login {
        /// Whose mailbox.
        name: Name,
        /// The password.
        password: Password,
    },
    /// Not a command that can be executed. Answer with `-ERR`.
    BadCommand {
        /// What is wrong with it.
        fault: Fault,
        /// Whether the connection is closed after the answer.
        closes: bool,
    },
    /// `STLS`. Complete it with `+OK` and the machine asks for TLS.
    Stls,
    /// `AUTH`. Call [`begin_auth`](super::Server::begin_auth), or refuse with [`complete`](super::Server::complete).
    Auth {
        /// The SASL mechanism asked for.
        mechanism: Mechanism,
        /// Whether an initial response came along.
        initial: bool,
    },
    /// Check these and call [`verdict`](super::Server::verdict).
    Credentials(Credentials),
    /// The SASL exchange is over. Complete the command: with `+OK` (only possible here, and only after a success), or with
    /// `-ERR`.
    AuthEnd(Result<(), sasl::Error>),
}
