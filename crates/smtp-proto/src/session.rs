//! Where a session stands, for either role, in one table (RFC 5321 section 4.1.4).

use crate::types::Command;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The greeting has not been sent or received.
    Greeting,
    /// Nobody has said EHLO, HELO or LHLO, or not since TLS began.
    Hello,
    /// No transaction is under way.
    Ready,
    /// MAIL has been accepted.
    Mail,
    /// At least one RCPT has been accepted.
    Recipients,
    /// Part of a message has come by BDAT.
    Chunks,
    /// The session is ending.
    Over,
}

/// SMTP, or the dialect of it that delivers locally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// RFC 5321 and, on its own port, RFC 6409.
    #[default]
    Smtp,
    /// RFC 2033: LHLO, and a reply for each recipient behind the message.
    Lmtp,
}

impl State {
    /// Whether a command may be given in this state.
    pub fn allows(self, command: &Command) -> bool {
        use Command as C;
        match command {
            C::Ehlo(_) | C::Helo(_) | C::Lhlo(_) | C::Noop(_) | C::Help(_) | C::Rset | C::Quit => {
                self != Self::Greeting && self != Self::Over
            }
            C::StartTls => matches!(self, Self::Hello | Self::Ready),
            C::Auth { .. } | C::Mail { .. } => self == Self::Ready,
            C::Rcpt { .. } => matches!(self, Self::Mail | Self::Recipients),
            C::Data => self == Self::Recipients,
            C::Bdat { .. } => matches!(self, Self::Recipients | Self::Chunks),
            C::Vrfy(_) | C::Expn(_) => !matches!(self, Self::Greeting | Self::Over),
        }
    }

    /// The state behind a command that succeeds.
    pub fn after(self, command: &Command) -> Self {
        use Command as C;
        match command {
            C::Ehlo(_) | C::Helo(_) | C::Lhlo(_) => Self::Ready,
            C::StartTls => Self::Hello,
            C::Mail { .. } => Self::Mail,
            C::Rcpt { .. } => Self::Recipients,
            C::Data | C::Bdat { last: true, .. } => Self::Ready,
            C::Bdat { last: false, .. } => Self::Chunks,
            C::Rset if self > Self::Ready => Self::Ready,
            C::Quit => Self::Over,
            _ => self,
        }
    }
}
