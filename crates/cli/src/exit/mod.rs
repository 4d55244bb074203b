//! How the program ends: one code per thing that can be wrong, one message, one piece of advice.

mod auth;
mod disk;
mod mail;

pub(crate) use self::mail::{Signing, UNKNOWN};

use std::io;

/// The exit codes. They are an interface: scripts branch on them, so a number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    Usage = 2,
    Config = 10,
    UnknownAccount = 11,
    NoSuchFolder = 12,
    ProviderRefused = 20,
    ConsentRefused = 21,
    DeviceDeclined = 22,
    DeviceExpired = 23,
    SignInNeeded = 24,
    AdminNeeded = 25,
    TokenStore = 26,
    ProviderUnreachable = 27,
    OtherUser = 28,
    ServerUnreachable = 30,
    Tls = 31,
    NotImap = 32,
    SignInRejected = 33,
    NotConnected = 34,
    Protocol = 35,
    TimedOut = 36,
    Throttled = 37,
    NoSpace = 40,
    NoPermission = 41,
    TargetBusy = 42,
    Disk = 43,
    OtherMailbox = 44,
    Incomplete = 50,
    RecipientRefused = 60,
    MessageRefused = 61,
    OutcomeUnknown = 62,
    Interrupted = 130,
}

/// Number, name in JSON, and what it means: the one table behind `postkey exit-codes` and the tests of
/// docs/exit-codes.md.
pub(crate) const TABLE: &[(Exit, &str, &str)] = &[
    (Exit::Unexpected, "unexpected", "something that is not foreseen here; the message says what"),
    (Exit::Usage, "usage", "the command line is wrong"),
    (Exit::Config, "config", "a mistake in the configuration file, or a secret it refers to cannot be had"),
    (Exit::UnknownAccount, "unknown-account", "there is no such account in the configuration"),
    (Exit::NoSuchFolder, "no-such-folder", "the mailbox has no folder of that name"),
    (
        Exit::ProviderRefused,
        "provider-refused",
        "the identity provider refuses the configuration: tenant, client id, secret, redirect or scope",
    ),
    (
        Exit::ConsentRefused,
        "consent-refused",
        "the person cancelled the sign-in or did not accept the permissions",
    ),
    (Exit::DeviceDeclined, "device-declined", "the person declined the device sign-in"),
    (Exit::DeviceExpired, "device-expired", "nobody used the device code in time"),
    (Exit::SignInNeeded, "sign-in-needed", "somebody must sign in (again): postkey login"),
    (Exit::AdminNeeded, "admin-needed", "an administrator of the tenant must act"),
    (Exit::TokenStore, "token-store", "the token store or its key cannot be used"),
    (
        Exit::ProviderUnreachable,
        "provider-unreachable",
        "the identity provider cannot be reached or is throttling",
    ),
    (Exit::OtherUser, "other-user", "somebody else signed in than the account is for; nothing was stored"),
    (Exit::ServerUnreachable, "server-unreachable", "the mail server cannot be reached"),
    (Exit::Tls, "tls", "a certificate does not verify, or TLS failed in another way"),
    (Exit::NotImap, "not-imap", "what answers is not a server of the protocol that was wanted"),
    (Exit::SignInRejected, "sign-in-rejected", "the mail server refused the sign-in"),
    (Exit::NotConnected, "not-connected", "signed in, but the mailbox may not be opened"),
    (Exit::Protocol, "protocol", "the mail server broke the protocol or a limit"),
    (Exit::TimedOut, "timed-out", "the mail server did not answer in time"),
    (Exit::Throttled, "throttled", "the mail server asks to come back later"),
    (Exit::NoSpace, "no-space", "no space left at the target, or a quota is used up"),
    (Exit::NoPermission, "no-permission", "no permission to write to the target"),
    (Exit::TargetBusy, "target-busy", "another run is using the target"),
    (Exit::Disk, "disk", "other trouble with the target's disk"),
    (Exit::OtherMailbox, "other-mailbox", "the target holds another mailbox"),
    (
        Exit::Incomplete,
        "incomplete",
        "finished, but not everything was stored; the report names what is missing",
    ),
    (Exit::RecipientRefused, "recipient-refused", "the mail server refused a recipient, or the sender"),
    (Exit::MessageRefused, "message-refused", "the message was refused, here or by the mail server"),
    (
        Exit::OutcomeUnknown,
        "outcome-unknown",
        "the connection ended before the mail server said whether it has the message",
    ),
    (Exit::Interrupted, "interrupted", "stopped by Ctrl-C or SIGTERM; what was stored is whole"),
];

impl Exit {
    /// The number given to the shell.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The stable name in JSON.
    pub(crate) fn kind(self) -> &'static str {
        TABLE.iter().find(|(exit, ..)| *exit == self).map_or("unexpected", |(_, kind, _)| kind)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code.
    pub(crate) exit: Exit,
    /// What happened and what it means. No secret, no control characters.
    pub(crate) message: String,
    /// What to do next; a command where there is one. Empty if the message says it.
    pub(crate) advice: String,
    /// Nothing is to be printed: the reader of our output is gone.
    pub(crate) quiet: bool,
}

/// What commands return.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with its message and advice.
    pub(crate) fn new(exit: Exit, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { exit, message: message.into(), advice: advice.into(), quiet: false }
    }

    /// The run was stopped from outside.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted; what was done so far is whole", "")
    }

    /// Replaces the advice.
    #[must_use]
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }
}

/// Writing our own output failed. A reader that went away (`postkey folders | head -1`) is no error of anybody's.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self { quiet, ..Self::new(Exit::Unexpected, format!("the output cannot be written: {error}"), "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_line_of_its_own() {
        let mut numbers: Vec<u8> = TABLE.iter().map(|(exit, ..)| exit.code()).collect();
        let mut kinds: Vec<&str> = TABLE.iter().map(|(_, kind, _)| *kind).collect();
        numbers.dedup();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!((numbers.len(), kinds.len()), (TABLE.len(), TABLE.len()));
        assert!(numbers.is_sorted());
    }

    #[test]
    fn the_documentation_has_every_code_with_its_name() {
        let page = include_str!("../../../../docs/exit-codes.md");
        for (exit, kind, _) in TABLE {
            let cell = format!("| {} | `{kind}` |", exit.code());
            assert!(page.contains(&cell), "{cell} is missing in docs/exit-codes.md");
        }
    }
}
