//! In a browser anywhere: the person brings the address that it ends on (RFC 8252 without a listener).

use auth::{Authorize, Callback, Challenge, ResponseMode, Tokens};
use serde_json::json;

use super::SignIn;
use super::typed::Lines;
use crate::exit::{Exit, Failure, Result};
use crate::output::FAINT;

/// How often something that is no answer may be pasted.
const TRIES: usize = 5;

impl SignIn<'_> {
    pub(super) async fn paste(&self) -> Result<Tokens> {
        let redirect = self.redirect()?;
        let mut request = Authorize::new(redirect.text(), &self.scopes);
        request.login_hint = Some(&self.account.user);
        request.languages = self.wishes.language.as_deref();
        request.claims = self.challenge.as_ref().map(Challenge::as_str);
        // Only what is in the address can be pasted.
        request.response_mode = ResponseMode::Query;
        let (url, pending) = self.client.code_begin(&request).map_err(|error| self.failed(&error))?;
        if self.out.json {
            let prompt = json!({"paste_sign_in": {"account": self.account.name, "url": url.as_str(), "redirect_uri": redirect.text()}});
            self.out.prompt(prompt.to_string());
        } else {
            self.out.prompt(format!(
                "Sign in {}\n\nOpen in any browser:\n\n  {url}\n\nAt the end it goes to an address that begins with {} \
                 and may say that it cannot be reached.\nCopy that address from the address bar and paste it here. \
                 {FAINT}It is not shown; Ctrl-C to give up.{FAINT:#}",
                self.purpose(),
                redirect.text()
            ));
        }
        let mut lines = Lines::pasted();
        for _ in 0..TRIES {
            let Some(line) = lines.next().await else { break };
            let line = line.map_err(|error| {
                Failure::new(Exit::Unexpected, format!("standard input cannot be read: {error}"), "")
            })?;
            match Callback::from_address(line.expose()) {
                Ok(callback) => {
                    return self
                        .client
                        .code_finish(pending, callback)
                        .await
                        .map_err(|error| self.failed(&error));
                }
                // What was pasted is not repeated: it may hold a code.
                Err(error) => {
                    let why = match error {
                        auth::Error::Callback { what } => what.to_owned(),
                        error => error.to_string(),
                    };
                    self.out
                        .prompt(format!("That is not the address of the answer: {why}. Paste all of it."));
                }
            }
        }
        Err(Failure::new(
            Exit::SignInNeeded,
            "no address was pasted",
            format!(
                "run: postkey login {}, and paste the whole address the browser ends on",
                self.account.name
            ),
        ))
    }
}
