//! In this machine's browser: authorization code with PKCE and a listener on loopback (RFC 8252).

use std::time::Duration;

use auth::loopback::Receiver;
use auth::{Authorize, ResponseMode, Tokens};
use serde_json::json;

use super::SignIn;
use crate::browser::{self, Listener};
use crate::exit::{Exit, Failure, Result};
use crate::output::FAINT;

impl SignIn<'_> {
    pub(super) async fn browser(&self) -> Result<Tokens> {
        let listener = Listener::bind().await?;
        let path = "/";
        let redirect = format!("http://{}:{}{path}", self.account.provider.redirect_host, listener.port());
        let mut request = Authorize::new(&redirect, &self.scopes);
        request.login_hint = Some(&self.account.user);
        request.response_mode = ResponseMode::FormPost;
        let (url, pending) = self.client.code_begin(&request).map_err(|error| self.failed(&error))?;
        let receiver = Receiver::new(path, listener.port(), pending.state.clone());
        let opened = !self.wishes.no_open && browser::open(url.as_str());
        if self.out.json {
            self.out.prompt(
                json!({"browser_sign_in": {"account": self.account.name, "url": url.as_str()}}).to_string(),
            );
        } else {
            let how = if opened {
                "A browser opens. If it does not, open"
            } else {
                "Open in a browser of this machine"
            };
            self.out.prompt(format!(
                "Sign in {}\n\n{how}:\n\n  {url}\n\n{FAINT}Waiting; Ctrl-C to give up.{FAINT:#}",
                self.purpose()
            ));
        }
        let wait = Duration::from_secs(self.wishes.timeout);
        let Ok(answer) = tokio::time::timeout(wait, listener.answer(receiver)).await else {
            return Err(Failure::new(
                Exit::SignInNeeded,
                format!("nobody finished the sign-in in the browser within {} s", wait.as_secs()),
                format!(
                    "if the browser shows an error, it says what to correct (see: postkey account show {0}); else run: \
                     postkey login {0}, or with a code: postkey login {0} --flow device",
                    self.account.name
                ),
            ));
        };
        self.client.code_finish(pending, answer?).await.map_err(|error| self.failed(&error))
    }
}
