//! The fuzz body on generated input, so that it is known to run and to find something to do.

use postkey_pop3_proto::testkit::fuzz_server;
use proptest::prelude::*;

/// Pieces of conversations, good and bad, so that random input gets somewhere.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"USER ana\r\n"[..],
        b"PASS hunter2 hunter2\r\n",
        b"USER ana\r\nPASS hunter2 hunter2\r\n",
        b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n",
        b"AUTH XOAUTH2\r\n",
        b"AUTH XOAUTH2 dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvawEB\r\n",
        b"dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvawEB\r\n",
        b"AUTH LOGIN\r\n",
        b"YW5h\r\n",
        b"*\r\n",
        b"\r\n",
        b"STLS\r\n",
        b"STLS\r\n\xff",
        b"CAPA\r\n",
        b"UTF8\r\n",
        b"LANG\r\n",
        b"STAT\r\n",
        b"LIST\r\n",
        b"LIST 1\r\n",
        b"UIDL\r\n",
        b"RETR 1\r\n",
        b"TOP 1 0\r\n",
        b"DELE 1\r\nRSET\r\nNOOP\r\n",
        b"XTND XMIT\r\n",
        b"RETR 0\r\nTOP 1 -1\r\n",
        b"QUIT\r\n",
    ])
    .prop_map(<[u8]>::to_vec);
    prop_oneof![
        4 => known,
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(prop::sample::select(&b"A =*\r\n0159"[..]), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn conversations_end_within_bounds(head in any::<[u8; 3]>(), pieces in prop::collection::vec(piece(), 0..30)) {
        let mut data = head.to_vec();
        data.extend(pieces.concat());
        fuzz_server(&data);
    }

    #[test]
    fn any_octets_end_within_bounds(data in prop::collection::vec(any::<u8>(), 0..1_000)) {
        fuzz_server(&data);
    }
}
