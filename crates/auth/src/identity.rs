//! Who signed in, read from tokens for diagnosis.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use wire::Secret;

use crate::error::text;
use crate::response::object;

/// The claims of a JWT, unverified. They say what a token claims to be, for diagnosis only.
#[derive(Debug, Clone)]
pub struct Claims(Map<String, Value>);

/// The names under which someone signed in; every text is without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `preferred_username`, `upn`, `unique_name` or `email`, the first that is there.
    pub username: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `oid`: the object id of the user, or of the service principal in an app-only token; else `sub`.
    pub object_id: Option<String>,
    /// `tid`: the tenant's id.
    pub tenant_id: Option<String>,
}

impl Claims {
    /// Decodes the middle part of a JWT (RFC 7519 §3); `None` for an opaque token, which is nothing unusual.
    pub fn decode(token: &Secret) -> Option<Self> {
        let mut parts = token.expose().split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = Base64UrlUnpadded::decode_vec(payload.trim_end_matches('=')).ok()?;
        object(&payload).map(Self)
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(text::plain).filter(|text| !text.is_empty())
    }

    /// A claim that is a number of seconds (`exp`, `nbf`, `iat`).
    pub fn seconds(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// A claim that is a list of texts (`roles`), or one text of several words (`scp`).
    pub fn words(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(text::plain).collect(),
            Some(Value::String(list)) => list.split_ascii_whitespace().map(text::plain).collect(),
            _ => Vec::new(),
        }
    }

    /// The names in it.
    pub fn identity(&self) -> Identity {
        let first = |names: &[&str]| names.iter().find_map(|name| self.text(name));
        Identity {
            username: first(&["preferred_username", "upn", "unique_name", "email"]),
            email: self.text("email"),
            object_id: first(&["oid", "sub"]),
            tenant_id: self.text("tid"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokens;

    fn jwt(payload: &str) -> Secret {
        Secret::from(format!("e30.{}.sig", Base64UrlUnpadded::encode_string(payload.as_bytes())))
    }

    const DELEGATED: &str = r#"{"aud":"https://outlook.office.com","iss":"https://sts.windows.net/TID/","iat":1790000000,"nbf":1790000000,"exp":1790004500,
 "appid":"CLIENT","appidacr":"0","app_displayname":"demo","oid":"USER-OID","puid":"1003200012345678","scp":"IMAP.AccessAsUser.All SMTP.Send",
 "sub":"PAIRWISE","tid":"TID","unique_name":"ana@contoso.example","upn":"ana@contoso.example","ver":"1.0","idtyp":"user"}"#;

    fn tokens(access: Secret, id: Option<Secret>) -> Tokens {
        Tokens { id_token: id, ..Tokens::bearer(access, 0, 1) }
    }

    #[test]
    fn a_delegated_exchange_token_names_its_user() {
        let identity = tokens(jwt(DELEGATED), None).identity().unwrap();
        assert_eq!(identity.username.as_deref(), Some("ana@contoso.example"));
        assert_eq!(identity.object_id.as_deref(), Some("USER-OID"));
        assert_eq!(identity.tenant_id.as_deref(), Some("TID"));
        let claims = Claims::decode(&jwt(DELEGATED)).unwrap();
        assert_eq!(claims.words("scp"), ["IMAP.AccessAsUser.All", "SMTP.Send"]);
        assert_eq!(claims.seconds("exp"), Some(1_790_004_500));
    }

    #[test]
    fn the_id_token_goes_first() {
        let id = jwt(r#"{"preferred_username":"ana@contoso.example","oid":"O","tid":"T"}"#);
        let identity = tokens(Secret::from("EwBAopaque"), Some(id)).identity().unwrap();
        assert_eq!(identity.username.as_deref(), Some("ana@contoso.example"));
    }

    #[test]
    fn an_app_only_token_has_an_object_but_no_user() {
        let payload = r#"{"aud":"https://outlook.office365.com","idtyp":"app","oid":"SP-OID","sub":"SP-OID","roles":["IMAP.AccessAsApp"],"tid":"TID"}"#;
        let identity = tokens(jwt(payload), None).identity().unwrap();
        assert_eq!((identity.username, identity.object_id), (None, Some("SP-OID".into())));
        assert_eq!(Claims::decode(&jwt(payload)).unwrap().words("roles"), ["IMAP.AccessAsApp"]);
    }

    #[test]
    fn opaque_tokens_are_opaque_and_never_an_error() {
        for token in
            ["EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA", "a.b", "a.!!.c", "a.e30.c.d", "..", "", "a.W10.c"]
        {
            assert!(tokens(Secret::from(token), None).identity().is_none(), "{token}");
        }
    }

    #[test]
    fn names_are_fit_to_be_shown() {
        let identity = Claims::decode(&jwt(r#"{"upn":"a\u001b[2Jb@x"}"#)).unwrap().identity();
        assert_eq!(identity.username.as_deref(), Some("a [2Jb@x"));
    }

    #[test]
    fn a_clock_set_back_makes_no_token_immortal() {
        let mut tokens = tokens(Secret::from("x"), None);
        (tokens.obtained_at, tokens.expires_at) = (10_000, 13_600);
        assert_eq!(tokens.remaining(10_000), 3600);
        assert_eq!(tokens.remaining(9_800), 3800);
        assert_eq!(tokens.remaining(13_600), 0);
        assert_eq!(tokens.remaining(5_000), 0);
    }
}
