//! What is written reads as what it was, for every type; and nothing that is read makes a parser fall over.

use std::string::{String, ToString as _};

use proptest::prelude::*;

use super::*;
use crate::testkit::generators as any_of;
use crate::testkit::{fuzz_command, fuzz_reply};
use crate::types::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn commands(value in any_of::command()) {
        let mut line = String::new();
        write_command(&value, &mut line).unwrap();
        prop_assert_eq!(command(line.as_bytes()), Ok(value), "{}", line);
    }

    #[test]
    fn commands_with_an_initial_response(initial in any_of::initial_response()) {
        let line = [b"AUTH xoauth2 ", initial.expose(), b"\r\n"].concat();
        let mechanism = Mechanism::new("XOAUTH2").unwrap();
        prop_assert_eq!(command(&line), Ok(Command::Auth { mechanism, initial: Some(initial) }));
    }

    #[test]
    fn mailboxes(value in any_of::mailbox()) {
        prop_assert_eq!(value.to_string().parse::<Mailbox>(), Ok(value.clone()));
        prop_assert_eq!(value.to_string().contains(['<', '>', '\r', '\n', '\0']), false);
    }

    #[test]
    fn replies(value in any_of::reply()) {
        let mut text = String::new();
        write_reply(&value, &mut text).unwrap();
        prop_assert_eq!(reply(text.as_bytes()), Ok(value), "{}", text);
    }

    #[test]
    fn capabilities(value in any_of::capabilities()) {
        let mut text = String::new();
        write_reply(&value.to_reply(), &mut text).unwrap();
        prop_assert_eq!(Capabilities::from_reply(&reply(text.as_bytes()).unwrap()), value);
    }

    #[test]
    fn any_octets(data in proptest::collection::vec(any::<u8>(), 0..60)) {
        fuzz_command(&data);
        fuzz_reply(&data);
    }

    #[test]
    fn octets_that_look_like_something(
        pieces in proptest::collection::vec(proptest::sample::select(std::vec![
            "MAIL FROM:", "RCPT TO:", "<", ">", "a@b", "\"a\\\"b\"@c", " SIZE=1", " ORCPT=rfc822;a+2Bb", " BY=1;RT", "\r\n", "AUTH ",
            "PLAIN", " =", "EHLO ", "x.example", "[1.2.3.4]", "250", "-", " ", "2.1.0", "AUTH=", "SIZE 5", "BDAT 1", " LAST", "\u{e4}", "@x,@y:",
            " ENVID=+20", " NOTIFY=NEVER", "VRFY ", "\r",
        ]), 0..12),
    ) {
        let data = pieces.concat();
        fuzz_command(data.as_bytes());
        fuzz_reply(data.as_bytes());
    }
}
