//! One sign-in between a protocol's machine and its application.

use alloc::boxed::Box;

use wire::SecretBytes;

use crate::{ServerExchange, ServerReply, Verdict};

/// A sign-in as a server's machine holds it, from the command that asks for it to the application's last word.
///
/// The application decides on the mechanism ([`begin`](Self::begin)), the client answers challenges
/// ([`response`](Self::response)), the application checks credentials ([`verdict`](Self::verdict)) and has the last word
/// ([`is_successful`](Self::is_successful) says whether it may be a yes). A call that is not due gives `None` and changes
/// nothing.
#[derive(Debug)]
pub struct ServerSignIn(Stage);

#[derive(Debug)]
enum Stage {
    /// The application decides on a mechanism.
    Offered(Option<SecretBytes>),
    /// The client answers a challenge.
    Challenged(Box<ServerExchange>),
    /// The application checks credentials.
    Verifying(Box<ServerExchange>),
    /// The exchange is over, this well.
    Over(bool),
}

impl ServerSignIn {
    /// The client has asked for a mechanism; `initial` is the base64 text behind its name, if there was one.
    pub fn new(initial: Option<SecretBytes>) -> Self {
        Self(Stage::Offered(initial))
    }

    /// The application agrees to the mechanism.
    pub fn begin(&mut self, exchange: ServerExchange) -> Option<ServerReply> {
        let Stage::Offered(initial) = &mut self.0 else { return None };
        let initial = initial.take();
        let mut exchange = Box::new(exchange);
        let reply = exchange.start(initial.as_ref().map(SecretBytes::expose));
        Some(self.follow(exchange, reply))
    }

    /// The client's line after a challenge, without its CRLF.
    pub fn response(&mut self, line: &[u8]) -> Option<ServerReply> {
        match core::mem::replace(&mut self.0, Stage::Over(false)) {
            Stage::Challenged(mut exchange) => {
                let reply = exchange.response(line);
                Some(self.follow(exchange, reply))
            }
            other => self.not_due(other),
        }
    }

    /// The application has checked the credentials.
    pub fn verdict(&mut self, verdict: Verdict) -> Option<ServerReply> {
        match core::mem::replace(&mut self.0, Stage::Over(false)) {
            Stage::Verifying(mut exchange) => {
                let reply = exchange.verdict(verdict);
                Some(self.follow(exchange, reply))
            }
            other => self.not_due(other),
        }
    }

    /// Whether the client's answer to a challenge is due, not a word of the application.
    pub fn is_challenged(&self) -> bool {
        matches!(self.0, Stage::Challenged(_))
    }

    /// Whether the exchange is over and went well: only then may the protocol say so.
    pub fn is_successful(&self) -> bool {
        matches!(self.0, Stage::Over(true))
    }

    /// Where it stands, for `Debug` output.
    pub fn stage(&self) -> &'static str {
        match self.0 {
            Stage::Offered(_) => "deciding",
            Stage::Challenged(_) => "challenged",
            Stage::Verifying(_) => "verifying",
            Stage::Over(_) => "verified",
        }
    }

    fn follow(&mut self, exchange: Box<ServerExchange>, reply: ServerReply) -> ServerReply {
        self.0 = match reply {
            ServerReply::Challenge(_) => Stage::Challenged(exchange),
            ServerReply::Verify(_) => Stage::Verifying(exchange),
            ServerReply::Success => Stage::Over(true),
            ServerReply::Fail(_) => Stage::Over(false),
        };
        reply
    }

    fn not_due(&mut self, stage: Stage) -> Option<ServerReply> {
        self.0 = stage;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Limits};

    fn plain() -> ServerExchange {
        ServerExchange::named("PLAIN", Limits::default()).unwrap()
    }

    fn line(octets: &[u8]) -> SecretBytes {
        SecretBytes::new(octets.to_vec())
    }

    #[test]
    fn everybody_has_a_turn_and_only_then() {
        let mut sign_in = ServerSignIn::new(None);
        assert_eq!(sign_in.response(b""), None);
        assert_eq!(sign_in.verdict(Verdict::Accept), None);
        assert_eq!(sign_in.begin(plain()), Some(ServerReply::Challenge("".into())));
        assert!(sign_in.is_challenged());
        assert_eq!(sign_in.begin(plain()), None);
        assert_eq!(sign_in.verdict(Verdict::Accept), None);
        // RFC 4616: authzid NUL authcid NUL passwd; here "\0tim\0tanstaaftanstaaf".
        let credentials = sign_in.response(b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
        assert!(matches!(credentials, Some(ServerReply::Verify(_))), "{credentials:?}");
        assert!(!sign_in.is_challenged() && !sign_in.is_successful());
        assert_eq!(sign_in.response(b""), None);
        assert_eq!(sign_in.verdict(Verdict::Accept), Some(ServerReply::Success));
        assert!(sign_in.is_successful());
        assert_eq!(sign_in.verdict(Verdict::Accept), None);
        assert!(sign_in.is_successful(), "a call that is not due changes nothing");
    }

    #[test]
    fn what_fails_is_no_success() {
        let mut sign_in = ServerSignIn::new(Some(line(b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm")));
        assert!(matches!(sign_in.begin(plain()), Some(ServerReply::Verify(_))));
        assert_eq!(sign_in.verdict(Verdict::Refuse(None)), Some(ServerReply::Fail(Error::Refused)));
        assert!(!sign_in.is_successful());
        let mut sign_in = ServerSignIn::new(None);
        assert!(sign_in.begin(plain()).is_some());
        assert_eq!(sign_in.response(b"*"), Some(ServerReply::Fail(Error::Cancelled)));
        assert!(!sign_in.is_successful());
    }
}
