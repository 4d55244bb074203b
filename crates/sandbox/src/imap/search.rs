//! SEARCH (RFC 3501 section 6.4.4) against a store.

use std::collections::HashSet;

use imap_proto::types::{AString, Date, SearchKey, SequenceSet};

use crate::mail::decode::{body_contains, header_text};
use crate::mail::header::fields;
use crate::mail::store::{Message, Meta, Store};
use crate::mail::view::View;

/// A key with its sequence sets resolved, so that none is walked for every message (SV-09).
pub(crate) enum Test {
    /// Sequence numbers.
    Among(HashSet<u32>),
    Not(Box<Test>),
    Or(Box<Test>, Box<Test>),
    And(Vec<Test>),
    Key(SearchKey<'static>),
}

/// Resolves a key; `None` if it asks for something this server does not have.
pub(crate) fn compile(key: SearchKey<'static>, view: &View) -> Option<Test> {
    Some(match key {
        SearchKey::Sequence(set) => {
            Test::Among(view.by_seq(&ranges(&set, view.len())).iter().map(|p| p.0).collect())
        }
        SearchKey::Uid(set) => {
            let last = view.last_uid().unwrap_or(0);
            Test::Among(view.by_uid(&ranges(&set, last)).iter().map(|p| p.0).collect())
        }
        SearchKey::Not(key) => Test::Not(Box::new(compile(*key, view)?)),
        SearchKey::Or(a, b) => Test::Or(Box::new(compile(*a, view)?), Box::new(compile(*b, view)?)),
        SearchKey::And(keys) => Test::And(keys.into_iter().map(|k| compile(k, view)).collect::<Option<_>>()?),
        SearchKey::ModSeq(_) => return None,
        key => Test::Key(key),
    })
}

/// A set as closed ranges, `*` being `greatest`.
pub(crate) fn ranges(set: &SequenceSet, greatest: u32) -> Vec<(u32, u32)> {
    set.ranges().iter().map(|r| r.bounds(greatest)).collect()
}

/// A message under test; its octets are made only if a key asks for them.
pub(crate) struct Candidate<'a> {
    pub(crate) store: &'a Store,
    pub(crate) view: &'a View,
    pub(crate) seq: u32,
    pub(crate) meta: Meta,
}

impl Candidate<'_> {
    /// Whether the message fits.
    pub(crate) fn fits(&self, test: &Test) -> bool {
        match test {
            Test::Among(set) => set.contains(&self.seq),
            Test::Not(test) => !self.fits(test),
            Test::Or(a, b) => self.fits(a) || self.fits(b),
            Test::And(tests) => tests.iter().all(|t| self.fits(t)),
            Test::Key(key) => self.key(key),
        }
    }

    fn key(&self, key: &SearchKey<'_>) -> bool {
        use SearchKey as K;
        let flags = self.meta.flags;
        let recent = self.view.is_recent(self.meta.uid);
        let day = self.meta.date.div_euclid(86_400);
        match key {
            K::All => true,
            K::Answered => flags.answered,
            K::Unanswered => !flags.answered,
            K::Deleted => flags.deleted,
            K::Undeleted => !flags.deleted,
            K::Draft => flags.draft,
            K::Undraft => !flags.draft,
            K::Flagged => flags.flagged,
            K::Unflagged => !flags.flagged,
            K::Seen => flags.seen,
            K::Unseen => !flags.seen,
            K::Recent => recent,
            K::Old => !recent,
            K::New => recent && !flags.seen,
            K::Keyword(k) => k.is("$MDNSent") && flags.mdn_sent,
            K::Unkeyword(k) => !(k.is("$MDNSent") && flags.mdn_sent),
            K::Before(date) => day < date.days_since_epoch(),
            K::On(date) => day == date.days_since_epoch(),
            K::Since(date) => day >= date.days_since_epoch(),
            K::Larger(n) => self.size() > *n,
            K::Smaller(n) => self.size() < *n,
            K::SentBefore(date) => self.sent().is_some_and(|d| d < date.days_since_epoch()),
            K::SentOn(date) => self.sent().is_some_and(|d| d == date.days_since_epoch()),
            K::SentSince(date) => self.sent().is_some_and(|d| d >= date.days_since_epoch()),
            K::From(text) => self.header("From", text),
            K::To(text) => self.header("To", text),
            K::Cc(text) => self.header("Cc", text),
            K::Bcc(text) => self.header("Bcc", text),
            K::Subject(text) => self.header("Subject", text),
            K::Header(name, text) => self.header(&name.to_str_lossy(), text),
            K::Body(text) => self.message(|m| body_contains(&m.octets, &m.root, &lower(text))),
            K::Text(text) => self.message(|m| {
                let needle = lower(text);
                let header = m.octets.get(m.root.header.clone()).unwrap_or_default();
                header_text(header).to_lowercase().contains(&needle)
                    || body_contains(&m.octets, &m.root, &needle)
            }),
            _ => false,
        }
    }

    fn message(&self, test: impl FnOnce(&Message) -> bool) -> bool {
        self.store.message(self.view.folder, self.meta.uid).is_some_and(|m| test(&m))
    }

    fn size(&self) -> u32 {
        self.store.size(self.view.folder, self.meta.uid).unwrap_or(0)
    }

    fn header(&self, name: &str, text: &AString<'_>) -> bool {
        let needle = lower(text);
        self.message(|m| {
            fields(&m.octets, m.root.header.clone()).into_iter().any(|f| {
                m.octets.get(f.name).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                    && header_text(m.octets.get(f.value).unwrap_or_default())
                        .replace(['\r', '\n'], "")
                        .to_lowercase()
                        .contains(&needle)
            })
        })
    }

    /// The day of the Date field, as days since 1970, the zone disregarded.
    fn sent(&self) -> Option<i64> {
        let message = self.store.message(self.view.folder, self.meta.uid)?;
        let value = crate::mail::header::value(&message.octets, message.root.header.clone(), "Date")?;
        day_of(&String::from_utf8_lossy(&value))
    }
}

fn lower(text: &AString<'_>) -> String {
    text.to_str_lossy().to_lowercase()
}

/// The day named by an RFC 5322 date.
fn day_of(text: &str) -> Option<i64> {
    let rest = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = rest.split_whitespace();
    let day: u8 = words.next()?.parse().ok()?;
    let month = words.next()?.get(..3)?;
    let month = crate::clock::MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let year: u16 = words.next()?.parse().ok()?;
    let date = Date::new(year, u8::try_from(month + 1).ok()?, day).ok()?;
    Some(date.days_since_epoch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(day_of("Thu, 1 Jan 1970 23:59:59 -1200"), Some(0));
        assert_eq!(day_of("2 January 1970 00:00"), Some(1));
        assert_eq!(day_of("yesterday at noon"), None);
        assert_eq!(day_of(""), None);
        assert_eq!(day_of("Mon, 31 Feb 2026 00:00:00 +0000"), None);
    }
}
