//! The nouns of IMAP. A value of these types can be said on the wire; what cannot be said cannot be built.
//!
//! Types borrow from the frame they were parsed from; `into_owned` cuts them loose.

mod atom;
mod body;
pub(crate) mod capability;
pub(crate) mod code;
mod command;
mod date;
mod envelope;
mod fetch;
mod flag;
mod id;
mod invalid;
pub(crate) mod list;
mod mailbox;
mod mailbox_status;
mod namespace;
mod response;
mod search;
mod section;
mod sequence;
mod status;
mod string;

pub use atom::{Atom, Keyword, Tag};
pub use body::{
    BodyStructure, CommonExtension, Disposition, Multipart, MultipartExtension, Param, Part, PartExtension,
    PartKind,
};
pub use capability::{Capabilities, Capability};
pub use code::{Code, RawCode};
pub use command::{AppendLiteral, Command, RawArguments, SelectParams, StoreAction};
pub(crate) use date::MONTHS;
pub use date::{Date, DateTime};
pub use envelope::{Address, Envelope};
pub use fetch::{BodyName, FetchData, FetchItem, FetchItems, FetchResponse, RawValue};
pub use flag::{Flag, FlagSet};
pub use id::IdParams;
pub(crate) use invalid::check;
pub use invalid::{Invalid, InvalidKind};
pub use list::{Attribute, Delimiter, ListEntry, ListKind};
pub use mailbox::{ListPattern, Mailbox};
pub use mailbox_status::{StatusData, StatusItem};
pub use namespace::{Namespace, Namespaces};
pub use response::Response;
pub use search::{SearchData, SearchKey};
pub use section::{PartPath, Partial, Section, SectionText};
pub use sequence::{SeqNumber, SeqRange, SequenceSet, UidRange, UidSet};
pub use status::{StatusKind, StatusResponse};
pub use string::{AString, NString, Text};
