//! Whether a message can be sent at all, and its commands. Everything is decided before anything is sent.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::Client;
use super::transaction::{Progress, Transaction};
use crate::error::Misuse;
use crate::grammar;
use crate::types::{
    Body, BodyType, ByMode, Capabilities, Command, Envelope, Hold, Invalid, Mailbox, Transfer,
};

impl Client {
    /// The transaction that sends a message with this envelope.
    pub(super) fn transaction(&self, envelope: &Envelope, body: Body) -> Result<Transaction, Misuse> {
        let capabilities = self.capabilities.as_ref();
        let has = |keyword| capabilities.is_some_and(|c| c.has(keyword));
        let need = |needed: bool, extension| {
            if !needed || has(extension) { Ok(()) } else { Err(Misuse::Unsupported { extension }) }
        };
        if envelope.recipients.is_empty() {
            return Err(Misuse::NoRecipients);
        }
        let mut params = envelope.params.clone();
        let ascii = envelope.is_ascii();
        if !ascii && !has("SMTPUTF8") {
            return Err(Misuse::NeedsSmtpUtf8);
        }
        params.smtputf8 |= !ascii;
        need(params.smtputf8, "SMTPUTF8")?;
        params.size = params.size.or(body.size);
        if let (Some(size), Some(limit)) = (params.size, capabilities.and_then(Capabilities::size))
            && size > limit
        {
            return Err(Misuse::TooLarge { size, limit });
        }
        if !has("SIZE") {
            params.size = None;
        }
        need(params.body == Some(BodyType::EightBitMime), "8BITMIME")?;
        let binary = params.body == Some(BodyType::BinaryMime);
        need(binary, "BINARYMIME")?;
        if binary && body.transfer != Transfer::Bdat {
            return Err(Misuse::Invalid(Invalid::syntax("BODY=BINARYMIME by DATA")));
        }
        need(body.transfer == Transfer::Bdat, "CHUNKING")?;
        // A server that has no 7BIT parameter has no other either.
        if params.body == Some(BodyType::SevenBit) && !has("8BITMIME") {
            params.body = None;
        }
        need(params.submitter.is_some(), "AUTH")?;
        let dsn = |r: &crate::types::Recipient| r.params.notify.is_some() || r.params.original.is_some();
        let dsn = params.ret.is_some() || params.envelope_id.is_some() || envelope.recipients.iter().any(dsn);
        need(dsn, "DSN")?;
        need(params.require_tls, "REQUIRETLS")?;
        if params.require_tls && !self.tls {
            return Err(Misuse::NoTls);
        }
        if let Some(by) = params.by {
            need(true, "DELIVERBY")?;
            let min = capabilities.map_or(0, Capabilities::deliver_by_min);
            if by.mode() == ByMode::Return && by.seconds().unsigned_abs() < min {
                return Err(Misuse::Unsupported { extension: "DELIVERBY" });
            }
        }
        if let Some(hold) = &params.hold {
            need(true, "FUTURERELEASE")?;
            let max = capabilities.and_then(Capabilities::hold_max);
            if let (Hold::For(seconds), Some(max)) = (hold, max)
                && seconds.get() > max
            {
                return Err(Misuse::Unsupported { extension: "FUTURERELEASE" });
            }
        }
        self.within_server_limits(envelope)?;
        let mut lines =
            Lines(Vec::with_capacity(64_usize.saturating_mul(envelope.recipients.len()).max(128)));
        let mail = Command::Mail { from: envelope.from.clone(), params };
        let _ = grammar::write_command(&mail, &mut lines);
        for r in &envelope.recipients {
            let _ = grammar::write_rcpt(&r.to, &r.params, &mut lines);
        }
        Ok(Transaction {
            lines: lines.0,
            at: 0,
            recipients: envelope.recipients.len(),
            sent: 0,
            answered: 0,
            begun: false,
            accepted: Vec::new(),
            refusal: None,
            partial: envelope.partial,
            transfer: body.transfer,
            policy: (!binary).then_some(body.bare_newline),
            progress: Progress::Commands,
        })
    }

    /// RFC 9422 section 4.
    fn within_server_limits(&self, envelope: &Envelope) -> Result<(), Misuse> {
        let Some(capabilities) = self.capabilities.as_ref().filter(|c| c.has("LIMITS")) else {
            return Ok(());
        };
        let limits = capabilities.limits();
        let over = |name, limit: Option<u32>, count: usize| match limit {
            Some(limit) if count > usize::try_from(limit).unwrap_or(usize::MAX) => {
                Err(Misuse::ServerLimit { name, limit })
            }
            _ => Ok(()),
        };
        over("MAILMAX", limits.mails, self.messages.saturating_add(1))?;
        over("RCPTMAX", limits.recipients, envelope.recipients.len())?;
        if limits.domains.is_some() {
            let domain = |m: &Mailbox| m.domain().to_ascii_lowercase();
            let domains: BTreeSet<Option<String>> =
                envelope.recipients.iter().map(|r| r.to.mailbox().map(domain)).collect();
            over("RCPTDOMAINMAX", limits.domains, domains.len())?;
        }
        Ok(())
    }
}

/// Octets that can be written to as text.
struct Lines(Vec<u8>);

impl Write for Lines {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.extend_from_slice(s.as_bytes());
        Ok(())
    }
}
