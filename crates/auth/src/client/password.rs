//! The resource owner password grant (RFC 6749 §4.3).

use wire::Secret;

use super::Client;
use super::form::Form;
use crate::clock::Clock;
use crate::error::PasswordFailure;
use crate::http::Http;
use crate::provider::Flow;
use crate::{Error, Step, Tokens};

/// What whoever chooses this grant should be told first.
pub const PASSWORD_WARNING: &str = "This flow gives your password to this program and sends it to the sign-in \
    service. It is an old way that providers are switching off: it fails with multi-factor authentication, for \
    federated accounts, for accounts without a password and for personal Microsoft accounts, and no policy can \
    protect it. Use the browser or device sign-in instead; use this one only for an account made for a machine.";

impl<H: Http, C: Clock> Client<H, C> {
    /// Signs `user` in by password. Show [`PASSWORD_WARNING`] before. What comes back is renewed by its refresh
    /// token, if `offline_access` was asked for; the password need not be kept.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] or [`Error::Setting`] before any request if the provider has no such grant, the
    /// tenant names none, or the password begins or ends with a blank, which Entra cannot take;
    /// [`Error::Password`] if the service refuses for a reason of this grant (a second factor, a federated or
    /// personal account, …); otherwise what the exchange gives.
    pub async fn password(&self, user: &str, password: &Secret, scopes: &[String]) -> Result<Tokens, Error> {
        self.endpoints.serves(Flow::Password)?;
        if user.is_empty() || user.chars().any(char::is_control) {
            return Err(Error::setting("user", "it is empty or holds a control character"));
        }
        if password.is_empty() {
            return Err(Error::setting("password", "it is empty"));
        }
        if self.endpoints.quirks.app_only_needs_tenant && password.expose().trim() != password.expose() {
            return Err(Error::setting(
                "password",
                "it begins or ends with a blank, which this service does not take in this flow; check for a line \
                 end that was read with it",
            ));
        }
        if scopes.is_empty() {
            return Err(Error::setting("scope", "there is none"));
        }
        self.check_scopes(scopes)?;
        let form = Form::new()
            .field("grant_type", "password")
            .field("username", user)
            .secret("password", password)
            .field("scope", &scopes.join(" "));
        match self.token(Step::Password, form, scopes).await.map_err(Error::from) {
            Err(Error::Refused(refusal)) => Err(match PasswordFailure::of(&refusal) {
                Some(failure) => Error::Password { failure, refusal },
                None => Error::Refused(refusal),
            }),
            result => result,
        }
    }
}
