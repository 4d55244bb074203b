//! What can go wrong, typed for programs, worded for people.

use std::time::Duration;

use imap_proto::types::StatusKind;
use imap_proto::{Misuse, Wait};

pub(crate) use crate::reply::Reply;
use crate::reply::contains;

/// Why something did not work. Texts of servers are in it without secrets and without control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, no TLS, or the connection broke.
    #[error(transparent)]
    Connection(#[from] driver::Error),
    /// An IMAP server broke the protocol, went beyond a limit, took too long, or ended the session.
    #[error(transparent)]
    Protocol(imap_proto::Error),
    /// A POP3 server did.
    #[error(transparent)]
    Pop3(pop3_proto::Error),
    /// An SMTP server did.
    #[error(transparent)]
    Smtp(smtp_proto::Error),
    /// Something was handed over completely and the connection ended before the server had said what becomes of it: a message
    /// (SMTP), or deletions (POP3). It may have been carried out or not; doing it again may do it twice.
    #[error("{cause}")]
    OutcomeUnknown {
        /// What ended the connection, and what it leaves open.
        cause: String,
    },
    /// A value that was given cannot be sent by IMAP, or a method was called at the wrong time.
    #[error("{0}")]
    Misuse(Misuse),
    /// A value that was given cannot be sent by POP3, or a method was called at the wrong time.
    #[error("{0}")]
    Pop3Misuse(pop3_proto::Misuse),
    /// A value that was given cannot be sent by SMTP or not to this server, or a method was called at the wrong time.
    #[error("{0}")]
    SmtpMisuse(smtp_proto::Misuse),
    /// User name, token or password cannot be sent by the mechanism. Nothing was sent.
    #[error("the credentials cannot be sent: {0}")]
    Credential(sasl::Error),
    /// The message to be sent could not be read. The connection is over and the server has not got the message.
    #[error("the message cannot be read: {0}. It was not sent")]
    Source(std::io::Error),
    /// TLS is required and the server does not offer it.
    #[error(
        "the server does not offer STARTTLS, and nothing is sent without TLS. Use the implicit-TLS port (IMAP 993, POP3 995, submission 465), or check that this \
         is the right server and that nobody is tampering with the connection"
    )]
    TlsRequired,
    /// The server offered STARTTLS and refused it.
    #[error(
        "the server refused STARTTLS ({0}), and nothing is sent without TLS. Use the implicit-TLS port (IMAP 993, POP3 995, submission 465)"
    )]
    StarttlsRefused(Reply),
    /// The server knows no mechanism for this kind of credential.
    #[error(
        "the server offers no way to sign in with {wanted} (it offers: {}). Check that this is the right server and port",
        .offered.join(", ")
    )]
    NoMechanism {
        /// What there is to sign in with.
        wanted: &'static str,
        /// What the server knows.
        offered: Vec<String>,
    },
    /// The server forbids LOGIN and offers nothing else for a password.
    #[error("the server does not take passwords (LOGINDISABLED); sign in with OAuth 2.0")]
    LoginDisabled,
    /// No access token could be had.
    #[error(transparent)]
    Token(#[from] auth::Error),
    /// A token from elsewhere (a command, a file) could not be had.
    #[error("{0}")]
    TokenSource(String),
    /// The server refused the sign-in.
    #[error("the server refused the sign-in: {reply}{}", .reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    SignIn {
        /// Its reply.
        reply: Reply,
        /// What its SASL challenge or the exchange says.
        reason: Option<String>,
    },
    /// The sign-in was accepted, but the mailbox cannot be reached.
    #[error(
        "signed in, but the mailbox cannot be opened: {0}. Either the signed-in identity has no access to this mailbox, \
         or this protocol is switched off for it, or it has no licence; changes take up to two hours to be seen"
    )]
    NotConnected(Reply),
    /// There is no such folder.
    #[error("there is no folder \"{name}\": {reply}")]
    NoFolder {
        /// The name that was asked for.
        name: String,
        /// The server's reply.
        reply: Reply,
    },
    /// The server greeted with a refusal: it does not want to be talked to now, or not by us.
    #[error("the server refuses the connection: {0}")]
    Unwelcome(Reply),
    /// The server asks to slow down.
    #[error("the server is limiting us: {}", .0.reply)]
    Throttled(Throttle),
    /// The access token ended during the session.
    #[error("the access token ended during the session: {text}")]
    TokenExpired {
        /// The server's words.
        text: String,
    },
    /// The server refused a command.
    #[error("the server refused {command}: {reply}")]
    Refused {
        /// The command.
        command: &'static str,
        /// Its reply.
        reply: Reply,
    },
}

/// A request to slow down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The server's reply.
    pub reply: Reply,
    /// How long it wants to be left alone, if it said so.
    pub wait: Option<Duration>,
}

impl From<imap_proto::Error> for Error {
    fn from(error: imap_proto::Error) -> Self {
        if let imap_proto::Error::Bye { text } = &error {
            if contains(text, "accesstokenexpired") {
                return Self::TokenExpired { text: text.clone() };
            }
            let reply = Reply { kind: StatusKind::Bye, code: None, text: text.clone() };
            if let Some(wait) = reply.throttle() {
                return Self::Throttled(Throttle { reply, wait });
            }
        }
        Self::Protocol(error)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<pop3_proto::Error> for Error {
    fn from(error: pop3_proto::Error) -> Self {
        use pop3_proto::Error as E;
        match error {
            E::Closed(pop3_proto::Whence::Quit) | E::TimedOut(pop3_proto::Wait::Quit) => {
                Self::OutcomeUnknown { cause: error.to_string() }
            }
            E::Unwelcome(reply) => Self::Unwelcome(Reply::from(*reply)).throttled(),
            E::Unasked { ref text } => {
                let reply = Reply { kind: StatusKind::Bye, code: None, text: text.clone() };
                match reply.throttle() {
                    Some(wait) => Self::Throttled(Throttle { reply, wait }),
                    None => Self::Pop3(error),
                }
            }
            error => Self::Pop3(error),
        }
    }
}

impl From<pop3_proto::Misuse> for Error {
    fn from(misuse: pop3_proto::Misuse) -> Self {
        Self::Pop3Misuse(misuse)
    }
}

impl From<smtp_proto::Error> for Error {
    fn from(error: smtp_proto::Error) -> Self {
        use smtp_proto::Error as E;
        match error {
            E::Unknown { .. } => Self::OutcomeUnknown { cause: error.to_string() },
            E::Greeting { reply } => Self::Unwelcome(reply.into()).throttled(),
            E::ServiceClosing { ref reply } => {
                let reply = Reply::from(reply.clone());
                match reply.throttle() {
                    Some(wait) => Self::Throttled(Throttle { reply, wait }),
                    None => Self::Smtp(error),
                }
            }
            error => Self::Smtp(error),
        }
    }
}

impl From<smtp_proto::Misuse> for Error {
    fn from(misuse: smtp_proto::Misuse) -> Self {
        Self::SmtpMisuse(misuse)
    }
}

impl Error {
    /// Whether a session broke in a way that a new one may mend.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Connection(driver::Error::Io(_)) | Self::TokenExpired { .. } => true,
            Self::Protocol(e) => matches!(
                e,
                imap_proto::Error::Closed(_)
                    | imap_proto::Error::Bye { .. }
                    | imap_proto::Error::TimedOut(Wait::Command)
            ),
            Self::Pop3(e) => matches!(
                e,
                pop3_proto::Error::Closed(_)
                    | pop3_proto::Error::Unasked { .. }
                    | pop3_proto::Error::TimedOut(pop3_proto::Wait::Command)
            ),
            Self::Smtp(e) => matches!(
                e,
                smtp_proto::Error::Closed(_)
                    | smtp_proto::Error::ServiceClosing { .. }
                    | smtp_proto::Error::TimedOut(smtp_proto::Wait::Command | smtp_proto::Wait::Body)
            ),
            _ => false,
        }
    }

    /// Whether no session could be opened because the way there is broken or the other side is busy: where one has been opened
    /// before, trying again is worth it. A certificate that does not verify is not such a reason.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connection(e) => match e {
                driver::Error::Resolve { .. }
                | driver::Error::Connect { .. }
                | driver::Error::TimedOut { .. } => true,
                driver::Error::Tls { hint, .. } => *hint == driver::TlsHint::None,
                _ => false,
            },
            Self::Token(e) => matches!(e.class(), auth::Class::RetryLater),
            Self::SignIn { reply, .. } | Self::Refused { reply, .. } => reply.is_transient(),
            e => e.is_silence(),
        }
    }

    /// Whether the server refused who is signed in (as against being broken or busy).
    pub fn is_auth(&self) -> bool {
        matches!(
            self,
            Self::SignIn { .. } | Self::NotConnected(_) | Self::TokenExpired { .. } | Self::Token(_)
        )
    }

    /// Whether trying again later, with nothing changed, may succeed and cannot do anything twice. Never for
    /// [`OutcomeUnknown`](Self::OutcomeUnknown).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled(_) => true,
            Self::Refused { reply, .. } | Self::Unwelcome(reply) | Self::SignIn { reply, .. } => {
                reply.is_transient()
            }
            Self::Connection(e) => matches!(
                e,
                driver::Error::Io(_)
                    | driver::Error::Resolve { .. }
                    | driver::Error::Connect { .. }
                    | driver::Error::TimedOut { .. }
            ),
            e => e.is_silence() || e.is_connection_lost(),
        }
    }

    /// Whether the server did not answer in time, in whichever protocol.
    fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Protocol(imap_proto::Error::TimedOut(_))
                | Self::Pop3(pop3_proto::Error::TimedOut(_))
                | Self::Smtp(smtp_proto::Error::TimedOut(_))
        )
    }

    /// How long the server wants to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled(throttle) => throttle.wait,
            _ => None,
        }
    }

    /// A refused command, sorted by what can be done about it.
    pub(crate) fn refused(command: &'static str, reply: Reply) -> Self {
        match (Self::Refused { command, reply }).throttled() {
            Self::Refused { reply, .. } if contains(&reply.text, "not connected") => {
                Self::NotConnected(reply)
            }
            error => error,
        }
    }

    /// The same, as throttling if that is what the reply says.
    pub(crate) fn throttled(self) -> Self {
        match self {
            Self::Refused { ref reply, .. } | Self::Unwelcome(ref reply) | Self::SignIn { ref reply, .. } => {
                match reply.throttle() {
                    Some(wait) => Self::Throttled(Throttle { reply: reply.clone(), wait }),
                    None => self,
                }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bye_is_sorted_by_its_words() {
        let bye = |t: &str| Error::from(imap_proto::Error::Bye { text: t.into() });
        assert!(matches!(bye("Session invalidated - AccessTokenExpired"), Error::TokenExpired { .. }));
        assert!(matches!(bye("Too many simultaneous connections"), Error::Throttled(_)));
        assert!(bye("Connection is closed. 13").is_connection_lost());
    }

    #[test]
    fn a_server_that_says_nothing_is_out_of_reach_in_every_protocol() {
        use {imap_proto as i, pop3_proto as p, smtp_proto as s};
        for error in [
            Error::from(i::Error::TimedOut(i::Wait::Greeting)),
            Error::from(p::Error::TimedOut(p::Wait::Greeting)),
            Error::from(p::Error::TimedOut(p::Wait::Auth)),
            Error::from(s::Error::TimedOut(s::Wait::Greeting)),
        ] {
            assert!(error.is_unreachable() && error.is_transient(), "{error:?}");
        }
    }

    #[test]
    fn what_may_have_happened_is_never_tried_again_by_itself() {
        use pop3_proto as p;
        let quit = Error::from(p::Error::Closed(p::Whence::Quit));
        assert!(matches!(quit, Error::OutcomeUnknown { .. }));
        assert!(!quit.is_transient() && !quit.is_connection_lost());
        assert!(Error::from(p::Error::Closed(p::Whence::Message)).is_connection_lost());
        let reply = p::types::Reply::err("busy").unwrap().with_code(p::types::Code::SysTemp);
        assert!(Error::from(p::Error::Unwelcome(Box::new(reply))).is_transient());
    }

    #[test]
    fn smtp_goodbyes_are_sorted_by_their_words() {
        use smtp_proto::types::{Reply, ReplyCode};
        let closing = |text| {
            let reply = Reply::new(ReplyCode::CLOSING, None, text).unwrap();
            Error::from(smtp_proto::Error::ServiceClosing { reply })
        };
        let busy = closing("4.3.2 The maximum number of concurrent server connections has exceeded a limit");
        assert!(matches!(busy, Error::Throttled(_)) && busy.is_transient());
        assert!(closing("4.4.2 Connection dropped").is_connection_lost());
        let reply = Reply::new(ReplyCode::new(554).unwrap(), None, "5.7.1 go away").unwrap();
        let unwelcome = Error::from(smtp_proto::Error::Greeting { reply });
        assert!(matches!(unwelcome, Error::Unwelcome(_)) && !unwelcome.is_transient());
    }
}
