//! Bodies and their parts: text in any charset and encoding, attachments, images, signatures.

use crate::seed::rng::Rng;
use crate::seed::text::{base64_lines, encoded_words, latin1, noise_base64, prose, quoted_printable};
use crate::seed::words::{FILES, Language};

/// Sizes of text in octets, by deciles: the median is a screenful, the tail is long.
const TEXT: [usize; 11] = [40, 240, 480, 800, 1200, 1800, 2600, 3800, 5600, 9500, 42_000];

/// Sizes of attachments in octets, by deciles.
const ATTACHMENT: [usize; 11] =
    [600, 2500, 6000, 11_000, 18_000, 30_000, 50_000, 85_000, 150_000, 300_000, 950_000];

pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// A text part: its MIME headers, the empty line and the encoded text.
pub(super) fn text_part(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, subtype: &str) {
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

/// A part of HTML, like [`text_part`]; `times` says how long it gets.
pub(super) fn html_part(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, times: usize) {
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

/// Text and the same as HTML.
pub(super) fn alternative(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
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

/// Text with attachments.
pub(super) fn mixed(
    out: &mut Vec<u8>,
    rng: &mut Rng,
    language: &Language,
    boundaries: [&str; 2],
    large: bool,
) {
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

/// Text with an image in it.
pub(super) fn related(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundaries: [&str; 2]) {
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

/// Text with a signature.
pub(super) fn signed(out: &mut Vec<u8>, rng: &mut Rng, language: &Language, boundary: &str) {
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
