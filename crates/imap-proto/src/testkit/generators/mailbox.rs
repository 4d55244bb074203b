//! What servers tell of mailboxes and of themselves.

use alloc::vec;
use core::num::NonZeroU64;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::number::nz_number;
use super::string::{line_octets, mailbox, unknown_atom};
use crate::types::{
    AString, Attribute, Delimiter, IdParams, ListEntry, ListKind, NString, Namespace, Namespaces, StatusData,
    list,
};

/// A hierarchy delimiter.
pub fn delimiter() -> impl Strategy<Value = Option<Delimiter>> {
    option::of((1..128u8).prop_filter_map("no QUOTED-CHAR", |o| Delimiter::new(o).ok()))
}

/// `mailbox-list`
pub fn list_entry() -> impl Strategy<Value = ListEntry<'static>> {
    let attribute =
        prop_oneof![3 => select(list::KNOWN.to_vec()), 1 => unknown_atom().prop_map(Attribute::Other)];
    (select(vec![ListKind::List, ListKind::Lsub]), vec(attribute, 0..4), delimiter(), mailbox())
        .prop_map(|(kind, attributes, delimiter, mailbox)| ListEntry { kind, attributes, delimiter, mailbox })
}

/// `status-att-list`
pub fn status_data() -> impl Strategy<Value = StatusData> {
    let small = || option::of(any::<u32>());
    let big = || option::of(any::<u64>());
    (small(), small(), small(), option::of(nz_number()), option::of(nz_number()), big(), big()).prop_map(
        |(messages, recent, unseen, uid_next, uid_validity, mod_seq, size)| StatusData {
            messages,
            recent,
            uid_next,
            uid_validity,
            unseen,
            highest_mod_seq: mod_seq.and_then(NonZeroU64::new),
            size,
        },
    )
}

/// `Namespace_Response`
pub fn namespaces() -> impl Strategy<Value = Namespaces<'static>> {
    let class = || {
        vec((mailbox(), delimiter()).prop_map(|(prefix, delimiter)| Namespace { prefix, delimiter }), 0..3)
    };
    (class(), class(), class()).prop_map(|(personal, other_users, shared)| Namespaces {
        personal,
        other_users,
        shared,
    })
}

/// `id_params_list`
pub fn id_params() -> impl Strategy<Value = IdParams<'static>> {
    let value = option::of(line_octets());
    vec(("[a-z-]{1,30}", value), 0..5).prop_map(|pairs| {
        let mut params = IdParams::new();
        for (field, value) in pairs {
            let value = value.map_or(NString::NIL, |v| NString::new(v).unwrap());
            params.push(AString::try_from(field).unwrap(), value).unwrap();
        }
        params
    })
}
