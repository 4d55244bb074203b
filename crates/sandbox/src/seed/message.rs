//! One message, computed from its seed and index whenever its octets are wanted.

use crate::clock::Civil;
use crate::seed::body::{alternative, html_part, mixed, put, related, signed, text_part};
use crate::seed::odd::{self, Odd};
use crate::seed::rng::Rng;
use crate::seed::text::{base64_lines, noise_base64, phrase};
use crate::seed::words::{LANGUAGES, LOCALS, Language};

/// What a seeded message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `text/plain`, in any charset and transfer encoding.
    Plain,
    /// `multipart/alternative` of plain text and HTML.
    Alternative,
    /// `multipart/mixed` with one to three attachments in base64.
    Attachments,
    /// `multipart/related`: HTML with an inline image.
    Related,
    /// HTML only, long, with the headers of a mailing list.
    Newsletter,
    /// An invitation: `text/calendar` as an alternative.
    Calendar,
    /// `multipart/signed` with `application/pkcs7-signature`.
    Signed,
    /// `application/pkcs7-mime`, enveloped.
    Enveloped,
    /// A forwarded `message/rfc822`.
    Forward,
    /// A delivery report, `multipart/report`.
    Report,
    /// Like [`Kind::Attachments`], of many MB.
    Large,
    /// Something that is not as it should be.
    Odd(Odd),
}

/// A message of a seeded mailbox. Costs nothing until [`octets`](Self::octets) is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    seed: u64,
    pub(super) index: usize,
    date: i64,
}

impl Message {
    /// The message number `index` of `seed`, received at `date` (Unix seconds).
    pub(crate) fn new(seed: u64, index: usize, date: i64) -> Self {
        Self { seed, index, date }
    }

    /// The internal date in Unix seconds.
    pub fn internal_date(&self) -> i64 {
        self.date
    }

    /// What it is. Rare kinds come at fixed places, so that a small mailbox has them all.
    pub fn kind(&self) -> Kind {
        let i = self.index;
        if i % 6 == 4 && i / 6 < Odd::ALL.len() {
            return Kind::Odd(Odd::ALL[i / 6]);
        }
        if i % 100 == 4 {
            return Kind::Odd(Odd::ALL[i / 100 % Odd::ALL.len()]);
        }
        if i % 500 == 41 {
            return Kind::Large;
        }
        match i % 40 {
            3 => return Kind::Calendar,
            9 => return Kind::Signed,
            15 => return Kind::Forward,
            21 => return Kind::Enveloped,
            27 => return Kind::Report,
            33 => return Kind::Related,
            _ => {}
        }
        match self.rng(1).below(100) {
            0..40 => Kind::Plain,
            40..72 => Kind::Alternative,
            72..84 => Kind::Attachments,
            84..88 => Kind::Related,
            _ => Kind::Newsletter,
        }
    }

    /// The message as a server stores it: headers, empty line, body; CRLF throughout except for some odd ones.
    pub fn octets(&self) -> Vec<u8> {
        match self.kind() {
            Kind::Odd(odd) => odd::octets(odd, self),
            kind => self.regular(kind),
        }
    }

    /// A generator for one aspect of this message.
    pub(crate) fn rng(&self, aspect: u64) -> Rng {
        Rng::new(&[self.seed, self.index as u64, aspect])
    }

    /// Any of the kinds without faults.
    pub(crate) fn regular(&self, kind: Kind) -> Vec<u8> {
        let mut rng = self.rng(2);
        let language = if rng.percent(60) { &LANGUAGES[0] } else { rng.pick(&LANGUAGES) };
        let mut out = self.headers(&mut rng, language, kind);
        let boundary = |n: u8| format!("_00{n}_{:016X}_", self.rng(100 + u64::from(n)).draw());
        match kind {
            Kind::Plain => text_part(&mut out, &mut rng, language, "plain"),
            Kind::Newsletter => html_part(&mut out, &mut rng, language, 3),
            Kind::Alternative => alternative(&mut out, &mut rng, language, &boundary(0)),
            Kind::Attachments | Kind::Large => {
                let large = kind == Kind::Large;
                mixed(&mut out, &mut rng, language, [&boundary(0), &boundary(1)], large);
            }
            Kind::Related => related(&mut out, &mut rng, language, [&boundary(0), &boundary(1)]),
            Kind::Calendar => self.calendar(&mut out, &mut rng, language, &boundary(0)),
            Kind::Signed => signed(&mut out, &mut rng, language, &boundary(0)),
            Kind::Enveloped => {
                out.extend_from_slice(
                    b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\n\
                      Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\
                      Content-Transfer-Encoding: base64\r\n\r\n",
                );
                let size = 2000 + rng.below(20_000);
                out.extend(noise_base64(&mut rng, "MIAGCSqGSIb3DQEHA6CA", size));
            }
            Kind::Forward => self.forward(&mut out, &mut rng, language, &boundary(0)),
            Kind::Report => self.report(&mut out, &mut rng, &boundary(0)),
            Kind::Odd(_) => {}
        }
        out
    }

    fn calendar(&self, out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
        put(
            out,
            &format!(
                "Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
            ),
        );
        text_part(out, rng, language, "plain");
        put(
            out,
            &format!(
                "\r\n--{boundary}\r\nContent-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\r\n"
            ),
        );
        put(out, "Content-Transfer-Encoding: base64\r\n\r\n");
        let stamp = |unix: i64| {
            let c = Civil::from_unix(unix);
            format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
        };
        let start = self.date + 86_400 * (1 + rng.below(20) as i64);
        let event = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n\
             BEGIN:VEVENT\r\nORGANIZER;CN=Ana Lima:mailto:ana@contoso.example\r\nSUMMARY;LANGUAGE=en:{}\r\n\
             DTSTART:{}\r\nDTEND:{}\r\nUID:{:032X}\r\nDTSTAMP:{}\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            phrase(rng, language, 4),
            stamp(start),
            stamp(start + 3600),
            rng.draw(),
            stamp(self.date)
        );
        put(out, &base64_lines(event.as_bytes()));
        put(out, &format!("\r\n--{boundary}--\r\n"));
    }

    fn forward(&self, out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
        put(out, &format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"));
        text_part(out, rng, language, "plain");
        put(out, &format!("\r\n--{boundary}\r\nContent-Type: message/rfc822\r\n"));
        put(
            out,
            "Content-Disposition: attachment;\r\n creation-date=\"Fri, 20 Nov 2026 10:00:00 GMT\"\r\n\r\n",
        );
        let inner = Self::new(self.seed ^ 0x5eed, self.index, self.date - 86_400);
        let kind = if rng.percent(50) { Kind::Alternative } else { Kind::Plain };
        out.extend(inner.regular(kind));
        put(out, &format!("\r\n--{boundary}--\r\n"));
    }

    fn report(&self, out: &mut Vec<u8>, rng: &mut Rng, boundary: &str) {
        let local = rng.pick(&LOCALS);
        put(
            out,
            &format!(
                "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
                 X-MS-Exchange-Message-Is-Ndr:\r\n\r\n--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
                 Delivery has failed to these recipients or groups.\r\n\r\n--{boundary}\r\n\
                 Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;mx.contoso.example\r\n\r\n\
                 Final-Recipient: rfc822;{local}@fabrikam.example\r\nAction: failed\r\nStatus: 5.1.10\r\n\
                 Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound\r\n\r\n--{boundary}\r\n\
                 Content-Type: text/rfc822-headers\r\n\r\nFrom: ana@contoso.example\r\nSubject: {}\r\n\r\n--{boundary}--\r\n",
                phrase(rng, &LANGUAGES[0], 4)
            ),
        );
    }
}
