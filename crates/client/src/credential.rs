//! Who signs in, and where access tokens come from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use wire::Secret;

use crate::error::Error;

/// How to prove who is there.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An OAuth 2.0 access token.
    Bearer {
        /// The SASL user: whose mailbox. For a shared mailbox its own address.
        user: String,
        /// Where tokens come from.
        tokens: Arc<dyn TokenSource>,
        /// Which mechanism carries it.
        mechanism: Mechanism,
    },
    /// A password, for servers that still take one.
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// The mechanism that carries a bearer token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// OAUTHBEARER when the server offers it, else XOAUTH2.
    #[default]
    Offered,
    /// XOAUTH2, whether or not the server says that it knows it (Yandex does not say so).
    XOAuth2,
    /// OAUTHBEARER (RFC 7628), whether or not the server says that it knows it.
    OAuthBearer,
}

/// An access token and its end.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// When it ends, in seconds since 1970; `None` when nobody knows.
    pub expires_at: Option<u64>,
}

/// What kind of token is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Any that is still good for a while.
    Valid,
    /// A new one: the server refused the last, or it ends soon.
    Fresh,
}

/// The answer of a [`TokenSource`].
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send + 'a>>;

/// Gives access tokens: a token store with its refresh logic, another program, a test.
pub trait TokenSource: Send + Sync {
    /// One access token.
    ///
    /// # Errors
    /// [`Error::Token`] from a token store, [`Error::TokenSource`] from anywhere else.
    fn token(&self, ask: Ask) -> TokenFuture<'_>;
}

struct Fixed(Token);

impl TokenSource for Fixed {
    fn token(&self, _: Ask) -> TokenFuture<'_> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

impl Credential {
    /// A token that was obtained elsewhere and is used as it is.
    pub fn fixed_token(user: impl Into<String>, token: Secret) -> Self {
        Self::bearer(user, Arc::new(Fixed(Token { secret: token, expires_at: None })))
    }

    /// Whose mailbox is meant.
    pub fn user(&self) -> &str {
        match self {
            Self::Bearer { user, .. } | Self::Password { user, .. } => user,
        }
    }

    /// Tokens from a source, carried by whatever the server offers.
    pub fn bearer(user: impl Into<String>, tokens: Arc<dyn TokenSource>) -> Self {
        Self::Bearer { user: user.into(), tokens, mechanism: Mechanism::Offered }
    }
}

/// Shows the user, nothing else.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer { user, mechanism, .. } => f
                .debug_struct("Bearer")
                .field("user", user)
                .field("mechanism", mechanism)
                .finish_non_exhaustive(),
            Self::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
        }
    }
}
