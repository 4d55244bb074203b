//! How often each thing was asked for: what tests assert about clients.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A kind of request the sandbox counts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RequestKind { $($(#[$doc])* $name,)* }

        impl RequestKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

kinds! {
    /// The discovery document, any tenant form.
    Discovery,
    /// The signing keys (JWKS).
    Keys,
    /// The authorisation endpoint.
    Authorize,
    /// A user name and password sent from the sign-in page.
    SignIn,
    /// A consent page answered.
    Consent,
    /// The device authorisation endpoint.
    DeviceCode,
    /// The page where a user types a device's code.
    DevicePage,
    /// A poll of the token endpoint with a device code.
    DevicePoll,
    /// Redemption of an authorisation code.
    AuthorizationCode,
    /// A token request for an application itself.
    ClientCredentials,
    /// A use of a refresh token.
    Refresh,
    /// A token request with a user's password (ROPC).
    Password,
    /// A token of an outside issuer lent by a place of work.
    WorkloadToken,
    /// A token request by a service account at the Google-like endpoint.
    ServiceAccount,
    /// A token request with any other or no grant type.
    OtherGrant,
    /// The admin consent page.
    AdminConsent,
    /// The sign-out endpoint.
    Logout,
    /// The control endpoint.
    Control,
    /// Any other path.
    OtherPath,
    /// A connection accepted by the IMAP server.
    ImapConnection,
    /// An AUTHENTICATE or LOGIN command.
    ImapAuthenticate,
    /// A message body or body section sent over IMAP.
    ImapBody,
    /// A connection accepted by the POP3 server.
    Pop3Connection,
    /// An AUTH command, or a PASS command.
    Pop3Authenticate,
    /// A message, or the top of one, sent over POP3.
    Pop3Body,
    /// A connection accepted by the SMTP server.
    SmtpConnection,
    /// An AUTH command.
    SmtpAuthenticate,
    /// A message accepted by the SMTP server.
    SmtpMessage,
}

/// One counter per kind.
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; RequestKind::ALL.len()]);

impl Counters {
    /// Counts one request.
    pub(crate) fn count(&self, kind: RequestKind) {
        if let Some(counter) = self.0.get(kind as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests of this kind so far.
    pub(crate) fn get(&self, kind: RequestKind) -> u64 {
        self.0.get(kind as usize).map_or(0, |c| c.load(Ordering::Relaxed))
    }
}
