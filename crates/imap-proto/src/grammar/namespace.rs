//! NAMESPACE (RFC 2342 section 6).

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::list::{parse_delimiter, write_delimiter};
use super::string::{eat_nil, parse_string, write_string};
use super::value::parse_value;
use crate::types::{Invalid, Mailbox, Namespace, Namespaces};

/// ```abnf
/// Namespace_Response = "*" SP "NAMESPACE" SP Namespace SP Namespace SP Namespace
/// ```
///
/// Classes missing at the end are empty.
pub(crate) fn parse_namespaces<'a>(c: &mut Cursor<'a>) -> Parsed<Namespaces<'a>> {
    let class = |c: &mut Cursor<'a>| {
        c.spaces();
        if c.at_line_end() { Ok(Vec::new()) } else { parse_namespace(c) }
    };
    let namespaces = Namespaces { personal: class(c)?, other_users: class(c)?, shared: class(c)? };
    c.finish("Namespace_Response")?;
    Ok(namespaces)
}

/// ```abnf
/// Namespace = nil / "(" 1*("(" string SP (<"> QUOTED_CHAR <"> / nil) *(Namespace_Response_Extension) ")") ")"
/// ```
fn parse_namespace<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<Namespace<'a>>> {
    let mut list = Vec::new();
    if eat_nil(c) {
        return Ok(list);
    }
    c.expect(b'(', "Namespace")?;
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(list);
        }
        c.item("Namespace")?;
        c.expect(b'(', "Namespace")?;
        let start = c.clone();
        let prefix =
            Mailbox::new(parse_string(c)?).map_err(|_| start.error("Namespace", ParseErrorKind::Syntax))?;
        c.spaces1("Namespace")?;
        let delimiter = parse_delimiter(c)?;
        loop {
            c.spaces();
            if c.eat(b')') {
                break;
            }
            parse_value(c)?;
        }
        list.push(Namespace { prefix, delimiter });
    }
}

/// Writes the three classes, each with a blank in front.
pub(crate) fn write_namespaces(namespaces: &Namespaces<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    for class in [&namespaces.personal, &namespaces.other_users, &namespaces.shared] {
        e.octet(b' ');
        if class.is_empty() {
            e.raw(b"NIL");
            continue;
        }
        e.octet(b'(');
        for namespace in class {
            e.octet(b'(');
            write_string(namespace.prefix.as_bytes(), e)?;
            e.octet(b' ');
            write_delimiter(namespace.delimiter, e);
            e.octet(b')');
        }
        e.octet(b')');
    }
    Ok(())
}
