//! The header of a seeded message.

use crate::clock::{Civil, MONTHS, WEEKDAYS};
use crate::seed::message::{Kind, Message};
use crate::seed::rng::Rng;
use crate::seed::text::{encoded_words, noise_base64, phrase};
use crate::seed::words::{DOMAINS, LOCALS, Language, NAMES};

impl Message {
    /// Everything up to the fields that say what the body is.
    pub(super) fn headers(&self, rng: &mut Rng, language: &Language, kind: Kind) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        let mut line = |text: String| {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        };
        let domain = *rng.pick(&DOMAINS);
        let id = format!("{:016x}.{:x}@{domain}", rng.draw(), self.index);
        let sent = self.internal_date() - 5 - rng.below(600) as i64;
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
