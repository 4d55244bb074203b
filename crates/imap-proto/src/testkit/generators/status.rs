//! Status responses: flags, capabilities, codes.

use alloc::vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::number::{mod_sequence, nz_number, sequence_set, uid_set};
use super::string::{atom, keyword, tag, text, unknown_atom};
use crate::types::{
    AString, Capabilities, Capability, Code, Flag, FlagSet, StatusKind, StatusResponse, capability, code,
};

/// `flag-fetch`
pub fn flag() -> impl Strategy<Value = Flag<'static>> {
    prop_oneof![
        select(vec![Flag::Seen, Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Draft, Flag::Recent]),
        keyword().prop_map(Flag::Keyword),
        unknown_atom().prop_map(Flag::Extension),
    ]
}

/// Flags of a message or mailbox.
pub fn flag_set() -> BoxedStrategy<FlagSet<'static>> {
    vec(flag(), 0..6).prop_map(|flags| flags.into_iter().collect()).boxed()
}

/// Flags that a client may give: no `\Recent`.
pub fn given_flags() -> impl Strategy<Value = FlagSet<'static>> {
    flag_set().prop_map(|mut flags| {
        flags.remove(&Flag::Recent);
        flags
    })
}

/// `flag-perm`
pub fn permanent_flags() -> impl Strategy<Value = FlagSet<'static>> {
    (flag_set(), any::<bool>()).prop_map(|(mut flags, wildcard)| {
        flags.set_wildcard(wildcard);
        flags
    })
}

/// `capability`
pub fn capability() -> BoxedStrategy<Capability<'static>> {
    prop_oneof![
        4 => select(capability::KNOWN.to_vec()),
        2 => atom().prop_map(Capability::Auth),
        1 => option::of(any::<u64>()).prop_map(Capability::AppendLimit),
        2 => unknown_atom().prop_map(Capability::Other),
    ]
    .boxed()
}

/// `capability-data`
pub fn capabilities() -> impl Strategy<Value = Capabilities<'static>> {
    vec(capability(), 0..8).prop_map(|list| list.into_iter().collect())
}

/// `resp-text-code`
pub fn code() -> BoxedStrategy<Code<'static>> {
    let charset = prop_oneof!["[a-zA-Z0-9-]{1,10}", "[ -Z^-~]{0,10}"];
    let charset = charset.prop_map(|s| AString::try_from(s).unwrap());
    let raw = "(X-[A-Z]{1,5}( [ -\\\\^-~]{0,10})?|UIDNEXT [a-z0-9]{1,3}|UIDVALIDITY 0|[ -\\\\^-~]{1,12})";
    prop_oneof![
        select(code::PLAIN.to_vec()),
        vec(charset, 0..3).prop_map(Code::BadCharset),
        capabilities().prop_map(Code::Capability),
        permanent_flags().prop_map(Code::PermanentFlags),
        nz_number().prop_map(Code::UidNext),
        nz_number().prop_map(Code::UidValidity),
        nz_number().prop_map(Code::Unseen),
        (nz_number(), uid_set()).prop_map(|(uid_validity, uids)| Code::AppendUid { uid_validity, uids }),
        (nz_number(), uid_set(), uid_set()).prop_map(|(uid_validity, source, destination)| Code::CopyUid {
            uid_validity,
            source,
            destination
        }),
        mod_sequence().prop_map(Code::HighestModSeq),
        sequence_set().prop_map(Code::Modified),
        raw.prop_map(|s| Code::new(s.as_bytes()).unwrap().into_owned()),
    ]
    .boxed()
}

/// `resp-cond-state`, `resp-cond-bye` and `resp-cond-auth`
pub fn status_response() -> BoxedStrategy<StatusResponse<'static>> {
    use StatusKind as K;
    let tagged = (tag().prop_map(Some), select(vec![K::Ok, K::No, K::Bad]));
    let untagged = (Just(None), select(vec![K::Ok, K::No, K::Bad, K::Bye, K::PreAuth]));
    (prop_oneof![tagged.boxed(), untagged.boxed()], option::of(code()), text())
        .prop_map(|((tag, kind), code, text)| StatusResponse { tag, kind, code, text })
        .boxed()
}
