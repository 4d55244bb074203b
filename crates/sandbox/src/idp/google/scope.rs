//! The scopes that mean something here.

use std::collections::BTreeSet;

use crate::service_account::GOOGLE_MAIL_SCOPE;

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

/// A scope by its long name, if it is known.
fn known(scope: &str) -> Option<&'static str> {
    match scope {
        "openid" => Some("openid"),
        "email" | EMAIL => Some(EMAIL),
        "profile" | PROFILE => Some(PROFILE),
        GOOGLE_MAIL_SCOPE => Some(GOOGLE_MAIL_SCOPE),
        _ => None,
    }
}

/// What a request asks for, under the long names by which answers call it; the unknown words otherwise. Address and profile come
/// with `openid`, whether it was asked for or not.
pub(super) fn parse(text: &str) -> Result<BTreeSet<String>, Vec<String>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let unknown: Vec<String> =
        words.iter().filter(|word| known(word).is_none()).map(|word| (*word).to_owned()).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut scopes: BTreeSet<String> =
        words.iter().filter_map(|word| known(word)).map(str::to_owned).collect();
    if scopes.contains(EMAIL) || scopes.contains(PROFILE) {
        scopes.insert("openid".to_owned());
    }
    Ok(scopes)
}

/// As answers have them.
pub(super) fn joined(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

pub(super) fn opens_mail(scopes: &BTreeSet<String>) -> bool {
    scopes.contains(GOOGLE_MAIL_SCOPE)
}

pub(super) fn names_address(scopes: &BTreeSet<String>) -> bool {
    scopes.contains(EMAIL)
}

pub(super) fn is_openid(scopes: &BTreeSet<String>) -> bool {
    scopes.contains("openid")
}

/// What the consent page says of each.
pub(super) fn descriptions(scopes: &BTreeSet<String>) -> Vec<String> {
    let text = |scope: &String| match scope.as_str() {
        GOOGLE_MAIL_SCOPE => "Read, compose, send, and permanently delete all your email from Gmail",
        EMAIL => "See your primary Google Account email address",
        PROFILE => "See your personal info, including any personal info you've made publicly available",
        _ => "Associate you with your personal info on Google",
    };
    scopes.iter().map(|scope| text(scope).to_owned()).collect()
}
