//! Which commands are allowed, and what they lead to.

use sasl::ServerSignIn;
use wire::{Security, literal};

use super::error::Fault;
use super::event::{Event, HelloKind};
use super::message::Source;
use super::{Answer, Phase, Server};
use crate::grammar::ParseError;
use crate::session::{Dialect, State};
use crate::types::{
    BodyType, Capabilities, Command, ForwardPath, MailParams, Mailbox, RcptParams, ReversePath,
};

impl Server {
    /// Acts on one command; `behind`: more octets have come already.
    pub(super) fn command(&mut self, parsed: Result<Command, ParseError>, behind: bool) {
        let command = match parsed {
            Ok(command) => command,
            Err(e) => return self.bad(Fault::Syntax(e), false),
        };
        if let Some(fault) = self.forbids(&command) {
            return match command {
                Command::Bdat { len, .. } if len > self.max_message() => self.bad(fault, true),
                Command::Bdat { len, .. } if len > 0 => self.phase = Phase::Discarding(len, fault),
                _ => self.bad(fault, false),
            };
        }
        let (event, phase) = match command {
            Command::Ehlo(name) => hello(HelloKind::Ehlo, name),
            Command::Helo(name) => hello(HelloKind::Helo, name),
            Command::Lhlo(name) => hello(HelloKind::Lhlo, name),
            Command::StartTls => (Event::StartTls, Phase::Answering(Answer::StartTls)),
            Command::Auth { mechanism, initial } => (
                Event::Auth { mechanism, initial: initial.is_some() },
                Phase::SignIn(ServerSignIn::new(initial)),
            ),
            Command::Mail { from, params } => {
                let answer = Answer::Mail { smtputf8: params.smtputf8, body: params.body };
                (Event::Mail { from, params }, Phase::Answering(answer))
            }
            Command::Rcpt { to, params } => (Event::Rcpt { to, params }, Phase::Answering(Answer::Rcpt)),
            Command::Data if behind => return self.bad(Fault::Pipelining, true),
            Command::Data => (Event::Data, Phase::Offered),
            Command::Bdat { len, last } => {
                let left = literal::Countdown::new(len);
                self.phase = Phase::Body(Source::Bdat { left, octets: len, last });
                return;
            }
            Command::Rset => (Event::Rset, Phase::Answering(Answer::Rset)),
            Command::Noop(_) => (Event::Noop, Phase::Answering(Answer::Plain)),
            Command::Vrfy(who) => (Event::Vrfy(who), Phase::Answering(Answer::Plain)),
            Command::Expn(list) => (Event::Expn(list), Phase::Answering(Answer::Plain)),
            Command::Help(what) => (Event::Help(what), Phase::Answering(Answer::Plain)),
            Command::Quit => (Event::Quit, Phase::Answering(Answer::Quit)),
        };
        self.ready = Some(event);
        self.phase = phase;
    }

    fn offers(&self, keyword: &str) -> bool {
        self.offered.as_ref().is_some_and(|c| c.has(keyword))
    }

    /// Why a command that follows the grammar is not for the application to execute.
    fn forbids(&self, command: &Command) -> Option<Fault> {
        use Command as C;
        if self.closed_shop && !matches!(command, C::Quit) {
            return Some(Fault::NoService);
        }
        match (command, self.config.dialect) {
            (C::Ehlo(_) | C::Helo(_), Dialect::Lmtp) | (C::Lhlo(_), Dialect::Smtp) => {
                return Some(Fault::NotOffered);
            }
            (C::StartTls, _) if self.tls => return Some(Fault::Sequence),
            (C::StartTls, _) if self.config.security != Security::StartTls && !self.offers("STARTTLS") => {
                return Some(Fault::NotOffered);
            }
            (C::Auth { .. }, _) if !self.config.security.allows_credentials(self.tls) => {
                return Some(Fault::NoTls);
            }
            (C::Auth { .. }, _) if self.authenticated => return Some(Fault::Sequence),
            (C::Mail { .. } | C::Vrfy(_) | C::Expn(_), _) if self.config.require_tls && !self.tls => {
                return Some(Fault::NoTls);
            }
            (C::Mail { .. } | C::Vrfy(_) | C::Expn(_), _) if self.is_stranger() => {
                return Some(Fault::AuthRequired);
            }
            (C::Bdat { .. }, _) if !self.offers("CHUNKING") => return Some(Fault::NotOffered),
            _ => {}
        }
        if !self.state.allows(command) || self.transaction.failed && matches!(command, C::Bdat { .. }) {
            return Some(Fault::Sequence);
        }
        match command {
            C::Auth { .. } if !self.offers("AUTH") => Some(Fault::NotOffered),
            C::Mail { from, params } => self.forbids_mail(from, params),
            C::Rcpt { to, params } => self.forbids_rcpt(to, params),
            // RFC 3030 section 3
            C::Data if self.transaction.body == Some(BodyType::BinaryMime) => Some(Fault::Sequence),
            _ => None,
        }
    }

    fn forbids_mail(&self, from: &ReversePath, p: &MailParams) -> Option<Fault> {
        let size = self.offered.as_ref().and_then(Capabilities::size);
        let unoffered = [
            (p.size.is_some(), "SIZE"),
            (matches!(p.body, Some(BodyType::SevenBit | BodyType::EightBitMime)), "8BITMIME"),
            (p.body == Some(BodyType::BinaryMime), "BINARYMIME"),
            (p.smtputf8, "SMTPUTF8"),
            (p.submitter.is_some(), "AUTH"),
            (p.ret.is_some() || p.envelope_id.is_some(), "DSN"),
            (p.require_tls, "REQUIRETLS"),
            (p.by.is_some(), "DELIVERBY"),
            (p.hold.is_some(), "FUTURERELEASE"),
        ];
        match () {
            () if unoffered.iter().any(|(used, keyword)| *used && !self.offers(keyword)) => {
                Some(Fault::Parameter)
            }
            () if p.size.is_some_and(|n| n > size.unwrap_or(u64::MAX)) => Some(Fault::TooLarge),
            () if !p.smtputf8 && !from.mailbox().is_none_or(Mailbox::is_ascii) => Some(Fault::NeedsSmtpUtf8),
            () => None,
        }
    }

    fn forbids_rcpt(&self, to: &ForwardPath, p: &RcptParams) -> Option<Fault> {
        let dsn = p.notify.is_some() || p.original.is_some();
        match () {
            () if dsn && !self.offers("DSN") => Some(Fault::Parameter),
            () if !self.transaction.smtputf8 && !to.mailbox().is_none_or(Mailbox::is_ascii) => {
                Some(Fault::NeedsSmtpUtf8)
            }
            () if self.transaction.recipients >= self.config.recipients => Some(Fault::TooManyRecipients),
            () => None,
        }
    }

    /// No transaction is under way.
    pub(super) fn forget_transaction(&mut self) {
        self.transaction = super::Transaction::default();
        if self.state > State::Ready && self.state != State::Over {
            self.state = State::Ready;
        }
    }
}

fn hello(kind: HelloKind, name: crate::types::EhloName) -> (Event<'static>, Phase) {
    (Event::Hello { kind, name }, Phase::Answering(Answer::Hello(kind)))
}
