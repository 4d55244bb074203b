//! The identities of sending: besides who signs in, the SASL user, the envelope sender and the author. And how messages go.

use smtp_proto::types::{EhloName, Mailbox};

use super::load::Source;
use super::model;
use super::resolve::at;
use crate::exit::{Failure, Result};
use crate::send::address::{self, Address};

/// Who is named where when mail is sent. Exchange wants the token's own user in SASL also where the mailbox is somebody else's,
/// unlike with IMAP and POP3.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// The SASL user.
    pub(crate) user: String,
    /// The envelope sender: who is told when a message cannot be delivered.
    pub(crate) sender: Mailbox,
    /// The author.
    pub(crate) from: Address,
    /// The name this machine gives itself.
    pub(crate) ehlo_name: Option<EhloName>,
    /// Whether long messages go by BDAT where the server offers it.
    pub(crate) chunking: bool,
}

pub(super) fn resolve(name: &str, table: &model::Account, source: &Source) -> Result<Sending> {
    let nothing = model::Smtp::default();
    let own = table.smtp.as_ref().unwrap_or(&nothing);
    let mistake = |key: &str, what: &str| -> Failure {
        let advice = match key {
            "ehlo_name" => "write a host name, or an address in brackets: [192.0.2.1]".to_owned(),
            key => format!("write {key} = \"name@domain\""),
        };
        source.mistake(&at(name, &["smtp", key]), what, advice)
    };
    let mailbox = table.mailbox.as_ref().unwrap_or(&table.user);
    let user = own.user.clone().unwrap_or_else(|| table.user.clone());
    if user.is_empty() || user.chars().any(char::is_control) {
        return Err(mistake("user", "this is no user"));
    }
    let sender = own.sender.as_ref().unwrap_or(mailbox);
    let sender = sender.parse().map_err(|_| mistake("sender", "this is no address"))?;
    let from = address::one(own.from.as_ref().unwrap_or(mailbox))
        .map_err(|_| mistake("from", "this is no address"))?;
    let ehlo_name = own.ehlo_name.as_ref().map(EhloName::new).transpose();
    let ehlo_name = ehlo_name.map_err(|_| mistake("ehlo_name", "this is no name for a host"))?;
    Ok(Sending { user, sender, from, ehlo_name, chunking: own.chunking.unwrap_or(true) })
}
