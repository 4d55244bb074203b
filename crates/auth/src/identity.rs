//! Who signed in, read from tokens for diagnosis.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use wire::Secret;

use crate::Tokens;
use crate::error::text;
use crate::response::object;

/// The claims that name a person, the best first.
const NAMES: [&str; 4] = ["preferred_username", "upn", "unique_name", "email"];

/// The claims of a JWT, unverified. They say what a token claims to be, for diagnosis only.
#[derive(Debug, Clone)]
pub struct Claims(Map<String, Value>);

/// The names under which someone signed in; every text is without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `preferred_username`, `upn`, `unique_name` or `email`, the first that is there.
    pub username: Option<String>,
    /// Every name found: those of `username`, and `email`; without repetitions.
    pub names: Vec<String>,
    /// `email`.
    pub email: Option<String>,
    /// `oid`: the object id of the user, or of the service principal in an app-only token; else `sub`.
    pub object_id: Option<String>,
    /// `tid`: the tenant's id.
    pub tenant_id: Option<String>,
}

/// How who signed in compares with who was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedIn {
    /// The account that was meant.
    AsMeant,
    /// Somebody else: store nothing under the name that was meant.
    Other(Identity),
    /// The tokens do not say: there is no id_token, and the access token is opaque or the application's own.
    Unknown,
}

impl Identity {
    /// Whether one of its names is `meant` or one of its `aliases`. Letter case does not count; an account is
    /// known by its sign-in name (UPN), by its address, or both.
    pub fn matches(&self, meant: &str, aliases: &[String]) -> bool {
        let meant: Vec<String> =
            std::iter::once(meant).chain(aliases.iter().map(String::as_str)).map(folded).collect();
        self.names.iter().map(|name| folded(name)).any(|name| !name.is_empty() && meant.contains(&name))
    }

    /// Adds what `other` knows.
    fn and(mut self, other: Self) -> Self {
        for name in other.names {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
        self.username = self.username.or(other.username);
        self.email = self.email.or(other.email);
        self.object_id = self.object_id.or(other.object_id);
        self.tenant_id = self.tenant_id.or(other.tenant_id);
        self
    }
}

/// A name as it is compared. Entra puts the identity provider before the address of a personal account.
fn folded(name: &str) -> String {
    let name = name.trim();
    name.strip_prefix("live.com#").unwrap_or(name).to_lowercase()
}

impl Tokens {
    /// Compares who signed in with who was meant, by the names in the id_token and in the access token. Where
    /// the answer is [`SignedIn::Other`], nothing may be stored under the name that was meant.
    ///
    /// The tokens come straight from the token endpoint, over TLS, so their claims are the server's word;
    /// signatures are not checked.
    pub fn signed_in_as(&self, meant: &str, aliases: &[String]) -> SignedIn {
        let found = [self.id_token.as_ref(), Some(&self.access_token)]
            .into_iter()
            .flatten()
            .filter_map(Claims::decode)
            .map(|claims| claims.identity())
            .reduce(Identity::and);
        match found {
            Some(identity) if identity.matches(meant, aliases) => SignedIn::AsMeant,
            Some(identity) if !identity.names.is_empty() => SignedIn::Other(identity),
            _ => SignedIn::Unknown,
        }
    }
}

/// Whether two ID tokens are of one person: same issuer, same subject (OpenID Connect Core §12.2). True where one of them is missing
/// or does not say.
pub(crate) fn same_subject(new: Option<&Secret>, old: Option<&Secret>) -> bool {
    let (Some(new), Some(old)) = (new.and_then(Claims::decode), old.and_then(Claims::decode)) else {
        return true;
    };
    match (new.subject(), old.subject()) {
        (Some(new), Some(old)) => new == old,
        _ => true,
    }
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

    /// Whom it names and who says so, to the letter: `iss` and `sub`.
    fn subject(&self) -> Option<(&str, &str)> {
        Some((self.0.get("iss")?.as_str()?, self.0.get("sub")?.as_str()?))
    }

    /// `nonce`, to the letter.
    pub(crate) fn nonce(&self) -> Option<Secret> {
        self.0.get("nonce").and_then(Value::as_str).map(Secret::from)
    }

    /// The names in it.
    pub fn identity(&self) -> Identity {
        let first = |names: &[&str]| names.iter().find_map(|name| self.text(name));
        let mut names = Vec::new();
        for name in NAMES.iter().filter_map(|name| self.text(name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Identity {
            username: names.first().cloned(),
            names,
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
    fn who_signed_in_is_compared_by_every_name() {
        let id = jwt(r#"{"preferred_username":"Ana.Lima@contoso.example","email":"ana@mail.example"}"#);
        let tokens = self::tokens(jwt(DELEGATED), Some(id));
        for meant in ["ana.lima@CONTOSO.example", " ana@mail.example ", "ana@contoso.example"] {
            assert_eq!(tokens.signed_in_as(meant, &[]), SignedIn::AsMeant, "{meant}");
        }
        let aliases = ["info@contoso.example".to_owned(), "Ana@Mail.example".to_owned()];
        assert_eq!(tokens.signed_in_as("al@contoso.example", &aliases), SignedIn::AsMeant);
        match tokens.signed_in_as("bob@contoso.example", &aliases[..1]) {
            SignedIn::Other(found) => {
                assert_eq!(found.username.as_deref(), Some("Ana.Lima@contoso.example"));
                assert_eq!(found.names.len(), 3, "{:?}", found.names);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_that_merely_begin_or_end_alike_are_others() {
        let tokens = tokens(jwt(r#"{"upn":"ana@contoso.example"}"#), None);
        for meant in ["", "ana", "ana@contoso.example.evil.example", "xana@contoso.example", "ana@contoso"] {
            assert!(matches!(tokens.signed_in_as(meant, &[]), SignedIn::Other(_)), "{meant}");
        }
    }

    #[test]
    fn personal_accounts_and_nameless_tokens() {
        let personal = tokens(jwt(r#"{"unique_name":"live.com#dora@outlook.example"}"#), None);
        assert_eq!(personal.signed_in_as("Dora@outlook.example", &[]), SignedIn::AsMeant);
        for nameless in
            [Secret::from("EwBAopaque"), jwt(r#"{"oid":"SP-OID","idtyp":"app"}"#), jwt(r#"{"upn":""}"#)]
        {
            assert_eq!(tokens(nameless, None).signed_in_as("ana@contoso.example", &[]), SignedIn::Unknown);
        }
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
