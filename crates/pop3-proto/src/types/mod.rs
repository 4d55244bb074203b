//! The nouns of POP3. A value that exists can be written; the constructors refuse everything else.

mod capability;
mod code;
mod command;
mod digest;
mod entry;
mod invalid;
mod language;
mod listing;
mod mechanism;
mod name;
mod password;
mod reply;
mod text;
mod timestamp;
mod unique_id;

pub use capability::{Capabilities, Capability, Expire};
pub use code::{Code, OtherCode};
pub use command::{Command, Keyword, Lang};
pub use digest::Digest;
pub use entry::Entry;
pub use invalid::{Invalid, InvalidKind};
pub use language::{Language, LanguageTag};
pub use listing::{DropListing, ScanListing, UniqueIdListing};
pub use mechanism::Mechanism;
pub use name::Name;
pub use password::Password;
pub use reply::{Reply, Status};
pub use text::Text;
pub use timestamp::Timestamp;
pub use unique_id::UniqueId;

pub(crate) use invalid::check;
