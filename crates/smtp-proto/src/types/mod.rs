//! The nouns of SMTP. A value of these types can be said on the wire; what cannot be said cannot be built.

mod capabilities;
mod command;
mod domain;
mod dsn;
mod envelope;
mod invalid;
mod mailbox;
mod params;
mod reply;

pub use capabilities::{Capabilities, Extension, ServerLimits};
pub use command::{Argument, Command, Mechanism};
pub use domain::EhloName;
pub use dsn::{EnvelopeId, Notify, Occasions, OriginalRecipient, Ret};
pub use envelope::{Body, Envelope, Partial, Recipient, Transfer};
pub use invalid::{Invalid, InvalidKind};
pub use mailbox::{ForwardPath, Mailbox, ReversePath};
pub use params::{
    BodyType, ByMode, DeliverBy, Hold, HoldSeconds, MailParams, RcptParams, Submitter, Timestamp,
};
pub use reply::{EnhancedCode, Reply, ReplyCode};
