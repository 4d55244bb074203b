//! What a FETCH section names (RFC 3501 section 6.4.5).

use std::borrow::Cow;

use crate::mail::header::fields;
use crate::mail::mime::{Content, Part};

/// The end of a section: which octets of the part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'a> {
    /// All of the part's body; without a path, the whole message.
    Whole,
    /// The header of a message.
    Header,
    /// Some fields of it, in the order in which they stand, and the empty line.
    Fields(&'a [Vec<u8>]),
    /// The other fields.
    FieldsNot(&'a [Vec<u8>]),
    /// The body of a message.
    Text,
    /// The header of the part itself.
    Mime,
}

/// The octets of a section; `None` if the message has no such part.
pub(crate) fn section<'m>(
    data: &'m [u8],
    message: &Part,
    path: &[u32],
    text: What<'_>,
) -> Option<Cow<'m, [u8]>> {
    let slice = |range: std::ops::Range<usize>| data.get(range).map(Cow::Borrowed);
    if path.is_empty() {
        return match text {
            What::Whole => Some(Cow::Borrowed(data)),
            What::Mime => None,
            _ => of_message(data, message, text),
        };
    }
    let part = find(message, path)?;
    match text {
        What::Whole => slice(part.body.clone()),
        What::Mime => slice(part.header.clone()),
        _ => match &part.content {
            Content::Message(inner) => of_message(data, inner, text),
            _ => None,
        },
    }
}

fn of_message<'m>(data: &'m [u8], message: &Part, text: What<'_>) -> Option<Cow<'m, [u8]>> {
    let chosen = |names: &[Vec<u8>], wanted: bool| {
        let mut out = Vec::new();
        for field in fields(data, message.header.clone()) {
            let name = data.get(field.name).unwrap_or_default();
            if names.iter().any(|n| n.eq_ignore_ascii_case(name)) == wanted {
                out.extend_from_slice(data.get(field.whole).unwrap_or_default());
            }
        }
        out.extend_from_slice(b"\r\n");
        Some(Cow::Owned(out))
    };
    match text {
        What::Header => data.get(message.header.clone()).map(Cow::Borrowed),
        What::Text => data.get(message.body.clone()).map(Cow::Borrowed),
        What::Fields(names) => chosen(names, true),
        What::FieldsNot(names) => chosen(names, false),
        What::Whole | What::Mime => None,
    }
}

/// The part at a path of numbers from 1.
fn find<'p>(message: &'p Part, path: &[u32]) -> Option<&'p Part> {
    let mut at = message;
    for (depth, number) in path.iter().enumerate() {
        // A message in a message is entered without a number of its own.
        if depth > 0
            && let Content::Message(inner) = &at.content
        {
            at = inner;
        } else if depth > 0 && !matches!(at.content, Content::Multipart(_)) {
            return None;
        }
        match &at.content {
            Content::Multipart(parts) => at = parts.get(usize::try_from(*number).ok()?.checked_sub(1)?)?,
            // A message that is no multipart has one part: itself.
            _ if *number == 1 => {}
            _ => return None,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mime::parse;

    /// The tree of the example in RFC 3501 section 6.4.5.
    const MESSAGE: &[u8] = b"Subject: top\r\nX-A: 1\r\nx-a: 2\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
        --a\r\nContent-Type: text/plain\r\n\r\none\r\n--a\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n\
        --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nthree-one\r\n--b\r\nContent-ID: <32>\r\n\r\nthree-two\r\n--b--\r\n\
        --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain inner\r\n\r\nfour-one\r\n--a--\r\n";

    fn get(path: &[u32], text: What<'_>) -> Option<String> {
        let found = section(MESSAGE, &parse(MESSAGE), path, text)?;
        Some(String::from_utf8(found.into_owned()).unwrap())
    }

    #[test]
    fn the_tree_of_rfc_3501() {
        assert_eq!(get(&[], What::Whole).unwrap().len(), MESSAGE.len());
        assert!(get(&[], What::Header).unwrap().ends_with("boundary=a\r\n\r\n"));
        assert!(get(&[], What::Text).unwrap().starts_with("--a\r\n"));
        assert_eq!(get(&[1], What::Whole).unwrap(), "one");
        assert_eq!(get(&[1], What::Mime).unwrap(), "Content-Type: text/plain\r\n\r\n");
        assert_eq!(get(&[2], What::Whole).unwrap(), "two");
        assert!(get(&[3], What::Whole).unwrap().starts_with("Subject: inner\r\n"));
        assert!(get(&[3], What::Header).unwrap().starts_with("Subject: inner\r\n"));
        assert!(get(&[3], What::Text).unwrap().starts_with("--b\r\n"));
        assert_eq!(get(&[3, 1], What::Whole).unwrap(), "three-one");
        assert_eq!(get(&[3, 2], What::Mime).unwrap(), "Content-ID: <32>\r\n\r\n");
        assert_eq!(get(&[4, 1], What::Whole).unwrap(), "four-one");
        let fields = [b"x-A".to_vec(), b"nope".to_vec()];
        assert_eq!(get(&[], What::Fields(&fields)).unwrap(), "X-A: 1\r\nx-a: 2\r\n\r\n");
        assert_eq!(get(&[4], What::FieldsNot(&fields)).unwrap(), "Subject: plain inner\r\n\r\n");
    }

    /// SV-15: parts that are not there, however deep.
    #[test]
    fn parts_that_are_not_there() {
        for path in [&[0][..], &[5], &[1, 1], &[3, 3], &[3, 0], &[4, 2], &[1; 1000]] {
            assert_eq!(get(path, What::Whole), None, "{path:?}");
        }
        assert_eq!(get(&[1], What::Header), None);
        assert_eq!(get(&[], What::Mime), None);
    }

    #[test]
    fn a_message_without_parts_is_part_one() {
        let data = b"Subject: x\r\n\r\nbody";
        let message = parse(data);
        assert_eq!(section(data, &message, &[1], What::Whole).unwrap().as_ref(), b"body");
        assert!(section(data, &message, &[1, 1], What::Whole).is_none());
        assert!(section(data, &message, &[2], What::Whole).is_none());
    }
}
