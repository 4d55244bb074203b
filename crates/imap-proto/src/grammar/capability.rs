//! `capability-data` (RFC 3501 section 7.2.1) and ENABLED (RFC 5161).

use alloc::vec::Vec;

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use crate::types::{Atom, Capability, Invalid, InvalidKind};

/// ```abnf
/// capability-data = "CAPABILITY" *(SP capability) SP "IMAP4rev1" *(SP capability)
/// capability      = ("AUTH=" auth-type) / atom
/// ```
///
/// The part behind the first word, up to the end of the line or `]`. A word that is no atom is left out rather than
/// losing all the others.
pub(crate) fn parse_capabilities<'a, C: FromIterator<Capability<'a>>>(c: &mut Cursor<'a>) -> Parsed<C> {
    let mut bad = None;
    let words = core::iter::from_fn(|| {
        loop {
            c.spaces();
            if matches!(c.peek(), None | Some(b']')) || c.at_line_end() {
                return None;
            }
            let word = c.take_while(|o| !matches!(o, b' ' | b']' | b'\r' | b'\n'));
            if word.is_empty() {
                bad = Some(c.unexpected("capability"));
                return None;
            }
            if word.iter().all(|&o| chars::is_atom_char(o))
                && let Some(atom) = Atom::from_checked(word)
            {
                if let Err(error) = c.item("capability") {
                    bad = Some(error);
                    return None;
                }
                return Some(Capability::from_atom(atom));
            }
        }
    })
    .collect();
    bad.map_or(Ok(words), Err)
}

/// Capabilities of ENABLE: strictly atoms, one blank in front of each.
pub(crate) fn parse_enable<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<Capability<'a>>> {
    let mut list = Vec::new();
    while c.eat(b' ') {
        c.item("enable")?;
        list.push(super::string::parse_atom(c).map(Capability::from_atom)?);
    }
    if list.is_empty() { Err(c.unexpected("enable")) } else { Ok(list) }
}

/// Writes capabilities with a blank in front of each.
pub(crate) fn write_capabilities<'a, 'b: 'a>(
    list: impl Iterator<Item = &'a Capability<'b>>,
    e: &mut Encoder,
) {
    for capability in list {
        e.octet(b' ');
        e.display(capability);
    }
}

/// Writes the capabilities of ENABLE; there must be one.
pub(crate) fn write_enable(list: &[Capability<'_>], e: &mut Encoder) -> Result<(), Invalid> {
    if list.is_empty() {
        return Err(Invalid::new("enable", InvalidKind::Empty));
    }
    write_capabilities(list.iter(), e);
    Ok(())
}
