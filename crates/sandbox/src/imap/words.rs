//! What the IMAP server says of itself.

use crate::profile::{Profile, front_end};

/// The text of the greeting. At its end stands what looks like a response code and is none: the front end's name.
pub(crate) fn greeting(profile: Profile, id: &str) -> String {
    let host = front_end();
    match profile {
        Profile::Exo2026 => {
            format!("Microsoft Exchange IMAP4 service ready. {id} (tcpproxy/15.20.9999.014) [{host}]")
        }
        Profile::ExoClassic => format!("The Microsoft Exchange IMAP4 service is ready. [{host}]"),
        Profile::Plain => "Sandbox ready.".to_owned(),
    }
}

/// The capabilities, in the order in which the imitated server lists them.
pub(crate) fn capabilities(profile: Profile, tls: bool, signed_in: bool) -> &'static str {
    match (profile, tls, signed_in) {
        (Profile::Exo2026, true, _) => {
            "IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
             LITERAL+"
        }
        (Profile::ExoClassic, true, false) => {
            "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        }
        (Profile::ExoClassic, true, true) => {
            "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES \
             CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"
        }
        (Profile::Exo2026 | Profile::ExoClassic, false, _) => {
            "IMAP4 IMAP4rev1 LOGINDISABLED STARTTLS SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
             LITERAL+"
        }
        (Profile::Plain, true, false) => {
            "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN \
             IDLE NAMESPACE LITERAL+"
        }
        (Profile::Plain, false, false) => {
            "IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR UIDPLUS MOVE ID UNSELECT \
             CHILDREN IDLE NAMESPACE LITERAL+"
        }
        (Profile::Plain, _, true) => {
            "IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        }
    }
}

/// Whether a SASL mechanism is offered.
pub(crate) fn offers(profile: Profile, mechanism: &str) -> bool {
    let is = |name: &str| mechanism.eq_ignore_ascii_case(name);
    match profile {
        Profile::Exo2026 => is("XOAUTH2"),
        Profile::ExoClassic => is("XOAUTH2") || is("PLAIN"),
        Profile::Plain => is("XOAUTH2") || is("OAUTHBEARER") || is("PLAIN") || is("LOGIN"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The capability lines of Exchange Online, word for word.
    #[test]
    fn captured_lines() {
        assert_eq!(
            capabilities(Profile::Exo2026, true, false),
            "IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        );
        assert_eq!(
            capabilities(Profile::ExoClassic, true, false),
            "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        );
        for profile in [Profile::Exo2026, Profile::ExoClassic, Profile::Plain] {
            let line = capabilities(profile, true, false);
            for mechanism in ["XOAUTH2", "PLAIN", "LOGIN", "OAUTHBEARER", "CRAM-MD5"] {
                let listed = line.split(' ').any(|c| c == format!("AUTH={mechanism}"));
                assert_eq!(offers(profile, mechanism), listed, "{profile:?} {mechanism}");
            }
        }
    }
}
