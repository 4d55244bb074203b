//! The `nonce` that ties an ID token to the sign-in it answers (OpenID Connect Core §3.1.2.1).

use oauth2::CsrfToken;
use wire::Secret;

use crate::{Claims, Error, Tokens};

/// The scope that makes a sign-in one of OpenID Connect.
const OPENID: &str = "openid";

/// A fresh one, of 128 random bits, where an ID token is asked for.
pub(super) fn fresh(scopes: &[String]) -> Option<Secret> {
    let asked = scopes.iter().any(|scope| scope.eq_ignore_ascii_case(OPENID));
    asked.then(|| Secret::from(CsrfToken::new_random().into_secret()))
}

/// Compares what was sent with what the ID token repeats (§3.1.3.7 no. 11). An ID token that cannot be read, or that
/// repeats nothing, is as bad as another one's. Without an ID token there is nothing to compare.
pub(super) fn check(sent: Option<&Secret>, tokens: &Tokens) -> Result<(), Error> {
    let (Some(sent), Some(id_token)) = (sent, &tokens.id_token) else { return Ok(()) };
    match Claims::decode(id_token).and_then(|claims| claims.nonce()) {
        Some(found) if found == *sent => Ok(()),
        _ => Err(Error::NonceMismatch),
    }
}
