//! Which server is imitated.

use base64ct::{Base64, Encoding};

/// Which server is imitated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Exchange Online as captured in September and October 2026: XOAUTH2 only, LOGINDISABLED.
    #[default]
    Exo2026,
    /// Exchange Online as it was until about 2025: AUTH=PLAIN beside AUTH=XOAUTH2, the older greeting.
    ExoClassic,
    /// A server without peculiarities that also takes passwords, for programs that know nothing else.
    ///
    /// It signs in without TLS too, tells why a token is refused, and names its capabilities after sign-in.
    Plain,
}

impl Profile {
    /// Whether this is one of the Exchange Online profiles.
    pub(crate) fn is_exchange(self) -> bool {
        self != Self::Plain
    }
}

/// The front end that pretends to serve the connection.
pub(crate) const HOST: &str = "SANDBOX0001.EURP001.PROD.OUTLOOK.EXAMPLE";

/// The same as greetings carry it: UTF-16LE in Base64.
pub(crate) fn front_end() -> String {
    let host: Vec<u8> = HOST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Base64::encode_string(&host)
}
