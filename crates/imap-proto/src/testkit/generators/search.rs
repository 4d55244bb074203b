//! SEARCH.

use alloc::boxed::Box;
use alloc::vec;
use core::num::NonZeroU64;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::number::{date, nz_number, sequence_set};
use super::string::{astring, keyword};
use crate::types::{SearchData, SearchKey};

/// `search-key`
pub fn search_key() -> BoxedStrategy<SearchKey<'static>> {
    use SearchKey as K;
    let word = select(vec![
        K::All,
        K::Answered,
        K::Deleted,
        K::Draft,
        K::Flagged,
        K::New,
        K::Old,
        K::Recent,
        K::Seen,
        K::Unanswered,
        K::Undeleted,
        K::Undraft,
        K::Unflagged,
        K::Unseen,
    ]);
    let strings = prop_oneof![
        astring().prop_map(K::Bcc),
        astring().prop_map(K::Body),
        astring().prop_map(K::Cc),
        astring().prop_map(K::From),
        astring().prop_map(K::Subject),
        astring().prop_map(K::Text),
        astring().prop_map(K::To),
        (astring(), astring()).prop_map(|(name, s)| K::Header(name, s)),
    ];
    let dates = prop_oneof![
        date().prop_map(K::Before),
        date().prop_map(K::On),
        date().prop_map(K::SentBefore),
        date().prop_map(K::SentOn),
        date().prop_map(K::SentSince),
        date().prop_map(K::Since),
    ];
    let others = prop_oneof![
        keyword().prop_map(K::Keyword),
        keyword().prop_map(K::Unkeyword),
        any::<u32>().prop_map(K::Larger),
        any::<u32>().prop_map(K::Smaller),
        sequence_set().prop_map(K::Uid),
        sequence_set().prop_map(K::Sequence),
        (0..(1u64 << 63)).prop_map(K::ModSeq),
    ];
    prop_oneof![word, strings, dates, others]
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|k| K::Not(Box::new(k))),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| K::Or(Box::new(a), Box::new(b))),
                vec(inner, 1..4).prop_map(K::And),
            ]
        })
        .boxed()
}

/// The SEARCH response.
pub fn search_data() -> impl Strategy<Value = SearchData<'static>> {
    (vec(nz_number(), 0..20), option::of(1..=u64::MAX))
        .prop_map(|(numbers, mod_seq)| SearchData::new(numbers, mod_seq.and_then(NonZeroU64::new)))
}
