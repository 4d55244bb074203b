//! What a server says it can do.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::domain::EhloName;
use super::invalid::{Invalid, InvalidKind, check};
use super::reply::{Reply, ReplyCode};
use crate::grammar;

/// One line of the reply to EHLO (RFC 5321 section 4.1.1.1): a keyword in capitals and its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extension {
    keyword: String,
    params: Vec<String>,
}

impl Extension {
    /// A keyword with its parameters.
    ///
    /// # Errors
    /// [`Invalid`] when the keyword is empty or holds anything but letters, digits and hyphens, or a parameter is empty or holds anything but
    /// printable ASCII without space.
    pub fn new<'p>(keyword: &str, params: impl IntoIterator<Item = &'p str>) -> Result<Self, Invalid> {
        check("EHLO keyword", keyword, 64, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))?;
        let params: Vec<String> = params.into_iter().map(String::from).collect();
        for param in &params {
            check("EHLO parameter", param, 1_000, |c| matches!(c, '!'..='~'))?;
        }
        Ok(Self { keyword: keyword.to_ascii_uppercase(), params })
    }

    /// The keyword, in capitals.
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.params.iter().map(String::as_str)
    }
}

/// `LIMITS` (RFC 9422): how much the server takes. What is missing is not limited, or not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// `MAILMAX`: transactions in one session.
    pub mails: Option<u32>,
    /// `RCPTMAX`: recipients in one transaction.
    pub recipients: Option<u32>,
    /// `RCPTDOMAINMAX`: different domains of recipients in one transaction.
    pub domains: Option<u32>,
}

/// The reply to EHLO or LHLO, understood.
///
/// Lines that are no keyword are dropped. `AUTH=LOGIN PLAIN`, which servers older than RFC 2554 and imitators of theirs send, counts as
/// `AUTH LOGIN PLAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    greeting: String,
    extensions: Vec<Extension>,
    pipelining: bool,
    size: Option<u64>,
}

impl Capabilities {
    /// What a server of this name offers.
    ///
    /// # Errors
    /// [`Invalid`] for more than 99 extensions.
    pub fn new(name: &EhloName, extensions: Vec<Extension>) -> Result<Self, Invalid> {
        if extensions.len() >= Reply::LINES {
            return Err(Invalid::new("EHLO reply", InvalidKind::TooLong { max: Reply::LINES }));
        }
        Ok(Self::build(name.to_string(), extensions))
    }

    /// Understands a positive reply to EHLO.
    pub fn from_reply(reply: &Reply) -> Self {
        let mut lines = reply.lines();
        let mut greeting = lines.next().unwrap_or_default();
        // EHLO's reply carries no enhanced code (RFC 2034 section 4). One that is there all the same is no part of the greeting, whatever the
        // code of the reply: else what we write would not read as what we understood.
        while let Some((_, rest)) = grammar::enhanced_code(ReplyCode::OK, greeting) {
            greeting = rest;
        }
        Self::build(greeting.to_string(), lines.filter_map(grammar::extension).collect())
    }

    fn build(greeting: String, extensions: Vec<Extension>) -> Self {
        let mut this = Self { greeting, extensions, pipelining: false, size: None };
        this.pipelining = this.has("PIPELINING");
        let size = this.params("SIZE").next().and_then(|n| n.parse().ok());
        // 0: there is a limit of no size, which is none (RFC 1870 section 3).
        this.size = size.filter(|n| *n > 0);
        this
    }

    /// The reply that says all this.
    pub fn to_reply(&self) -> Reply {
        let mut lines = Vec::with_capacity(self.extensions.len().saturating_add(1));
        lines.push(self.greeting.clone());
        lines.extend(self.extensions.iter().map(grammar::write_extension));
        Reply::canonical(ReplyCode::OK, None, lines)
    }

    /// The first line: the server's name, usually with a greeting behind it.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Every extension, in order.
    pub fn extensions(&self) -> impl Iterator<Item = &Extension> {
        self.extensions.iter()
    }

    /// Whether this keyword is offered; compared without regard to case.
    pub fn has(&self, keyword: &str) -> bool {
        self.extensions.iter().any(|e| e.keyword.eq_ignore_ascii_case(keyword))
    }

    /// The parameters of a keyword, of all its lines.
    pub fn params<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a str> {
        self.extensions
            .iter()
            .filter(move |e| e.keyword.eq_ignore_ascii_case(keyword))
            .flat_map(Extension::params)
    }

    /// Whether commands may be sent in groups (RFC 2920).
    pub fn pipelining(&self) -> bool {
        self.pipelining
    }

    /// The largest message taken, in octets (RFC 1870); `None` when no limit is said.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// SASL mechanisms (RFC 4954), as the server writes them.
    pub fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.params("AUTH")
    }

    /// Whether this SASL mechanism is offered.
    pub fn has_mechanism(&self, name: &str) -> bool {
        self.mechanisms().any(|m| m.eq_ignore_ascii_case(name))
    }

    /// `LIMITS` (RFC 9422). Values that are no number from 1 to 999,999 are left out.
    pub fn limits(&self) -> ServerLimits {
        let mut limits = ServerLimits::default();
        for param in self.params("LIMITS") {
            let Some((name, value)) = param.split_once('=') else { continue };
            let value = value.parse().ok().filter(|n| (1..=999_999).contains(n));
            match () {
                () if name.eq_ignore_ascii_case("MAILMAX") => limits.mails = value,
                () if name.eq_ignore_ascii_case("RCPTMAX") => limits.recipients = value,
                () if name.eq_ignore_ascii_case("RCPTDOMAINMAX") => limits.domains = value,
                () => {}
            }
        }
        limits
    }

    /// The shortest time DELIVERBY takes, in seconds (RFC 2852); 0 when none is said.
    pub fn deliver_by_min(&self) -> u32 {
        let min = self.params("DELIVERBY").next().and_then(|n| n.split(',').next());
        min.and_then(|n| n.parse().ok()).unwrap_or_default()
    }

    /// The longest time FUTURERELEASE holds a message, in seconds (RFC 4865).
    pub fn hold_max(&self) -> Option<u32> {
        self.params("FUTURERELEASE").next().and_then(|n| n.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_no_part_of_the_greeting() {
        // Found by fuzzing: the class is not that of 325, but of the 250 that is written.
        for text in ["325 2.7.0 2(\n", "325 02.7.0 2(\r\n", "250 2.7.0 2.7.1 2(\r\n", "250 2.7.0 2(\r\n"] {
            let read = grammar::reply(text.as_bytes()).map(|reply| Capabilities::from_reply(&reply));
            let Ok(read) = read else { panic!("{text:?}: {read:?}") };
            assert_eq!(read.greeting(), "2(", "{text:?}");
            assert_eq!(Capabilities::from_reply(&read.to_reply()), read, "{text:?}");
        }
    }
}
