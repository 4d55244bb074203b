//! With the person's password (RFC 6749 section 4.3): for accounts made for machines, where a provider still takes it.

use auth::{PASSWORD_WARNING, Tokens};

use super::SignIn;
use super::typed::Lines;
use crate::exit::{Exit, Failure, Result};

impl SignIn<'_> {
    pub(super) async fn password(&self) -> Result<Tokens> {
        self.out.remark(format!("warning: {PASSWORD_WARNING}"));
        let account = self.account;
        let password = match &account.sign_in_password {
            Some(reference) => account.fetch(reference, "password")?,
            None => {
                self.out.prompt(format!("Password of {} (it is not shown):", account.user));
                let read = Lines::typed().next().await;
                let wrong = |what: String| {
                    Failure::new(Exit::SignInNeeded, what, format!("run: postkey login {}", account.name))
                };
                match read {
                    Some(Ok(password)) => password,
                    Some(Err(error)) => return Err(wrong(format!("standard input cannot be read: {error}"))),
                    None => return Err(wrong("no password was given".into())),
                }
            }
        };
        self.client
            .password(&account.user, &password, &self.scopes)
            .await
            .map_err(|error| self.failed(&error))
    }
}
