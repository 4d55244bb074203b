//! How much a peer may make us do. Finite by default, enforced in the machines, configurable.

/// The bounds that every machine enforces; a breach is a typed error that names the limit.
///
/// The defaults are generous for real servers and small enough that no peer can hold more than a few tens of
/// MiB of memory. Sizes are octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// One line before authentication (greeting, capabilities). 8 KiB.
    pub pre_auth_line: usize,
    /// Everything received before authentication. 64 KiB.
    pub pre_auth_total: u64,
    /// One literal before authentication. 4 KiB.
    pub pre_auth_literal: u64,
    /// One line of an ordinary response or command. 64 KiB.
    pub line: usize,
    /// One response of a kind that is long by nature (IMAP FETCH data without its bodies). 16 MiB.
    /// Number lists (SEARCH) are streamed and not bound by it.
    pub long_line: usize,
    /// One literal that is not a message and stays inside its response. 1 MiB.
    pub literal: u64,
    /// One message body, streamed. 256 MiB.
    pub body: u64,
    /// Literals in one response. 10,000.
    pub literals: u32,
    /// Nesting of parentheses. 64.
    pub nesting: u32,
    /// Status-only responses (`* OK …`) in a row that bring nothing forward. 100,000.
    pub chatter: u32,
    /// Commands in flight or queued. 1,000.
    pub commands: usize,
    /// One SASL challenge, before decoding. 64 KiB.
    pub sasl_challenge: usize,
    /// Rounds of one SASL exchange. 8.
    pub sasl_rounds: u32,
    /// Octets waiting to be sent before a body writer is told to wait. 64 KiB.
    pub outbox: usize,
}

impl Limits {
    /// The defaults, usable in constants.
    pub const DEFAULT: Self = Self {
        pre_auth_line: 8 << 10,
        pre_auth_total: 64 << 10,
        pre_auth_literal: 4 << 10,
        line: 64 << 10,
        long_line: 16 << 20,
        literal: 1 << 20,
        body: 256 << 20,
        literals: 10_000,
        nesting: 64,
        chatter: 100_000,
        commands: 1_000,
        sasl_challenge: 64 << 10,
        sasl_rounds: 8,
        outbox: 64 << 10,
    };

    /// The largest number of unread octets a machine that keeps these limits ever leaves in its [`InBuf`](crate::InBuf).
    pub fn inbox(&self) -> usize {
        let literal = usize::try_from(self.literal).unwrap_or(usize::MAX);
        self.long_line.max(self.line).max(self.pre_auth_line).saturating_add(literal).saturating_add(64 << 10)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which limit a peer (or the caller) broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// A line was longer than allowed at this point.
    Line,
    /// Too much was sent before authentication.
    PreAuthTotal,
    /// A literal that is not a message body announced too many octets.
    Literal,
    /// A message body announced too many octets.
    Body,
    /// A response held too many literals.
    Literals,
    /// Parentheses were nested too deeply.
    Nesting,
    /// Too many responses in a row brought nothing forward.
    Chatter,
    /// Too many commands were queued.
    Commands,
    /// A SASL challenge was too large.
    SaslChallenge,
    /// A SASL exchange did not come to an end.
    SaslRounds,
    /// A number list was longer than the protocol's numbers allow.
    Numbers,
    /// A reply had more lines than anything real.
    Lines,
}

impl Limit {
    /// A short English name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line too long",
            Self::PreAuthTotal => "too much data before authentication",
            Self::Literal => "literal too large",
            Self::Body => "message body too large",
            Self::Literals => "too many literals in one response",
            Self::Nesting => "parentheses nested too deeply",
            Self::Chatter => "too many responses without progress",
            Self::Commands => "too many commands queued",
            Self::SaslChallenge => "SASL challenge too large",
            Self::SaslRounds => "too many SASL rounds",
            Self::Numbers => "number list too long",
            Self::Lines => "too many lines in one reply",
        }
    }
}

impl core::fmt::Display for Limit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
