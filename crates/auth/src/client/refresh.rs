//! The refresh grant (RFC 6749 §6).

use wire::Secret;

use super::Client;
use super::form::Form;
use crate::clock::Clock;
use crate::http::Http;
use crate::response::Unusable;
use crate::{Error, Step, Tokens};

impl<H: Http, C: Clock> Client<H, C> {
    /// Redeems a refresh token. If the server returns no new one, the old one is kept in the result (RFC 6749
    /// §6).
    ///
    /// `scopes` may be fewer than were granted. At Microsoft they may be those of another resource that was
    /// consented to before, Microsoft Graph included: one refresh token serves them all, in turn. See
    /// [`access_token_by`](crate::store::access_token_by).
    ///
    /// Several callers with one refresh token must not do this at once: see
    /// [`access_token`](crate::store::access_token).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the server's reason: with a [`Challenge`](crate::Challenge), begin a new sign-in
    /// that answers it. [`Error::Unusable`] if the answer is of no use (less was granted, no Bearer token, no access token)
    /// but for a new refresh token: keep the one it carries, for the old one may be spent. Otherwise what the exchange gives.
    pub async fn refresh(&self, refresh_token: &Secret, scopes: &[String]) -> Result<Tokens, Error> {
        self.endpoints.refreshable(scopes)?;
        let mut form =
            Form::new().field("grant_type", "refresh_token").secret("refresh_token", refresh_token);
        if !self.endpoints.quirks.omit_scope && !scopes.is_empty() {
            form = form.field("scope", &scopes.join(" "));
        }
        let mut tokens = self.token(Step::Refresh, form, scopes).await.map_err(with_its_tokens)?;
        tokens.refresh_token.get_or_insert_with(|| refresh_token.clone());
        Ok(tokens)
    }
}

/// What came along with an answer that is of no use goes with the error.
fn with_its_tokens(unusable: Unusable) -> Error {
    let Unusable { error, refresh_token, id_token } = unusable;
    match refresh_token {
        Some(refresh_token) => Error::Unusable { reason: Box::new(error), refresh_token, id_token },
        None => error,
    }
}
