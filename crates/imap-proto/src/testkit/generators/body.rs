//! ENVELOPE and BODYSTRUCTURE.

use alloc::boxed::Box;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::string::{astring, nstring};
use crate::types::{
    Address, BodyStructure, CommonExtension, Disposition, Envelope, Multipart, MultipartExtension, NString,
    Param, Part, PartExtension, PartKind,
};

/// `address`
pub fn address() -> BoxedStrategy<Address<'static>> {
    (nstring(), nstring(), nstring(), nstring())
        .prop_map(|(name, adl, mailbox, host)| Address { name, adl, mailbox, host })
        .boxed()
}

/// `envelope`
pub fn envelope() -> BoxedStrategy<Envelope<'static>> {
    let list = || vec(address(), 0..3);
    let strings = (nstring(), nstring(), nstring(), nstring());
    (strings, (list(), list(), list(), list(), list(), list()))
        .prop_map(|(strings, lists)| {
            let (date, subject, in_reply_to, message_id) = strings;
            let (from, sender, reply_to, to, cc, bcc) = lists;
            Envelope { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id }
        })
        .boxed()
}

pub(super) fn params() -> BoxedStrategy<Vec<Param<'static>>> {
    vec((astring(), astring()).prop_map(|(name, value)| Param { name, value }), 0..3).boxed()
}

fn common_extension() -> BoxedStrategy<CommonExtension<'static>> {
    let disposition = (astring(), params()).prop_map(|(kind, params)| Disposition { kind, params });
    (option::of(disposition), vec(astring(), 0..3), nstring())
        .prop_map(|(disposition, language, location)| CommonExtension { disposition, language, location })
        .boxed()
}

/// `body`
pub fn body_structure() -> BoxedStrategy<BodyStructure<'static>> {
    let kind = prop_oneof![Just(PartKind::Basic), any::<u64>().prop_map(|lines| PartKind::Text { lines })];
    part(kind.boxed())
        .prop_recursive(3, 12, 3, |inner| {
            let extension = option::of((params(), common_extension()));
            let multipart =
                (vec(inner.clone(), 1..4), nstring(), extension).prop_map(|(parts, subtype, extension)| {
                    let extension =
                        extension.map(|(params, common)| Box::new(MultipartExtension { params, common }));
                    BodyStructure::Multipart(Multipart { parts, subtype, extension })
                });
            let message = (envelope(), inner, any::<u64>()).prop_map(|(envelope, body, lines)| {
                PartKind::Message { envelope: Box::new(envelope), body, lines }
            });
            prop_oneof![multipart, part(message.boxed())]
        })
        .boxed()
}

fn part(kind: BoxedStrategy<PartKind<'static>>) -> BoxedStrategy<BodyStructure<'static>> {
    let extension = option::of((nstring(), common_extension()));
    let strings = (nstring(), nstring(), nstring(), nstring(), nstring());
    (strings, params(), any::<u64>(), kind, extension)
        .prop_map(|((media_type, subtype, id, description, encoding), params, size, kind, extension)| {
            let media_type = match kind {
                PartKind::Message { .. } => NString::new(&b"Message"[..]).unwrap(),
                _ => media_type,
            };
            let extension = extension.map(|(md5, common)| Box::new(PartExtension { md5, common }));
            let part = Part { media_type, subtype, params, id, description, encoding, size, kind, extension };
            BodyStructure::Part(Box::new(part))
        })
        .boxed()
}
