//! Tokens on their way from one machine to another: sign in where there is a browser, use them where there is none.
//!
//! The form is an age file in text (armor), sealed for those who may open it. In it is JSON:
//!
//! ```text
//! {"postkey_tokens": 1, "records": [{"entry": …, "tokens": …, "failure": null}, …]}
//! ```
//!
//! Both machines hold the same refresh token afterwards. Where the provider lets a refresh token work once (Entra does
//! not), the first machine has to forget its tokens, or the second's first refresh ends both sign-ins.

use ::age::armor::Format;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::age::{Identity, Recipient, Trouble, open, seal};
use super::entry::Stored;
use super::flight::lock;
use super::{EntryKey, Policy, Record, StoreError, TokenStore};
use crate::clock::Clock;

const FORMAT: u32 = 1;
/// Longest text that is taken, in octets: hundreds of entries.
const LONGEST: usize = 8 * 1024 * 1024;

#[derive(Deserialize)]
struct Payload {
    records: Vec<Stored>,
}

/// What every format of the payload has.
#[derive(Deserialize)]
struct Version {
    postkey_tokens: u32,
}

fn refuse(reason: impl Into<String>) -> StoreError {
    StoreError::Transfer { reason: reason.into() }
}

/// Seals entries for `recipients`: text, some kilobytes an entry, that only they can open. Refusals that are remembered
/// beside the tokens stay behind.
///
/// # Errors
///
/// [`StoreError::Transfer`] if there are no tokens or no recipient, or if a passphrase is not the only recipient.
pub fn export(records: &[(EntryKey, Record)], recipients: &[Recipient]) -> Result<String, StoreError> {
    let mut body = Zeroizing::new(Vec::new());
    let mut items = Vec::with_capacity(records.len());
    for (key, record) in records.iter().filter(|(_, record)| record.tokens.is_some()) {
        let record = Record { tokens: record.tokens.clone(), failure: None };
        items.push(Stored::new(key, &record).json(0)?);
    }
    if items.is_empty() {
        return Err(refuse("there are none; sign in first"));
    }
    // Put together by hand, so that the room is there before the first secret is written into it.
    body.reserve_exact(64 + items.iter().map(|item| item.len() + 1).sum::<usize>());
    body.extend_from_slice(format!("{{\"postkey_tokens\":{FORMAT},\"records\":[").as_bytes());
    for (number, item) in items.iter().enumerate() {
        body.extend_from_slice(if number == 0 { b"" } else { b"," });
        body.extend_from_slice(item);
    }
    body.extend_from_slice(b"]}");
    let sealed = seal(&body, recipients, Format::AsciiArmor).map_err(refuse)?;
    String::from_utf8(sealed).map_err(|_| StoreError::Cipher)
}

/// Opens what [`export`] sealed. Nothing is stored: see [`restore`]. The account in a name may be changed before, where it
/// is called otherwise here.
///
/// # Errors
///
/// [`StoreError::Transfer`] if none of `identities` opens it, if it is damaged or something else, or if it was made by a
/// newer program.
pub fn import(text: &str, identities: &[Identity]) -> Result<Vec<(EntryKey, Record)>, StoreError> {
    if text.len() > LONGEST {
        return Err(refuse(format!("there are more than {LONGEST} octets of them, which is no such thing")));
    }
    // Blanks around it come with mail and terminals.
    let body = open(text.trim().as_bytes(), identities, LONGEST as u64).map_err(|trouble| match trouble {
        Trouble::Opener(reason) => refuse(reason),
        Trouble::Damaged => refuse("they are damaged or not all there; copy the text again, from the line \
                                    -----BEGIN AGE ENCRYPTED FILE----- to the line -----END AGE ENCRYPTED FILE-----"),
    })?;
    let strange = |_| refuse("what was sealed is something else");
    let version: Version = serde_json::from_slice(&body).map_err(strange)?;
    if version.postkey_tokens != FORMAT {
        return Err(refuse(format!(
            "they have format {}, which this program does not know; use the newer program",
            version.postkey_tokens
        )));
    }
    let payload: Payload = serde_json::from_slice(&body).map_err(strange)?;
    Ok(payload.records.into_iter().map(|stored| (stored.entry.clone(), stored.into_record())).collect())
}

/// Stores one of the entries that [`import`] gave. Newer tokens are kept unless `overwrite` says otherwise; newer is what
/// was obtained later.
///
/// # Errors
///
/// [`StoreError::Newer`]; any other [`StoreError`] of the store.
pub async fn restore(
    store: &(impl TokenStore + ?Sized),
    key: &EntryKey,
    record: Record,
    overwrite: bool,
    clock: &impl Clock,
) -> Result<(), StoreError> {
    let lock = lock(store, key, clock, Policy::default().lock_wait).await?;
    let stored = store.load_locked(&lock, key)?.and_then(|stored| stored.tokens);
    if let (Some(stored), Some(offered), false) = (stored, &record.tokens, overwrite)
        && stored.obtained_at > offered.obtained_at
    {
        return Err(StoreError::Newer {
            account: key.account.clone(),
            stored: stored.obtained_at,
            offered: offered.obtained_at,
        });
    }
    store.save(&lock, key, &record)
}
