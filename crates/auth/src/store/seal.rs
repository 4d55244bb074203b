//! The form of an entry on disk.
//!
//! ```text
//! octets 0..4    "PKTS"
//!        4       format, 1
//!        5..13   which key: the first 8 octets of HMAC-SHA-256(key, "postkey store key")
//!       13..21   the first 8 octets of SHA-256 over octets 0..13
//!       21..33   nonce
//!       33..     AES-256-GCM of the JSON record, with its tag
//! ```
//!
//! The associated data are octets 0..13 and the digest of the entry's name: a file moved to another entry's
//! name does not open. The check over the header tells a wrong key from a damaged file; octets 0..21 mean the
//! same in every format, so that an older program knows a newer file from a damaged one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;

use super::entry::{Stored, hash};
use super::{EntryKey, Record, StoreError};

const MAGIC: &[u8; 4] = b"PKTS";
const FORMAT: u8 = 1;
/// Octets that the check covers.
const IDENTIFIED: usize = 13;
/// Octets before the nonce.
const HEADER: usize = 21;
/// What sealing adds at the end, in octets.
const TAG: usize = 16;

/// Why octets are not an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Damaged, or not ours.
    Corrupt,
    /// Sealed under another key.
    WrongKey,
    /// A format of the future.
    Version(u8),
}

/// Seals and opens entries under one key.
pub(super) struct Sealer {
    key: RandomizedNonceKey,
    /// Octets 0..21 of every file.
    header: [u8; HEADER],
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, StoreError> {
        let id = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"postkey store key");
        let mut identified = [0; IDENTIFIED];
        let parts = MAGIC.iter().chain(&[FORMAT]).chain(id.as_ref());
        identified.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        let mut header = [0; HEADER];
        let check = checksum(&identified);
        header.iter_mut().zip(identified.iter().chain(&check)).for_each(|(to, from)| *to = *from);
        Ok(Self { key: RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| StoreError::Cipher)?, header })
    }

    /// The file for a record.
    pub(super) fn seal(&self, entry: &EntryKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        self.seal_as(&entry.digest(), entry, record)
    }

    fn seal_as(&self, digest: &[u8; 32], entry: &EntryKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        let mut body = Stored::new(entry, record).json(TAG)?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(self.bound_to(digest)), &mut *body)
            .map_err(|_| StoreError::Cipher)?;
        let mut file = Vec::with_capacity(HEADER + NONCE_LEN + body.len());
        file.extend_from_slice(&self.header);
        file.extend_from_slice(nonce.as_ref());
        file.extend_from_slice(&body);
        Ok(file)
    }

    /// Whether a file was written in this format under this key, by its header alone.
    pub(super) fn recognise(&self, file: &[u8]) -> Result<(), Unreadable> {
        let identified = file.get(..IDENTIFIED).ok_or(Unreadable::Corrupt)?;
        let check = file.get(IDENTIFIED..HEADER).ok_or(Unreadable::Corrupt)?;
        if !identified.starts_with(MAGIC) || check != checksum(identified) {
            return Err(Unreadable::Corrupt);
        }
        match identified.get(MAGIC.len()) {
            Some(&FORMAT) if self.header.starts_with(identified) => Ok(()),
            Some(&FORMAT) => Err(Unreadable::WrongKey),
            Some(&other) => Err(Unreadable::Version(other)),
            None => Err(Unreadable::Corrupt),
        }
    }

    /// The record in a file that carries the name `digest`, and the entry it says it is.
    pub(super) fn open(&self, digest: &[u8; 32], file: &mut [u8]) -> Result<(EntryKey, Record), Unreadable> {
        self.recognise(file)?;
        let rest = file.get_mut(HEADER..).ok_or(Unreadable::Corrupt)?;
        let (nonce, sealed) = rest.split_at_mut_checked(NONCE_LEN).ok_or(Unreadable::Corrupt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable::Corrupt)?;
        let aad = Aad::from(self.bound_to(digest));
        let body = self.key.open_in_place(nonce, aad, sealed).map_err(|_| Unreadable::Corrupt)?;
        let stored: Stored = serde_json::from_slice(body).map_err(|_| Unreadable::Corrupt)?;
        if stored.entry.digest() != *digest {
            return Err(Unreadable::Corrupt);
        }
        Ok((stored.entry.clone(), stored.into_record()))
    }

    fn bound_to(&self, digest: &[u8; 32]) -> Vec<u8> {
        self.header.iter().take(IDENTIFIED).chain(digest).copied().collect()
    }
}

fn checksum(identified: &[u8]) -> [u8; HEADER - IDENTIFIED] {
    let digest = hash("postkey header", std::iter::once(identified));
    let mut check = [0; HEADER - IDENTIFIED];
    check.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokens;
    use wire::Secret;

    fn entry(account: &str) -> EntryKey {
        EntryKey {
            account: account.into(),
            authority: "https://login.example/token".into(),
            client_id: "c".into(),
            resource: "r".into(),
        }
    }

    fn record() -> Record {
        let tokens = Tokens {
            access_token: Secret::from("ACCESS-canary"),
            refresh_token: Some(Secret::from("REFRESH-canary")),
            id_token: None,
            obtained_at: 1,
            expires_at: 2,
            scope: vec!["s".into()],
            token_type: "Bearer".into(),
        };
        Record { tokens: Some(tokens), failure: None }
    }

    fn file() -> (Sealer, Vec<u8>) {
        let sealer = Sealer::new(&[7; 32]).unwrap();
        let file = sealer.seal(&entry("ana"), &record()).unwrap();
        (sealer, file)
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing() {
        let (sealer, mut file) = file();
        for word in ["canary", "ana", "login.example"] {
            assert!(!file.windows(word.len()).any(|run| run == word.as_bytes()));
        }
        let (found, opened) = sealer.open(&entry("ana").digest(), &mut file).unwrap();
        assert_eq!((found, opened), (entry("ana"), record()));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn any_record_survives(access in "\\PC{0,300}", refresh in proptest::option::of(".{0,3000}"), account in ".{0,30}", at: u64) {
            let tokens = Tokens { refresh_token: refresh.map(Secret::from), ..Tokens::bearer(Secret::from(access), at, at) };
            let record = Record { tokens: Some(tokens), failure: None };
            let sealer = Sealer::new(&[7; 32]).unwrap();
            let mut file = sealer.seal(&entry(&account), &record).unwrap();
            proptest::prop_assert_eq!(sealer.open(&entry(&account).digest(), &mut file), Ok((entry(&account), record)));
        }
    }

    #[test]
    fn nonces_are_fresh() {
        let (sealer, first) = file();
        let second = sealer.seal(&entry("ana"), &record()).unwrap();
        assert_ne!(first[HEADER..HEADER + NONCE_LEN], second[HEADER..HEADER + NONCE_LEN]);
    }

    #[test]
    fn au_42_every_truncation_is_damage() {
        let (sealer, file) = file();
        for length in 0..file.len() {
            let mut cut = file[..length].to_vec();
            assert_eq!(sealer.open(&entry("ana").digest(), &mut cut), Err(Unreadable::Corrupt), "{length}");
        }
    }

    #[test]
    fn au_42_every_flipped_bit_is_damage() {
        let (sealer, file) = file();
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                sealer.open(&entry("ana").digest(), &mut flipped),
                Err(Unreadable::Corrupt),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn au_43_another_key_is_told_from_damage() {
        let (_, mut file) = file();
        let other = Sealer::new(&[8; 32]).unwrap();
        assert_eq!(other.open(&entry("ana").digest(), &mut file), Err(Unreadable::WrongKey));
    }

    #[test]
    fn au_44_another_format_is_told_from_damage() {
        let (sealer, mut file) = file();
        file[4] = 2;
        let check = checksum(&file[..IDENTIFIED]);
        file[IDENTIFIED..HEADER].copy_from_slice(&check);
        assert_eq!(sealer.open(&entry("ana").digest(), &mut file), Err(Unreadable::Version(2)));
    }

    #[test]
    fn au_45_a_file_under_another_name_does_not_open() {
        let (sealer, mut file) = file();
        assert_eq!(sealer.open(&entry("bob").digest(), &mut file), Err(Unreadable::Corrupt));
        // Both bonds hold on their own: the associated data, and the name inside.
        let (ana, bob) = (entry("ana"), entry("bob"));
        let mut mixed = sealer.seal_as(&ana.digest(), &bob, &record()).unwrap();
        assert_eq!(sealer.open(&bob.digest(), &mut mixed.clone()), Err(Unreadable::Corrupt));
        assert_eq!(sealer.open(&ana.digest(), &mut mixed), Err(Unreadable::Corrupt));
    }
}
