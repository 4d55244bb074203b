//! Responses.

use alloc::borrow::Cow;
use alloc::vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::fetch::fetch_response;
use super::mailbox::{id_params, list_entry, namespaces, status_data};
use super::number::{nz_number, uid_set};
use super::search::search_data;
use super::status::{capabilities, capability, flag_set, status_response};
use super::string::{mailbox, text};
use crate::types::Response;

/// `response`
pub fn response() -> BoxedStrategy<Response<'static>> {
    use Response as R;
    let uids = uid_set().prop_filter("VANISHED needs one", |s| !s.is_empty());
    prop_oneof![
        4 => status_response().prop_map(R::Status),
        1 => text().prop_map(R::Continue),
        1 => capabilities().prop_map(R::Capability),
        1 => flag_set().prop_map(R::Flags),
        2 => list_entry().prop_map(R::List),
        1 => search_data().prop_map(R::Search),
        1 => (mailbox(), status_data())
            .prop_map(|(mailbox, data)| R::MailboxStatus { mailbox, data }),
        1 => prop_oneof![
            any::<u32>().prop_map(R::Exists),
            any::<u32>().prop_map(R::Recent),
            nz_number().prop_map(R::Expunge),
        ],
        1 => (any::<bool>(), uids).prop_map(|(earlier, uids)| R::Vanished { earlier, uids }),
        4 => fetch_response().prop_map(R::Fetch),
        1 => namespaces().prop_map(R::Namespace),
        1 => id_params().prop_map(R::Id),
        1 => vec(capability(), 0..4).prop_map(R::Enabled),
        1 => "(\\* X-|Server )[ -~]{0,20}".prop_map(|s| R::Unrecognised(Cow::Owned(s.into_bytes()))),
    ]
    .boxed()
}
