//! proptest strategies for every type. What they make can be written, and read back as what it was.

mod body;
mod command;
mod fetch;
mod mailbox;
mod number;
mod response;
mod search;
mod status;
mod string;

pub use body::{address, body_structure, envelope};
pub use command::command;
pub use fetch::{body_name, fetch_data, fetch_item, fetch_items, fetch_response, raw_value, section};
pub use mailbox::{delimiter, id_params, list_entry, namespaces, status_data};
pub use number::{date, date_time, mod_sequence, nz_number, sequence_set, uid_set};
pub use response::response;
pub use search::{search_data, search_key};
pub use status::{
    capabilities, capability, code, flag, flag_set, given_flags, permanent_flags, status_response,
};
pub use string::{astring, atom, keyword, list_pattern, mailbox, nstring, tag, text};
