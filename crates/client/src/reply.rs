//! Refusals in one form, whichever protocol they came by.

use std::fmt;
use std::time::Duration;

use imap_proto::types::{self as imap, StatusKind, StatusResponse};
use pop3_proto::types as pop3;
use smtp_proto::types as smtp;

/// A reply that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How the server said it, in IMAP's words: `-ERR` of POP3 and every refusal of SMTP is `NO`.
    pub kind: StatusKind,
    /// The code for programs, if there was one.
    pub code: Option<Code>,
    /// The text, printable and without codes.
    pub text: String,
}

/// The code of a [`Reply`], in the words of the protocol that it came by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// A response code of IMAP (RFC 3501 section 7.1, RFC 5530).
    Imap(imap::Code<'static>),
    /// A reply of POP3 with its response code (RFC 2449 section 8, RFC 3206), if it had one.
    Pop3(Option<pop3::Code>),
    /// A reply of SMTP (RFC 5321 section 4.2).
    Smtp {
        /// The three digits.
        code: smtp::ReplyCode,
        /// The enhanced status code (RFC 3463), if the reply had one.
        enhanced: Option<smtp::EnhancedCode>,
    },
}

/// How long to leave a mailbox of Exchange Online alone that has too many connections at once, when it does not say so itself.
const CONCURRENT: Duration = Duration::from_secs(5);

impl Reply {
    pub(crate) fn of(status: StatusResponse<'static>) -> Self {
        Self {
            kind: status.kind,
            code: status.code.map(Code::Imap),
            text: wire::printable(status.text.as_bytes()),
        }
    }

    /// What SMTP calls it: the three digits. `None` for the other protocols.
    pub fn smtp_code(&self) -> Option<u16> {
        match &self.code {
            Some(Code::Smtp { code, .. }) => Some(code.get()),
            _ => None,
        }
    }

    /// The enhanced status code of SMTP (RFC 3463).
    pub fn enhanced(&self) -> Option<smtp::EnhancedCode> {
        match &self.code {
            Some(Code::Smtp { enhanced, .. }) => *enhanced,
            _ => None,
        }
    }

    /// Whether the same command may succeed later without anything being changed.
    pub fn is_transient(&self) -> bool {
        use imap::Code as I;
        let said = match &self.code {
            Some(Code::Imap(code)) => {
                matches!(code, I::Unavailable | I::InUse | I::ServerBug | I::Limit)
            }
            Some(Code::Pop3(code)) => code.as_ref().is_some_and(pop3::Code::is_transient),
            // The class says it all.
            Some(Code::Smtp { code, .. }) => return code.class() == 4,
            None => false,
        };
        said || self.throttle().is_some() || contains(&self.text, "server unavailable")
    }

    /// Whether it is about who is signed in.
    pub fn is_auth(&self) -> bool {
        use imap::Code as I;
        let said = match &self.code {
            Some(Code::Imap(code)) => {
                matches!(
                    code,
                    I::AuthenticationFailed | I::AuthorizationFailed | I::Expired | I::PrivacyRequired
                )
            }
            Some(Code::Pop3(code)) => matches!(code, Some(pop3::Code::Auth)),
            Some(Code::Smtp { code, enhanced }) => {
                matches!(code.get(), 530 | 534 | 535 | 538)
                    || enhanced.is_some_and(|e| (e.class(), e.subject(), e.detail()) == (5, 7, 57))
            }
            None => false,
        };
        said || contains(&self.text, "not connected")
    }

    /// The wait that the server asks for, or `Some(None)` when it is a limit without one; `None` when it is no throttling.
    pub fn throttle(&self) -> Option<Option<Duration>> {
        if let Some(wait) = backoff(&self.text) {
            return Some(Some(wait));
        }
        if let Some(Code::Smtp { code, enhanced }) = &self.code {
            return smtp_throttle(code.get(), *enhanced, &self.text);
        }
        let limited = match &self.code {
            Some(Code::Imap(code)) => matches!(code, imap::Code::Limit | imap::Code::OverQuota),
            Some(Code::Pop3(code)) => matches!(code, Some(pop3::Code::LoginDelay)),
            _ => false,
        };
        (limited
            || contains(&self.text, "throttled")
            || contains(&self.text, "too many simultaneous connections")
            || contains(&self.text, "command or bandwidth limits"))
        .then_some(None)
    }
}

/// What Exchange Online and others say when they are asked too much at once; only what will pass.
fn smtp_throttle(code: u16, enhanced: Option<smtp::EnhancedCode>, text: &str) -> Option<Option<Duration>> {
    if code / 100 != 4 {
        return None;
    }
    let enhanced = enhanced.map(|e| (e.subject(), e.detail()));
    if code == 432 {
        return Some(Some(CONCURRENT));
    }
    let limited = matches!(enhanced, Some((3, 2) | (7, 500..=699 | 850..=899)))
        || ["throttl", "too many", "rate limit", "concurrent connections"].iter().any(|w| contains(text, w));
    limited.then_some(None)
}

impl From<pop3::Reply<'_>> for Reply {
    fn from(reply: pop3::Reply<'_>) -> Self {
        Self {
            kind: if reply.is_ok() { StatusKind::Ok } else { StatusKind::No },
            text: wire::printable(reply.text.as_bytes()),
            code: Some(Code::Pop3(reply.code)),
        }
    }
}

impl From<smtp::Reply> for Reply {
    fn from(reply: smtp::Reply) -> Self {
        Self {
            kind: match reply.code().class() {
                2 | 3 => StatusKind::Ok,
                _ => StatusKind::No,
            },
            code: Some(Code::Smtp { code: reply.code(), enhanced: reply.enhanced() }),
            text: wire::printable(reply.text().as_bytes()),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(Code::Pop3(code)) => {
                f.write_str(if self.kind == StatusKind::Ok { "+OK" } else { "-ERR" })?;
                if let Some(code) = code {
                    write!(f, " [{}]", wire::printable(code.as_str().as_bytes()))?;
                }
            }
            Some(Code::Smtp { code, enhanced }) => {
                write!(f, "{code}")?;
                if let Some(enhanced) = enhanced {
                    write!(f, " {enhanced}")?;
                }
            }
            _ => f.write_str(self.kind.as_str())?,
        }
        if self.text.is_empty() {
            return f.write_str(", without a reason");
        }
        // It stands inside sentences of ours.
        write!(f, " {}", self.text.trim_end_matches('.'))
    }
}

pub(crate) fn contains(text: &str, what: &str) -> bool {
    text.to_ascii_lowercase().contains(what)
}

/// `Suggested Backoff Time: 92415 milliseconds` (Exchange).
fn backoff(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let behind = lower.split("backoff time").nth(1)?;
    let digits: String =
        behind.trim_start_matches([':', '=', ' ']).chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(text: &str) -> Reply {
        Reply { kind: StatusKind::No, code: None, text: text.into() }
    }

    fn smtp(code: u16, text: &str) -> Reply {
        smtp::Reply::new(smtp::ReplyCode::new(code).unwrap(), None, text).unwrap().into()
    }

    #[test]
    fn exchange_says_how_long_to_wait() {
        let r = no("Request is throttled. Suggested Backoff Time: 92415 milliseconds");
        assert_eq!(r.throttle(), Some(Some(Duration::from_millis(92415))));
        assert!(r.is_transient());
        assert_eq!(no("Account exceeded command or bandwidth limits.").throttle(), Some(None));
        assert_eq!(no("AUTHENTICATE failed.").throttle(), None);
        let endless = no("Backoff Time: 99999999999999999999 milliseconds");
        assert_eq!(endless.throttle(), Some(Some(Duration::from_millis(999_999_999))));
    }

    #[test]
    fn smtp_replies_of_exchange_online_are_sorted_by_what_helps() {
        let busy = smtp(432, "4.3.2 Concurrent connections limit exceeded");
        assert_eq!(busy.throttle(), Some(Some(Duration::from_secs(5))));
        let suspicious = smtp(451, "4.7.500 Server busy. Please try again later");
        assert_eq!((suspicious.throttle(), suspicious.is_transient()), (Some(None), true));
        let proxy = smtp(451, "4.7.0 Temporary server error. Please try again later. PRX4");
        assert_eq!((proxy.throttle(), proxy.is_transient()), (None, true));
        let denied = smtp(535, "5.7.3 Authentication unsuccessful [HOST 2026-01-01 id]");
        assert!(denied.is_auth() && !denied.is_transient());
        assert_eq!(denied.to_string(), "535 5.7.3 Authentication unsuccessful [HOST 2026-01-01 id]");
        // For good, whatever its words.
        let quota = smtp(554, "5.2.0 too many recipients, SubmissionQuotaExceededException");
        assert_eq!((quota.throttle(), quota.is_transient()), (None, false));
        let as_other = smtp(554, "5.2.252 SendAsDenied; a@x not allowed to send as b@x");
        assert!(!as_other.is_auth() && !as_other.is_transient());
        assert_eq!(as_other.enhanced().unwrap().detail(), 252);
    }

    #[test]
    fn pop3_codes_decide_and_are_shown() {
        let reply = |code, text| {
            let reply = pop3::Reply::err(text).unwrap();
            Reply::from(reply.with_code(pop3::Code::new(code).unwrap()))
        };
        assert!(reply("SYS/TEMP", "later").is_transient());
        assert!(!reply("SYS/PERM", "never").is_transient());
        assert!(reply("AUTH", "no").is_auth());
        assert_eq!(reply("LOGIN-DELAY", "slow down").throttle(), Some(None));
        assert_eq!(reply("IN-USE", "locked").to_string(), "-ERR [IN-USE] locked");
        let bare = Reply::from(pop3::Reply::err("User is authenticated but not connected.").unwrap());
        assert!(bare.is_auth());
    }
}
