//! FETCH: what is asked and what comes back.

use alloc::borrow::Cow;
use alloc::vec;
use core::num::NonZeroU64;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::body::{body_structure, envelope};
use super::number::{date_time, nz_number};
use super::status::flag_set;
use super::string::unknown_atom;
use crate::types::{
    AString, BodyName, FetchData, FetchItem, FetchItems, FetchResponse, PartPath, Partial, RawValue, Section,
    SectionText,
};

fn part_path() -> impl Strategy<Value = PartPath> {
    vec(nz_number(), 0..4)
}

/// `section`
pub fn section() -> BoxedStrategy<Section<'static>> {
    let names = || {
        let name = prop_oneof!["[A-Za-z-]{1,10}", "[ -9;-~]{1,10}"];
        vec(name.prop_map(|s| AString::try_from(s).unwrap()), 1..4)
    };
    let text = prop_oneof![
        Just(SectionText::Full),
        Just(SectionText::Header),
        Just(SectionText::Text),
        Just(SectionText::Mime),
        names().prop_map(SectionText::HeaderFields),
        names().prop_map(SectionText::HeaderFieldsNot),
    ];
    (part_path(), text)
        .prop_map(|(path, text)| {
            let text = if path.is_empty() && text == SectionText::Mime { SectionText::Full } else { text };
            Section::new(path, text).unwrap()
        })
        .boxed()
}

fn partial() -> impl Strategy<Value = Option<Partial>> {
    option::of((any::<u32>(), nz_number()).prop_map(|(offset, length)| Partial { offset, length }))
}

/// `fetch-att`
pub fn fetch_item() -> impl Strategy<Value = FetchItem<'static>> {
    use FetchItem as I;
    prop_oneof![
        3 => select(vec![
            I::Envelope, I::Flags, I::InternalDate, I::Rfc822, I::Rfc822Header, I::Rfc822Size, I::Rfc822Text, I::Body,
            I::BodyStructure, I::Uid, I::ModSeq, I::PEEK_FULL,
        ]),
        2 => (section(), any::<bool>(), partial())
            .prop_map(|(section, peek, partial)| I::BodySection { section, peek, partial }),
        1 => (part_path(), any::<bool>(), partial())
            .prop_map(|(path, peek, partial)| I::Binary { path, peek, partial }),
        1 => part_path().prop_map(I::BinarySize),
        1 => unknown_atom().prop_map(I::Other),
    ]
}

/// The second argument of FETCH.
pub fn fetch_items() -> impl Strategy<Value = FetchItems<'static>> {
    prop_oneof![
        1 => select(vec![FetchItems::All, FetchItems::Fast, FetchItems::Full]),
        5 => vec(fetch_item(), 1..6).prop_map(FetchItems::List),
    ]
}

/// The name of a body in a FETCH response.
pub fn body_name() -> impl Strategy<Value = BodyName<'static>> {
    prop_oneof![
        section().prop_map(BodyName::Section),
        select(vec![BodyName::Rfc822, BodyName::Rfc822Header, BodyName::Rfc822Text]),
        part_path().prop_map(BodyName::Binary),
    ]
}

/// One value whatever it means.
pub fn raw_value() -> impl Strategy<Value = RawValue<'static>> {
    let leaf = prop_oneof![
        "[a-z0-9.-]{1,8}",
        "\"[ !#-\\[\\]-~]{0,8}\"",
        "\\\\[A-Z][a-z]{1,5}",
        Just("{2}\r\n()".into())
    ];
    let value = leaf.prop_recursive(3, 8, 3, |inner| {
        vec(inner, 0..4).prop_map(|list| alloc::format!("({})", list.join(" ")))
    });
    value.prop_map(|s| RawValue::new(s.as_bytes()).unwrap().into_owned())
}

/// `msg-att` item
pub fn fetch_data() -> BoxedStrategy<FetchData<'static>> {
    use FetchData as D;
    let body = option::weighted(0.8, vec(any::<u8>(), 0..40));
    prop_oneof![
        flag_set().prop_map(D::Flags),
        nz_number().prop_map(D::Uid),
        date_time().prop_map(|d| D::InternalDate(Some(d))),
        any::<u64>().prop_map(|n| D::Size(Some(n))),
        envelope().prop_map(D::Envelope),
        (body_structure(), any::<bool>())
            .prop_map(|(body, extensible)| D::BodyStructure { body, extensible }),
        (body_name(), option::of(any::<u32>()), body).prop_map(|(name, origin, data)| {
            let partial = matches!(name, BodyName::Section(_) | BodyName::Binary(_));
            D::Body { name, origin: origin.filter(|_| partial), data: data.map(Cow::Owned) }
        }),
        (part_path(), any::<u64>()).prop_map(|(path, size)| D::BinarySize { path, size }),
        (1..=u64::MAX).prop_map(|n| D::ModSeq(NonZeroU64::new(n))),
        (unknown_atom(), raw_value()).prop_map(|(name, value)| D::Other { name, value }),
    ]
    .boxed()
}

/// A whole FETCH response.
pub fn fetch_response() -> impl Strategy<Value = FetchResponse<'static>> {
    (nz_number(), vec(fetch_data(), 0..5)).prop_map(|(seq, items)| FetchResponse { seq, items })
}
