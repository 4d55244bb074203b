//! What can go wrong between wanting a token and having one.

mod aadsts;
mod challenge;
mod class;
mod password;
mod refusal;
mod step;
pub(crate) mod text;

pub use aadsts::Code;
pub use challenge::Challenge;
pub use class::Class;
pub use password::PasswordFailure;
pub use refusal::Refusal;
pub use step::Step;

use wire::Secret;

use crate::http::{HttpError, HttpErrorKind};
use crate::provider::Flow;
use crate::store::StoreError;

/// Anything this crate can fail with. None prints a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an OAuth error.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The person declined the sign-in or the consent (`access_denied`, `authorization_declined`).
    #[error("the sign-in was declined: nothing was granted. Start again and accept. ({0})")]
    Declined(Box<Refusal>),
    /// The device code ran out before anybody used it.
    #[error("the device code has expired: nobody finished the sign-in in time. Start again with a new code.")]
    CodeExpired,
    /// Only a new interactive sign-in can give a token.
    #[error("{0}")]
    SignInAgain(Box<SignIn>),
    /// A sign-in by password that was refused for a reason of that grant.
    #[error("{failure}. ({refusal})")]
    Password {
        /// The reason.
        failure: PasswordFailure,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// A flow that this provider does not have for mail; found before any request was made.
    #[error("{reason}")]
    Unsupported {
        /// The flow.
        flow: Flow,
        /// Why not, and what works in its place.
        reason: String,
    },
    /// A setting that cannot work; found before any request was made.
    #[error("{setting} cannot be used: {reason}")]
    Setting {
        /// Which setting: "tenant", "scope", "authorize endpoint", …
        setting: &'static str,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// An endpoint that would carry secrets in clear text (hostile case AU-26).
    #[error(
        "{url} is not https: tokens and secrets would travel in clear text. Use https; http is for \
         loopback addresses only."
    )]
    InsecureUrl {
        /// The address, without its query.
        url: String,
    },
    /// The assertion by which the application proves itself could not be had from where it comes.
    #[error("no assertion from {from}: {reason}")]
    Assertion {
        /// Where it should have come from: a file, a service, the caller's own name for it.
        from: String,
        /// What went wrong there.
        reason: String,
        /// The reaction it calls for.
        class: Class,
    },
    /// The HTTP exchange failed below OAuth.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server tried to send the request elsewhere. Credentials are never sent on (AU-25).
    #[error(
        "the sign-in service answered with a redirect (HTTP {status}), which is not followed because the \
         request holds credentials. Check the endpoint's address."
    )]
    Redirected {
        /// HTTP status, 300 to 399.
        status: u16,
    },
    /// An HTTP error without an OAuth error in it: a server that keeps its reasons to itself, a gateway, a proxy, an
    /// outage.
    #[error(
        "{step}: the service answered HTTP {status} with {}. {}",
        if *empty { "nothing else" } else { "something that is no OAuth answer" },
        step.judge(*status, *empty).1
    )]
    Status {
        /// Which request it was.
        step: Step,
        /// HTTP status.
        status: u16,
        /// Whether the answer had no body.
        empty: bool,
        /// How long the server asks to wait, in seconds, before any cap.
        retry_after: Option<u64>,
    },
    /// An answer that is not what the protocol says.
    #[error(
        "the sign-in service's answer cannot be used: {what}. Check the endpoint's address, and that no \
         proxy answers in its place."
    )]
    Response {
        /// What is wrong with it; never its content.
        what: String,
    },
    /// The token type is one that no mail protocol can carry.
    #[error(
        "the sign-in service issued a token of type {found:?}: mail needs a Bearer token. Check the \
         registration (no DPoP, no mutual TLS)."
    )]
    TokenType {
        /// The type found.
        found: String,
    },
    /// Less was granted than mail needs.
    #[error(
        "not granted: {}. The token would not open the mailbox. Sign in again and accept every permission, \
         or ask the administrator to consent.", missing.join(" ")
    )]
    ScopeMismatch {
        /// Scopes that were asked for and not granted.
        missing: Vec<String>,
        /// Scopes that were granted.
        granted: Vec<String>,
    },
    /// A renewal whose answer is of no use but for one thing: the refresh token in it. Where refresh tokens rotate, the one
    /// that was sent is spent: keep this one in its place. Only [`Client::refresh`](crate::Client::refresh) gives it; the
    /// store keeps the token and reports the reason alone.
    #[error("{reason}")]
    Unusable {
        /// What is wrong with the answer.
        reason: Box<Error>,
        /// The refresh token that came with it.
        refresh_token: Secret,
        /// The ID token that came with it, if one did: of somebody else, the refresh token is somebody else's, too.
        id_token: Option<Secret>,
    },
    /// A renewal brought the ID token of somebody else (OpenID Connect Core §12.2).
    #[error(
        "the tokens that came for the renewal are somebody else's: the ID token names another subject or issuer than that \
         of the sign-in. None of them was kept. Sign in again; if it happens again, report it to the sign-in service."
    )]
    AnotherSubject,
    /// The answer belongs to another sign-in, or somebody forged it.
    #[error(
        "the answer's state is not the one of this sign-in: it belongs to another attempt, or it is \
         forged. Start the sign-in again."
    )]
    StateMismatch,
    /// The ID token was made for another sign-in (OpenID Connect Core §3.1.3.7 no. 11).
    #[error(
        "the ID token that came belongs to another sign-in (its nonce is not the one that was sent): somebody may have put a \
         code of their own, or a stolen one, into this sign-in. Nothing was kept. Start the sign-in again; if it happens \
         again, check what stands between this machine and the sign-in service."
    )]
    NonceMismatch,
    /// The answer comes from another authorisation server (RFC 9207).
    #[error(
        "the answer comes from {found}, this sign-in was begun at {expected}. Nothing was sent there. \
         Start the sign-in again."
    )]
    MixUp {
        /// Issuer or endpoint of this sign-in.
        expected: String,
        /// Issuer that the answer names.
        found: String,
    },
    /// The authorisation answer has no code, two codes or something else that cannot be meant.
    #[error("the sign-in's answer is malformed: {what}. Start the sign-in again.")]
    Callback {
        /// What is wrong with it; never its content.
        what: &'static str,
    },
    /// The token store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rotated refresh token could not be written; the access token is withheld (AU-30).
    #[error(
        "new tokens were issued but could not be stored: {0} Mend the store; if the next attempt is \
         refused, sign in again."
    )]
    NotSaved(#[source] StoreError),
}

/// Why a new sign-in is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignIn {
    /// The store holds nothing for this account.
    #[error("no tokens are stored for account {account:?}. Sign in.")]
    Never {
        /// The account's name in the configuration.
        account: String,
    },
    /// The access token is over and there is no refresh token to get another.
    #[error(
        "the access token of account {account:?} has expired and there is no refresh token. Sign in \
         again, with offline_access among the scopes."
    )]
    NoRefreshToken {
        /// The account's name in the configuration.
        account: String,
    },
    /// The server refused the refresh token. What is stored was kept.
    #[error("{0}")]
    Refused(Refusal),
}

impl Error {
    /// The reaction it calls for.
    pub fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class(),
            Self::Password { failure, .. } => failure.class(),
            Self::Declined(_) | Self::CodeExpired | Self::SignInAgain(_) | Self::StateMismatch => {
                Class::SignInAgain
            }
            Self::NonceMismatch | Self::Callback { .. } | Self::AnotherSubject => Class::SignInAgain,
            Self::Unusable { reason, .. } => reason.class(),
            Self::Setting { .. } | Self::InsecureUrl { .. } | Self::Unsupported { .. } => Class::ConfigError,
            Self::Assertion { class, .. } => *class,
            Self::Http(error) => match error.kind {
                HttpErrorKind::Certificate | HttpErrorKind::TooLarge => Class::Peer,
                HttpErrorKind::Setting => Class::ConfigError,
                _ => Class::RetryLater,
            },
            Self::Status { step, status, empty, .. } => step.judge(*status, *empty).0,
            Self::ScopeMismatch { .. } => Class::SignInAgain,
            Self::Redirected { .. } | Self::Response { .. } => Class::Peer,
            Self::TokenType { .. } | Self::MixUp { .. } => Class::Peer,
            Self::Store(_) | Self::NotSaved(_) => Class::Local,
        }
    }

    /// What is wrong, without what came along with it ([`Unusable`](Self::Unusable)).
    pub fn reason(&self) -> &Self {
        match self {
            Self::Unusable { reason, .. } => reason.reason(),
            other => other,
        }
    }

    /// The server's refusal behind this error, if there is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::Declined(refusal) | Self::Password { refusal, .. } => {
                Some(refusal)
            }
            Self::SignInAgain(reason) => match reason.as_ref() {
                SignIn::Refused(refusal) => Some(refusal),
                _ => None,
            },
            _ => None,
        }
    }

    /// What the service demands of the next sign-in, if it said so: begin an interactive one with it.
    pub fn challenge(&self) -> Option<Challenge> {
        Challenge::new(self.refusal()?.claims.as_deref()?)
    }

    /// How long the server asked to wait, in seconds, before any cap.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => self.refusal().and_then(|refusal| refusal.retry_after),
        }
    }

    pub(crate) fn setting(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting { setting, reason: reason.into() }
    }

    pub(crate) fn response(what: impl Into<String>) -> Self {
        Self::Response { what: what.into() }
    }
}
