//! Claims challenges.

use std::fmt;

use serde_json::Value;

use crate::response::object;

/// Longest challenge taken, in octets.
const LONGEST: usize = 4096;

/// What a service demands of the next interactive sign-in (OpenID Connect Core §5.5): JSON to be sent as the
/// parameter `claims`, exactly as it came. See [`Authorize::claims`](crate::Authorize::claims).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// Takes a challenge over; `None` if it is no JSON object or longer than 4096 octets.
    pub fn new(json: impl Into<String>) -> Option<Self> {
        let json = json.into();
        (json.len() <= LONGEST && object(json.as_bytes()).is_some()).then_some(Self(json))
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The authentication contexts it demands (`acrs`): names that an administrator gave in Conditional Access.
    pub fn contexts(&self) -> Vec<String> {
        let Some(members) = object(self.0.as_bytes()) else { return Vec::new() };
        let acrs =
            members.get("access_token").or_else(|| members.get("id_token")).and_then(|t| t.get("acrs"));
        let values = acrs.and_then(|acrs| acrs.get("values")).and_then(Value::as_array);
        let one = acrs.and_then(|acrs| acrs.get("value"));
        let texts = values.into_iter().flatten().chain(one).filter_map(Value::as_str);
        texts.map(super::text::plain).collect()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_a_json_object_and_stays_as_it_came() {
        let json = r#"{ "access_token":{"acrs":{"essential":true, "value":"c1"}}}"#;
        let challenge = Challenge::new(json).unwrap();
        assert_eq!((challenge.as_str(), challenge.contexts()), (json, vec!["c1".to_owned()]));
        for wrong in ["", "c1", "[1]", "{", &format!("{{\"a\":\"{}\"}}", "x".repeat(4096))] {
            assert_eq!(Challenge::new(wrong), None, "{wrong:.20}");
        }
    }
}
