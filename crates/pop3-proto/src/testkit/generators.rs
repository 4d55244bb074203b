//! proptest strategies for every type. What they make can be written, and read back as what it was.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wire::{Secret, SecretBytes};

use crate::types::*;

/// A message number, small ones often.
pub fn message_number() -> impl Strategy<Value = NonZeroU32> {
    prop_oneof![1..20u32, 1..=u32::MAX].prop_map(|n| NonZeroU32::new(n).unwrap())
}

/// A size, small ones often.
pub fn octets() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_000u64, any::<u64>()]
}

/// Free text; never one that would be read as a response code.
pub fn text() -> BoxedStrategy<Text<'static>> {
    let octets = prop_oneof![
        4 => "[ -~]{0,60}".prop_map(String::into_bytes),
        1 => "\\PC{0,20}".prop_map(String::into_bytes),
        1 => vec(1..=255u8, 0..60),
    ];
    octets
        .prop_map(|mut o| {
            o.retain(|b| !matches!(b, b'\r' | b'\n'));
            Text::new(o).unwrap()
        })
        .prop_filter("looks like a code", |t| !t.as_bytes().starts_with(b"["))
        .boxed()
}

/// The name of a mailbox.
pub fn name() -> impl Strategy<Value = Name> {
    prop_oneof!["[a-z.@]{1,30}", "[a-z]{1,5} [a-z]{1,5}", "[a-zäöü日]{1,20}"]
        .prop_map(|n| Name::new(n).unwrap())
}

/// The name of a mailbox without a space, as APOP wants it.
pub fn one_word_name() -> impl Strategy<Value = Name> {
    "[!-~]{1,30}".prop_map(|n| Name::new(n).unwrap())
}

/// A password.
pub fn password() -> impl Strategy<Value = Password> {
    vec(1..=255u8, 1..40).prop_filter_map("a line end", |mut o| {
        o.retain(|b| !matches!(b, b'\r' | b'\n'));
        Password::new(SecretBytes::new(o)).ok()
    })
}

/// The digest of APOP.
pub fn digest() -> impl Strategy<Value = Digest> {
    "[0-9a-f]{32}".prop_map(|d| Digest::new(&Secret::from(d)).unwrap())
}

/// The name of a mechanism.
pub fn mechanism() -> impl Strategy<Value = Mechanism> {
    prop_oneof![
        select(&["XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS"][..])
            .prop_map(String::from),
        "[A-Z][A-Z0-9_-]{0,19}",
    ]
    .prop_map(|m| Mechanism::new(&m).unwrap())
}

/// A unique-id.
pub fn unique_id() -> impl Strategy<Value = UniqueId<'static>> {
    "[!-~]{1,70}".prop_map(|id| UniqueId::new(id).unwrap())
}

/// A response code, known or not.
pub fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        select(&["IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8"][..]).prop_map(String::from),
        "X-[!-Z^-~]{1,10}".prop_map(|c| c.replace('/', "-")),
        "X[A-Z]{1,5}/[A-Z]{1,5}",
    ]
    .prop_map(|c| Code::new(&c).unwrap())
}

/// A status line.
pub fn reply() -> impl Strategy<Value = Reply<'static>> {
    (select(&[Status::Ok, Status::Err][..]), option::of(code()), text())
        .prop_map(|(status, code, text)| Reply { status, code, text })
}

/// What STAT says.
pub fn drop_listing() -> impl Strategy<Value = DropListing> {
    (any::<u32>(), octets()).prop_map(|(messages, octets)| DropListing { messages, octets })
}

/// A language tag.
pub fn language_tag() -> impl Strategy<Value = LanguageTag> {
    "[a-z]{2,3}(-[A-Z]{2})?".prop_map(|t| LanguageTag::new(t).unwrap())
}

/// A line of CAPA.
pub fn capability() -> BoxedStrategy<Capability> {
    let seconds = || any::<u32>();
    prop_oneof![
        Just(Capability::Top),
        Just(Capability::User),
        vec(mechanism(), 0..5).prop_map(Capability::Sasl),
        Just(Capability::RespCodes),
        (seconds(), any::<bool>())
            .prop_map(|(seconds, per_user)| Capability::LoginDelay { seconds, per_user }),
        Just(Capability::Pipelining),
        (option::of(seconds()), any::<bool>()).prop_map(|(days, per_user)| Capability::Expire {
            after: days.map_or(Expire::Never, Expire::Days),
            per_user
        }),
        Just(Capability::Uidl),
        text().prop_map(Capability::Implementation),
        Just(Capability::Stls),
        Just(Capability::AuthRespCode),
        any::<bool>().prop_map(|user| Capability::Utf8 { user }),
        Just(Capability::Lang),
        "X-[A-Z]{1,10}( [a-z]{1,10}){0,3}".prop_map(|l| Capability::Other(Text::try_from(l).unwrap())),
    ]
    .boxed()
}

/// A line of any listing.
pub fn entry() -> BoxedStrategy<Entry<'static>> {
    prop_oneof![
        (message_number(), octets()).prop_map(|(number, octets)| Entry::Scan(ScanListing { number, octets })),
        (message_number(), unique_id())
            .prop_map(|(number, id)| Entry::UniqueId(UniqueIdListing { number, id })),
        capability().prop_map(Entry::Capability),
        (language_tag(), text())
            .prop_map(|(tag, description)| Entry::Language(Language { tag, description })),
    ]
    .boxed()
}

/// A command of any kind.
pub fn command() -> BoxedStrategy<Command> {
    let initial = prop_oneof![
        Just(b"=".to_vec()),
        vec(any::<u8>(), 1..60).prop_map(|o| sasl::base64::encode(&o).into_bytes())
    ]
    .prop_map(SecretBytes::new);
    let parameters = "[!-~]{1,20}( [!-~]{1,20}){0,2}".prop_map(|p| SecretBytes::new(p.into_bytes()));
    prop_oneof![
        name().prop_map(Command::User),
        password().prop_map(Command::Pass),
        (one_word_name(), digest()).prop_map(|(name, digest)| Command::Apop { name, digest }),
        (mechanism(), option::of(initial))
            .prop_map(|(mechanism, initial)| Command::Auth { mechanism, initial }),
        select(alloc::vec![
            Command::Stat,
            Command::Rset,
            Command::Noop,
            Command::Quit,
            Command::Capa,
            Command::Stls,
            Command::Utf8,
            Command::Lang(Lang::List),
            Command::Lang(Lang::Default),
        ]),
        option::of(message_number()).prop_map(Command::List),
        option::of(message_number()).prop_map(Command::Uidl),
        message_number().prop_map(Command::Retr),
        (message_number(), any::<u32>()).prop_map(|(number, lines)| Command::Top { number, lines }),
        message_number().prop_map(Command::Dele),
        language_tag().prop_map(|t| Command::Lang(Lang::Tag(t))),
        ("X[A-Z]{1,10}", option::of(parameters)).prop_map(|(word, parameters)| Command::Unknown {
            keyword: Keyword::new(&word).unwrap(),
            parameters: parameters.unwrap_or_default(),
        }),
    ]
    .boxed()
}

/// A message as it may be stored: line ends and dots in every order.
pub fn message() -> impl Strategy<Value = Vec<u8>> {
    vec(
        select(alloc::vec![&b"\r\n"[..], b".", b"..", b"a", b"\r\n.\r\n", b"Subject: x\r\n", b"\r\n."]),
        0..30,
    )
    .prop_map(|v| v.concat())
}

#[cfg(test)]
mod tests {
    use wire::line;

    use super::super::grammar::wire_form;
    use super::*;
    use crate::grammar::{self, COMMAND_LINE, REPLY_LINE};

    fn read(entry: &Entry<'_>, line: &[u8]) -> Option<Entry<'static>> {
        let entry = match entry {
            Entry::Scan(_) => grammar::scan_listing(line).map(Entry::Scan),
            Entry::UniqueId(_) => grammar::unique_id_listing(line).map(Entry::UniqueId),
            Entry::Capability(_) => grammar::capability(line).map(Entry::Capability),
            Entry::Language(_) => grammar::language(line).map(Entry::Language),
        };
        entry.ok().map(Entry::into_owned)
    }

    proptest! {
        #[test]
        fn a_command_reads_as_it_was_written(command in command()) {
            let wire = wire_form(&command).unwrap();
            prop_assert!(wire.ends_with(b"\r\n") && wire.len() <= COMMAND_LINE);
            prop_assert!(!wire[..wire.len() - 2].iter().any(|o| matches!(o, b'\r' | b'\n' | 0)));
            prop_assert_eq!(grammar::command(line::content(&wire)), Ok(command));
        }

        #[test]
        fn a_reply_reads_as_it_was_written(reply in reply()) {
            let mut wire = Vec::new();
            grammar::write_reply(&reply, &mut wire).unwrap();
            prop_assert!(wire.ends_with(b"\r\n") && wire.len() <= REPLY_LINE);
            prop_assert_eq!(grammar::reply(line::content(&wire)), Ok(reply));
        }

        #[test]
        fn a_line_of_a_listing_reads_as_it_was_written(entry in entry()) {
            let mut wire = Vec::new();
            grammar::write_entry(&entry, &mut wire).unwrap();
            // A stuffed dot is the decoder's to take out.
            let (mut decoder, mut content) = (wire::dot::Decoder::new(), Vec::new());
            let mut rest = &wire[..];
            while let wire::dot::Step::Data { content: part, consumed } = decoder.step(rest) {
                content.extend_from_slice(part);
                rest = &rest[consumed..];
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read(&entry, line::content(&content)), Some(entry));
        }

        #[test]
        fn what_stat_says_reads_as_it_was_written(listing in drop_listing()) {
            prop_assert_eq!(Reply::of_drop(&listing).drop_listing(), Ok(listing));
        }

        #[test]
        fn what_a_single_line_reply_says_reads_as_it_was_written(number in message_number(), octets in octets(), id in unique_id()) {
            let scan = ScanListing { number, octets };
            prop_assert_eq!(Reply::of_scan(&scan).scan_listing(), Ok(scan));
            let id = UniqueIdListing { number, id };
            let reply = Reply::of_unique_id(&id);
            prop_assert_eq!(reply.unique_id_listing(), Ok(id));
        }

        #[test]
        fn any_octets_can_be_tried(data in vec(any::<u8>(), 0..100)) {
            super::super::fuzz_reply(&data);
            super::super::fuzz_command(&data);
        }

        #[test]
        fn octets_that_look_like_lines_can_be_tried(line in "(\\+OK|-ERR|USER|APOP|AUTH|TOP|LANG|EXPIRE|UTF8|1) [ -~]{0,30}") {
            super::super::fuzz_reply(line.as_bytes());
            super::super::fuzz_command(line.as_bytes());
        }
    }
}
