//! What a server says, asked or not.

use postkey_imap_proto::testkit::Action;
use postkey_imap_proto::types::Command;
use wire::Need;

use crate::{fetch, has, last, plain, select, xoauth2};

#[test]
fn bodies_stream_and_what_looks_like_a_response_inside_is_data() {
    // FR-03, FR-04, FR-06, FR-12
    let server = "* PREAUTH hi\r\nA1 OK selected\r\n\
        * 1 FETCH (UID 7 BODY[] {30}\r\n* 99 EXPUNGE\r\nA2 OK x\r\n012345 FLAGS (\\Seen))\r\n\
        * 2 FETCH (BODY[] {0}\r\n UID 8)\r\n\
        * 3 FETCH (FLAGS ())\r\n\
        * 4 FETCH (UID 9 BODY[] NIL)\r\n\
        A2 OK done\r\n";
    let o = plain(|| vec![Action::Send(select()), Action::Send(fetch())], server);
    assert!(has(&o, "data:* 99 EXPUNGE\\r\\nA2 OK x\\r\\n012345"), "{:#?}", o.transcript);
    assert!(!has(&o, "Expunge("));
    assert!(has(&o, "data: None"), "NIL is not an empty body: {:#?}", o.transcript);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("BodyEnd")).count(), 2);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("Fetch(End)")).count(), 4);
}

#[test]
fn free_text_announces_no_literal() {
    let server = "* PREAUTH hi\r\n* OK quota is {5}\r\nA1 NO limit {10}\r\nA2 OK fine\r\n";
    let o = plain(|| vec![Action::Send(Command::Noop), Action::Send(Command::Noop)], server);
    assert!(has(&o, "quota is {5}") && has(&o, "limit {10}") && has(&o, "fine"), "{:#?}", o.transcript);
}

#[test]
fn quirks_of_exchange_do_not_end_a_session() {
    // As Exchange Online sends them; FR-22, FR-23
    let server = "* OK The Microsoft Exchange IMAP4 service is ready. [UABSADMAUAAyADUAMABDAEEA]\r\n\
        A1 OK [Error=\"x: y\" Auth=0 Proxy=a.b:1993:SSL] done\r\n\
        [COPYUID 55 31 6]\r\n";
    let o = plain(|| vec![Action::Authenticate(xoauth2())], server);
    assert!(has(&o, "Greeting("), "{:#?}", o.transcript);
    let server =
        "* PREAUTH hi\r\nServer Unavailable. 15\r\n* STATUS INBOX (MESSAGES 1) \r\n*\r\n* OK\r\nA1 OK\r\n";
    let o = plain(|| vec![Action::Send(Command::Noop)], server);
    assert_eq!(o.transcript.iter().filter(|l| l.contains("Unrecognised")).count(), 2, "{:#?}", o.transcript);
    assert!(has(&o, "MailboxStatus"), "{:#?}", o.transcript);
    assert!(has(&o, "Completed("), "{:#?}", o.transcript);
}

#[test]
fn the_first_octets_say_whether_it_is_imap() {
    // IS-01, IS-05
    let o = plain(std::vec::Vec::new, "HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(last(&o).starts_with("error: NotImap"), "{}", last(&o));
    let o = plain(std::vec::Vec::new, "* BYE too many connections\r\n");
    assert_eq!(o.transcript, ["error: Bye { text: \"too many connections\" }"]);
    let o = plain(std::vec::Vec::new, "* 5 EXISTS\r\n");
    assert!(last(&o).starts_with("error: NotImap"), "{}", last(&o));
}

#[test]
fn a_reply_to_a_command_that_was_never_given() {
    // IS-03
    for tag in ["zzz", "A2", "a1"] {
        let o = plain(|| vec![Action::Send(Command::Noop)], &format!("* PREAUTH hi\r\n{tag} OK done\r\n"));
        assert_eq!(last(&o), format!("error: UnexpectedTag {{ tag: \"{tag}\" }}"));
    }
}

#[test]
fn goodbye_is_an_error_unless_it_was_asked_for() {
    let o = plain(|| vec![Action::Send(Command::Logout)], "* PREAUTH hi\r\n* BYE bye\r\nA1 OK done\r\n");
    assert_eq!(o.end, Need::Close);
    assert!(!has(&o, "error"), "{:#?}", o.transcript);
    let o = plain(
        || vec![Action::Send(Command::Noop)],
        "* PREAUTH hi\r\n* BYE Session invalidated - AccessTokenExpired\r\n",
    );
    assert_eq!(last(&o), "error: Bye { text: \"Session invalidated - AccessTokenExpired\" }");
}
