//! The fuzz body on generated input, so that it is known to run and to find something to do.

use postkey_imap_proto::testkit::fuzz_server;
use proptest::prelude::*;

/// Pieces of conversations, good and bad, so that random input gets somewhere.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"a NOOP\r\n"[..],
        b"a LOGIN ana secret\r\n",
        b"b LOGIN {3}\r\nana {6+}\r\nsecret\r\n",
        b"c AUTHENTICATE XOAUTH2\r\n",
        b"c AUTHENTICATE XOAUTH2 dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvawEB\r\n",
        b"dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvawEB\r\n",
        b"*\r\n",
        b"\r\n",
        b"d STARTTLS\r\n",
        b"d STARTTLS\r\n\xff",
        b"e SELECT INBOX\r\n",
        b"f FETCH 1 (FLAGS BODY[])\r\n",
        b"g UID SEARCH OR (NOT FROM {3+}\r\nana) 1:*\r\n",
        b"h APPEND INBOX (\\Seen) {5}\r\nhello\r\n",
        b"h APPEND {5+}\r\nINBOX {5+}\r\nhello\r\n",
        b"h APPEND INBOX {3000+}\r\n",
        b"i IDLE\r\n",
        b"DONE\r\n",
        b"j LOGOUT\r\n",
        b"k LOGIN {400000000}\r\n",
        b" {0+}\r\n",
    ])
    .prop_map(<[u8]>::to_vec);
    prop_oneof![
        4 => known,
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(prop::sample::select(&b"a {}+()\"\r\n0159*"[..]), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn conversations_end_within_bounds(head in any::<[u8; 4]>(), pieces in prop::collection::vec(piece(), 0..40)) {
        let mut data = head.to_vec();
        data.extend(pieces.concat());
        fuzz_server(&data);
    }

    #[test]
    fn any_octets_end_within_bounds(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
        fuzz_server(&data);
    }
}
