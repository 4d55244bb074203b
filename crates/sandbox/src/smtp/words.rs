//! What the SMTP server says of itself and of refusals.

use std::net::IpAddr;

use smtp_proto::types::{Invalid, Reply, ReplyCode};

use crate::clock::Civil;
use crate::directory::SmtpRefusal;
use crate::profile::{HOST, Profile, front_end};
use crate::{random, seed};

/// A reply of one line; an enhanced code at its head counts as the reply's own.
///
/// # Errors
/// The code is none, or the text cannot stand on a line.
pub(crate) fn reply(code: u16, text: &str) -> Result<Reply, Invalid> {
    Reply::new(ReplyCode::new(code)?, None, text)
}

/// The greeting, at `now` in Unix seconds.
pub(crate) fn greeting(profile: Profile, now: i64) -> Result<Reply, Invalid> {
    let date = seed::date(now, 0);
    let text = match profile {
        Profile::Exo2026 => {
            format!("{HOST} Microsoft ESMTP MAIL Service ready at {date} [{}]", front_end())
        }
        Profile::ExoClassic => format!("{HOST} Microsoft ESMTP MAIL Service ready at {date}"),
        Profile::Plain => "localhost Sandbox ready.".to_owned(),
    };
    reply(220, &text)
}

/// The extensions, in the order in which the imitated server lists them.
fn extensions(profile: Profile, tls: bool) -> &'static [&'static str] {
    match (profile.is_exchange(), tls) {
        (true, false) => &[
            "SIZE 157286400",
            "PIPELINING",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "STARTTLS",
            "8BITMIME",
            "BINARYMIME",
            "CHUNKING",
            "SMTPUTF8",
        ],
        (true, true) => &[
            "SIZE 157286400",
            "PIPELINING",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "AUTH LOGIN XOAUTH2",
            "8BITMIME",
            "BINARYMIME",
            "CHUNKING",
            "SMTPUTF8",
        ],
        (false, false) => &[
            "SIZE 157286400",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "STARTTLS",
            "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            "8BITMIME",
            "CHUNKING",
            "SMTPUTF8",
        ],
        (false, true) => &[
            "SIZE 157286400",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            "8BITMIME",
            "CHUNKING",
            "SMTPUTF8",
        ],
    }
}

/// The answer to EHLO.
pub(crate) fn ehlo(profile: Profile, tls: bool, peer: IpAddr) -> Result<Reply, Invalid> {
    let mut lines = vec![hello(peer)];
    lines.extend(extensions(profile, tls).iter().map(|l| (*l).to_owned()));
    Reply::with_lines(ReplyCode::OK, None, lines)
}

/// The first line of the answer to EHLO, and the whole answer to HELO.
pub(crate) fn hello(peer: IpAddr) -> String {
    format!("{HOST} Hello [{peer}]")
}

/// Whether a SASL mechanism is offered.
pub(crate) fn offers(profile: Profile, tls: bool, mechanism: &str) -> bool {
    let auth = extensions(profile, tls).iter().find_map(|l| l.strip_prefix("AUTH "));
    auth.is_some_and(|names| names.split(' ').any(|m| m.eq_ignore_ascii_case(mechanism)))
}

/// Where and when it happened, as refusals end: `[host ISO-time id]`.
pub(crate) fn place(now: u64) -> String {
    let c = Civil::from_unix(i64::try_from(now).unwrap_or(0));
    let id: String = random::octets::<8>().iter().map(|b| format!("{b:02X}")).collect();
    format!(
        "[{HOST} {:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z {id}]",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// Why a sign-in is refused, without the place.
pub(crate) fn switched_off(why: SmtpRefusal) -> &'static str {
    match why {
        SmtpRefusal::Tenant => {
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit \
             https://aka.ms/smtp_auth_disabled for more information."
        }
        SmtpRefusal::Mailbox => {
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit \
             https://aka.ms/smtp_auth_disabled for more information."
        }
        SmtpRefusal::SecurityDefaults => {
            "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. \
             Contact your administrator."
        }
        SmtpRefusal::Criteria => {
            "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated \
             successfully. Contact your administrator."
        }
    }
}
