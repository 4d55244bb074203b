//! The parameter `claims` (OpenID Connect Core section 5.5), as far as it matters here: the
//! authentication context that an access token has to show.

use serde_json::Value;

use crate::idp::params::Params;
use crate::idp::refusal::Refusal;

/// The authentication context that a request asks for, e.g. `c1`.
pub(crate) fn context(params: &Params) -> Result<Option<String>, Refusal> {
    let Some(text) = params.get("claims") else { return Ok(None) };
    let claims: Value = serde_json::from_str(text).map_err(|_| Refusal::bad_claims())?;
    if !claims.is_object() {
        return Err(Refusal::bad_claims());
    }
    let asked = claims.pointer("/access_token/acrs/value").and_then(Value::as_str);
    let first = claims.pointer("/access_token/acrs/values/0").and_then(Value::as_str);
    Ok(asked.or(first).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts() {
        let of = |claims: &str| {
            let text: String = url::form_urlencoded::byte_serialize(claims.as_bytes()).collect();
            context(&Params::new(Some(&format!("claims={text}")), b"")).map_err(|r| r.code)
        };
        let c1 = Ok(Some("c1".to_owned()));
        assert_eq!(of(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#), c1);
        assert_eq!(of(r#"{"access_token":{"acrs":{"values":["c1","c2"]}}}"#), c1);
        assert_eq!(of(r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#), Ok(None));
        assert_eq!(of(""), Ok(None));
        assert_eq!((of("[]"), of("{")), (Err(90013), Err(90013)));
    }
}
