//! proptest strategies for every type. What they make can be written, and read back as what it was.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wire::SecretBytes;

use crate::types::*;

/// `nz-number`, small ones often.
pub fn nz_number() -> impl Strategy<Value = NonZeroU32> {
    prop_oneof![1..20u32, 1..=u32::MAX].prop_map(|n| NonZeroU32::new(n).unwrap())
}

/// `mod-sequence-value`: 1 to 2⁶³ − 1.
pub fn mod_sequence() -> impl Strategy<Value = NonZeroU64> {
    (1..(1u64 << 63)).prop_map(|n| NonZeroU64::new(n).unwrap())
}

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
fn line_octets() -> BoxedStrategy<Vec<u8>> {
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
fn unknown_atom() -> impl Strategy<Value = Atom<'static>> {
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

/// `sequence-set`
pub fn sequence_set() -> BoxedStrategy<SequenceSet> {
    let number = || prop_oneof![5 => nz_number().prop_map(SeqNumber::Number), 1 => Just(SeqNumber::Star)];
    let single = number().prop_map(|n| SeqRange { start: n, end: n });
    let range = (number(), number()).prop_map(|(start, end)| SeqRange { start, end });
    vec(prop_oneof![single, range], 1..6).prop_map(|ranges| SequenceSet::new(ranges).unwrap()).boxed()
}

/// `uid-set`, empty ones too.
pub fn uid_set() -> BoxedStrategy<UidSet> {
    let single = nz_number().prop_map(|n| UidRange { start: n, end: n });
    let range = (nz_number(), nz_number()).prop_map(|(start, end)| UidRange { start, end });
    vec(prop_oneof![single, range], 0..5).prop_map(UidSet::new).boxed()
}

/// `flag-fetch`
pub fn flag() -> impl Strategy<Value = Flag<'static>> {
    prop_oneof![
        select(vec![Flag::Seen, Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Draft, Flag::Recent]),
        keyword().prop_map(Flag::Keyword),
        unknown_atom().prop_map(Flag::Extension),
    ]
}

/// Flags of a message or mailbox.
pub fn flag_set() -> BoxedStrategy<FlagSet<'static>> {
    vec(flag(), 0..6).prop_map(|flags| flags.into_iter().collect()).boxed()
}

/// Flags that a client may give: no `\Recent`.
pub fn given_flags() -> impl Strategy<Value = FlagSet<'static>> {
    flag_set().prop_map(|mut flags| {
        flags.remove(&Flag::Recent);
        flags
    })
}

/// `flag-perm`
pub fn permanent_flags() -> impl Strategy<Value = FlagSet<'static>> {
    (flag_set(), any::<bool>()).prop_map(|(mut flags, wildcard)| {
        flags.set_wildcard(wildcard);
        flags
    })
}

/// `capability`
pub fn capability() -> BoxedStrategy<Capability<'static>> {
    prop_oneof![
        4 => select(capability::KNOWN.to_vec()),
        2 => atom().prop_map(Capability::Auth),
        1 => option::of(any::<u64>()).prop_map(Capability::AppendLimit),
        2 => unknown_atom().prop_map(Capability::Other),
    ]
    .boxed()
}

/// `capability-data`
pub fn capabilities() -> impl Strategy<Value = Capabilities<'static>> {
    vec(capability(), 0..8).prop_map(|list| list.into_iter().collect())
}

/// `resp-text-code`
pub fn code() -> BoxedStrategy<Code<'static>> {
    let charset = prop_oneof!["[a-zA-Z0-9-]{1,10}", "[ -Z^-~]{0,10}"];
    let charset = charset.prop_map(|s| AString::try_from(s).unwrap());
    let raw = "(X-[A-Z]{1,5}( [ -\\\\^-~]{0,10})?|UIDNEXT [a-z0-9]{1,3}|UIDVALIDITY 0|[ -\\\\^-~]{1,12})";
    prop_oneof![
        select(code::PLAIN.to_vec()),
        vec(charset, 0..3).prop_map(Code::BadCharset),
        capabilities().prop_map(Code::Capability),
        permanent_flags().prop_map(Code::PermanentFlags),
        nz_number().prop_map(Code::UidNext),
        nz_number().prop_map(Code::UidValidity),
        nz_number().prop_map(Code::Unseen),
        (nz_number(), uid_set()).prop_map(|(uid_validity, uids)| Code::AppendUid { uid_validity, uids }),
        (nz_number(), uid_set(), uid_set()).prop_map(|(uid_validity, source, destination)| Code::CopyUid {
            uid_validity,
            source,
            destination
        }),
        mod_sequence().prop_map(Code::HighestModSeq),
        sequence_set().prop_map(Code::Modified),
        raw.prop_map(|s| Code::new(s.as_bytes()).unwrap().into_owned()),
    ]
    .boxed()
}

/// `resp-cond-state`, `resp-cond-bye` and `resp-cond-auth`
pub fn status_response() -> BoxedStrategy<StatusResponse<'static>> {
    use StatusKind as K;
    let tagged = (tag().prop_map(Some), select(vec![K::Ok, K::No, K::Bad]));
    let untagged = (Just(None), select(vec![K::Ok, K::No, K::Bad, K::Bye, K::PreAuth]));
    (prop_oneof![tagged.boxed(), untagged.boxed()], option::of(code()), text())
        .prop_map(|((tag, kind), code, text)| StatusResponse { tag, kind, code, text })
        .boxed()
}

/// `date`
pub fn date() -> impl Strategy<Value = Date> {
    (-719_528..2_932_897i64).prop_map(|days| Date::from_days_since_epoch(days).unwrap())
}

/// `date-time`
pub fn date_time() -> impl Strategy<Value = DateTime> {
    (date(), 0..24u8, 0..60u8, 0..=60u8, -5999..=5999i16).prop_map(|(date, hour, minute, second, zone)| {
        DateTime::new(date, hour, minute, second, zone).unwrap()
    })
}

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

fn params() -> BoxedStrategy<Vec<Param<'static>>> {
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

fn part_path() -> impl Strategy<Value = PartPath> {
    vec(nz_number(), 0..4)
}

/// `section`
pub fn section() -> BoxedStrategy<Section<'static>> {
    let names = || {
        let name = prop_oneof!["[A-Za-z-]{1,10}", "[ -9;-~]{1,10}"];
        vec(name.prop_map(|s| AString::try_from(s).unwrap()), 1..4)
    };
    let text = prop_oneof![
        Just(SectionText::Full),
        Just(SectionText::Header),
        Just(SectionText::Text),
        Just(SectionText::Mime),
        names().prop_map(SectionText::HeaderFields),
        names().prop_map(SectionText::HeaderFieldsNot),
    ];
    (part_path(), text)
        .prop_map(|(path, text)| {
            let text = if path.is_empty() && text == SectionText::Mime { SectionText::Full } else { text };
            Section::new(path, text).unwrap()
        })
        .boxed()
}

fn partial() -> impl Strategy<Value = Option<Partial>> {
    option::of((any::<u32>(), nz_number()).prop_map(|(offset, length)| Partial { offset, length }))
}

/// `fetch-att`
pub fn fetch_item() -> impl Strategy<Value = FetchItem<'static>> {
    use FetchItem as I;
    prop_oneof![
        3 => select(vec![
            I::Envelope, I::Flags, I::InternalDate, I::Rfc822, I::Rfc822Header, I::Rfc822Size, I::Rfc822Text, I::Body,
            I::BodyStructure, I::Uid, I::ModSeq, I::PEEK_FULL,
        ]),
        2 => (section(), any::<bool>(), partial())
            .prop_map(|(section, peek, partial)| I::BodySection { section, peek, partial }),
        1 => (part_path(), any::<bool>(), partial())
            .prop_map(|(path, peek, partial)| I::Binary { path, peek, partial }),
        1 => part_path().prop_map(I::BinarySize),
        1 => unknown_atom().prop_map(I::Other),
    ]
}

/// The second argument of FETCH.
pub fn fetch_items() -> impl Strategy<Value = FetchItems<'static>> {
    prop_oneof![
        1 => select(vec![FetchItems::All, FetchItems::Fast, FetchItems::Full]),
        5 => vec(fetch_item(), 1..6).prop_map(FetchItems::List),
    ]
}

/// The name of a body in a FETCH response.
pub fn body_name() -> impl Strategy<Value = BodyName<'static>> {
    prop_oneof![
        section().prop_map(BodyName::Section),
        select(vec![BodyName::Rfc822, BodyName::Rfc822Header, BodyName::Rfc822Text]),
        part_path().prop_map(BodyName::Binary),
    ]
}

/// One value whatever it means.
pub fn raw_value() -> impl Strategy<Value = RawValue<'static>> {
    let leaf = prop_oneof![
        "[a-z0-9.-]{1,8}",
        "\"[ !#-\\[\\]-~]{0,8}\"",
        "\\\\[A-Z][a-z]{1,5}",
        Just("{2}\r\n()".into())
    ];
    let value = leaf.prop_recursive(3, 8, 3, |inner| {
        vec(inner, 0..4).prop_map(|list| alloc::format!("({})", list.join(" ")))
    });
    value.prop_map(|s| RawValue::new(s.as_bytes()).unwrap().into_owned())
}

/// `msg-att` item
pub fn fetch_data() -> BoxedStrategy<FetchData<'static>> {
    use FetchData as D;
    let body = option::weighted(0.8, vec(any::<u8>(), 0..40));
    prop_oneof![
        flag_set().prop_map(D::Flags),
        nz_number().prop_map(D::Uid),
        date_time().prop_map(|d| D::InternalDate(Some(d))),
        any::<u64>().prop_map(|n| D::Size(Some(n))),
        envelope().prop_map(D::Envelope),
        (body_structure(), any::<bool>())
            .prop_map(|(body, extensible)| D::BodyStructure { body, extensible }),
        (body_name(), option::of(any::<u32>()), body).prop_map(|(name, origin, data)| {
            let partial = matches!(name, BodyName::Section(_) | BodyName::Binary(_));
            D::Body { name, origin: origin.filter(|_| partial), data: data.map(Cow::Owned) }
        }),
        (part_path(), any::<u64>()).prop_map(|(path, size)| D::BinarySize { path, size }),
        (1..=u64::MAX).prop_map(|n| D::ModSeq(NonZeroU64::new(n))),
        (unknown_atom(), raw_value()).prop_map(|(name, value)| D::Other { name, value }),
    ]
    .boxed()
}

/// A whole FETCH response.
pub fn fetch_response() -> impl Strategy<Value = FetchResponse<'static>> {
    (nz_number(), vec(fetch_data(), 0..5)).prop_map(|(seq, items)| FetchResponse { seq, items })
}

/// A hierarchy delimiter.
pub fn delimiter() -> impl Strategy<Value = Option<Delimiter>> {
    option::of((1..128u8).prop_filter_map("no QUOTED-CHAR", |o| Delimiter::new(o).ok()))
}

/// `mailbox-list`
pub fn list_entry() -> impl Strategy<Value = ListEntry<'static>> {
    let attribute =
        prop_oneof![3 => select(list::KNOWN.to_vec()), 1 => unknown_atom().prop_map(Attribute::Other)];
    (select(vec![ListKind::List, ListKind::Lsub]), vec(attribute, 0..4), delimiter(), mailbox())
        .prop_map(|(kind, attributes, delimiter, mailbox)| ListEntry { kind, attributes, delimiter, mailbox })
}

/// `status-att-list`
pub fn status_data() -> impl Strategy<Value = StatusData> {
    let small = || option::of(any::<u32>());
    let big = || option::of(any::<u64>());
    (small(), small(), small(), option::of(nz_number()), option::of(nz_number()), big(), big()).prop_map(
        |(messages, recent, unseen, uid_next, uid_validity, mod_seq, size)| StatusData {
            messages,
            recent,
            uid_next,
            uid_validity,
            unseen,
            highest_mod_seq: mod_seq.and_then(NonZeroU64::new),
            size,
        },
    )
}

/// `Namespace_Response`
pub fn namespaces() -> impl Strategy<Value = Namespaces<'static>> {
    let class = || {
        vec((mailbox(), delimiter()).prop_map(|(prefix, delimiter)| Namespace { prefix, delimiter }), 0..3)
    };
    (class(), class(), class()).prop_map(|(personal, other_users, shared)| Namespaces {
        personal,
        other_users,
        shared,
    })
}

/// `id_params_list`
pub fn id_params() -> impl Strategy<Value = IdParams<'static>> {
    let value = option::of(line_octets());
    vec(("[a-z-]{1,30}", value), 0..5).prop_map(|pairs| {
        let mut params = IdParams::new();
        for (field, value) in pairs {
            let value = value.map_or(NString::NIL, |v| NString::new(v).unwrap());
            params.push(AString::try_from(field).unwrap(), value).unwrap();
        }
        params
    })
}

/// `search-key`
pub fn search_key() -> BoxedStrategy<SearchKey<'static>> {
    use SearchKey as K;
    let word = select(vec![
        K::All,
        K::Answered,
        K::Deleted,
        K::Draft,
        K::Flagged,
        K::New,
        K::Old,
        K::Recent,
        K::Seen,
        K::Unanswered,
        K::Undeleted,
        K::Undraft,
        K::Unflagged,
        K::Unseen,
    ]);
    let strings = prop_oneof![
        astring().prop_map(K::Bcc),
        astring().prop_map(K::Body),
        astring().prop_map(K::Cc),
        astring().prop_map(K::From),
        astring().prop_map(K::Subject),
        astring().prop_map(K::Text),
        astring().prop_map(K::To),
        (astring(), astring()).prop_map(|(name, s)| K::Header(name, s)),
    ];
    let dates = prop_oneof![
        date().prop_map(K::Before),
        date().prop_map(K::On),
        date().prop_map(K::SentBefore),
        date().prop_map(K::SentOn),
        date().prop_map(K::SentSince),
        date().prop_map(K::Since),
    ];
    let others = prop_oneof![
        keyword().prop_map(K::Keyword),
        keyword().prop_map(K::Unkeyword),
        any::<u32>().prop_map(K::Larger),
        any::<u32>().prop_map(K::Smaller),
        sequence_set().prop_map(K::Uid),
        sequence_set().prop_map(K::Sequence),
        (0..(1u64 << 63)).prop_map(K::ModSeq),
    ];
    prop_oneof![word, strings, dates, others]
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|k| K::Not(Box::new(k))),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| K::Or(Box::new(a), Box::new(b))),
                vec(inner, 1..4).prop_map(K::And),
            ]
        })
        .boxed()
}

/// The SEARCH response.
pub fn search_data() -> impl Strategy<Value = SearchData<'static>> {
    (vec(nz_number(), 0..20), option::of(1..=u64::MAX))
        .prop_map(|(numbers, mod_seq)| SearchData::new(numbers, mod_seq.and_then(NonZeroU64::new)))
}

fn secret() -> impl Strategy<Value = SecretBytes> {
    octets().prop_map(SecretBytes::new)
}

/// `command`
pub fn command() -> impl Strategy<Value = Command<'static>> {
    prop_oneof![plain_command(), mailbox_command(), message_command()]
}

fn plain_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let base64 = option::of("([A-Za-z0-9+/]{1,40}={0,2}|=)");
    let arguments = "[ -z]{0,20}".prop_map(|s| RawArguments::new(s.into_bytes()).unwrap());
    prop_oneof![
        4 => select(vec![
            C::Capability, C::Noop, C::Logout, C::StartTls, C::Namespace, C::Check, C::Close, C::Unselect, C::Expunge,
            C::Idle,
        ]),
        1 => (atom(), base64).prop_map(|(mechanism, initial)| C::Authenticate {
            mechanism,
            initial: initial.map(|s| SecretBytes::new(s.into_bytes())),
        }),
        1 => (astring(), secret()).prop_map(|(user, password)| C::Login { user, password }),
        1 => vec(capability(), 1..4).prop_map(C::Enable),
        1 => id_params().prop_map(C::Id),
        1 => (unknown_atom(), arguments).prop_map(|(name, arguments)| C::Unknown { name, arguments }),
    ]
        .boxed()
}

fn mailbox_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let params = || any::<bool>().prop_map(|condstore| SelectParams { condstore });
    let items = vec(select(StatusItem::ALL.map(|(item, _)| item).to_vec()), 1..5);
    let literal = (any::<u64>(), any::<bool>(), any::<bool>())
        .prop_map(|(len, sync, binary)| AppendLiteral { len, sync, binary });
    prop_oneof![
        (mailbox(), params()).prop_map(|(mailbox, params)| C::Select { mailbox, params }),
        (mailbox(), params()).prop_map(|(mailbox, params)| C::Examine { mailbox, params }),
        mailbox().prop_map(C::Create),
        mailbox().prop_map(C::Delete),
        (mailbox(), mailbox()).prop_map(|(from, to)| C::Rename { from, to }),
        mailbox().prop_map(C::Subscribe),
        mailbox().prop_map(C::Unsubscribe),
        (mailbox(), list_pattern()).prop_map(|(reference, pattern)| C::List { reference, pattern }),
        (mailbox(), list_pattern()).prop_map(|(reference, pattern)| C::Lsub { reference, pattern }),
        (mailbox(), items).prop_map(|(mailbox, items)| C::Status { mailbox, items }),
        (mailbox(), given_flags(), option::of(date_time()), literal)
            .prop_map(|(mailbox, flags, date, literal)| C::Append { mailbox, flags, date, literal }),
    ]
    .boxed()
}

fn message_command() -> BoxedStrategy<Command<'static>> {
    use Command as C;
    let uid = any::<bool>;
    let action = select(vec![StoreAction::Replace, StoreAction::Add, StoreAction::Remove]);
    let store = (option::of(0..(1u64 << 63)), action, any::<bool>(), given_flags());
    prop_oneof![
        sequence_set().prop_map(C::UidExpunge),
        (uid(), option::of(astring()), search_key()).prop_map(|(uid, charset, key)| C::Search {
            uid,
            charset,
            key
        }),
        (uid(), sequence_set(), fetch_items(), option::of(mod_sequence()))
            .prop_map(|(uid, set, items, changed_since)| C::Fetch { uid, set, items, changed_since }),
        (uid(), sequence_set(), store).prop_map(|(uid, set, (unchanged_since, action, silent, flags))| {
            C::Store { uid, set, unchanged_since, action, silent, flags }
        }),
        (uid(), sequence_set(), mailbox()).prop_map(|(uid, set, mailbox)| C::Copy { uid, set, mailbox }),
        (uid(), sequence_set(), mailbox()).prop_map(|(uid, set, mailbox)| C::Move { uid, set, mailbox }),
    ]
    .boxed()
}

/// `response`
pub fn response() -> BoxedStrategy<Response<'static>> {
    use Response as R;
    let uids = uid_set().prop_filter("VANISHED needs one", |s| !s.is_empty());
    prop_oneof![
        4 => status_response().prop_map(R::Status),
        1 => text().prop_map(R::Continue),
        1 => capabilities().prop_map(R::Capability),
        1 => flag_set().prop_map(R::Flags),
        2 => list_entry().prop_map(R::List),
        1 => search_data().prop_map(R::Search),
        1 => (mailbox(), status_data())
            .prop_map(|(mailbox, data)| R::MailboxStatus { mailbox, data }),
        1 => prop_oneof![
            any::<u32>().prop_map(R::Exists),
            any::<u32>().prop_map(R::Recent),
            nz_number().prop_map(R::Expunge),
        ],
        1 => (any::<bool>(), uids).prop_map(|(earlier, uids)| R::Vanished { earlier, uids }),
        4 => fetch_response().prop_map(R::Fetch),
        1 => namespaces().prop_map(R::Namespace),
        1 => id_params().prop_map(R::Id),
        1 => vec(capability(), 0..4).prop_map(R::Enabled),
        1 => "(\\* X-|Server )[ -~]{0,20}".prop_map(|s| R::Unrecognised(Cow::Owned(s.into_bytes()))),
    ]
    .boxed()
}
