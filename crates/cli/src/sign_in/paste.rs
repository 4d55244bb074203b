//! In a browser anywhere: the person brings the address that it ends on (RFC 8252 without a listener).

use std::io::{BufRead as _, Read as _};

use auth::{Authorize, Callback, ResponseMode, Tokens};
use serde_json::json;
use wire::Secret;

use super::SignIn;
use crate::exit::{Exit, Failure, Result};
use crate::output::FAINT;

/// Longest line read, in octets: codes have some 2 KB.
const LONGEST: u64 = 32 * 1024;
/// How often something that is no answer may be pasted.
const TRIES: usize = 5;

impl SignIn<'_> {
    pub(super) async fn paste(&self) -> Result<Tokens> {
        let redirect = self.redirect()?;
        let mut request = Authorize::new(redirect.text(), &self.scopes);
        request.login_hint = Some(&self.account.user);
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
        // Here and not in the thread, so that it ends with the wait.
        let _unedited = Unedited::set();
        let mut lines = lines();
        for _ in 0..TRIES {
            let Some(line) = lines.recv().await else { break };
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
                    self.out.prompt(format!("That is not the address: {error}. Paste the whole address."));
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

/// The lines of standard input, from a thread of its own: a read cannot be given up, the wait for it can.
fn lines() -> tokio::sync::mpsc::Receiver<std::io::Result<Secret>> {
    let (tell, hear) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        let stdin = std::io::stdin();
        let mut reader = stdin.lock();
        loop {
            let mut line = zeroize::Zeroizing::new(Vec::new());
            let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line);
            let news = match read {
                Ok(0) => return,
                Ok(_) if line.trim_ascii().is_empty() => continue,
                Ok(_) => Ok(Secret::from(String::from_utf8_lossy(line.trim_ascii()).into_owned())),
                Err(error) => Err(error),
            };
            let last = news.is_err();
            if tell.blocking_send(news).is_err() || last {
                return;
            }
        }
    });
    hear
}

/// The terminal without editing and echo: an edited line ends at 4,095 octets, and the address holds the code.
struct Unedited {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Unedited {
    #[cfg(unix)]
    fn set() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        // No terminal: nothing to set.
        let Ok(before) = tcgetattr(&stdin) else { return Self { before: None } };
        let mut wanted = before.clone();
        wanted.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        let set = tcsetattr(&stdin, OptionalActions::Now, &wanted);
        Self { before: set.is_ok().then_some(before) }
    }

    #[cfg(not(unix))]
    fn set() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Unedited {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no setting.
            let _ =
                rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}
