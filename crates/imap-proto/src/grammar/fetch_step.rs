//! What is read of a FETCH response at a time.

use crate::types::{BodyName, FetchData};

/// What [`fetch_item`](super::fetch_item) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchStep<'a> {
    /// A whole item.
    Item(FetchData<'a>),
    /// An item whose value is a literal that is not in the slice: the slice ends right behind its announcement. After
    /// `len` octets the response goes on, and [`fetch_item`](super::fetch_item) with it.
    Body {
        /// Which octets of the message.
        name: BodyName<'a>,
        /// Where a partial begins.
        origin: Option<u32>,
        /// Length of the literal in octets.
        len: u64,
        /// It is a `literal8` (RFC 3516).
        binary: bool,
    },
    /// The response is over.
    End,
}
