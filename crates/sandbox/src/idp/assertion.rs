//! Client authentication by assertion (RFC 7523 section 3): a certificate's key signed it, or an outside issuer that the
//! application trusts.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

use crate::certificate::Thumbprint;
use crate::clock::Civil;
use crate::directory::App;
use crate::fault::{Fault, Who};
use crate::idp::Idp;
use crate::idp::params::Params;
use crate::idp::refusal::Refusal;
use crate::idp::tenant::Tenant;
use crate::jwt::WORKLOADS;

/// The `client_assertion_type` of a JWT.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds by which the client's clock may be wrong.
const SKEW: u64 = 300;

/// An assertion taken apart; nothing in it is verified.
pub(crate) struct Assertion<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
    whole: &'a str,
}

impl<'a> Assertion<'a> {
    /// Takes a JWS in compact form apart (RFC 7515 section 7.1).
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let octets = Base64UrlUnpadded::decode_vec(part.trim_end_matches('=')).ok()?;
            match serde_json::from_slice(&octets).ok()? {
                Value::Object(object) => Some(object),
                _ => None,
            }
        };
        let signature = Base64UrlUnpadded::decode_vec(signature.trim_end_matches('=')).ok()?;
        Some(Self { header: object(header)?, claims: object(claims)?, signed, signature, whole: text })
    }

    /// A claim that is text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A claim that is a time.
    pub(crate) fn time(&self, name: &str) -> Option<u64> {
        let value = self.claims.get(name)?;
        // RFC 7519 section 2 allows fractions.
        value.as_u64().or_else(|| value.as_f64().filter(|t| *t >= 0.0).map(|t| t as u64))
    }

    /// The audiences: one, or an array of them.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The whole token, for keys that verify tokens.
    pub(crate) fn whole(&self) -> &str {
        self.whole
    }

    /// A field of the header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }
}

impl Idp {
    /// Checks the request's `client_assertion`.
    pub(crate) fn check_assertion(
        &self,
        app: &App,
        tenant: Tenant,
        who: &Who,
        params: &Params,
        base: &str,
    ) -> Result<(), Refusal> {
        let text = params.get("client_assertion").ok_or_else(|| Refusal::missing("client_assertion"))?;
        match params.get("client_assertion_type") {
            Some(JWT_BEARER) => {}
            Some(_) => return Err(Refusal::malformed()),
            None => return Err(Refusal::missing("client_assertion_type")),
        }
        let assertion =
            Assertion::parse(text).ok_or_else(|| Refusal::bad_assertion("It is not a signed JWT"))?;
        let own = |name: &str| assertion.text(name).eq_ignore_ascii_case(&app.client_id);
        if own("iss") && own("sub") {
            self.by_certificate(app, tenant, &assertion, base)?;
        } else if own("iss") || own("sub") || !assertion.text("iss").contains("://") {
            return Err(Refusal::assertion_of_other_client());
        } else {
            self.by_federation(app, &assertion, base)?;
        }
        self.in_time(&assertion)?;
        self.not_seen(app, who, &assertion)
    }

    fn by_certificate(
        &self,
        app: &App,
        tenant: Tenant,
        assertion: &Assertion<'_>,
        base: &str,
    ) -> Result<(), Refusal> {
        let algorithm = assertion.header("alg").unwrap_or_default();
        if !matches!(algorithm, "PS256" | "RS256") {
            return Err(Refusal::bad_assertion("Its algorithm is neither PS256 nor RS256"));
        }
        let named = match (assertion.header("x5t#S256"), assertion.header("x5t")) {
            (Some(text), _) => Thumbprint::Sha256(text),
            (None, Some(text)) => Thumbprint::Sha1(text),
            (None, None) => return Err(Refusal::bad_assertion("Its header has no thumbprint")),
        };
        let certificate = app.certificates.iter().find(|c| c.is(named));
        let certificate = certificate.ok_or_else(|| Refusal::unknown_certificate(&named.hex(), app))?;
        if !certificate.verifies(algorithm, assertion.signed.as_bytes(), &assertion.signature) {
            return Err(Refusal::bad_assertion_signature(&named.hex()));
        }
        if certificate.expired {
            return Err(Refusal::expired_certificate(&named.hex()));
        }
        if !assertion.audiences().iter().any(|aud| self.is_audience(aud, tenant, base)) {
            return Err(Refusal::assertion_audience());
        }
        Ok(())
    }

    /// Whether `aud` is the token endpoint, or the issuer, of the tenant form that was asked or of the tenant itself.
    fn is_audience(&self, aud: &str, tenant: Tenant, base: &str) -> bool {
        let Some(path) = aud.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) else { return false };
        let Some((segment, rest)) = path.split_once('/') else { return false };
        let named = Tenant::parse(&self.directory, segment);
        matches!(rest, "oauth2/v2.0/token" | "v2.0") && named.is_ok_and(|n| n == tenant || n == Tenant::Own)
    }

    fn by_federation(&self, app: &App, assertion: &Assertion<'_>, base: &str) -> Result<(), Refusal> {
        let (issuer, subject, audiences) =
            (assertion.text("iss"), assertion.text("sub"), assertion.audiences());
        let audience = audiences.join(" ");
        if app.federated.is_empty() {
            return Err(Refusal::no_federation(issuer, subject, &audience));
        }
        // Entra compares all three to the letter.
        let trusted: Vec<_> = app.federated.iter().filter(|f| f.issuer_at(base) == issuer).collect();
        if trusted.is_empty() {
            return Err(Refusal::federated_issuer(issuer));
        }
        let known: Vec<_> = trusted.into_iter().filter(|f| f.subject == subject).collect();
        if known.is_empty() {
            return Err(Refusal::federated_subject(subject));
        }
        if !known.iter().any(|f| audiences.contains(&f.audience.as_str())) {
            return Err(Refusal::federated_audience(&audience));
        }
        // A key that was never made has signed nothing.
        let signed = WORKLOADS.ready().is_some_and(|key| key.verify(assertion.whole()).is_some());
        if signed { Ok(()) } else { Err(Refusal::bad_assertion("The signature is not the issuer's")) }
    }

    fn in_time(&self, assertion: &Assertion<'_>) -> Result<(), Refusal> {
        let now = self.clock.now();
        let until = assertion.time("exp").ok_or_else(|| Refusal::bad_assertion("It never ends"))?;
        let from = assertion.time("nbf").or_else(|| assertion.time("iat")).unwrap_or(now);
        if from > now.saturating_add(SKEW) || until.saturating_add(SKEW) <= now {
            let text = |unix: u64| Civil::from_unix(i64::try_from(unix).unwrap_or(i64::MAX)).entra();
            return Err(Refusal::assertion_time(&text(now), &text(from), &text(until)));
        }
        Ok(())
    }

    /// Replay: remembered always, refused where a fault says so, because Entra takes an assertion until it ends.
    fn not_seen(&self, app: &App, who: &Who, assertion: &Assertion<'_>) -> Result<(), Refusal> {
        let jti = assertion.text("jti");
        let strict = |f: &Fault| (*f == Fault::AssertionsOnce).then_some(());
        if jti.is_empty() {
            let refused = self.faults.take(who, strict).is_some();
            return if refused { Err(Refusal::bad_assertion("It has no jti")) } else { Ok(()) };
        }
        let ends = assertion.time("exp").unwrap_or_default();
        let before = {
            let mut tables = self.tables();
            tables.tidy(self.clock.now());
            tables.assertions.insert((app.client_id.clone(), jti.to_owned()), ends)
        };
        if before.is_some() && self.faults.take(who, strict).is_some() {
            return Err(Refusal::bad_assertion("It was used before"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_assertion() {
        for text in ["", "x", "..", "a.b.c", "e30.W10.AA", "e30.e30", "e30.e30.!"] {
            assert!(Assertion::parse(text).is_none(), "{text:?}");
        }
        let claims = Base64UrlUnpadded::encode_string(br#"{"aud":["a","b"],"exp":5.9,"nbf":-1,"sub":1}"#);
        let text = format!("e30.{claims}.AA==");
        let assertion = Assertion::parse(&text).unwrap();
        assert_eq!(assertion.audiences(), ["a", "b"]);
        assert_eq!(
            (assertion.time("exp"), assertion.time("nbf"), assertion.text("sub")),
            (Some(5), None, "")
        );
    }
}
