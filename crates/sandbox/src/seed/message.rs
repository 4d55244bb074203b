//! One message, computed from its seed and index whenever its octets are wanted.

use crate::clock::{Civil, MONTHS, WEEKDAYS};
use crate::seed::odd::{self, Odd};
use crate::seed::rng::Rng;
use crate::seed::text::{base64_lines, encoded_words, latin1, noise_base64, phrase, prose, quoted_printable};
use crate::seed::words::{DOMAINS, FILES, LANGUAGES, LOCALS, Language, NAMES};

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
    index: usize,
    date: i64,
}

/// Sizes of text in octets, by deciles: the median is a screenful, the tail is long.
const TEXT: [usize; 11] = [40, 240, 480, 800, 1200, 1800, 2600, 3800, 5600, 9500, 42_000];

/// Sizes of attachments in octets, by deciles.
const ATTACHMENT: [usize; 11] =
    [600, 2500, 6000, 11_000, 18_000, 30_000, 50_000, 85_000, 150_000, 300_000, 950_000];

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

    fn headers(&self, rng: &mut Rng, language: &Language, kind: Kind) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        let mut line = |text: String| {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        };
        let domain = *rng.pick(&DOMAINS);
        let id = format!("{:016x}.{:x}@{domain}", rng.draw(), self.index);
        let sent = self.date - 5 - rng.below(600) as i64;
        if kind != Kind::Report {
            line(format!("Return-Path: <{}@{domain}>", rng.pick(&LOCALS)));
        }
        for hop in (0..2 + rng.below(4)).rev() {
            line(format!(
                "Received: from mx{hop}.{domain} (2001:db8::{:x}) by\r\n \
                 HOST{hop:02}.mail.contoso.example with Microsoft SMTP Server\r\n \
                 (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.{}.{}; {}",
                rng.below(0xffff),
                7000 + rng.below(999),
                rng.below(40),
                date(sent + hop as i64, 0)
            ));
        }
        if rng.percent(70) {
            line(format!(
                "Authentication-Results: spf=pass (sender IP is 192.0.2.{})\r\n smtp.mailfrom={domain}; dkim=pass \
                 (signature was verified)\r\n header.d={domain};dmarc=pass action=none",
                rng.below(255)
            ));
            let signature = String::from_utf8(noise_base64(rng, "", 256)).unwrap_or_default();
            line(format!(
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};\r\n s=selector1;\r\n \
                 h=From:Date:Subject:Message-ID:Content-Type:MIME-Version;\r\n bh={:016x}{:016x}=;\r\n b={}",
                rng.draw(),
                rng.draw(),
                signature.trim_end().replace("\r\n", "\r\n ")
            ));
        }
        line(format!("From: {}", mailbox(rng, domain)));
        line(format!("To: {}", addresses(rng, 1, 4)));
        if rng.percent(25) {
            line(format!("Cc: {}", addresses(rng, 1, 12)));
        }
        if rng.percent(10) {
            line(format!("Reply-To: {}", mailbox(rng, domain)));
        }
        line(format!("Subject: {}", subject(rng, language, kind)));
        line(format!("Date: {}", date(sent, *rng.pick(&[0, 0, 1, 2, -5, -8, 9]))));
        line(format!("Message-ID: <{id}>"));
        if rng.percent(40) {
            let parent = format!("<{:016x}@{}>", rng.draw(), rng.pick(&DOMAINS));
            line(format!("In-Reply-To: {parent}"));
            line(format!("References: <{:016x}@{domain}>\r\n {parent}", rng.draw()));
        }
        if kind == Kind::Newsletter {
            line(format!("List-Id: Weekly <weekly.{domain}>"));
            line(format!("List-Unsubscribe: <https://{domain}/u?{:x}>,\r\n <mailto:u@{domain}>", rng.draw()));
            line("Precedence: bulk".to_owned());
        }
        if rng.percent(60) {
            line(format!("X-MS-Exchange-Organization-SCL: {}", rng.below(3)));
            line("X-MS-Has-Attach:".to_owned());
            line("X-MS-TNEF-Correlator:".to_owned());
            let noise = String::from_utf8(noise_base64(rng, "", 180)).unwrap_or_default();
            line(format!(
                "X-Microsoft-Antispam-Message-Info:\r\n\t{}",
                noise.trim_end().replace("\r\n", "\r\n\t")
            ));
        }
        line("MIME-Version: 1.0".to_owned());
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

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// `Fri, 20 Nov 2026 10:00:00 +0100` (RFC 5322 section 3.3), `zone` hours east of Greenwich.
pub(crate) fn date(unix: i64, zone: i64) -> String {
    let c = Civil::from_unix(unix + zone * 3600);
    let sign = if zone < 0 { '-' } else { '+' };
    format!(
        "{}, {} {} {:04} {:02}:{:02}:{:02} {sign}{:02}00",
        WEEKDAYS[c.weekday as usize % 7],
        c.day,
        MONTHS[(c.month as usize + 11) % 12],
        c.year,
        c.hour,
        c.minute,
        c.second,
        zone.abs()
    )
}

/// A mailbox: bare, with a name, quoted, encoded or in raw UTF-8.
fn mailbox(rng: &mut Rng, domain: &str) -> String {
    let address = format!("{}@{domain}", rng.pick(&LOCALS));
    if rng.percent(15) {
        return address;
    }
    let name = *rng.pick(&NAMES);
    let shown = if !name.is_ascii() {
        // One in four comes as raw UTF-8 (RFC 6532), as real mailboxes hold it.
        if rng.percent(25) { name.to_owned() } else { encoded_words(name, rng.percent(50)) }
    } else if name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    format!("{shown} <{address}>")
}

fn addresses(rng: &mut Rng, least: usize, most: usize) -> String {
    if rng.percent(2) {
        return "undisclosed-recipients:;".to_owned();
    }
    let list: Vec<String> = (0..least + rng.below(most))
        .map(|_| {
            let domain = *rng.pick(&DOMAINS);
            mailbox(rng, domain)
        })
        .collect();
    list.join(",\r\n\t")
}

fn subject(rng: &mut Rng, language: &Language, kind: Kind) -> String {
    if kind == Kind::Report {
        return "Undeliverable: your message".to_owned();
    }
    let prefix = *rng.pick(&["", "", "", "Re: ", "RE: RE: ", "Fwd: ", "AW: ", "[list] "]);
    let words = 1 + rng.below(12);
    let text = phrase(rng, language, words);
    if rng.percent(2) {
        return String::new();
    }
    if text.is_ascii() {
        let text = format!("{prefix}{text}");
        // Long subjects are folded at a blank.
        return match text.char_indices().filter(|(i, c)| *c == ' ' && *i > 50).map(|(i, _)| i).next() {
            Some(i) => format!("{}\r\n{}", &text[..i], &text[i..]),
            None => text,
        };
    }
    if rng.percent(15) {
        format!("{prefix}{text}")
    } else {
        format!("{prefix}{}", encoded_words(&text, rng.percent(50)))
    }
}

/// A text part: its MIME headers, the empty line and the encoded text.
fn text_part(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, subtype: &str) {
    let size = rng.decile(&TEXT);
    let flowed = rng.percent(10);
    let text = prose(rng, language, size, flowed);
    encode_text(out, rng, language, subtype, &text, flowed);
}

fn encode_text(
    out: &mut Vec<u8>,
    rng: &mut Rng,
    language: &Language,
    subtype: &str,
    text: &str,
    flowed: bool,
) {
    let old = language.latin1 && rng.percent(30);
    let (charset, octets) = match (text.is_ascii(), old) {
        (true, _) => ("us-ascii", text.as_bytes().to_vec()),
        (false, true) => ("iso-8859-1", latin1(text)),
        (false, false) => ("utf-8", text.as_bytes().to_vec()),
    };
    put(out, &format!("Content-Type: text/{subtype}; charset=\"{charset}\""));
    put(out, if flowed && subtype == "plain" { "; format=flowed\r\n" } else { "\r\n" });
    let long = text.split("\r\n").any(|l| l.len() > 990);
    match rng.below(10) {
        0 | 1 if !long && text.is_ascii() => put(out, "\r\n"),
        0..4 if !long => {
            put(
                out,
                if text.is_ascii() {
                    "Content-Transfer-Encoding: 7bit\r\n\r\n"
                } else {
                    "Content-Transfer-Encoding: 8bit\r\n\r\n"
                },
            );
        }
        4..8 => {
            put(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
            put(out, &quoted_printable(&octets));
            return;
        }
        _ => {
            put(out, "Content-Transfer-Encoding: base64\r\n\r\n");
            put(out, &base64_lines(&octets));
            return;
        }
    }
    out.extend_from_slice(&octets);
}

fn html_part(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, times: usize) {
    let mut html =
        String::from("<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html\">\r\n");
    html.push_str(
        "<style>p.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif}</style>\r\n",
    );
    html.push_str("</head><body lang=\"EN-GB\">\r\n");
    for _ in 0..times * (1 + rng.below(4)) {
        let size = rng.decile(&TEXT) / 3 + 20;
        html.push_str("<p class=\"MsoNormal\"><span style=\"color:#1F497D\">");
        html.push_str(&prose(rng, language, size, false));
        html.push_str("</span></p>\r\n");
    }
    html.push_str("</body></html>\r\n");
    encode_text(out, rng, language, "html", &html, false);
}

fn alternative(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
    put(out, &format!("Content-Type: multipart/alternative;\r\n\tboundary=\"{boundary}\"\r\n\r\n"));
    if rng.percent(30) {
        put(out, "This is a multi-part message in MIME format.\r\n\r\n");
    }
    put(out, &format!("--{boundary}\r\n"));
    text_part(out, rng, language, "plain");
    put(out, &format!("\r\n--{boundary}\r\n"));
    html_part(out, rng, language, 1);
    put(out, &format!("\r\n--{boundary}--\r\n"));
}

/// The name parameter of an attachment: plain, RFC 2047 (wrong but common) or RFC 2231.
fn disposition(rng: &mut Rng, name: &str) -> String {
    let percent = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    if name.len() > 60 {
        let (a, b) = name.split_at(40);
        return format!("attachment;\r\n filename*0=\"{a}\";\r\n filename*1=\"{b}\"");
    }
    if name.is_ascii() {
        format!("attachment; filename=\"{name}\"")
    } else if rng.percent(50) {
        format!("attachment;\r\n filename*=utf-8''{}", percent(name))
    } else {
        format!("attachment; filename=\"{}\"", encoded_words(name, false))
    }
}

fn mixed(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundaries: [&str; 2], large: bool) {
    let [outer, inner] = boundaries;
    put(out, &format!("Content-Type: multipart/mixed;\r\n\tboundary=\"{outer}\"\r\n\r\n--{outer}\r\n"));
    alternative(out, rng, language, inner);
    for _ in 0..if large { 1 } else { 1 + rng.below(3) } {
        let (name, kind, start) = *rng.pick(&FILES);
        let shown = disposition(rng, name);
        put(out, &format!("\r\n--{outer}\r\nContent-Type: {kind}"));
        if name.is_ascii() && name.len() < 60 {
            put(out, &format!(";\r\n name=\"{name}\""));
        }
        put(out, &format!("\r\nContent-Disposition: {shown}\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
        let size = if large { 3_000_000 + rng.below(6_000_000) } else { rng.decile(&ATTACHMENT) };
        out.extend(noise_base64(rng, start, size));
    }
    put(out, &format!("\r\n--{outer}--\r\n"));
}

fn related(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundaries: [&str; 2]) {
    let [outer, inner] = boundaries;
    put(
        out,
        &format!(
            "Content-Type: multipart/related;\r\n\tboundary=\"{outer}\";\r\n\ttype=\"multipart/alternative\"\r\n\r\n\
             --{outer}\r\n"
        ),
    );
    alternative(out, rng, language, inner);
    put(
        out,
        &format!(
            "\r\n--{outer}\r\nContent-Type: image/png; name=\"image001.png\"\r\nContent-Description: image001.png\r\n\
             Content-Disposition: inline; filename=\"image001.png\"; size=4096;\r\n\
             \tcreation-date=\"Fri, 20 Nov 2026 10:00:00 GMT\"\r\n\
             Content-ID: <image001.png@01DC0001.00000001>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        ),
    );
    let size = 1000 + rng.below(30_000);
    out.extend(noise_base64(rng, "iVBORw0KGgoAAAANSUhEUgAA", size));
    put(out, &format!("\r\n--{outer}--\r\n"));
}

fn signed(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
    put(
        out,
        &format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=SHA-256;\r\n \
             boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        ),
    );
    text_part(out, rng, language, "plain");
    put(
        out,
        &format!(
            "\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n"
        ),
    );
    let size = 2800 + rng.below(2400);
    out.extend(noise_base64(rng, "MIAGCSqGSIb3DQEHAqCA", size));
    put(out, &format!("\r\n--{boundary}--\r\n"));
}
