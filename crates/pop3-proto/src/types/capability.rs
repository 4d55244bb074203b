//! What a server can do (RFC 2449 section 6, RFC 2595, RFC 3206, RFC 5034, RFC 6856).

use alloc::vec::Vec;

use super::{Mechanism, Text};

/// One line of CAPA.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// `TOP`: the command.
    Top,
    /// `USER`: USER and PASS.
    User,
    /// `SASL`: AUTH with these mechanisms.
    Sasl(Vec<Mechanism>),
    /// `RESP-CODES`: a text that begins with a bracket begins with a response code.
    RespCodes,
    /// `LOGIN-DELAY`: the time that must pass between two sign-ins.
    LoginDelay {
        /// In seconds.
        seconds: u32,
        /// It differs from user to user; ask again after sign-in.
        per_user: bool,
    },
    /// `PIPELINING`: commands may be sent before the replies to earlier ones have come.
    Pipelining,
    /// `EXPIRE`: how long messages are kept.
    Expire {
        /// How long.
        after: Expire,
        /// It differs from user to user; ask again after sign-in.
        per_user: bool,
    },
    /// `UIDL`: the command.
    Uidl,
    /// `IMPLEMENTATION`: the program's name.
    Implementation(Text<'static>),
    /// `STLS`: the command (RFC 2595).
    Stls,
    /// `AUTH-RESP-CODE`: refusals over credentials carry `[AUTH]` (RFC 3206).
    AuthRespCode,
    /// `UTF8`: the command (RFC 6856).
    Utf8 {
        /// USER, PASS and APOP take UTF-8 too.
        user: bool,
    },
    /// `LANG`: the command (RFC 6856).
    Lang,
    /// Any other line, whole.
    Other(Text<'static>),
}

/// How long a server keeps messages (RFC 2449 section 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expire {
    /// For so many days; 0: what was retrieved may be gone after the session.
    Days(u32),
    /// For good.
    Never,
}

/// Everything CAPA said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// The lines in order.
    pub fn iter(&self) -> core::slice::Iter<'_, Capability> {
        self.0.iter()
    }

    /// Whether this line is there as it is.
    pub fn has(&self, capability: &Capability) -> bool {
        self.0.contains(capability)
    }

    /// The SASL mechanisms, over all `SASL` lines.
    pub fn mechanisms(&self) -> impl Iterator<Item = &Mechanism> {
        self.0.iter().filter_map(|c| if let Capability::Sasl(m) = c { Some(m) } else { None }).flatten()
    }

    /// Whether AUTH takes this mechanism; case means nothing.
    pub fn has_mechanism(&self, name: &str) -> bool {
        self.mechanisms().any(|m| m.as_str().eq_ignore_ascii_case(name))
    }

    /// Whether the UTF8 command is there.
    pub fn has_utf8(&self) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::Utf8 { .. }))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, capability: Capability) {
        self.0.push(capability);
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<T: IntoIterator<Item = Capability>>(lines: T) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Capabilities {
    type Item = &'a Capability;
    type IntoIter = core::slice::Iter<'a, Capability>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
