//! With a code that is typed in on any device (RFC 8628).

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use auth::{Clock as _, DeviceCode, DeviceRequest, Error, SystemClock, Tokens};
use serde_json::json;

use super::SignIn;
use crate::exit::{Exit, Failure, Result};
use crate::output::text::{safe, time};
use crate::output::{FAINT, STRONG, qr};

/// So many codes are shown in place of ones that ran out, before the sign-in is given up.
const FRESH_CODES: u32 = 2;

impl SignIn<'_> {
    pub(super) async fn device(&self) -> Result<Tokens> {
        // Somebody who sees the screen gets a fresh code when one has run out; a program is told.
        let mut left = if !self.out.json && std::io::stderr().is_terminal() { FRESH_CODES } else { 0 };
        loop {
            let code = self.device_begin().await?;
            match self.client.device_finish(&code).await {
                Err(Error::CodeExpired) if left > 0 => {
                    left -= 1;
                    self.out.prompt("\nThe code has run out; here is a new one.\n");
                }
                ended => return ended.map_err(|error| self.device_failed(&error)),
            }
        }
    }

    /// Asks for a code and shows it.
    pub(crate) async fn device_begin(&self) -> Result<DeviceCode> {
        let language = self.wishes.language.as_deref();
        let mut request = DeviceRequest::new(&self.scopes);
        request.language = language;
        let code = self.client.device_begin(&request).await.map_err(|error| self.failed(&error))?;
        if self.out.json {
            // The one thing a program that drives this one must be told before the end.
            let left = code.expires_at.saturating_sub(SystemClock.now());
            let prompt = json!({"device_sign_in": {
                "account": self.account.name,
                "user_code": code.user_code,
                "verification_uri": code.verification_uri,
                "expires_in": left,
                "message": code.message,
            }});
            self.out.prompt(prompt.to_string());
        } else {
            let picture = self.wishes.qr || std::io::stderr().is_terminal();
            self.out.prompt(show(&code, &self.purpose(), picture, language.is_some()));
        }
        Ok(code)
    }

    /// Waits for the person.
    pub(crate) async fn device_end(&self, code: &DeviceCode) -> Result<Tokens> {
        self.client.device_finish(code).await.map_err(|error| self.device_failed(&error))
    }

    fn device_failed(&self, error: &Error) -> Failure {
        let mut failure = self.failed(error);
        if failure.exit == Exit::ConsentRefused {
            failure.exit = Exit::DeviceDeclined;
        }
        failure
    }
}

/// The text for the person; `picture` says whether to draw the address, `own` whether to show the service's own sentence, which is
/// in the language that was asked for.
fn show(code: &DeviceCode, purpose: &str, picture: bool, own: bool) -> String {
    let left = std::time::Duration::from_secs(code.expires_at.saturating_sub(SystemClock.now()));
    let mut text = String::new();
    let _ = writeln!(text, "Sign in {purpose}");
    let _ = writeln!(text, "\n  1. Open    {STRONG}{}{STRONG:#}", code.verification_uri);
    let _ = writeln!(text, "  2. Type    {STRONG}{}{STRONG:#}", code.user_code);
    let _ = writeln!(text, "  3. Sign in, and accept what is asked for\n");
    if own && !code.message.is_empty() {
        let _ = writeln!(text, "{}\n", safe(&code.message));
    }
    // Without the code in it unless the server offers that: a picture must not do more than the text says.
    let address = code.verification_uri_complete.as_deref().unwrap_or(&code.verification_uri);
    if let Some(picture) = picture.then(|| qr::draw(address)).flatten() {
        text.push_str(&picture);
        text.push('\n');
    }
    let _ = write!(text, "{FAINT}Waiting; the code is good for {}. Ctrl-C to give up.{FAINT:#}", time(left));
    text
}
