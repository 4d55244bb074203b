//! Each claim in a line.

use serde_json::Value;

use super::audience::Audience;
use super::jwt::{Jwt, seconds};
use crate::output::moment::{local, relative};
use crate::output::text::safe;

/// A claim, as it is shown.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) claim: String,
    /// Its value, fit for a terminal.
    pub(crate) value: String,
    /// What it means; empty if that is not known here.
    pub(crate) meaning: String,
}

/// Characters of a value that are shown.
const SHOWN: usize = 300;

/// The claims whose order tells the story; the others follow by name.
const FIRST: &[&str] = &[
    "aud",
    "iss",
    "tid",
    "appid",
    "azp",
    "app_displayname",
    "idtyp",
    "upn",
    "unique_name",
    "preferred_username",
    "email",
    "name",
    "oid",
    "sub",
    "scp",
    "scope",
    "roles",
    "wids",
    "iat",
    "nbf",
    "exp",
    "ver",
];

/// Every claim of a token, explained.
pub(crate) fn explain(jwt: &Jwt, now: u64) -> Vec<Line> {
    let known = FIRST.iter().filter_map(|name| Some((*name, jwt.claims.get(*name)?)));
    let others = jwt.claims.iter().map(|(name, value)| (name.as_str(), value));
    let others = others.filter(|(name, _)| !FIRST.contains(name));
    known
        .chain(others)
        .map(|(name, value)| Line {
            claim: safe(name),
            value: if is_moment(name) { moment(value, now) } else { shown(value) },
            meaning: meaning(name, value, jwt, now),
        })
        .collect()
}

fn is_moment(name: &str) -> bool {
    matches!(name, "exp" | "nbf" | "iat" | "auth_time" | "xms_tcdt")
}

fn moment(value: &Value, now: u64) -> String {
    match seconds(value) {
        Some(seconds) => format!("{} ({})", local(seconds), relative(seconds, now)),
        None => shown(value),
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => {
            format!("{}… ({} characters)", safe(text.get(..end).unwrap_or_default()), text.chars().count())
        }
        None => safe(&text),
    }
}

fn meaning(name: &str, value: &Value, jwt: &Jwt, now: u64) -> String {
    let text = value.as_str().unwrap_or_default();
    match name {
        "aud" => match Audience::of(text) {
            Audience::Exchange => "for whom it is: Exchange Online, as IMAP, POP3 and SMTP need it",
            Audience::Graph => "for whom it is: Microsoft Graph, and nobody else",
            Audience::Other => "for whom it is; nobody else accepts it",
        },
        "iss" if text.contains("sts.windows.net") || text.contains("sts.chinacloudapi.cn") => {
            "who issued it: the tenant in the address, in the older format (v1.0)"
        }
        "iss" => "who issued it",
        "tid" if text == CONSUMERS => "the tenant's id: that of all personal Microsoft accounts",
        "tid" => "the tenant's id",
        "appid" | "azp" => "the application (client id) that asked for it",
        "appidacr" | "azpacr" => match text {
            "0" => "how the application proved who it is: not at all (public client)",
            "1" => "how the application proved who it is: by a secret",
            "2" => "how the application proved who it is: by a certificate or a federated assertion",
            _ => "how the application proved who it is",
        },
        "app_displayname" => "the application's name",
        "upn" | "unique_name" => "who signed in; Exchange's SMTP wants the same name in SASL",
        "preferred_username" => "the name the person signed in with; it can change",
        "email" => "the person's address, as the directory has it",
        "name" | "given_name" | "family_name" => "the person's name, for display",
        "oid" if is_app(jwt) => {
            "the object id of the enterprise application: New-ServicePrincipal in Exchange wants this one as -ObjectId"
        }
        "oid" => "the user's object id, the same in every application",
        "sub" => "who it is about; for a person, different in each application",
        "scp" | "scope" => "what the person allowed the application to do in their name",
        "roles" => "what an administrator allowed the application to do in its own name",
        "wids" => return directory_roles(jwt),
        "exp" => match seconds(value) {
            Some(end) if end <= now => "its end, which is past",
            _ => "its end; nobody accepts it afterwards",
        },
        "nbf" => "not good before",
        "iat" => "when it was issued",
        "auth_time" => "when the person signed in",
        "pwd_exp" => "seconds until the password ended, when it was issued",
        "ver" => match text {
            "1.0" => "the format: what Exchange takes, also from the v2.0 endpoint",
            "2.0" => "the format: v2.0; tokens for Exchange are of v1.0",
            _ => "the format",
        },
        "idtyp" => match text {
            "app" => "whose it is: the application's own, without a person",
            "user" => "whose it is: a person's",
            _ => "whose it is",
        },
        "amr" => "how the person proved who they are (pwd: password, mfa: several ways, rsa: key, …)",
        "acrs" | "acr" | "acct" => "what the sign-in satisfied: conditions, or the kind of account",
        "ipaddr" => "the address the person signed in from",
        "xms_cc" => "the client can handle being asked for more (continuous access evaluation); mail protocols cannot",
        "puid" => "an older id of the user",
        "sid" => "the sign-in session",
        "deviceid" => "the device the person signed in from",
        "signin_state" => "what is known of the device and the session (kmsi: stays signed in, dvc_mngd: managed device, …)",
        "nonce" | "at_hash" | "c_hash" => "ties an ID token to the request it answers",
        "jti" | "uti" => "this token's own id, for logs",
        "aio" | "rh" => "Microsoft's own, of no use to others",
        _ if name.starts_with("xms_") => "Microsoft's own, of no use to others",
        _ => "",
    }
    .to_owned()
}

/// The tenant of personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn is_app(jwt: &Jwt) -> bool {
    jwt.text("idtyp") == Some("app") || (jwt.text("oid").is_some() && jwt.text("oid") == jwt.text("sub"))
}

fn directory_roles(jwt: &Jwt) -> String {
    const KNOWN: &[(&str, &str)] = &[
        ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
        ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
        ("b79fbf4d-3ef9-4689-8143-76b194e85509", "an ordinary member"),
    ];
    let ids = jwt.words("wids");
    let names: Vec<&str> = KNOWN.iter().filter(|(id, _)| ids.contains(id)).map(|(_, name)| *name).collect();
    let roles = "roles in the directory; they say nothing about mail";
    if names.is_empty() { roles.to_owned() } else { format!("{roles} ({})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn jwt(claims: Value) -> Jwt {
        let Value::Object(claims) = claims else { panic!("an object") };
        Jwt { header: serde_json::Map::new(), claims }
    }

    #[test]
    fn every_claim_of_exchange_tokens_has_a_meaning() {
        let delegated = json!({
            "aud": "https://outlook.office.com", "iss": "https://sts.windows.net/TID/", "iat": 1, "nbf": 1, "exp": 2,
            "appid": "C", "appidacr": "0", "app_displayname": "demo", "oid": "O", "puid": "P", "scp": "IMAP.AccessAsUser.All",
            "sub": "S", "tid": "T", "unique_name": "a@b", "upn": "a@b", "ver": "1.0", "idtyp": "user", "roles": [], "wids": [],
            "amr": ["pwd"], "acrs": [], "acct": 0, "ipaddr": "192.0.2.1", "deviceid": "D", "sid": "S", "signin_state": [],
            "xms_tcdt": 3, "azp": "C", "azpacr": "1", "preferred_username": "a@b"
        });
        let token = jwt(delegated);
        let lines = explain(&token, 100);
        assert_eq!(lines.len(), token.claims.len(), "no claim is lost");
        for line in &lines {
            assert!(!line.meaning.is_empty(), "{}", line.claim);
        }
        assert_eq!(lines[0].claim, "aud");
        let exp = lines.iter().find(|line| line.claim == "exp").unwrap();
        assert!(exp.value.contains("(98 s ago)") && exp.meaning.contains("past"), "{exp:?}");
    }

    #[test]
    fn an_object_id_is_explained_by_whose_it_is() {
        let meaning = |claims| explain(&jwt(claims), 0).remove(0).meaning;
        assert!(meaning(json!({"oid": "SP", "sub": "SP"})).contains("-ObjectId"));
        assert!(meaning(json!({"oid": "U", "sub": "pairwise"})).contains("user's"));
    }

    #[test]
    fn values_are_fit_for_a_terminal() {
        let lines = explain(
            &jwt(json!({"\u{1b}[2J": "a\u{1b}[31m", "long": "x".repeat(5000), "deep": {"a": ["\u{7}"]}})),
            0,
        );
        for line in lines {
            assert!(!line.claim.contains('\u{1b}') && !line.value.contains(['\u{1b}', '\u{7}']), "{line:?}");
            assert!(line.value.chars().count() < 400, "{}", line.claim);
        }
    }
}
