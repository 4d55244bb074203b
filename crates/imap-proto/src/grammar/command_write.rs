//! `command` (RFC 3501 sections 6 and 9 and extensions): writing, as a client does.

use wire::SecretBytes;

use super::capability::write_enable;
use super::chars;
use super::date::write_date_time;
use super::encoder::Encoder;
use super::fetch_request::write_fetch_items;
use super::flag::{FlagContext, write_flag_list};
use super::id::write_id_params;
use super::mailbox::{write_list_mailbox, write_mailbox};
use super::mailbox_status::write_status_items;
use super::number::write_mod_sequence_valzer;
use super::search_key::write_search;
use super::sequence::write_sequence_set;
use super::string::{write_astring, write_secret_string};
use crate::types::{
    AppendLiteral, Command, FlagSet, Invalid, InvalidKind, Mailbox, SelectParams, SequenceSet, StoreAction,
    Tag, check,
};

/// Writes a command with its line's end. APPEND ends behind the announcement of the message.
///
/// Strings become atoms, quoted strings or literals, whichever can hold them; passwords and initial responses become
/// secret fragments.
///
/// # Errors
/// [`Invalid`] when it holds what cannot be said. Then nothing is written.
pub fn write_command(tag: &Tag<'_>, command: &Command<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.atomically(|e| {
        e.raw(tag.as_bytes());
        e.octet(b' ');
        if command.is_uid() {
            e.raw(b"UID ");
        }
        e.raw(command.name().as_bytes());
        write_arguments(command, e)?;
        e.raw(b"\r\n");
        Ok(())
    })
}

fn write_arguments(command: &Command<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    use Command as C;
    match command {
        C::Capability | C::Noop | C::Logout | C::StartTls | C::Namespace | C::Check | C::Close => Ok(()),
        C::Unselect | C::Expunge | C::Idle => Ok(()),
        C::Authenticate { mechanism, initial } => {
            e.octet(b' ');
            e.raw(mechanism.as_bytes());
            let Some(initial) = initial else { return Ok(()) };
            if !chars::is_base64(initial.expose()) {
                // The position would tell something about the secret.
                return Err(Invalid::new("initial response", InvalidKind::Syntax));
            }
            e.octet(b' ');
            e.secret(initial.clone());
            Ok(())
        }
        C::Login { user, password } => {
            e.octet(b' ');
            write_astring(user.as_bytes(), e)?;
            e.octet(b' ');
            write_secret_string(password, e)
        }
        C::Enable(list) => write_enable(list, e),
        C::Id(params) => {
            e.octet(b' ');
            write_id_params(params, e)
        }
        C::Select { mailbox, params } | C::Examine { mailbox, params } => {
            write_mailbox_argument(mailbox, e)?;
            write_select_params(*params, e);
            Ok(())
        }
        C::Create(mailbox) | C::Delete(mailbox) | C::Subscribe(mailbox) | C::Unsubscribe(mailbox) => {
            write_mailbox_argument(mailbox, e)
        }
        C::Rename { from, to } => {
            write_mailbox_argument(from, e)?;
            write_mailbox_argument(to, e)
        }
        C::List { reference, pattern } | C::Lsub { reference, pattern } => {
            write_mailbox_argument(reference, e)?;
            e.octet(b' ');
            write_list_mailbox(pattern, e)
        }
        C::Status { mailbox, items } => {
            write_mailbox_argument(mailbox, e)?;
            e.octet(b' ');
            write_status_items(items, e)
        }
        C::Append { mailbox, flags, date, literal } => {
            write_mailbox_argument(mailbox, e)?;
            if !flags.is_empty() {
                e.octet(b' ');
                write_flag_list(flags, FlagContext::Given, e)?;
            }
            if let Some(date) = date {
                e.octet(b' ');
                write_date_time(*date, e);
            }
            write_append_literal(*literal, e);
            Ok(())
        }
        C::UidExpunge(set) => {
            write_set_argument(set, e);
            Ok(())
        }
        C::Search { charset, key, .. } => write_search(charset.as_ref(), key, e),
        C::Fetch { set, items, changed_since, .. } => {
            write_set_argument(set, e);
            e.octet(b' ');
            write_fetch_items(items, e)?;
            let Some(since) = changed_since else { return Ok(()) };
            e.raw(b" (CHANGEDSINCE ");
            write_mod_sequence_valzer(since.get(), e)?;
            e.octet(b')');
            Ok(())
        }
        C::Store { set, unchanged_since, action, silent, flags, .. } => {
            write_set_argument(set, e);
            write_store(*unchanged_since, *action, *silent, flags, e)
        }
        C::Copy { set, mailbox, .. } | C::Move { set, mailbox, .. } => {
            write_set_argument(set, e);
            write_mailbox_argument(mailbox, e)
        }
        C::Unknown { name, arguments } => {
            let octets = arguments.as_bytes();
            check_arguments(octets)?;
            if super::command::is_known(name.as_bytes()) {
                return Err(Invalid::new("command", InvalidKind::Unsayable));
            }
            if !octets.is_empty() {
                e.octet(b' ');
                // It may be a sign-in that this crate does not know.
                e.secret(SecretBytes::new(octets.to_vec()));
            }
            Ok(())
        }
    }
}

/// Refuses what would not be one line of 7-bit octets, or would announce a literal (INJ-04).
pub(crate) fn check_arguments(octets: &[u8]) -> Result<(), Invalid> {
    check("arguments", octets, |o| o.is_ascii() && !matches!(o, b'\r' | b'\n' | 0))?;
    let announces = octets.strip_suffix(b"}").is_some_and(|rest| {
        let rest = rest.strip_suffix(b"+").unwrap_or(rest);
        let digits = rest.iter().rev().take_while(|o| o.is_ascii_digit()).count();
        rest.get(..rest.len().saturating_sub(digits)).is_some_and(|before| before.ends_with(b"{"))
    });
    if announces { Err(Invalid::new("arguments", InvalidKind::Unsayable)) } else { Ok(()) }
}

fn write_mailbox_argument(mailbox: &Mailbox<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b' ');
    write_mailbox(mailbox, e)
}

fn write_set_argument(set: &SequenceSet, e: &mut Encoder) {
    e.octet(b' ');
    write_sequence_set(set, e);
}

fn write_select_params(params: SelectParams, e: &mut Encoder) {
    if params.condstore {
        e.raw(b" (CONDSTORE)");
    }
}

fn write_append_literal(literal: AppendLiteral, e: &mut Encoder) {
    e.raw(if literal.binary { b" ~{" } else { b" {" });
    e.number(literal.len);
    e.raw(if literal.sync { b"}" } else { b"+}" });
}

fn write_store(
    unchanged_since: Option<u64>,
    action: StoreAction,
    silent: bool,
    flags: &FlagSet<'_>,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    if let Some(since) = unchanged_since {
        e.raw(b" (UNCHANGEDSINCE ");
        write_mod_sequence_valzer(since, e)?;
        e.octet(b')');
    }
    e.raw(match action {
        StoreAction::Replace => b" FLAGS",
        StoreAction::Add => b" +FLAGS",
        StoreAction::Remove => b" -FLAGS",
    });
    if silent {
        e.raw(b".SILENT");
    }
    e.octet(b' ');
    write_flag_list(flags, FlagContext::Given, e)
}
