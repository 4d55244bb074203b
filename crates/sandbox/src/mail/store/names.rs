//! Which names folders can have.

use super::folders::Refused;

/// The one folder every mailbox has.
pub(crate) const INBOX: &str = "INBOX";

/// Longest name of a folder with all its levels, in octets.
const MAX_NAME: usize = 1000;

/// Names that cannot be created, deleted or renamed, as Exchange reports it.
const RESERVED: [&str; 3] = ["Files", "Sync Issues", "Recoverable Items"];

/// INBOX, and a first level that is INBOX, in capitals.
pub(super) fn canonical(name: &str) -> String {
    match name.split_once('/') {
        _ if name.eq_ignore_ascii_case(INBOX) => INBOX.to_owned(),
        Some((first, rest)) if first.eq_ignore_ascii_case(INBOX) => format!("{INBOX}/{rest}"),
        _ => name.to_owned(),
    }
}

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|r| r.eq_ignore_ascii_case(name))
}

pub(super) fn valid(name: &str) -> Result<String, Refused> {
    let name = canonical(name);
    let bad_level =
        |level: &str| level.is_empty() || level.chars().any(|c| c.is_control() || c == '*' || c == '%');
    if name.len() > MAX_NAME || name.split('/').any(bad_level) || is_reserved(&name) {
        return Err(Refused::Reserved);
    }
    Ok(name)
}
