//! The device authorisation grant (RFC 8628).

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use wire::{REDACTED, Secret};

use super::Client;
use super::form::Form;
use crate::clock::Clock;
use crate::endpoints::checked;
use crate::error::{Class, text};
use crate::http::{Http, HttpErrorKind};
use crate::provider::Flow;
use crate::{Error, Step, Tokens, response};

/// The grant type of RFC 8628 §3.4.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Polling interval if the server names none (RFC 8628 §3.2), in seconds.
const DEFAULT_INTERVAL: u64 = 5;
/// Shortest and longest interval believed, in seconds.
const INTERVALS: (u64, u64) = (1, 60);
/// What one `slow_down` adds (RFC 8628 §3.5), in seconds.
const SLOW_DOWN: u64 = 5;
/// Life of a device code if the server names none, and the longest believed, in seconds.
const LIVES: (u64, u64) = (900, 24 * 3600);

/// A device sign-in under way. Prints without any of its codes: whoever has the user code can complete the
/// sign-in.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCode {
    /// What the person types in. Show it to that person alone.
    pub user_code: String,
    /// The page to type it into: https, or http on loopback; no control characters.
    pub verification_uri: String,
    /// The same page with the code filled in, where the server offers it.
    pub verification_uri_complete: Option<String>,
    /// The server's own sentence for the person; may be empty.
    pub message: String,
    /// When the code ends, in seconds since 1970.
    pub expires_at: u64,
    /// The interval between polls, from 1 s to 60 s.
    pub interval: Duration,
    device_code: Secret,
    scopes: Vec<String>,
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("user_code", &REDACTED)
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// What to ask of the device authorisation endpoint.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRequest<'a> {
    /// The scopes to ask for.
    pub scopes: &'a [String],
    /// The language of the server's sentence for the person, as a BCP 47 tag: `de-DE`.
    pub language: Option<&'a str>,
    /// A claims challenge from an earlier refusal.
    pub claims: Option<&'a str>,
}

impl<'a> DeviceRequest<'a> {
    /// A plain request.
    pub fn new(scopes: &'a [String]) -> Self {
        Self { scopes, language: None, claims: None }
    }
}

/// What one poll found.
#[derive(Debug)]
pub enum Poll {
    /// The person has not finished yet.
    Pending,
    /// The same, and the server wants to be asked less often.
    SlowDown,
    /// Signed in.
    Done(Box<Tokens>),
}

/// Decides when to poll next: the interval of RFC 8628 §3.5, `slow_down`, and longer pauses while the service
/// cannot be reached.
#[derive(Debug, Clone)]
pub struct Poller {
    interval: Duration,
    failures: u32,
}

impl Poller {
    /// Starts with the interval the server named.
    pub fn new(code: &DeviceCode) -> Self {
        Self { interval: code.interval, failures: 0 }
    }

    /// How long to wait before the next poll.
    pub fn wait(&self) -> Duration {
        let longest = Duration::from_secs(INTERVALS.1).max(self.interval);
        self.interval.saturating_mul(1 << self.failures.min(6)).min(longest)
    }

    /// Takes note of what a poll gave; `Some` ends the polling.
    pub fn observe(&mut self, poll: Result<Poll, Error>) -> Option<Result<Tokens, Error>> {
        match poll {
            Ok(Poll::Done(tokens)) => return Some(Ok(*tokens)),
            Ok(Poll::Pending) => self.failures = 0,
            Ok(Poll::SlowDown) => {
                self.failures = 0;
                self.interval = self.interval.saturating_add(Duration::from_secs(SLOW_DOWN));
            }
            // The person may be typing the code this very moment: trouble on the way is waited out (AU-21).
            Err(error) if passing(&error) => self.failures = self.failures.saturating_add(1),
            Err(error) => return Some(Err(error)),
        }
        None
    }
}

/// Whether an error may be over at the next poll.
fn passing(error: &Error) -> bool {
    match error {
        Error::Http(error) => error.kind != HttpErrorKind::Certificate && error.is_transient(),
        Error::Status { .. } | Error::Refused(_) => error.class() == Class::RetryLater,
        _ => false,
    }
}

impl<H: Http, C: Clock> Client<H, C> {
    /// Asks for a device code.
    ///
    /// # Errors
    ///
    /// As [`device_begin`](Self::device_begin).
    pub async fn device_start(&self, scopes: &[String]) -> Result<DeviceCode, Error> {
        self.device_begin(&DeviceRequest::new(scopes)).await
    }

    /// Asks for a device code, in a language or for a challenge.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the provider has no device sign-in for mail; [`Error::Setting`] if scopes or
    /// language cannot be used; [`Error::Response`] if the page it names is not one to send a person to
    /// (AU-20); otherwise what the exchange gives.
    pub async fn device_begin(&self, request: &DeviceRequest<'_>) -> Result<DeviceCode, Error> {
        self.endpoints.allows(Flow::Device)?;
        let Some(device) = &self.endpoints.device else {
            let reason = "This provider has no device sign-in; use the browser.".into();
            return Err(Error::Unsupported { flow: Flow::Device, reason });
        };
        let scopes = request.scopes;
        if scopes.is_empty() {
            return Err(Error::setting("scope", "there is none"));
        }
        self.check_scopes(scopes)?;
        let (mut url, mut form) = (device.clone(), Form::new().field("scope", &scopes.join(" ")));
        if let Some(language) = request.language {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if language.is_empty() || language.len() > 35 || !language.bytes().all(letter) {
                return Err(Error::setting(
                    "language",
                    format!("{language:?} is no language tag such as de-DE"),
                ));
            }
            match self.endpoints.quirks.language_parameter.as_str() {
                "" => form = form.field("ui_locales", language),
                parameter => {
                    url.query_pairs_mut().append_pair(parameter, language);
                }
            }
        }
        if let Some(claims) = request.claims {
            form = form.field("claims", claims);
        }
        // RFC 8628 §3.1 has clients prove themselves here too.
        let (form, basic) = if self.endpoints.quirks.device_without_credential {
            (form.field("client_id", &self.registration.client_id), None)
        } else {
            self.authenticated(form).await?
        };
        let members = self.post(Step::DeviceCode, &url, form, basic).await?;
        read(members, scopes, self.clock.now())
    }

    /// Asks once whether the person has finished.
    ///
    /// # Errors
    ///
    /// [`Error::Declined`] and [`Error::CodeExpired`] under either spelling, [`Error::Refused`] for any other
    /// refusal (`bad_verification_code`, a policy), or what the exchange gives.
    pub async fn device_poll(&self, code: &DeviceCode) -> Result<Poll, Error> {
        let form = Form::new().field("grant_type", GRANT).secret("device_code", &code.device_code);
        let refusal = match self.token(Step::DevicePoll, form, &code.scopes).await.map_err(Error::from) {
            Ok(tokens) => return Ok(Poll::Done(Box::new(tokens))),
            Err(Error::Refused(refusal)) => refusal,
            Err(error) => return Err(error),
        };
        match refusal.error.as_str() {
            "authorization_pending" => Ok(Poll::Pending),
            "slow_down" => Ok(Poll::SlowDown),
            "expired_token" | "code_expired" => Err(Error::CodeExpired),
            _ if refusal.codes.contains(&70019) => Err(Error::CodeExpired),
            _ if refusal.codes.contains(&70016) => Ok(Poll::Pending),
            _ if refusal.is_declined() => Err(Error::Declined(refusal)),
            _ => Err(Error::Refused(refusal)),
        }
    }

    /// Polls until the person has finished, refused, or let the code run out. Dropping the future ends the
    /// polling.
    ///
    /// # Errors
    ///
    /// As [`device_poll`](Self::device_poll).
    pub async fn device_finish(&self, code: &DeviceCode) -> Result<Tokens, Error> {
        let mut poller = Poller::new(code);
        loop {
            let left = code.expires_at.saturating_sub(self.clock.now());
            if left == 0 {
                return Err(Error::CodeExpired);
            }
            self.clock.sleep(poller.wait().min(Duration::from_secs(left))).await;
            if let Some(end) = poller.observe(self.device_poll(code).await) {
                return end;
            }
        }
    }
}

fn read(mut members: Map<String, Value>, scopes: &[String], now: u64) -> Result<DeviceCode, Error> {
    let device_code = response::take_secret(&mut members, "device_code")
        .ok_or_else(|| Error::response("it holds no device_code"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let user_code = text("user_code")
        .filter(|code| !code.is_empty() && code.len() <= 64 && !code.chars().any(char::is_control))
        .ok_or_else(|| Error::response("it holds no user_code that could be typed"))?;
    // RFC 8628 calls it verification_uri; older servers verification_url.
    let page = text("verification_uri").or_else(|| text("verification_url"));
    let page = page.ok_or_else(|| Error::response("it holds no verification_uri"))?;
    let interval = match members.get("interval") {
        Some(value) => response::seconds(Some(value)).unwrap_or(DEFAULT_INTERVAL),
        None => DEFAULT_INTERVAL,
    };
    let life = response::seconds(members.get("expires_in")).unwrap_or(LIVES.0).min(LIVES.1);
    Ok(DeviceCode {
        user_code: user_code.to_owned(),
        verification_uri: safe_page(page)
            .ok_or_else(|| Error::response("its verification_uri is not an https address"))?,
        verification_uri_complete: text("verification_uri_complete").and_then(safe_page),
        message: text("message").map(text::plain).unwrap_or_default(),
        expires_at: now.saturating_add(life),
        interval: Duration::from_secs(interval.clamp(INTERVALS.0, INTERVALS.1)),
        device_code,
        scopes: scopes.to_vec(),
    })
}

/// An address that a person can be sent to (AU-20): https, or http on loopback.
fn safe_page(address: &str) -> Option<String> {
    if address.len() > 2048 || address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    checked("verification_uri", address).ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000;

    fn start(changes: Value) -> Result<DeviceCode, Error> {
        let sample = br#"{"user_code":"ABCD12345","device_code":"DC","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5,"message":"Open https://microsoft.com/devicelogin and type ABCD12345."}"#;
        let mut members = response::object(sample).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), value.clone()),
            };
        }
        read(members, &[], NOW)
    }

    #[test]
    fn the_sample_of_entra_is_read() {
        let code = start(serde_json::json!({})).unwrap();
        assert_eq!(code.user_code, "ABCD12345");
        assert_eq!(code.verification_uri, "https://microsoft.com/devicelogin");
        assert_eq!(code.device_code.expose(), "DC");
        assert_eq!((code.interval, code.expires_at), (Duration::from_secs(5), NOW + 900));
    }

    #[test]
    fn the_old_spelling_of_the_page_is_read() {
        let code = start(
            serde_json::json!({"verification_uri": null, "verification_url": "https://www.microsoft.com/link"}),
        );
        assert_eq!(code.unwrap().verification_uri, "https://www.microsoft.com/link");
    }

    #[test]
    fn au_18_intervals_are_clamped() {
        let interval =
            |value: Value| start(serde_json::json!({"interval": value})).unwrap().interval.as_secs();
        assert_eq!(interval(0.into()), 1);
        assert_eq!(interval((-1).into()), 1);
        assert_eq!(interval(serde_json::json!(1e9)), 60);
        assert_eq!(interval("5".into()), 5);
        assert_eq!(interval("7".into()), 7);
        assert_eq!(interval(Value::Null), 5);
        assert_eq!(interval(serde_json::json!({})), 5);
    }

    #[test]
    fn au_19_lives_are_bounded() {
        let life = |value: Value| start(serde_json::json!({"expires_in": value})).unwrap().expires_at - NOW;
        assert_eq!(life(0.into()), 0);
        assert_eq!(life((-5).into()), 0);
        assert_eq!(life(serde_json::json!(1e30)), 86400);
        assert_eq!(life(Value::Null), 900);
    }

    #[test]
    fn au_20_pages_that_nobody_should_open_are_refused() {
        for page in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://evil.example/",
            "https://evil.example/\u{1b}[2J",
            "https://evil.example/a\nb",
            "https://microsoft.com@evil.example/",
            "",
        ] {
            let code = start(serde_json::json!({"verification_uri": page}));
            assert!(matches!(code, Err(Error::Response { .. })), "{page:?}");
        }
        assert!(start(serde_json::json!({"verification_uri": "http://127.0.0.1:8080/devicelogin"})).is_ok());
        let complete = start(serde_json::json!({"verification_uri_complete": "javascript:1"})).unwrap();
        assert_eq!(complete.verification_uri_complete, None);
        assert!(start(serde_json::json!({"user_code": "AB\u{1b}[2J"})).is_err());
    }

    #[test]
    fn au_24_no_code_is_printed() {
        let shown = format!("{:?}", start(serde_json::json!({})).unwrap());
        assert!(!shown.contains("ABCD12345") && !shown.contains("DC\""), "{shown}");
    }
}
