//! Switches that make the identity provider misbehave, each as it was seen to in the wild or as an attacker would.
//!
//! All of them stand in one table: the rows below, from which the type, its documentation and the names of the control
//! endpoint (`idp::control`) are made.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

macro_rules! faults {
    ($($name:literal $variant:ident $(($ty:ty))? at $place:literal: $text:literal;)*) => {
        /// One way to misbehave.
        ///
        /// The name is what the control endpoint calls it; its value, if there is one, is the JSON member `value`.
        ///
        /// | name | value | where | what happens |
        /// |---|---|---|---|
        $(#[doc = concat!(
            "| `", $name, "` | ", $("`", stringify!($ty), "`",)? " | ", $place, " | ", $text, " |"
        )])*
        /// | `refuse` | its members | token | A refusal with this `error`, AADSTS number, status and `suberror`. |
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $text] $variant $(($ty))?,)*
            /// The token endpoint refuses with this `error` and AADSTS number.
            Refuse {
                /// The OAuth error code, e.g. `invalid_grant`.
                error: &'static str,
                /// The AADSTS number, e.g. 50173.
                code: u32,
                /// The HTTP status, e.g. 400.
                status: u16,
                /// The member `suberror`, e.g. `bad_token`.
                suberror: Option<&'static str>,
            },
        }

        impl Fault {
            /// The name of every fault, in the order of the table.
            pub const NAMES: &'static [&'static str] = &[$($name,)* "refuse"];

            /// What the control endpoint calls it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                    Self::Refuse { .. } => "refuse",
                }
            }

            /// The fault of this name with this value; `None` if there is no such fault or the value does not suit it.
            pub fn from_json(name: &str, value: &Value) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant $((<$ty as Argument>::read(value)?))?),)*
                    "refuse" => Self::refusal(value),
                    _ => None,
                }
            }
        }
    };
}

faults! {
    "expires-in" ExpiresIn(u64) at "token": "Access tokens live this many seconds.";
    "expires-in-string" ExpiresInString at "token": "`expires_in` comes as a string.";
    "no-refresh-token" NoRefreshToken at "token": "No `refresh_token` in the answer although one is due.";
    "no-id-token" NoIdToken at "token": "No `id_token` in the answer although one is due.";
    "opaque-access-token" OpaqueAccessToken at "token":
        "The access token is opaque, as personal accounts' are; it opens what it would have opened.";
    "no-roles" NoRoles at "token": "An app-only token comes without the claim `roles`.";
    "exact-scopes" ExactScopes at "token":
        "The token holds only the permissions asked for, not all that were consented to (RFC 6749 section 6).";
    "another-user" AnotherUser(String) at "token": "The tokens are those of this user, whoever signed in.";
    "wrong-nonce" WrongNonce at "token": "The id_token repeats another `nonce` than was sent.";
    "id-token-issuer" IdTokenIssuer(String) at "token": "The id_token names this issuer.";
    "claims-challenge" ClaimsChallenge(String) at "token":
        "Refused with `claims` until somebody signs in with that parameter and this authentication context (e.g. `c1`).";
    "assertions-once" AssertionsOnce at "token":
        "A client assertion whose `jti` was seen before is refused (RFC 7523 section 3); Entra takes it again.";
    "pending" Pending at "token, device code":
        "A poll is answered with `authorization_pending` even if the user has approved.";
    "slow-down" SlowDown at "token, device code": "A poll is answered with `slow_down` (RFC 8628 section 3.5).";
    "device-declined" DeviceDeclined at "token, device code":
        "A poll is answered as if the user had declined, with Entra's `authorization_declined`.";
    "device-access-denied" DeviceAccessDenied at "token, device code":
        "A poll is answered as if the user had declined, with RFC 8628's `access_denied`.";
    "device-expired" DeviceExpired at "token, device code": "A poll is answered as if the code had expired.";
    "device-endpoint-refuses" DeviceEndpointRefuses at "device": "An error instead of a code.";
    "verification-url" VerificationUrl at "device": "The address is called `verification_url`, as old servers do.";
    "plain-verification-uri" PlainVerificationUri at "device": "The address is an `http` one.";
    "device-code-lifetime" DeviceCodeLifetime(u64) at "device": "Codes live this many seconds.";
    "device-interval" DeviceInterval(u64) at "device": "This many seconds are asked for between polls.";
    "error-with-status-200" ErrorWithStatus200 at "device and token": "Errors come with HTTP status 200.";
    "crlf-descriptions" CrlfDescriptions at "device and token":
        "The parts of `error_description` are separated by CRLF instead of blanks.";
    "too-many-requests" TooManyRequests(Option<u32>) at "device and token":
        "Status 429, with `Retry-After` in seconds if given.";
    "too-many-requests-until" TooManyRequestsUntil(u64) at "device and token":
        "Status 429, with `Retry-After` as the date that is so many seconds away.";
    "unavailable" Unavailable at "device and token": "Status 503 with an HTML page.";
    "reset" Reset at "device and token": "The connection is reset instead of answered.";
    "delay" Delay(u64) at "device and token": "The answer comes after so many milliseconds.";
    "not-json" NotJson at "device and token": "Status 200 with an HTML page, as captive portals answer.";
    "redirect" Redirect at "device and token": "Status 307, to another address of the sandbox.";
    "oversized" Oversized(u64) at "device and token": "A JSON answer of at least so many octets.";
    "endless" Endless at "device and token": "An answer that never ends.";
    "discovery-issuer" DiscoveryIssuer(String) at "discovery": "The document names this issuer.";
    "plain-endpoints" PlainEndpoints at "discovery": "The document's endpoints are `http` addresses of a host elsewhere.";
    "error-page" ErrorPage(u32) at "authorize": "A page with this AADSTS number; the browser is never sent back.";
    "sign-in-refused" SignInRefused(u32) at "authorize":
        "After the password the browser is sent back with `access_denied` and this AADSTS number.";
    "wrong-state" WrongState at "authorize": "The browser comes back with another `state`.";
    "no-state" NoState at "authorize": "The browser comes back without `state`.";
    "no-code" NoCode at "authorize": "The browser comes back without `code`.";
    "foreign-code" ForeignCode at "authorize": "The browser comes back with a code that nobody issued.";
    "wrong-iss" WrongIss at "authorize": "The browser comes back with another provider's `iss` (RFC 9207).";
}

/// A value that a fault takes, read from JSON.
trait Argument: Sized {
    fn read(value: &Value) -> Option<Self>;
}

impl Argument for u64 {
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()
    }
}

impl Argument for u32 {
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl Argument for Option<u32> {
    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { u32::read(value).map(Some) }
    }
}

impl Argument for String {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

/// OAuth error codes and suberrors that `refuse` may name: those that Entra sends.
const ERRORS: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_resource",
    "unauthorized_client",
    "unsupported_grant_type",
    "interaction_required",
    "consent_required",
    "login_required",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
];
const SUBERRORS: &[&str] = &[
    "basic_action",
    "additional_action",
    "message_only",
    "user_password_expired",
    "consent_required",
    "bad_token",
    "token_expired",
    "client_mismatch",
    "protection_policy_required",
    "device_authentication_failed",
];

impl Fault {
    fn refusal(value: &Value) -> Option<Self> {
        let known = |names: &[&'static str], name: &str| {
            let text = value.get(name)?.as_str()?;
            names.iter().find(|n| **n == text).copied()
        };
        let suberror = match value.get("suberror") {
            None | Some(Value::Null) => None,
            Some(_) => Some(known(SUBERRORS, "suberror")?),
        };
        Some(Self::Refuse {
            error: known(ERRORS, "error")?,
            code: u32::read(value.get("code")?)?,
            status: match value.get("status") {
                None => 400,
                Some(status) => status.as_u64().filter(|s| (200..600).contains(s))?.try_into().ok()?,
            },
            suberror,
        })
    }
}

/// A fault, when it applies.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    left: Option<u32>,
    client_id: Option<String>,
    user: Option<String>,
}

impl Rule {
    /// A fault that applies to every request until cleared.
    pub fn new(fault: Fault) -> Self {
        Self { fault, left: None, client_id: None, user: None }
    }

    /// Only the next `n` requests that it touches.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.left = Some(n);
        self
    }

    /// Only requests of this client.
    #[must_use]
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    /// Only requests for this user (a UPN), as far as a request says whom it is for.
    #[must_use]
    pub fn user(mut self, upn: &str) -> Self {
        self.user = Some(upn.to_owned());
        self
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// Whose request it is, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Who {
    /// The client id it names; empty if none.
    pub(crate) client: String,
    /// The UPN of the user it is for.
    pub(crate) user: Option<String>,
}

impl Who {
    /// A request of this client for whomever.
    pub(crate) fn client(client: &str) -> Self {
        Self { client: client.to_owned(), user: None }
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    /// Adds a rule.
    pub(crate) fn inject(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    /// Names of the faults that would still apply to something.
    pub(crate) fn in_force(&self) -> Vec<&'static str> {
        self.rules().iter().filter(|r| r.left != Some(0)).map(|r| r.fault.name()).collect()
    }

    /// The first rule for this request that `pick` accepts; uses it up once.
    pub(crate) fn take<T>(&self, who: &Who, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let other = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_ref().is_some_and(|w| !is.is_some_and(|is| w.eq_ignore_ascii_case(is)))
        };
        let mut rules = self.rules();
        for rule in rules.iter_mut() {
            if rule.left == Some(0)
                || other(&rule.client_id, Some(&who.client))
                || other(&rule.user, who.user.as_deref())
            {
                continue;
            }
            if let Some(found) = pick(&rule.fault) {
                rule.left = rule.left.map(|n| n - 1);
                return Some(found);
            }
        }
        None
    }

    /// Whether this very fault applies; uses it up once.
    pub(crate) fn hits(&self, who: &Who, fault: &Fault) -> bool {
        self.take(who, |f| (f == fault).then_some(())).is_some()
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_used_up_and_bound_to_clients_and_users() {
        let faults = Faults::default();
        let (a, b) = (Who::client("a"), Who::client("b"));
        faults.inject(Rule::new(Fault::Pending).times(2).client("A"));
        assert!(!faults.hits(&b, &Fault::Pending));
        assert!(faults.hits(&a, &Fault::Pending) && faults.hits(&Who::client("A"), &Fault::Pending));
        assert!(!faults.hits(&a, &Fault::Pending));
        assert_eq!(faults.in_force(), [""; 0]);
        faults.inject(Fault::ExpiresIn(1).into());
        for _ in 0..3 {
            let life = faults.take(&a, |f| if let Fault::ExpiresIn(n) = f { Some(*n) } else { None });
            assert_eq!(life, Some(1));
        }
        faults.clear();
        assert!(!faults.hits(&a, &Fault::ExpiresIn(1)));
        faults.inject(Rule::new(Fault::NoRoles).user("ana@contoso.example"));
        assert!(!faults.hits(&a, &Fault::NoRoles));
        let ana = Who { client: "a".into(), user: Some("Ana@Contoso.example".into()) };
        assert!(faults.hits(&ana, &Fault::NoRoles));
    }

    #[test]
    fn every_name_is_its_own_and_can_be_read() {
        for (i, name) in Fault::NAMES.iter().enumerate() {
            assert!(!Fault::NAMES[i + 1..].contains(name), "{name}");
            let refusal = json!({"error": "invalid_grant", "code": 53003});
            let values = [Value::Null, json!(1), json!("x"), refusal];
            let read: Vec<Fault> = values.iter().filter_map(|v| Fault::from_json(name, v)).collect();
            assert!(!read.is_empty() && read.iter().all(|f| f.name() == *name), "{name}");
        }
        assert_eq!(Fault::from_json("smoke", &Value::Null), None);
        assert_eq!(Fault::from_json("expires-in", &json!("1")), None);
        assert_eq!(Fault::from_json("error-page", &json!(1u64 << 40)), None);
        assert_eq!(Fault::from_json("refuse", &json!({"error": "made_up", "code": 1})), None);
        assert_eq!(
            Fault::from_json("refuse", &json!({"error": "invalid_grant", "code": 1, "suberror": "made_up"})),
            None
        );
    }
}
