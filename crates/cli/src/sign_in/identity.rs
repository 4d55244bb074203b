//! Whether it was the right person who signed in.

use auth::{SignedIn, Tokens};

use crate::config::Account;
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;

impl Account {
    /// Who signed in, if the tokens say so, after a check that it is the account's user or one of its aliases. Tokens that name nobody (an
    /// application's, opaque ones without an ID token) cannot be checked; the mail server will.
    ///
    /// # Errors
    /// [`Exit::OtherUser`] when somebody else signed in. Nothing may be stored then.
    pub(crate) fn check_identity(&self, tokens: &Tokens) -> Result<Option<String>> {
        let shown = tokens.identity().and_then(|identity| identity.username).map(|name| safe(&name));
        match tokens.signed_in_as(&self.user, &self.aliases) {
            SignedIn::Other(identity) => Err(self.not_meant(&safe(&identity.username.unwrap_or_default()))),
            _ => Ok(shown),
        }
    }

    fn not_meant(&self, found: &str) -> Failure {
        Failure::new(
            Exit::OtherUser,
            format!(
                "{found} signed in, and account {:?} is for {}: nothing was stored",
                self.name, self.user
            ),
            format!(
                "sign in again as {} (in a private window if the browser remembers {found}); or, if both are the same person, write \
                 aliases = [\"{found}\"] under [accounts.{}]; or add an account for {found}",
                self.user, self.name
            ),
        )
    }
}
