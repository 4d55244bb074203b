//! Messages over one connection: tries, waits, and what became of each recipient.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use driver::Error as Connection;
use postkey::smtp::{
    BareNewline, EhloName, Envelope, Fate, Mailbox, Options, Partial, Recipient, ReversePath,
};
use postkey::{Error, Smtp};
use tokio::io::{AsyncRead, ReadBuf};

use super::message::Message;
use super::patience::Patience;
use crate::exit::{Failure, Result};
use crate::mail::Access;
use crate::output::Out;
use crate::output::text::time;
use crate::signals::Stop;

/// A session whose token ends within this many seconds is replaced before more is asked of it.
const MARGIN: u64 = 60;

/// How messages are sent.
#[derive(Debug)]
pub(crate) struct Manner {
    /// The name for EHLO.
    pub(crate) ehlo_name: Option<EhloName>,
    /// The envelope sender.
    pub(crate) sender: ReversePath,
    /// Whether those who are accepted get it when others are refused.
    pub(crate) partial: bool,
    /// Whether line ends stay as they are.
    pub(crate) raw: bool,
    /// How often to try.
    pub(crate) tries: u32,
    /// The first wait between tries.
    pub(crate) wait: Duration,
}

/// The session, opened when it is needed.
pub(crate) struct Delivery<'a> {
    access: &'a Access,
    manner: Manner,
    stop: &'a Stop,
    out: Out,
    session: Option<Smtp>,
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

impl<'a> Delivery<'a> {
    /// Sends by this account.
    pub(crate) fn new(access: &'a Access, manner: Manner, stop: &'a Stop, out: Out) -> Self {
        Self { access, manner, stop, out, session: None }
    }

    /// Sends one message, trying again what may pass. Only those recipients are tried again who have not got it.
    pub(crate) async fn send(&mut self, message: &mut Message, recipients: &[Mailbox]) -> Delivered {
        let mut patience = Patience::new(self.manner.tries, self.manner.wait);
        let mut done =
            Delivered { fates: vec![None; recipients.len()], tries: 0, failure: None, of_session: false };
        let mut pending: Vec<usize> = (0..recipients.len()).collect();
        loop {
            done.tries = done.tries.saturating_add(1);
            let to =
                pending.iter().filter_map(|at| recipients.get(*at)).cloned().map(Recipient::from).collect();
            let mut envelope = Envelope::new(self.manner.sender.clone(), []);
            envelope.recipients = to;
            envelope.partial = if self.manner.partial { Partial::Accept } else { Partial::Refuse };
            let (asked, why) = match self.attempt(&envelope, message).await {
                Ok(outcome) => {
                    // Unless parts may be sent, one recipient who is refused for good settles it for all.
                    let again: Vec<usize> = match self.manner.partial || outcome.is_transient() {
                        true => outcome.retriable().filter_map(|at| pending.get(at)).copied().collect(),
                        false => Vec::new(),
                    };
                    let replies = outcome.recipients.iter().filter_map(reply);
                    let asked = replies.clone().filter_map(|reply| reply.throttle().flatten()).max();
                    let why = replies.map(ToString::to_string).next_back().unwrap_or_default();
                    for (at, fate) in pending.iter().zip(outcome.recipients) {
                        if let Some(slot) = done.fates.get_mut(*at) {
                            *slot = Some(fate);
                        }
                    }
                    if again.is_empty() {
                        return done;
                    }
                    pending = again;
                    (asked, why)
                }
                Err(Stopped::By(failure)) => {
                    done.of_session = true;
                    done.failure = Some(failure);
                    return done;
                }
                Err(Stopped::Error(error)) => {
                    let again = error.is_transient() && !is_unreachable(&error);
                    done.of_session = !matches!(*error, Error::SmtpMisuse(_) | Error::Source(_));
                    if done.of_session {
                        self.session = None;
                    }
                    done.failure = Some(self.access.failed(&error));
                    if !again {
                        return done;
                    }
                    (error.retry_after(), error.to_string())
                }
            };
            let Some(wait) = patience.next(asked) else { return done };
            done.failure = None;
            tracing::info!("to be tried again: {why}");
            self.out.remark(format!("{why}; trying again in {}", time(wait)));
            let waited = async {
                tokio::time::sleep(wait).await;
                Ok(())
            };
            if let Err(failure) = self.stop.or(waited).await {
                done.of_session = true;
                done.failure = Some(failure);
                return done;
            }
        }
    }

    async fn attempt(
        &mut self,
        envelope: &Envelope,
        message: &mut Message,
    ) -> std::result::Result<postkey::smtp::Outcome, Stopped> {
        let bare_newline = if self.manner.raw { BareNewline::Refuse } else { BareNewline::Normalise };
        let options =
            Options { size: Some(message.size), eight_bit: message.eight_bit, chunking: false, bare_newline };
        let session = self.session().await?;
        let reader = message.reader().map_err(|error| Stopped::Error(Box::new(Error::Source(error))))?;
        // From here on it is not interrupted: a message is sent, or it is not.
        let sent = session.send(envelope, &mut Blocking(reader), &options).await;
        if !session.is_open() {
            self.session = None;
        }
        sent.map_err(|error| Stopped::Error(Box::new(error)))
    }

    /// The session, opened if there is none or if its token is about to end.
    async fn session(&mut self) -> std::result::Result<&mut Smtp, Stopped> {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let ends = self.session.as_ref().and_then(Smtp::token_expires_at);
        if ends.is_some_and(|at| at <= now.saturating_add(MARGIN))
            && let Some(old) = self.session.take()
        {
            old.quit().await;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let localhost = EhloName::address(IpAddr::V4(Ipv4Addr::LOCALHOST));
                let name = self.manner.ehlo_name.as_ref().unwrap_or(&localhost);
                let open = async { Ok(Smtp::open(&self.access.server, &self.access.credential, name).await) };
                self.stop
                    .or(open)
                    .await
                    .map_err(Stopped::By)?
                    .map_err(|error| Stopped::Error(Box::new(error)))?
            }
        };
        Ok(self.session.insert(session))
    }

    /// Says goodbye.
    pub(crate) async fn end(self) {
        if let Some(session) = self.session {
            session.quit().await;
        }
    }
}

/// Why a try came to nothing.
enum Stopped {
    By(Failure),
    Error(Box<Error>),
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

/// Reads a file in this thread: nothing else is to be done in it while a piece is read.
struct Blocking<R>(R);

impl<R: Read + Unpin> AsyncRead for Blocking<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = self.0.read(buffer.initialize_unfilled());
        Poll::Ready(read.map(|n| buffer.advance(n)))
    }
}

/// The result of a message that was prepared, or the failure to prepare it.
impl Delivered {
    /// A message that could not even be prepared.
    pub(crate) fn not_prepared(failure: Failure) -> Self {
        Self { fates: Vec::new(), tries: 0, failure: Some(failure), of_session: false }
    }

    /// Success, or the failure that says most.
    pub(crate) fn verdict(&self, recipients: &[Mailbox]) -> Result<()> {
        super::verdict::of(self, recipients)
    }
}
