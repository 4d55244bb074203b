//! What the failures of the mail session mean for the one who runs the program.

use auth::Protocol as Purpose;
use driver::{Error as Connection, TlsHint};
use imap_proto::Error as Protocol;
use pop3_proto::Error as Pop3;
use postkey::Error;
use smtp_proto::Error as Smtp;

use super::{Exit, Failure};

/// Who is signing in how: what advice about a refused sign-in depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signing<'a> {
    /// The account's name in the configuration.
    pub(crate) account: &'a str,
    /// The SASL user.
    pub(crate) mailbox: &'a str,
    /// Who signed in, if that is somebody else.
    pub(crate) user: &'a str,
    /// What the session was for.
    pub(crate) protocol: Purpose,
    /// Whether by a sign-in of this program, not by a token or password from elsewhere.
    pub(crate) ours: bool,
    /// Whether as an application alone, with nobody's rights but its own.
    pub(crate) app: bool,
}

impl Failure {
    /// A failed mail session.
    pub(crate) fn from_mail(error: &Error, signing: Signing<'_>) -> Self {
        if let Error::Token(error) = error {
            return Self::from_auth(error, signing.account);
        }
        Self::new(exit(error, signing.protocol), error.to_string(), advice(error, signing))
    }
}

/// What to do when nobody knows whether a message was taken.
pub(crate) const UNKNOWN: &str =
    "look in Sent Items, or ask the recipients, before sending it again: it may have arrived";

fn exit(error: &Error, protocol: Purpose) -> Exit {
    match error {
        Error::Connection(error) => match error {
            Connection::Resolve { .. } | Connection::Connect { .. } | Connection::Io(_) => {
                Exit::ServerUnreachable
            }
            Connection::TimedOut { .. } => Exit::TimedOut,
            Connection::Tls { .. } => Exit::Tls,
            Connection::Roots { .. } => Exit::Config,
            _ => Exit::Unexpected,
        },
        Error::Protocol(error) => match error {
            Protocol::NotImap { .. } => Exit::NotImap,
            Protocol::TimedOut(_) => Exit::TimedOut,
            Protocol::Closed(_) | Protocol::Bye { .. } => Exit::ServerUnreachable,
            _ => Exit::Protocol,
        },
        Error::Pop3(error) => match error {
            Pop3::NotPop3 { .. } => Exit::NotImap,
            Pop3::TimedOut(_) => Exit::TimedOut,
            Pop3::Closed(_) | Pop3::Unasked { .. } => Exit::ServerUnreachable,
            _ => Exit::Protocol,
        },
        Error::Smtp(error) => match error {
            Smtp::NotSmtp { .. } => Exit::NotImap,
            Smtp::TimedOut(_) => Exit::TimedOut,
            Smtp::Closed(_) | Smtp::ServiceClosing { .. } => Exit::ServerUnreachable,
            _ => Exit::Protocol,
        },
        Error::Unwelcome(_) => Exit::ServerUnreachable,
        Error::OutcomeUnknown { .. } if protocol == Purpose::Smtp => Exit::OutcomeUnknown,
        Error::OutcomeUnknown { .. } => Exit::ServerUnreachable,
        Error::SmtpMisuse(_) | Error::Source(_) => Exit::MessageRefused,
        Error::Credential(_) => Exit::Config,
        Error::TlsRequired | Error::StarttlsRefused(_) => Exit::Tls,
        Error::NoMechanism { .. } | Error::LoginDisabled | Error::SignIn { .. } => Exit::SignInRejected,
        Error::TokenExpired { .. } => Exit::SignInRejected,
        Error::TokenSource(_) => Exit::Config,
        Error::NotConnected(_) => Exit::NotConnected,
        Error::NoFolder { .. } => Exit::NoSuchFolder,
        Error::Throttled(_) => Exit::Throttled,
        Error::Refused { .. } => Exit::Protocol,
        _ => Exit::Unexpected,
    }
}

fn advice(error: &Error, signing: Signing<'_>) -> String {
    let Signing { account, mailbox, user, protocol, ours, app } = signing;
    let again = match protocol {
        Purpose::Smtp => "run the same command again; nothing was sent",
        _ => "run the same command again; what is stored is not downloaded again",
    };
    let (name, permission) = match protocol {
        Purpose::Pop3 => ("POP3", "POP.AccessAsApp"),
        Purpose::Smtp => ("SMTP", "SMTP.SendAsApp (or, without it, a management role of Exchange)"),
        _ => ("IMAP", "IMAP.AccessAsApp"),
    };
    match error {
        Error::Connection(Connection::Tls { hint: TlsHint::UnknownIssuer, .. }) => {
            format!(
                "if the server is your own, or a TLS proxy is meant, name its CA: ca_file under [accounts.{account}.{protocol}]"
            )
        }
        Error::Protocol(Protocol::TimedOut(imap_proto::Wait::Greeting))
        | Error::Pop3(Pop3::TimedOut(pop3_proto::Wait::Greeting))
        | Error::Smtp(Smtp::TimedOut(smtp_proto::Wait::Greeting)) => format!(
            "check host, port and tls (a port that wants TLS from the first octet stays silent under starttls); \
             see which are used: postkey account show {account}"
        ),
        Error::Connection(
            Connection::Tls { .. } | Connection::Resolve { .. } | Connection::Connect { .. },
        )
        | Error::Protocol(Protocol::NotImap { .. })
        | Error::Pop3(Pop3::NotPop3 { .. })
        | Error::Smtp(Smtp::NotSmtp { .. })
        | Error::Credential(_)
        | Error::TlsRequired
        | Error::StarttlsRefused(_)
        | Error::NoMechanism { .. } => {
            format!("check host and port; see which are used: postkey account show {account}")
        }
        Error::SignIn { reply, .. } if is_policy(reply) => match reply
            .text
            .contains("SmtpClientAuthentication")
        {
            true => format!(
                "an administrator can switch SMTP AUTH on for {mailbox}, whatever the organisation's switch says: \
                 Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false"
            ),
            false => {
                "the server's words say which policy refuses it; an administrator of the tenant has to act"
                    .into()
            }
        },
        Error::SignIn { .. } if !ours => {
            format!(
                "check the token or password that the configuration refers to: postkey account show {account}"
            )
        }
        Error::TokenSource(_) => format!("see where it is to come from: postkey account show {account}"),
        Error::SignIn { .. } if app => format!(
            "check that the application has the permission {permission} with an administrator's consent, and that Exchange knows it by the \
             object id of the enterprise application, not of the registration (Get-ServicePrincipal)"
        ),
        Error::SignIn { .. } if mailbox.eq_ignore_ascii_case(user) => {
            format!("check that {user} is the account that signed in (run: postkey login {account})")
        }
        Error::SignIn { .. } => format!(
            "check that {user} signed in and has full access to {mailbox}, and that {mailbox} is its primary address; then \
             run: postkey login {account}"
        ),
        Error::NotConnected(_) if app => format!(
            "ask the administrator whether the application has full access to {mailbox} (Get-MailboxPermission), whether {name} is switched \
             on for it (Get-CASMailbox), and whether it is the primary address"
        ),
        Error::NotConnected(_) if mailbox.eq_ignore_ascii_case(user) => format!(
            "ask the administrator whether {name} is switched on for {mailbox} (Get-CASMailbox) and whether it has a licence"
        ),
        Error::NotConnected(_) => {
            format!(
                "ask the administrator to give {user} full access to {mailbox} (Add-MailboxPermission) and to switch {name} on for \
                 {user}, whose switch it is that counts (Set-CASMailbox)"
            )
        }
        Error::TokenExpired { .. } => again.into(),
        Error::NoFolder { .. } => format!("see the folders' names: postkey folders {account}"),
        Error::Throttled(throttle) => match throttle.wait {
            Some(wait) => format!("run the same command again in {} s", wait.as_secs().max(1)),
            None => "run the same command again in some minutes".into(),
        },
        Error::OutcomeUnknown { .. } if protocol == Purpose::Smtp => UNKNOWN.into(),
        Error::Connection(_)
        | Error::Protocol(Protocol::TimedOut(_) | Protocol::Closed(_) | Protocol::Bye { .. })
        | Error::Pop3(Pop3::TimedOut(_) | Pop3::Closed(_) | Pop3::Unasked { .. })
        | Error::Smtp(Smtp::TimedOut(_) | Smtp::Closed(_) | Smtp::ServiceClosing { .. })
        | Error::Unwelcome(_)
        | Error::OutcomeUnknown { .. } => again.into(),
        _ => String::new(),
    }
}

/// Exchange's 5.7.139: whoever it is, a switch or a policy refuses the sign-in.
fn is_policy(reply: &postkey::Reply) -> bool {
    reply.enhanced().is_some_and(|code| (code.class(), code.subject(), code.detail()) == (5, 7, 139))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_decides_the_code() {
        let exit = |error: &Error| super::exit(error, Purpose::Imap);
        let of = |error: Protocol| exit(&Error::Protocol(error));
        assert_eq!(of(Protocol::NotImap { found: "SSH-2.0".into() }), Exit::NotImap);
        assert_eq!(of(Protocol::TimedOut(imap_proto::Wait::Greeting)), Exit::TimedOut);
        assert_eq!(of(Protocol::StarttlsInjection), Exit::Protocol);
        assert_eq!(exit(&Error::TlsRequired), Exit::Tls);
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = Connection::Connect { host: "h".into(), port: 1, source: refused };
        assert_eq!(exit(&Error::Connection(error)), Exit::ServerUnreachable);
    }

    #[test]
    fn a_certificate_of_an_unknown_issuer_and_a_silent_port_have_their_own_advice() {
        let signing = |protocol| Signing {
            account: "w",
            mailbox: "a@x",
            user: "a@x",
            protocol,
            ours: true,
            app: false,
        };
        let tls = |hint| Error::Connection(Connection::Tls { host: "h".into(), reason: "r".into(), hint });
        let unknown = advice(&tls(TlsHint::UnknownIssuer), signing(Purpose::Smtp));
        assert!(unknown.contains("ca_file under [accounts.w.smtp]"), "{unknown}");
        let name = advice(&tls(TlsHint::WrongName), signing(Purpose::Smtp));
        assert!(name.contains("check host and port") && !name.contains("ca_file"), "{name}");
        for error in [
            Error::Protocol(Protocol::TimedOut(imap_proto::Wait::Greeting)),
            Error::Pop3(Pop3::TimedOut(pop3_proto::Wait::Greeting)),
            Error::Smtp(Smtp::TimedOut(smtp_proto::Wait::Greeting)),
        ] {
            let silent = advice(&error, signing(Purpose::Imap));
            assert!(silent.contains("check host, port and tls"), "{silent}");
        }
    }

    #[test]
    fn a_shared_mailbox_is_told_apart_from_ones_own() {
        let reply = postkey::Reply {
            kind: imap_proto::types::StatusKind::Bad,
            code: None,
            text: "User is authenticated but not connected.".into(),
        };
        let error = Error::NotConnected(reply);
        let own = advice(
            &error,
            Signing {
                account: "w",
                mailbox: "a@x",
                user: "A@x",
                protocol: Purpose::Imap,
                ours: true,
                app: false,
            },
        );
        assert!(own.contains("licence"), "{own}");
        let shared = advice(
            &error,
            Signing {
                account: "w",
                mailbox: "info@x",
                user: "a@x",
                protocol: Purpose::Imap,
                ours: true,
                app: false,
            },
        );
        assert!(shared.contains("give a@x full access to info@x"), "{shared}");
        // The switches are those of who signs in.
        assert!(shared.contains("switch IMAP on for a@x"), "{shared}");
        let app = advice(
            &error,
            Signing {
                account: "w",
                mailbox: "a@x",
                user: "a@x",
                protocol: Purpose::Imap,
                ours: true,
                app: true,
            },
        );
        assert!(app.contains("the application has full access to a@x (Get-MailboxPermission)"), "{app}");
    }
}
