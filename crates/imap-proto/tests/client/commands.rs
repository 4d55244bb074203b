//! IDLE, APPEND, and many commands at a time.

use postkey_imap_proto::testkit::Action;
use postkey_imap_proto::types::{Command, Mailbox};

use crate::{has, plain, sent};

#[test]
fn idle_ends_when_it_is_told_to() {
    let o = plain(
        || vec![Action::Idle, Action::Send(Command::Noop)],
        "* PREAUTH hi\r\n* 3 EXISTS\r\n+ IDLE accepted, awaiting DONE command.\r\n* 4 EXISTS\r\nA1 OK IDLE completed.\r\nA2 OK x\r\n",
    );
    assert_eq!(sent(&o), "A1 IDLE\r\nDONE\r\nA2 NOOP\r\n");
    assert!(has(&o, "Exists(3)") && has(&o, "Exists(4)"), "{:#?}", o.transcript);
}

#[test]
fn append_waits_for_the_invitation_unless_literals_need_none() {
    let message = || b"Subject: x\r\n\r\nbody\r\n".to_vec();
    let o = plain(
        || vec![Action::Append(message())],
        "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n+ go ahead\r\nA1 OK [APPENDUID 1 2] done\r\n",
    );
    assert_eq!(sent(&o), "A1 APPEND INBOX {20}\r\nSubject: x\r\n\r\nbody\r\n\r\n");
    let o = plain(
        || vec![Action::Append(message())],
        "* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\nA1 OK done\r\n",
    );
    assert_eq!(sent(&o), "A1 APPEND INBOX {20+}\r\nSubject: x\r\n\r\nbody\r\n\r\n");
    let o = plain(|| vec![Action::Append(message())], "* PREAUTH hi\r\nA1 NO [TRYCREATE] no\r\n");
    assert!(has(&o, "TryCreate"), "{:#?}", o.transcript);
    assert_eq!(sent(&o), "A1 APPEND INBOX {20}\r\n");
}

#[test]
fn commands_are_pipelined_and_a_literal_holds_the_queue() {
    let odd = || Command::Create(Mailbox::new("\u{e4}".as_bytes().to_vec()).unwrap());
    let o = plain(|| vec![Action::Send(odd())], "* PREAUTH hi\r\n+ go\r\nA1 OK done\r\n");
    assert_eq!(o.sent, b"A1 CREATE {2}\r\n\xc3\xa4\r\n");
}
