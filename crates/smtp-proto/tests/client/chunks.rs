//! Messages by BDAT (RFC 3030).

use crate::{EHLO, bdat, behind, saw, sends, sent, with};
use postkey_smtp_proto::testkit::{Action, Message};
use postkey_smtp_proto::types::BodyType;
use postkey_smtp_proto::{BareNewline, Config, Security};

/// A message in several chunks.
fn chunked() -> (Config, Message) {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.chunk = 1 << 10;
    let mut m = bdat(&["jones@foo.com"]);
    m.octets = b"0123456\r\n.......".repeat(200);
    (config, m)
}

#[test]
fn chunks_are_counted_and_answered() {
    let script = || vec![Action::Hello, Action::Send(vec![chunked().1]), Action::Noop];
    let server = format!("{EHLO}250 a\r\n250 b\r\n250 1\r\n250 2\r\n250 3\r\n250 queued\r\n250 noop\r\n");
    for pipelining in [true, false] {
        let config = Config { pipelining, ..chunked().0 };
        let o = with(config, script, &server);
        let s = behind(&o);
        let s = s.strip_prefix("MAIL FROM:<smith@bar.com>\r\nRCPT TO:<jones@foo.com>\r\n").unwrap();
        let mut rest = s.as_bytes();
        let mut message = Vec::new();
        for line in ["BDAT 1024\r\n", "BDAT 1024\r\n", "BDAT 1024\r\n", "BDAT 130 LAST\r\n"] {
            rest = rest.strip_prefix(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let n: usize = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
            message.extend_from_slice(&rest[..n]);
            rest = &rest[n..];
        }
        assert_eq!(rest, b"NOOP\r\n");
        assert_eq!(message, [&chunked().1.octets[..], b"\r\n"].concat());
        saw(&o, "accepted: 250 queued");
    }
}

#[test]
fn a_refused_chunk_ends_the_message_and_not_the_connection() {
    // SM-08 by BDAT
    let script = || vec![Action::Hello, Action::Send(vec![chunked().1]), Action::Noop];
    let late =
        "250 a\r\n250 b\r\n250 1\r\n552 5.3.4 too large\r\n503 x\r\n503 x\r\n250 reset\r\n250 noop\r\n";
    let o = with(chunked().0, script, &format!("{EHLO}{late}"));
    saw(&o, "rejected at Message: 552 5.3.4 too large");
    saw(&o, "NOOP 250 noop");
    assert!(sent(&o).ends_with("RSET\r\nNOOP\r\n"));
    // Chunk by chunk.
    let early = "250 a\r\n250 b\r\n250 1\r\n552 5.3.4 too large\r\n250 reset\r\n250 noop\r\n";
    let o = with(Config { pipelining: false, ..chunked().0 }, script, &format!("{EHLO}{early}"));
    saw(&o, "rejected at Message: 552 5.3.4 too large");
    saw(&o, "NOOP 250 noop");
    assert_eq!(sent(&o).matches("BDAT").count(), 2);
}

#[test]
fn binary_goes_as_it_is() {
    let m = || {
        let mut m = bdat(&["jones@foo.com"]);
        m.envelope.params.body = Some(BodyType::BinaryMime);
        m.body.bare_newline = BareNewline::Refuse;
        m.octets = b"\0\r.\n\n\r".to_vec();
        vec![m]
    };
    let o = sends(EHLO, m, "250 a\r\n250 b\r\n250 queued\r\n");
    assert!(
        behind(&o).ends_with(" BODY=BINARYMIME\r\nRCPT TO:<jones@foo.com>\r\nBDAT 6 LAST\r\n\0\r.\n\n\r")
    );
}
