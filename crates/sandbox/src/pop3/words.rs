//! What the POP3 server says of itself.

use pop3_proto::types::{Capability, Invalid, Mechanism};

use crate::profile::{Profile, front_end};

/// The text of the greeting.
pub(crate) fn greeting(profile: Profile) -> String {
    match profile {
        Profile::Exo2026 => {
            format!("Microsoft Exchange POP3 server ready (tcpproxy/15.20.9999.014). [{}]", front_end())
        }
        Profile::ExoClassic => format!("The Microsoft Exchange POP3 service is ready. [{}]", front_end()),
        Profile::Plain => "Sandbox ready.".to_owned(),
    }
}

/// SASL mechanisms, in the order in which they are listed.
fn mechanisms(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Exo2026 | Profile::ExoClassic => &["PLAIN", "XOAUTH2"],
        Profile::Plain => &["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"],
    }
}

/// Whether a SASL mechanism is offered.
pub(crate) fn offers(profile: Profile, mechanism: &str) -> bool {
    mechanisms(profile).iter().any(|m| m.eq_ignore_ascii_case(mechanism))
}

/// The lines of CAPA.
///
/// # Errors
/// None for the words that stand here.
pub(crate) fn capabilities(profile: Profile, tls: bool, utf8: bool) -> Result<Vec<Capability>, Invalid> {
    let sasl = mechanisms(profile).iter().map(|m| Mechanism::new(m)).collect::<Result<_, _>>()?;
    let mut all = match (profile.is_exchange(), tls) {
        (true, true) => vec![Capability::Top, Capability::Uidl, Capability::Sasl(sasl), Capability::User],
        (true, false) => vec![Capability::Top, Capability::Uidl, Capability::Stls],
        (false, _) => {
            let mut all = vec![Capability::Top, Capability::Uidl, Capability::Sasl(sasl), Capability::User];
            all.extend([Capability::Pipelining, Capability::RespCodes, Capability::AuthRespCode]);
            all.extend((!tls).then_some(Capability::Stls));
            all
        }
    };
    all.extend(utf8.then_some(Capability::Utf8 { user: true }));
    Ok(all)
}
