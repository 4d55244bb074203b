//! proptest strategies for every type. What they make can be written, and read back as what it was.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wire::SecretBytes;

use crate::types::*;

/// Domains and address literals in ASCII.
pub fn ehlo_name() -> impl Strategy<Value = EhloName> {
    prop_oneof![
        4 => "[a-z][a-z0-9_]{0,9}(\\.[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?){0,3}",
        1 => "\\[[0-9]{1,3}\\.[0-9]{1,3}\\.0\\.1\\]",
        1 => "\\[IPv6:[0-9a-f:]{2,20}\\]",
    ]
    .prop_map(|s| EhloName::new(s).unwrap())
}

/// Addresses, some of which need quotes, some UTF-8.
pub fn mailbox() -> impl Strategy<Value = Mailbox> {
    let local = prop_oneof![
        4 => "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\\.[a-z0-9]{1,5}){0,2}",
        2 => "[ -~]{1,16}".prop_map(|s| s.replace(['<', '>'], "x")),
        1 => "[a-zäöü日本]{1,8}",
        1 => select(alloc::vec![".", "a..b", "\"", "\\", "@", " ", "a@b", ".a", "a\"b\\c"]).prop_map(String::from),
    ];
    let domain = prop_oneof![
        4 => ehlo_name().prop_map(|n| String::from(n.as_str())),
        1 => "[a-zäöü日本]{1,8}(\\.[a-z]{2,5}){1,2}",
    ];
    (local, domain).prop_map(|(l, d)| Mailbox::new(l, d).unwrap())
}

/// Senders.
pub fn reverse_path() -> impl Strategy<Value = ReversePath> {
    prop_oneof![1 => Just(ReversePath::Null), 5 => mailbox().prop_map(ReversePath::Mailbox)]
}

/// Recipients.
pub fn forward_path() -> impl Strategy<Value = ForwardPath> {
    prop_oneof![1 => Just(ForwardPath::Postmaster), 5 => mailbox().prop_map(ForwardPath::Mailbox)]
}

fn printable() -> impl Strategy<Value = String> {
    "[ -~]{1,30}"
}

fn hold() -> impl Strategy<Value = Hold> {
    let time = (
        (2000..2100u32, 1..=12u32, 1..=31u32),
        (0..24u32, 0..60u32, 0..=60u32),
        select(alloc::vec!["", ".5", ".123456789"]),
        select(alloc::vec!["Z", "+01:00", "-11:30"]),
    )
        .prop_map(|((y, m, d), (h, min, s), fraction, zone)| {
            alloc::format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}{fraction}{zone}")
        });
    prop_oneof![
        (1..=999_999_999u32).prop_map(|n| Hold::For(HoldSeconds::new(n).unwrap())),
        time.prop_map(|t| Hold::Until(Timestamp::new(t).unwrap())),
    ]
}

fn deliver_by() -> impl Strategy<Value = DeliverBy> {
    prop_oneof![
        (1..=999_999_999i32, any::<bool>()).prop_map(|(n, t)| DeliverBy::new(n, ByMode::Return, t).unwrap()),
        (-999_999_999..=999_999_999i32, any::<bool>()).prop_map(|(n, t)| DeliverBy::new(
            n,
            ByMode::Notify,
            t
        )
        .unwrap()),
    ]
}

/// Parameters of MAIL.
pub fn mail_params() -> impl Strategy<Value = MailParams> {
    let body = select(alloc::vec![BodyType::SevenBit, BodyType::EightBitMime, BodyType::BinaryMime]);
    let submitter = prop_oneof![Just(Submitter::Unknown), mailbox().prop_map(Submitter::Mailbox)];
    let ret = select(alloc::vec![Ret::Full, Ret::Headers]);
    let id = printable().prop_map(|s| EnvelopeId::new(s).unwrap());
    (
        (option::of(any::<u64>()), option::of(body), any::<bool>(), option::of(submitter)),
        (option::of(ret), option::of(id), any::<bool>(), option::of(deliver_by()), option::of(hold())),
    )
        .prop_map(|((size, body, smtputf8, submitter), (ret, envelope_id, require_tls, by, hold))| {
            MailParams { size, body, smtputf8, submitter, ret, envelope_id, require_tls, by, hold }
        })
}

/// Parameters of RCPT.
pub fn rcpt_params() -> impl Strategy<Value = RcptParams> {
    let notify = prop_oneof![
        Just(Notify::Never),
        (1..8u8).prop_map(|n| Notify::On(Occasions::new(n & 1 != 0, n & 2 != 0, n & 4 != 0).unwrap())),
    ];
    let original =
        ("[a-zA-Z0-9-]{1,8}", printable()).prop_map(|(k, a)| OriginalRecipient::new(k, a).unwrap());
    (option::of(notify), option::of(original)).prop_map(|(notify, original)| RcptParams { notify, original })
}

fn argument() -> impl Strategy<Value = Argument> {
    "[!-~äöü]([ -~äöü]{0,20}[!-~äöü])?".prop_map(|s| Argument::new(&s).unwrap())
}

/// Every command, but without an initial response, which has no writer of its own.
pub fn command() -> BoxedStrategy<Command> {
    let mechanism = "[A-Z0-9_-]{1,20}".prop_map(|s| Mechanism::new(&s).unwrap());
    prop_oneof![
        ehlo_name().prop_map(Command::Ehlo),
        ehlo_name().prop_map(Command::Helo),
        ehlo_name().prop_map(Command::Lhlo),
        mechanism.prop_map(|mechanism| Command::Auth { mechanism, initial: None }),
        (reverse_path(), mail_params()).prop_map(|(from, params)| Command::Mail { from, params }),
        (forward_path(), rcpt_params()).prop_map(|(to, params)| Command::Rcpt { to, params }),
        (any::<u64>(), any::<bool>()).prop_map(|(len, last)| Command::Bdat { len, last }),
        option::of(argument()).prop_map(Command::Noop),
        option::of(argument()).prop_map(Command::Help),
        argument().prop_map(Command::Vrfy),
        argument().prop_map(Command::Expn),
        select(alloc::vec![Command::StartTls, Command::Data, Command::Rset, Command::Quit]),
    ]
    .boxed()
}

/// Replies of one to five lines.
pub fn reply() -> impl Strategy<Value = Reply> {
    let text = prop_oneof![
        3 => "[ -~]{0,30}",
        1 => "[^\r\n\0]{0,20}",
        1 => select(alloc::vec!["", " ", "2.0.0", "2.0.0 x", "5.7.3 no", "4.3.2", "250 x", "-", "2.0.0.0 x"]).prop_map(String::from),
    ];
    (200..600u16, option::of((0..1000u16, 0..1000u16)), vec(text, 1..5)).prop_map(
        |(code, enhanced, lines)| {
            let code = ReplyCode::new(code).unwrap();
            let class = u8::try_from(code.class()).unwrap();
            let enhanced = enhanced.and_then(|(s, d)| EnhancedCode::new(class, s, d).ok());
            Reply::with_lines(code, enhanced, lines).unwrap()
        },
    )
}

/// What a server can do.
pub fn capabilities() -> impl Strategy<Value = Capabilities> {
    let extension = prop_oneof![
        3 => select(alloc::vec![
            "PIPELINING", "SIZE 1000000", "SIZE 0", "SIZE", "AUTH PLAIN XOAUTH2", "LIMITS RCPTMAX=20 MAILMAX=5",
            "DELIVERBY 240", "FUTURERELEASE 86400 2026-12-31T00:00:00Z", "8BITMIME", "CHUNKING",
        ]).prop_map(|s| {
            let mut words = s.split(' ');
            Extension::new(words.next().unwrap(), words).unwrap()
        }),
        1 => ("[A-Z0-9][A-Z0-9-]{0,9}", vec("[!-~]{1,9}", 0..3))
            .prop_map(|(k, p)| Extension::new(&k, p.iter().map(String::as_str)).unwrap()),
    ];
    (ehlo_name(), vec(extension, 0..8)).prop_map(|(name, e)| Capabilities::new(&name, e).unwrap())
}

/// The 64 messages of INJ-15: every line end, dots, every line end, between other text and at either end.
pub fn dots_and_line_ends() -> Vec<Vec<u8>> {
    let ends: [&[u8]; 4] = [b"\r\n", b"\n", b"\r", b"\r\r\n"];
    let dots: [&[u8]; 4] = [b".", b"..", b" .", b""];
    let tails: [&[u8]; 4] = [b"\r\n", b"\n", b"\r", b""];
    let mut all = Vec::new();
    for end in ends {
        for dot in dots {
            for tail in tails {
                all.push([b"Subject: x\r\n\r\nhead", end, dot, tail].concat());
            }
        }
    }
    all
}

/// An initial response, base64 or `=`.
pub fn initial_response() -> impl Strategy<Value = SecretBytes> {
    vec(any::<u8>(), 0..40).prop_map(|octets| {
        if octets.is_empty() { SecretBytes::new(b"=".to_vec()) } else { sasl::base64::encode_secret(&octets) }
    })
}
