//! Commands.

use alloc::vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wire::SecretBytes;

use super::fetch::fetch_items;
use super::mailbox::id_params;
use super::number::{date_time, mod_sequence, sequence_set};
use super::search::search_key;
use super::status::{capability, given_flags};
use super::string::{astring, atom, list_pattern, mailbox, secret, unknown_atom};
use crate::types::{AppendLiteral, Command, RawArguments, SelectParams, StatusItem, StoreAction};

/// `command`
pub fn command() -> impl Strategy<Value = Command<'static>> {
    prop_oneof![plain_command(), mailbox_command(), message_command()]
}

fn plain_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let base64 = option::of("([A-Za-z0-9+/]{1,40}={0,2}|=)");
    let arguments = "[ -z]{0,20}".prop_map(|s| RawArguments::new(s.into_bytes()).unwrap());
    prop_oneof![
        4 => select(vec![
            C::Capability, C::Noop, C::Logout, C::StartTls, C::Namespace, C::Check, C::Close, C::Unselect, C::Expunge,
            C::Idle,
        ]),
        1 => (atom(), base64).prop_map(|(mechanism, initial)| C::Authenticate {
            mechanism,
            initial: initial.map(|s| SecretBytes::new(s.into_bytes())),
        }),
        1 => (astring(), secret()).prop_map(|(user, password)| C::Login { user, password }),
        1 => vec(capability(), 1..4).prop_map(C::Enable),
        1 => id_params().prop_map(C::Id),
        1 => (unknown_atom(), arguments).prop_map(|(name, arguments)| C::Unknown { name, arguments }),
    ]
        .boxed()
}

fn mailbox_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let params = || any::<bool>().prop_map(|condstore| SelectParams { condstore });
    let items = vec(select(StatusItem::ALL.map(|(item, _)| item).to_vec()), 1..5);
    let literal = (any::<u64>(), any::<bool>(), any::<bool>())
        .prop_map(|(len, sync, binary)| AppendLiteral { len, sync, binary });
    prop_oneof![
        (mailbox(), params()).prop_map(|(mailbox, params)| C::Select { mailbox, params }),
        (mailbox(), params()).prop_map(|(mailbox, params)| C::Examine { mailbox, params }),
        mailbox().prop_map(C::Create),
        mailbox().prop_map(C::Delete),
        (mailbox(), mailbox()).prop_map(|(from, to)| C::Rename { from, to }),
        mailbox().prop_map(C::Subscribe),
        mailbox().prop_map(C::Unsubscribe),
        (mailbox(), list_pattern()).prop_map(|(reference, pattern)| C::List { reference, pattern }),
        (mailbox(), list_pattern()).prop_map(|(reference, pattern)| C::Lsub { reference, pattern }),
        (mailbox(), items).prop_map(|(mailbox, items)| C::Status { mailbox, items }),
        (mailbox(), given_flags(), option::of(date_time()), literal)
            .prop_map(|(mailbox, flags, date, literal)| C::Append { mailbox, flags, date, literal }),
    ]
    .boxed()
}

fn message_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let uid = any::<bool>;
    let action = select(vec![StoreAction::Replace, StoreAction::Add, StoreAction::Remove]);
    let store = (option::of(0..(1u64 << 63)), action, any::<bool>(), given_flags());
    prop_oneof![
        sequence_set().prop_map(C::UidExpunge),
        (uid(), option::of(astring()), search_key()).prop_map(|(uid, charset, key)| C::Search {
            uid,
            charset,
            key
        }),
        (uid(), sequence_set(), fetch_items(), option::of(mod_sequence()))
            .prop_map(|(uid, set, items, changed_since)| C::Fetch { uid, set, items, changed_since }),
        (uid(), sequence_set(), store).prop_map(|(uid, set, (unchanged_since, action, silent, flags))| {
            C::Store { uid, set, unchanged_since, action, silent, flags }
        }),
        (uid(), sequence_set(), mailbox()).prop_map(|(uid, set, mailbox)| C::Copy { uid, set, mailbox }),
        (uid(), sequence_set(), mailbox()).prop_map(|(uid, set, mailbox)| C::Move { uid, set, mailbox }),
    ]
    .boxed()
}
