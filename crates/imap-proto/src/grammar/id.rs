//! ID (RFC 2971 section 4).

use alloc::borrow::Cow;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::string::{eat_nil, parse_nstring, parse_string, write_nstring, write_string};
use crate::types::{AString, IdParams, Invalid};

/// ```abnf
/// id              = "ID" SP id_params_list
/// id_response     = "ID" SP id_params_list
/// id_params_list  = "(" *(string SP nstring SPACE) ")" / nil
/// ```
pub(crate) fn parse_id_params<'a>(c: &mut Cursor<'a>) -> Parsed<IdParams<'a>> {
    let mut params = IdParams::new();
    if eat_nil(c) {
        return Ok(params);
    }
    c.expect(b'(', "id_params_list")?;
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(params);
        }
        c.item("id_params_list")?;
        let start = c.clone();
        let field: Cow<'a, [u8]> = parse_string(c)?;
        c.spaces1("id_params_list")?;
        let value = parse_nstring(c)?;
        params
            .push_from_peer(AString::from_checked(field), value)
            .map_err(|_| start.error("id_params_list", ParseErrorKind::Syntax))?;
    }
}

/// Writes `id_params_list`.
pub(crate) fn write_id_params(params: &IdParams<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    if params.is_empty() {
        e.raw(b"NIL");
        return Ok(());
    }
    for (i, (field, value)) in params.iter().enumerate() {
        e.octet(if i == 0 { b'(' } else { b' ' });
        write_string(field.as_bytes(), e)?;
        e.octet(b' ');
        write_nstring(value, e)?;
    }
    e.octet(b')');
    Ok(())
}
