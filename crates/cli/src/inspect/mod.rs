//! What a token says about itself, in words. For diagnosis only: nothing here is verified, and nothing depends on it.

mod audience;
mod claims;
mod jwt;
mod verdict;

pub(crate) use self::claims::explain;
pub(crate) use self::jwt::Form;
pub(crate) use self::verdict::{Severity, Verdict, judge};

/// The longest token that is looked at, in octets; what the biggest directories issue is a tenth of it.
pub(crate) const LONGEST: usize = 256 * 1024;

/// Whether a word looks like a token, as one that somebody put into a command line by mistake would.
pub(crate) fn like_token(word: &str) -> bool {
    let word = word.strip_prefix("Bearer ").unwrap_or(word);
    // JWT; Microsoft's opaque tickets and refresh tokens; Google's; the base64 of XOAUTH2 and OAUTHBEARER messages.
    const BEGINNINGS: &[&str] =
        &["eyJ", "EwA", "EwB", "0.A", "1.A", "M.C", "M.R", "ya29.", "1//", "dXNlcj", "bixhPW"];
    let begins = BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    (begins && word.len() >= 30) || (word.len() >= 200 && !word.contains('/'))
}

/// The token in what a file or a pipe holds: alone, behind `Bearer`, or in the JSON of a token endpoint or of `postkey token`.
pub(crate) fn token_in(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(serde_json::Value::Object(answer)) = serde_json::from_str(text) {
        return Some(answer.get("access_token")?.as_str()?.to_owned());
    }
    let text = text.strip_prefix("Authorization:").unwrap_or(text).trim_start();
    let token = text.strip_prefix("Bearer ").unwrap_or(text).trim_start();
    (!token.is_empty() && !token.contains(char::is_whitespace)).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_names_and_paths() {
        let long = "a".repeat(300);
        for token in [
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.c2ln",
            "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA",
            "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.c2ln",
            &long,
        ] {
            assert!(like_token(token), "{token}");
        }
        for other in ["work", "ewb", "-", "eyJ", "/home/ana/token.txt", &format!("/{long}")] {
            assert!(!like_token(other), "{other}");
        }
    }

    #[test]
    fn a_token_is_found_in_what_programs_write() {
        for text in
            ["a.b.c\n", "Bearer a.b.c", "Authorization: Bearer a.b.c\r\n", r#"{"access_token":"a.b.c"}"#]
        {
            assert_eq!(token_in(text).as_deref(), Some("a.b.c"), "{text}");
        }
        for text in ["", "\n", "two words", r#"{"refresh_token":"x"}"#, r#"{"access_token":5}"#] {
            assert_eq!(token_in(text), None, "{text}");
        }
    }
}
