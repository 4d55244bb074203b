//! Numbers, sets of them, dates.

use core::num::{NonZeroU32, NonZeroU64};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::types::{Date, DateTime, SeqNumber, SeqRange, SequenceSet, UidRange, UidSet};

/// `nz-number`, small ones often.
pub fn nz_number() -> impl Strategy<Value = NonZeroU32> {
    prop_oneof![1..20u32, 1..=u32::MAX].prop_map(|n| NonZeroU32::new(n).unwrap())
}

/// `mod-sequence-value`: 1 to 2⁶³ − 1.
pub fn mod_sequence() -> impl Strategy<Value = NonZeroU64> {
    (1..(1u64 << 63)).prop_map(|n| NonZeroU64::new(n).unwrap())
}

/// `sequence-set`
pub fn sequence_set() -> BoxedStrategy<SequenceSet> {
    let number = || prop_oneof![5 => nz_number().prop_map(SeqNumber::Number), 1 => Just(SeqNumber::Star)];
    let single = number().prop_map(|n| SeqRange { start: n, end: n });
    let range = (number(), number()).prop_map(|(start, end)| SeqRange { start, end });
    vec(prop_oneof![single, range], 1..6).prop_map(|ranges| SequenceSet::new(ranges).unwrap()).boxed()
}

/// `uid-set`, empty ones too.
pub fn uid_set() -> BoxedStrategy<UidSet> {
    let single = nz_number().prop_map(|n| UidRange { start: n, end: n });
    let range = (nz_number(), nz_number()).prop_map(|(start, end)| UidRange { start, end });
    vec(prop_oneof![single, range], 0..5).prop_map(UidSet::new).boxed()
}

/// `date`
pub fn date() -> impl Strategy<Value = Date> {
    (-719_528..2_932_897i64).prop_map(|days| Date::from_days_since_epoch(days).unwrap())
}

/// `date-time`
pub fn date_time() -> impl Strategy<Value = DateTime> {
    (date(), 0..24u8, 0..60u8, 0..=60u8, -5999..=5999i16).prop_map(|(date, hour, minute, second, zone)| {
        DateTime::new(date, hour, minute, second, zone).unwrap()
    })
}
