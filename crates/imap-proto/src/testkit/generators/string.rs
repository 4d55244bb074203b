//! Strings: atoms, texts, mailbox names.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wire::SecretBytes;

use crate::types::{AString, Atom, Keyword, ListPattern, Mailbox, NString, Tag, Text};

/// Octets without NUL that try every way of being written: atoms, specials, 8-bit, line ends, long ones.
fn octets() -> BoxedStrategy<Vec<u8>> {
    // Boxed, like the large ones below: a strategy that holds a hundred of these by value overflows a test's stack.
    let octets = prop_oneof![
        4 => "[a-zA-Z0-9._-]{0,12}".prop_map(String::into_bytes),
        3 => "[ -~]{0,20}".prop_map(String::into_bytes),
        2 => "\\PC{0,12}".prop_map(String::into_bytes),
        2 => vec(1..=255u8, 0..20),
        1 => select(vec![&b"NIL"[..], b"nil", b"inbox", b"INBOX", b"{3}", b"x{3+}", b"a\r\nb", b"\"", b"\\", b" ", b"]"])
            .prop_map(<[u8]>::to_vec),
        1 => (990..1010usize).prop_map(|n| alloc::vec![b'x'; n]),
    ];
    octets.boxed()
}

/// The same, on one line.
pub(super) fn line_octets() -> BoxedStrategy<Vec<u8>> {
    octets()
        .prop_map(|mut o| {
            o.retain(|b| !matches!(b, b'\r' | b'\n'));
            o
        })
        .boxed()
}

/// `atom`
pub fn atom() -> impl Strategy<Value = Atom<'static>> {
    "[A-Za-z0-9!#$&'+,./:;<=>?@^_`|}~-]{1,10}".prop_map(|s| Atom::try_from(s).unwrap())
}

/// An atom that no rule gives a meaning.
pub(super) fn unknown_atom() -> impl Strategy<Value = Atom<'static>> {
    "X-[A-Za-z0-9.]{1,10}".prop_map(|s| Atom::try_from(s).unwrap())
}

/// `tag`
pub fn tag() -> impl Strategy<Value = Tag<'static>> {
    "[A-Za-z0-9!#$&',./:;<=>?@^_`|}~\\[\\]-]{1,10}".prop_map(|s| Tag::try_from(s).unwrap())
}

/// `flag-keyword`
pub fn keyword() -> impl Strategy<Value = Keyword<'static>> {
    "[A-Za-z0-9$_.\\[-]{1,10}".prop_map(|s| Keyword::try_from(s).unwrap())
}

/// `astring`
pub fn astring() -> BoxedStrategy<AString<'static>> {
    octets().prop_map(|o| AString::new(o).unwrap()).boxed()
}

/// `nstring`
pub fn nstring() -> BoxedStrategy<NString<'static>> {
    option::weighted(0.8, octets()).prop_map(|o| o.map_or(NString::NIL, |o| NString::new(o).unwrap())).boxed()
}

/// `text`; never one that would be read as a response code.
pub fn text() -> impl Strategy<Value = Text<'static>> {
    line_octets().prop_map(|o| Text::new(o).unwrap()).prop_filter("looks like a code", |t| {
        !t.as_bytes().starts_with(b"[") || !t.as_bytes().contains(&b']')
    })
}

/// `mailbox`
pub fn mailbox() -> BoxedStrategy<Mailbox<'static>> {
    prop_oneof![
        1 => Just(Mailbox::INBOX),
        2 => "\\PC{0,10}".prop_map(|s| s.parse().unwrap()),
        3 => line_octets().prop_map(|o| Mailbox::new(o).unwrap()),
    ]
    .boxed()
}

/// `list-mailbox`
pub fn list_pattern() -> impl Strategy<Value = ListPattern<'static>> {
    prop_oneof!["[a-z/%*]{0,8}".prop_map(String::into_bytes), line_octets()]
        .prop_map(|o| ListPattern::new(o).unwrap())
}

pub(super) fn secret() -> impl Strategy<Value = SecretBytes> {
    octets().prop_map(SecretBytes::new)
}
