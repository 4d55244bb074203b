//! Server text made fit to be shown: no secrets, no control characters, one sentence.

use std::borrow::Cow;
use std::collections::HashSet;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use wire::{REDACTED, Secret};

/// Longest text taken from a server into an error, in octets.
const LONGEST: usize = 300;
/// Server text beyond this many octets is not even looked at.
const EXAMINED: usize = 16 * 1024;
/// A run of this many octets of a secret counts as a leak; shorter runs say nothing about a long secret.
const WINDOW: usize = 8;

/// Replaces whatever `text` repeats of `secrets` by the word for a redacted value.
///
/// A server may echo what it was sent, as it came, form-encoded, in Base64 or in hex, whole or in part; every
/// run of [`WINDOW`] octets that also occurs in one of these forms is taken out.
pub(crate) fn redact<'t>(text: &'t str, secrets: &[Secret]) -> Cow<'t, str> {
    let mut windows: HashSet<Vec<u8>> = HashSet::new();
    let mut whole: Vec<Vec<u8>> = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        for form in forms(secret) {
            if form.len() < WINDOW {
                whole.push(form);
            } else {
                windows.extend(form.windows(WINDOW).map(<[u8]>::to_vec));
            }
        }
    }
    let bytes = text.as_bytes();
    let mut leaked = vec![false; bytes.len()];
    let mut mark = |start: usize, length: usize| {
        for flag in leaked.iter_mut().skip(start).take(length) {
            *flag = true;
        }
    };
    for (start, run) in bytes.windows(WINDOW).enumerate() {
        if windows.contains(run) {
            mark(start, WINDOW);
        }
    }
    for form in &whole {
        for (start, _) in bytes.windows(form.len()).enumerate().filter(|(_, run)| *run == form.as_slice()) {
            mark(start, form.len());
        }
    }
    if !leaked.contains(&true) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut inside = false;
    for (at, character) in text.char_indices() {
        let hit = leaked.get(at).copied().unwrap_or(false);
        if !hit {
            clean.push(character);
        } else if !inside {
            clean.push_str(REDACTED);
        }
        inside = hit;
    }
    Cow::Owned(clean)
}

/// The shapes in which a secret may come back.
fn forms(secret: &Secret) -> Vec<Vec<u8>> {
    let raw = secret.expose().as_bytes();
    let mut forms = vec![raw.to_vec()];
    let encoded: String = url::form_urlencoded::byte_serialize(raw).collect();
    forms.push(encoded.to_ascii_lowercase().into_bytes());
    forms.push(encoded.into_bytes());
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(hex.to_ascii_uppercase().into_bytes());
    forms.push(hex.into_bytes());
    // The three alignments a secret can have inside a longer Base64 text; the ends depend on the neighbours.
    for skip in 0..3 {
        let inner = raw.get(skip..).unwrap_or_default();
        let inner = inner.get(..inner.len() - inner.len() % 3).unwrap_or_default();
        forms.push(Base64Unpadded::encode_string(inner).into_bytes());
        forms.push(Base64UrlUnpadded::encode_string(inner).into_bytes());
    }
    // A short piece of an encoding is found in innocent text; the raw value is looked for at any length.
    let mut first = true;
    forms.retain(|form| std::mem::take(&mut first) || form.len() >= WINDOW);
    forms
}

/// Takes control characters (terminal escapes, line ends) and invisible direction marks out and cuts to a
/// length.
pub(crate) fn plain(text: &str) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        let unsafe_mark = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if clean.len() + character.len_utf8() > LONGEST {
            clean.push('…');
            break;
        }
        if character.is_control() {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if !unsafe_mark {
            clean.push(character);
        }
    }
    clean.trim().to_owned()
}

/// The first sentence of an `error_description`, without the identifiers that Entra appends.
pub(crate) fn first_sentence(description: &str, secrets: &[Secret]) -> String {
    let head = cut(description, EXAMINED);
    // Redact before cutting, so that a secret which straddles the cut is still known whole.
    let clean = redact(head, secrets);
    let mut text = clean.as_ref();
    for end in ["\r", "\n", " Trace ID:", " Correlation ID:", " Timestamp:"] {
        text = text.split(end).next().unwrap_or(text);
    }
    if let Some(at) = text.find(". ") {
        text = text.get(..=at).unwrap_or(text);
    }
    plain(text)
}

/// The value behind `label` ("Trace ID:") in a description: the identifier up to the next blank.
pub(crate) fn labelled<'t>(description: &'t str, label: &str) -> Option<&'t str> {
    let rest = description.split_once(label)?.1.trim_start();
    let value = rest.split(|c: char| c.is_whitespace()).next()?;
    (!value.is_empty() && value.len() <= 64).then_some(value)
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "0.AAAArefresh-Canary~9f3k2+/=";

    fn leaks(text: &str) -> bool {
        TOKEN.as_bytes().windows(WINDOW).any(|run| text.as_bytes().windows(WINDOW).any(|w| w == run))
    }

    #[test]
    fn lg_04_an_echoed_secret_is_taken_out_in_every_form() {
        let secrets = [Secret::from(TOKEN)];
        for form in forms(&secrets[0]) {
            let form = String::from_utf8(form).unwrap();
            let shown = redact(&format!("before {form} after"), &secrets).into_owned();
            assert!(!shown.contains(&form), "{form}");
            assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{shown}");
        }
    }

    #[test]
    fn a_part_of_a_secret_is_taken_out_too() {
        let secrets = [Secret::from(TOKEN)];
        let text = format!("token starting {} is bad", &TOKEN[..12]);
        assert!(!leaks(&redact(&text, &secrets)));
    }

    #[test]
    fn text_without_secrets_stays_as_it_is() {
        let text = "AADSTS50011: The redirect URI is not registered.";
        assert_eq!(redact(text, &[Secret::from(TOKEN)]), text);
    }

    #[test]
    fn a_sentence_ends_where_entra_appends_its_identifiers() {
        let crlf = "AADSTS7000215: Invalid client secret.\r\nTrace ID: 1-1\r\nCorrelation ID: 2-2";
        let blank = "AADSTS7000215: Invalid client secret. Trace ID: 1-1 Correlation ID: 2-2";
        assert_eq!(first_sentence(crlf, &[]), "AADSTS7000215: Invalid client secret.");
        assert_eq!(first_sentence(blank, &[]), "AADSTS7000215: Invalid client secret.");
        assert_eq!(labelled(blank, "Trace ID:"), Some("1-1"));
        assert_eq!(labelled(crlf, "Correlation ID:"), Some("2-2"));
    }

    #[test]
    fn terminal_escapes_do_not_survive() {
        assert_eq!(plain("a\u{1b}[31mred\r\nb\u{202e}c"), "a [31mred bc");
    }

    proptest! {
        #[test]
        fn no_text_around_a_secret_hides_it(before in ".{0,40}", after in ".{0,40}") {
            let text = format!("{before}{TOKEN}{after}");
            prop_assert!(!leaks(&redact(&text, &[Secret::from(TOKEN)])));
            prop_assert!(!leaks(&first_sentence(&text, &[Secret::from(TOKEN)])));
        }

        #[test]
        fn any_text_is_bounded_and_without_controls(text in "\\PC{0,600}|[\\x00-\\x1f]{0,40}") {
            let shown = first_sentence(&text, &[]);
            prop_assert!(shown.len() <= LONGEST + '…'.len_utf8());
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
