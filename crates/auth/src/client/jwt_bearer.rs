//! The JWT bearer grant (RFC 7523 §2.1), as a Google service account uses it.

use super::Client;
use super::form::Form;
use crate::clock::Clock;
use crate::http::Http;
use crate::provider::Flow;
use crate::{Credential, Error, Step, Tokens, response};

/// The grant type of RFC 7523 §2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl<H: Http, C: Clock> Client<H, C> {
    /// Asks for a token in the name of the service account, or of the person it acts for. There is no refresh
    /// token: when it ends, ask again.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] or [`Error::Setting`] before any request if the provider has no service accounts,
    /// the credential is none or there is no scope; otherwise what the exchange gives. `unauthorized_client`
    /// means that the domain's administrator has not allowed the account these scopes.
    pub async fn jwt_bearer(&self, scopes: &[String]) -> Result<Tokens, Error> {
        self.endpoints.allows(Flow::ServiceAccount)?;
        let Credential::ServiceAccount(account) = &self.registration.credential else {
            return Err(Error::setting(
                "service account",
                "this flow needs the JSON key file of a service account; give one",
            ));
        };
        if scopes.is_empty() {
            return Err(Error::setting("scope", "there is none"));
        }
        self.check_scopes(scopes)?;
        let now = self.clock.now();
        let assertion = account.assertion(scopes, self.endpoints.token.as_str(), now)?;
        let form = Form::new().field("grant_type", GRANT).secret("assertion", &assertion);
        let members = self.post(Step::ServiceAccount, &self.endpoints.token, form, None).await?;
        Ok(response::tokens(members, scopes, self.clock.now())?)
    }
}
