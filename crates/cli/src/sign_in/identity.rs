//! Whether it was the right person who signed in.

use auth::{Identity, Tokens};

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
        let Some(identity) = tokens.identity() else { return Ok(None) };
        let names = names(&identity);
        let Some(shown) = names.first().map(|name| safe(name)) else { return Ok(None) };
        let mut meant = std::iter::once(&self.user).chain(&self.aliases);
        if meant.any(|meant| names.iter().any(|name| name.eq_ignore_ascii_case(meant))) {
            return Ok(Some(shown));
        }
        Err(Failure::new(
            Exit::OtherUser,
            format!(
                "{shown} signed in, and account {:?} is for {}: nothing was stored",
                self.name, self.user
            ),
            format!(
                "sign in again as {} (in a private window if the browser remembers {shown}); or, if both are the same person, write \
                 aliases = [\"{shown}\"] under [accounts.{}]; or add an account for {shown}",
                self.user, self.name
            ),
        ))
    }
}

/// All names that the tokens give, the one to be shown first.
fn names(identity: &Identity) -> Vec<&str> {
    [&identity.username, &identity.email].into_iter().flatten().map(String::as_str).collect()
}
