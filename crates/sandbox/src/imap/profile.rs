//! Which server is imitated, and how the IMAP server misbehaves on demand.

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

/// One way for the IMAP server to misbehave. Each is used up by what it touches, except the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImapFault {
    /// No mailbox opens: "User is authenticated but not connected." Stays until faults are cleared.
    NotConnected,
    /// The next command is answered with "Request is throttled" and this many milliseconds; so is the one after that, and
    /// the connection ends.
    Throttled(u32),
    /// The next command is answered with the line `Server Unavailable. 15`, which has no tag.
    Unavailable,
    /// The next body longer than this many octets is cut there by the token's end.
    ExpireInBody(u32),
    /// The next body longer than this many octets is cut there by a TCP reset.
    ResetInBody(u32),
}

/// The front end that pretends to serve the connection.
pub(crate) const HOST: &str = "SANDBOX0001.EURP001.PROD.OUTLOOK.EXAMPLE";

/// The same as greetings carry it: UTF-16LE in Base64.
pub(crate) fn front_end() -> String {
    let host: Vec<u8> = HOST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Base64::encode_string(&host)
}

impl Profile {
    /// Whether this is one of the Exchange Online profiles.
    pub(crate) fn is_exchange(self) -> bool {
        self != Self::Plain
    }

    /// The text of the greeting. At its end stands what looks like a response code and is none: the front end's name.
    pub(crate) fn greeting(self, id: &str) -> String {
        let host = front_end();
        match self {
            Self::Exo2026 => {
                format!("Microsoft Exchange IMAP4 service ready. {id} (tcpproxy/15.20.9999.014) [{host}]")
            }
            Self::ExoClassic => format!("The Microsoft Exchange IMAP4 service is ready. [{host}]"),
            Self::Plain => "Sandbox ready.".to_owned(),
        }
    }

    /// The capabilities, in the order in which the imitated server lists them.
    pub(crate) fn capabilities(self, tls: bool, signed_in: bool) -> &'static str {
        match (self, tls, signed_in) {
            (Self::Exo2026, true, _) => {
                "IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
                 LITERAL+"
            }
            (Self::ExoClassic, true, false) => {
                "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
            }
            (Self::ExoClassic, true, true) => {
                "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES \
                 CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"
            }
            (Self::Exo2026 | Self::ExoClassic, false, _) => {
                "IMAP4 IMAP4rev1 LOGINDISABLED STARTTLS SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
                 LITERAL+"
            }
            (Self::Plain, true, false) => {
                "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN \
                 IDLE NAMESPACE LITERAL+"
            }
            (Self::Plain, false, false) => {
                "IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR UIDPLUS MOVE ID UNSELECT \
                 CHILDREN IDLE NAMESPACE LITERAL+"
            }
            (Self::Plain, _, true) => {
                "IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
            }
        }
    }

    /// Whether a SASL mechanism is offered.
    pub(crate) fn offers(self, mechanism: &str) -> bool {
        let is = |name: &str| mechanism.eq_ignore_ascii_case(name);
        match self {
            Self::Exo2026 => is("XOAUTH2"),
            Self::ExoClassic => is("XOAUTH2") || is("PLAIN"),
            Self::Plain => is("XOAUTH2") || is("OAUTHBEARER") || is("PLAIN") || is("LOGIN"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The capability lines of exchange-online facts D.2, word for word.
    #[test]
    fn captured_lines() {
        assert_eq!(
            Profile::Exo2026.capabilities(true, false),
            "IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        );
        assert_eq!(
            Profile::ExoClassic.capabilities(true, false),
            "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        );
        for profile in [Profile::Exo2026, Profile::ExoClassic, Profile::Plain] {
            let line = profile.capabilities(true, false);
            for mechanism in ["XOAUTH2", "PLAIN", "LOGIN", "OAUTHBEARER", "CRAM-MD5"] {
                let listed = line.split(' ').any(|c| c == format!("AUTH={mechanism}"));
                assert_eq!(profile.offers(mechanism), listed, "{profile:?} {mechanism}");
            }
        }
    }
}
