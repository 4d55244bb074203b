//! Seeded mailboxes: the same every time, and what real mailboxes look like to an independent parser.

use std::collections::HashSet;

use aws_lc_rs::digest::{Context, SHA256};
use mail_parser::{MessageParser, MimeHeaders, PartType};
use postkey_sandbox::seed::{self, Kind, Odd};

const N: usize = 600;

fn parse(octets: &[u8]) -> mail_parser::Message<'_> {
    MessageParser::default().parse(octets).expect("a message")
}

#[test]
fn the_same_octets_twice_and_on_every_machine() {
    let hash = |seed: u64| {
        let mut context = Context::new(&SHA256);
        for message in seed::messages(seed, 120) {
            context.update(&message.octets());
        }
        context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
    // A pin against accidental change: mailboxes on disk are compared with the seed.
    assert_eq!(hash(1), "af43430d6d4412b768fd1c1eb8a823d6503a3694ee201ec23a0ca916fb00f388");
}

#[test]
fn small_mailboxes_have_every_kind() {
    let kinds: Vec<Kind> = seed::messages(3, N).map(|m| m.kind()).collect();
    for odd in Odd::ALL {
        assert!(kinds[..100].contains(&Kind::Odd(*odd)), "{odd:?}");
    }
    for kind in [
        Kind::Plain,
        Kind::Alternative,
        Kind::Attachments,
        Kind::Related,
        Kind::Newsletter,
        Kind::Calendar,
        Kind::Signed,
        Kind::Enveloped,
        Kind::Forward,
        Kind::Report,
        Kind::Large,
    ] {
        assert!(kinds[..200].contains(&kind), "{kind:?}");
    }
    let plain = kinds.iter().filter(|k| matches!(k, Kind::Plain | Kind::Alternative)).count();
    assert!(plain * 2 > N, "most mail is ordinary: {plain}");
}

#[test]
fn ordinary_messages_are_well_formed() {
    let (mut non_ascii_subjects, mut raw_headers, mut attachments) = (0, 0, 0);
    let mut ids = HashSet::new();
    for message in seed::messages(5, N).filter(|m| !matches!(m.kind(), Kind::Odd(_))) {
        let octets = message.octets();
        let kind = message.kind();
        for (i, b) in octets.iter().enumerate() {
            match b {
                b'\n' => assert_eq!(octets[i - 1], b'\r', "{kind:?}: LF alone"),
                b'\r' => assert_eq!(octets.get(i + 1), Some(&b'\n'), "{kind:?}: CR alone"),
                0 => panic!("{kind:?}: NUL"),
                _ => {}
            }
        }
        assert!(octets.ends_with(b"\r\n"));
        assert!(octets.split(|b| *b == b'\n').all(|l| l.len() <= 999), "{kind:?}: line too long");
        let header_len = octets.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        raw_headers += usize::from(!octets[..header_len].is_ascii());

        let parsed = parse(&octets);
        assert!(
            parsed.from().is_some() && parsed.to().is_some() && parsed.message_id().is_some(),
            "{kind:?}"
        );
        let date = parsed.date().expect("a date");
        assert!(date.is_valid());
        // Sent before it was received, and not long before.
        assert!((0..1000).contains(&(message.internal_date() - date.to_timestamp())));
        assert!(ids.insert(parsed.message_id().unwrap().to_owned()), "a Message-ID twice");
        non_ascii_subjects += usize::from(parsed.subject().is_some_and(|s| !s.is_ascii()));
        for part in &parsed.parts {
            assert!(!part.is_encoding_problem, "{kind:?}");
        }
        attachments += parsed.attachment_count();
        let kinds: Vec<String> = parsed
            .parts
            .iter()
            .filter_map(|p| p.content_type())
            .map(|c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or_default()))
            .collect();
        let has = |name: &str| kinds.iter().any(|k| k.eq_ignore_ascii_case(name));
        match kind {
            Kind::Calendar => {
                let text =
                    parsed.parts.iter().filter_map(|p| p.text_contents()).find(|t| t.contains("VCALENDAR"));
                assert!(has("text/calendar") && text.unwrap().contains("METHOD:REQUEST"));
            }
            Kind::Signed => assert!(has("multipart/signed") && has("application/pkcs7-signature")),
            Kind::Enveloped => assert!(has("application/pkcs7-mime")),
            Kind::Report => assert!(has("multipart/report") && has("message/delivery-status")),
            Kind::Related => assert!(has("multipart/related") && has("image/png")),
            Kind::Forward => {
                let inner = parsed.parts.iter().find_map(|p| match &p.body {
                    PartType::Message(m) => Some(m),
                    _ => None,
                });
                assert!(inner.unwrap().message_id().is_some());
            }
            Kind::Attachments | Kind::Large => {
                assert!(parsed.attachments().any(|a| a.attachment_name().is_some()));
            }
            Kind::Alternative => assert!(parsed.text_body_count() > 0 && parsed.html_body_count() > 0),
            _ => {}
        }
    }
    assert!(non_ascii_subjects > 50 && raw_headers > 10 && attachments > 60);
}

#[test]
fn odd_messages_are_odd() {
    for message in seed::messages(7, 100) {
        let Kind::Odd(odd) = message.kind() else { continue };
        let octets = message.octets();
        let contains = |needle: &[u8]| octets.windows(needle.len()).any(|w| w == needle);
        let odd_enough = match odd {
            Odd::Empty => octets.is_empty(),
            Odd::NoHeaders => octets.starts_with(b"\r\n"),
            Odd::HeadersOnly => !contains(b"\r\n\r\n"),
            Odd::NoFinalCrlf => !octets.ends_with(b"\n"),
            Odd::Dots => contains(b"\r\n.\r\n") && contains(b"\r\n..\r\n"),
            Odd::LongLine => octets.split(|b| *b == b'\n').any(|l| l.len() > 90_000),
            Odd::LoneCr => contains(b"\rt"),
            Odd::LoneLf => !octets.contains(&b'\r') && octets.contains(&b'\n'),
            Odd::Nul => octets.contains(&0),
            Odd::RawHeaders => std::str::from_utf8(&octets).is_err(),
            Odd::ManyParts => parse(&octets).parts.len() > 200,
            Odd::DeepParts => contains(b"--b59\r\n"),
            Odd::NoClosingBoundary => contains(b"multipart/alternative") && !contains(b"_--\r\n"),
            Odd::RepeatedHeaders => octets.windows(9).filter(|w| w == b"Subject: ").count() == 2,
            Odd::BrokenValues => parse(&octets).date().is_none_or(|d| !d.is_valid()),
            Odd::OnlyLineEnds => octets.iter().all(|b| matches!(b, b'\r' | b'\n')),
            _ => false,
        };
        assert!(odd_enough, "{odd:?}");
    }
}

/// Like a real mailbox: half of it small, a long tail, a few of many megabytes.
#[test]
fn sizes() {
    let mut sizes: Vec<usize> = seed::messages(9, 1000).map(|m| m.octets().len()).collect();
    sizes.sort_unstable();
    let (median, p90, top) = (sizes[500], sizes[900], sizes[999]);
    let mean = sizes.iter().sum::<usize>() / 1000;
    println!("median {median}, mean {mean}, 90th {p90}, largest {top}");
    assert!((3_000..20_000).contains(&median), "{median}");
    assert!(mean > 3 * median, "the tail is long: {mean}");
    assert!(p90 > 20_000 && top > 4_000_000);
    assert_eq!(sizes.iter().filter(|s| **s > 3_000_000).count(), 2);
}

#[test]
fn folders_hold_what_was_asked_for() {
    for n in [0, 1, 7, 200, 20_000] {
        let folders = seed::folders(1, "ana@contoso.example", n);
        assert_eq!(folders.iter().map(|f| f.len()).sum::<usize>(), n);
        assert!(folders.iter().any(|f| !f.name().is_ascii()));
        assert!(folders.iter().any(|f| f.name().contains('/')));
        for folder in &folders {
            let mut last = (0, 0);
            for i in 0..folder.len() {
                let now = (folder.uid(i), folder.message(i).internal_date());
                assert!(now.0 > last.0 && now.1 >= last.1, "{} {i}", folder.name());
                last = now;
            }
            assert!(folder.uid_next() > last.0);
            assert!(folder.uid_validity() > 0);
            let drafts = (0..folder.len()).all(|i| folder.flags(i).draft);
            assert!(folder.is_empty() || drafts == (folder.name() == "Drafts"));
        }
    }
    let inbox = |owner: &str| seed::folders(1, owner, 50)[0].message(0).octets();
    assert_ne!(inbox("ana@contoso.example"), inbox("bela@contoso.example"));
}
