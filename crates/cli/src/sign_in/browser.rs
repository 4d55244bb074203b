//! In this machine's browser: authorization code with PKCE and a listener on loopback (RFC 8252).

use std::time::Duration;

use auth::loopback::Receiver;
use auth::{Authorize, Challenge, ResponseMode, Tokens};
use serde_json::json;

use super::SignIn;
use super::listener::Listener;
use crate::browser;
use crate::exit::{Exit, Failure, Result};
use crate::output::FAINT;

impl SignIn<'_> {
    pub(super) async fn browser(&self) -> Result<Tokens> {
        let redirect = self.redirect()?;
        if !redirect.is_loopback() {
            return Err(Failure::new(
                Exit::Config,
                format!(
                    "{} is not on this machine: the browser's answer cannot be waited for there",
                    redirect.text()
                ),
                format!(
                    "run: postkey login {} --flow paste   — and paste the address the browser ends on",
                    self.account.name
                ),
            ));
        }
        let mut listener = Listener::bind(redirect.port()).await?;
        if redirect.is_https() {
            listener = listener.with_tls(redirect.host())?;
        }
        let address = redirect.at(listener.port());
        let mut request = Authorize::new(&address, &self.scopes);
        request.login_hint = Some(&self.account.user);
        request.languages = self.wishes.language.as_deref();
        request.claims = self.challenge.as_ref().map(Challenge::as_str);
        request.response_mode = ResponseMode::FormPost;
        let (url, pending) = self.client.code_begin(&request).map_err(|error| self.failed(&error))?;
        let receiver = Receiver::new(redirect.path(), listener.port(), pending.state.clone());
        let receiver = receiver.with_host(redirect.host());
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
            if redirect.is_https() {
                self.out.remark(
                    "note: at the end the browser warns of a certificate for localhost; it is postkey's own, made for this sign-in: accept it.",
                );
            }
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
