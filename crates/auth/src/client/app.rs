//! The client credentials grant (RFC 6749 §4.4): a token for the application itself.

use super::Client;
use super::form::Form;
use crate::clock::Clock;
use crate::http::Http;
use crate::provider::Flow;
use crate::{Credential, Error, Step, Tokens, scope};

impl<H: Http, C: Clock> Client<H, C> {
    /// Asks for a token of the application's own. There is no refresh token: when it ends, ask again.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] or [`Error::Setting`] before any request if there is no credential, no tenant or no `…/.default` scope;
    /// otherwise what the exchange gives.
    pub async fn client_credentials(&self, scopes: &[String]) -> Result<Tokens, Error> {
        self.endpoints.serves(Flow::ClientCredentials)?;
        if matches!(self.registration.credential, Credential::Public) {
            return Err(Error::setting(
                "client secret",
                "an application signs in on its own with a secret, a certificate or a federated assertion; give one",
            ));
        }
        if self.endpoints.quirks.app_only_needs_tenant
            && let Some(scope) = scopes.iter().find(|scope| !scope::is_default(scope))
        {
            let reason = format!("{scope:?} does not end in /.default, as the scope of an application must");
            return Err(Error::setting("scope", reason));
        }
        if scopes.is_empty() {
            return Err(Error::setting("scope", "there is none"));
        }
        self.check_scopes(scopes)?;
        let form = Form::new().field("grant_type", "client_credentials").field("scope", &scopes.join(" "));
        Ok(self.token(Step::Application, form, scopes).await?)
    }
}
