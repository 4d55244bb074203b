//! ENVELOPE and BODYSTRUCTURE of a message (RFC 3501 section 7.4.2).

use imap_proto::types::{
    Address, BodyStructure, CommonExtension, Disposition, Envelope, Multipart, MultipartExtension, NString,
    Param, Part as Described, PartExtension, PartKind,
};

use crate::mail::address;
use crate::mail::header::value;
use crate::mail::mime::{Content, Parameter, Part, disposition};

/// The envelope of a message.
pub(crate) fn envelope(data: &[u8], message: &Part) -> Envelope<'static> {
    let raw = |name: &str| value(data, message.header.clone(), name);
    let text = |name: &str| raw(name).map_or(NString::NIL, string);
    let list = |name: &str| -> Vec<Address<'static>> {
        raw(name).map(|v| address::parse(&v).into_iter().map(entry).collect()).unwrap_or_default()
    };
    let from = list("From");
    // Sender and Reply-To are those of From where they are not given.
    let or_from = |list: Vec<Address<'static>>| if list.is_empty() { from.clone() } else { list };
    Envelope {
        date: text("Date"),
        subject: text("Subject"),
        sender: or_from(list("Sender")),
        reply_to: or_from(list("Reply-To")),
        to: list("To"),
        cc: list("Cc"),
        bcc: list("Bcc"),
        in_reply_to: text("In-Reply-To"),
        message_id: text("Message-ID"),
        from,
    }
}

/// The structure of a message; extension data is there but is left out when written for BODY.
pub(crate) fn structure(data: &[u8], part: &Part) -> BodyStructure<'static> {
    let raw = |name: &str| value(data, part.header.clone(), name);
    let text = |name: &str| raw(name).map_or(NString::NIL, string);
    let common = CommonExtension {
        disposition: raw("Content-Disposition").and_then(|v| disposition(&v)).and_then(
            |(kind, parameters)| {
                Some(Disposition { kind: kind.try_into_string()?, params: params(&parameters) })
            },
        ),
        language: raw("Content-Language")
            .map(|v| {
                let tags = v.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|t| !t.is_empty());
                tags.filter_map(|t| t.to_vec().try_into_string()).collect()
            })
            .unwrap_or_default(),
        location: text("Content-Location"),
    };
    if let Content::Multipart(parts) = &part.content {
        return BodyStructure::Multipart(Multipart {
            parts: parts.iter().map(|p| structure(data, p)).collect(),
            subtype: string(part.subtype.clone()),
            extension: Some(Box::new(MultipartExtension { params: params(&part.parameters), common })),
        });
    }
    let body = data.get(part.body.clone()).unwrap_or_default();
    let lines = || body.iter().filter(|b| **b == b'\n').count() as u64;
    let kind = match &part.content {
        Content::Message(inner) => PartKind::Message {
            envelope: Box::new(envelope(data, inner)),
            body: structure(data, inner),
            lines: lines(),
        },
        _ if part.media_type.eq_ignore_ascii_case(b"text") => PartKind::Text { lines: lines() },
        _ => PartKind::Basic,
    };
    let encoding = raw("Content-Transfer-Encoding").filter(|e| !e.is_empty());
    BodyStructure::Part(Box::new(Described {
        media_type: string(part.media_type.clone()),
        subtype: string(part.subtype.clone()),
        params: params(&part.parameters),
        id: text("Content-ID"),
        description: text("Content-Description"),
        encoding: string(encoding.unwrap_or_else(|| b"7bit".to_vec())),
        size: body.len() as u64,
        kind,
        extension: Some(Box::new(PartExtension { md5: text("Content-MD5"), common })),
    }))
}

fn entry(address: address::Address) -> Address<'static> {
    let text = |t: Option<Vec<u8>>| t.map_or(NString::NIL, string);
    Address {
        name: text(address.name),
        adl: text(address.route),
        mailbox: text(address.mailbox),
        host: text(address.host),
    }
}

fn params(parameters: &[Parameter]) -> Vec<Param<'static>> {
    let param = |(name, value): &Parameter| {
        Some(Param { name: name.clone().try_into_string()?, value: value.clone().try_into_string()? })
    };
    parameters.iter().filter_map(param).collect()
}

/// Only NUL cannot be in a string, and unfolding has dropped it.
fn string(octets: Vec<u8>) -> NString<'static> {
    NString::new(octets).unwrap_or(NString::NIL)
}

trait TryIntoString {
    fn try_into_string(self) -> Option<imap_proto::types::AString<'static>>;
}

impl TryIntoString for Vec<u8> {
    fn try_into_string(self) -> Option<imap_proto::types::AString<'static>> {
        imap_proto::types::AString::new(self).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mime::parse;
    use crate::seed;

    fn text(s: &NString<'_>) -> String {
        s.to_str_lossy().map_or("NIL".into(), |t| t.into_owned())
    }

    #[test]
    fn an_envelope() {
        let data =
            b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n\
            Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n\
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
            Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n";
        let e = envelope(data, &parse(data));
        // The envelope of RFC 3501 section 8.
        assert_eq!(text(&e.date), "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)");
        assert_eq!(e.from.len(), 1);
        assert_eq!(
            (text(&e.from[0].name), text(&e.from[0].host)),
            ("Terry Gray".into(), "cac.washington.edu".into())
        );
        assert_eq!((e.sender.clone(), e.reply_to.clone()), (e.from.clone(), e.from.clone()));
        assert_eq!(text(&e.cc[1].mailbox), "KLENSIN");
        assert!(e.bcc.is_empty() && e.in_reply_to.is_nil());
        assert_eq!(text(&e.message_id), "<B27397-0100000@cac.washington.edu>");
    }

    #[test]
    fn a_structure() {
        let data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\
            Content-Language: en, de\r\n\r\none\r\ntwo\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n\
            --b\r\nContent-Type: image/png; name=\"a b.png\"\r\nContent-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: inline; filename=\"a b.png\"\r\n\r\nAAAA\r\n--b--\r\n";
        let BodyStructure::Multipart(m) = structure(data, &parse(data)) else { panic!() };
        assert_eq!(m.parts.len(), 3);
        let BodyStructure::Part(p) = &m.parts[0] else { panic!() };
        assert_eq!((p.size, &p.kind), (10, &PartKind::Text { lines: 2 }));
        assert_eq!(p.extension.as_ref().unwrap().common.language.len(), 2);
        let BodyStructure::Part(p) = &m.parts[1] else { panic!() };
        let PartKind::Message { envelope, .. } = &p.kind else { panic!() };
        assert_eq!(text(&envelope.subject), "s");
        let BodyStructure::Part(p) = &m.parts[2] else { panic!() };
        assert_eq!((text(&p.id), text(&p.encoding), p.size), ("<i@x>".into(), "base64".into(), 4));
        let d = p.extension.as_ref().unwrap().common.disposition.as_ref().unwrap();
        assert_eq!(d.params[0].value.to_str_lossy(), "a b.png");
    }

    /// Whatever is in a mailbox, its description can be written by the grammar.
    #[test]
    fn every_seeded_message_can_be_described() {
        use imap_proto::grammar::{Encoder, write_response};
        use imap_proto::types::{FetchData, FetchResponse, Response};
        for message in seed::messages(11, 140).filter(|m| m.kind() != seed::Kind::Large) {
            let octets = message.octets();
            let root = parse(&octets);
            let items = vec![
                FetchData::Envelope(envelope(&octets, &root)),
                FetchData::BodyStructure { body: structure(&octets, &root), extensible: true },
                FetchData::BodyStructure { body: structure(&octets, &root), extensible: false },
            ];
            let response = Response::Fetch(FetchResponse { seq: 1.try_into().unwrap(), items });
            let mut encoder = Encoder::inline(Vec::new());
            write_response(&response, &mut encoder).unwrap_or_else(|e| panic!("{:?}: {e:?}", message.kind()));
        }
    }
}
