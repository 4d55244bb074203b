//! Commands as the examples of RFC 3501 section 6 have them.

use postkey_imap_proto::types::Command;
use postkey_imap_proto::{Security, State};

use crate::app::{App, MESSAGE, TOKEN, converse, state_after};

/// The names of the commands that came out of a conversation of somebody who is signed in.
fn names(text: &str) -> Vec<String> {
    let text = text.replace('\n', "\r\n");
    converse(&App::preauth(), &[text.as_bytes()]).0
}

#[test]
fn the_examples_of_the_authenticated_state() {
    let events = names(
        "A142 SELECT INBOX\nA682 LIST \"\" *\nA932 EXAMINE blurdybloop\nA003 CREATE owatagusiam/\nA683 DELETE blurdybloop\n\
         A684 RENAME foo.bar blurdybloop\nA002 SUBSCRIBE #news.comp.mail.mime\nA002 UNSUBSCRIBE #news.comp.mail.mime\n\
         A101 LIST \"\" \"\"\nA002 LSUB \"#news.\" \"comp.mail.*\"\nA042 STATUS blurdybloop (UIDNEXT MESSAGES)\n",
    );
    let expected = [
        "A142 Select",
        "A682 List",
        "A932 Examine",
        "A003 Create",
        "A683 Delete",
        "A684 Rename",
        "A002 Subscribe",
        "A002 Unsubscribe",
        "A101 List",
        "A002 Lsub",
        "A042 Status",
        "error: Closed(Idle)",
    ];
    assert_eq!(events.len(), expected.len(), "{events:#?}");
    for (event, start) in events.iter().zip(expected) {
        assert!(event.starts_with(start), "{event} is not {start}");
    }
}

#[test]
fn the_examples_of_the_selected_state() {
    let events = names(
        "A142 SELECT INBOX\nFXXZ CHECK\nA202 EXPUNGE\nA282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"\n\
         A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])\nA003 STORE 2:4 +FLAGS (\\Deleted)\n\
         A003 COPY 2:4 MEETING\nA999 UID FETCH 4827313:4828442 FLAGS\nA1 UID MOVE 7 Archive\nA2 UNSELECT\n\
         A3 SELECT INBOX\nA341 CLOSE\na441 CAPABILITY\na047 NOOP\nA023 LOGOUT\n",
    );
    let expected = [
        "A142 Select",
        "FXXZ Check",
        "A202 Expunge",
        "A282 Search",
        "A654 Fetch",
        "A003 Store",
        "A003 Copy",
        "A999 Fetch",
        "A1 Move",
        "A2 Unselect",
        "A3 Select",
        "A341 Close",
        "a441 Capability",
        "a047 Noop",
        "A023 Logout",
    ];
    assert_eq!(events.len(), expected.len(), "{events:#?}");
    for (event, start) in events.iter().zip(expected) {
        assert!(event.starts_with(start), "{event} is not {start}");
    }
}

#[test]
fn what_the_server_says_is_what_rfc_3501_section_7_shows() {
    let (_, sent) = converse(
        &App::preauth(),
        &[b"A1 CAPABILITY\r\nA2 LIST \"\" *\r\nA3 SELECT INBOX\r\nA4 FETCH 2 (UID FLAGS BODY[])\r\nA5 LOGOUT\r\n"],
    );
    let body = String::from_utf8(MESSAGE.to_vec()).unwrap();
    let fetch = format!("* 2 FETCH (UID 7 FLAGS () BODY[] {{{}}}\r\n{body})", MESSAGE.len());
    assert_eq!(
        sent.join("\r\n"),
        [
            "* PREAUTH welcome back",
            "* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=XOAUTH2 AUTH=PLAIN IDLE STARTTLS",
            "A1 OK completed.",
            "* LIST () \"/\" INBOX",
            "A2 OK completed.",
            "* 2 EXISTS",
            "A3 OK [READ-WRITE] completed.",
            &fetch,
            "A4 OK completed.",
            "* BYE signing off",
            "A5 OK completed.",
        ]
        .join("\r\n")
    );
}

#[test]
fn a_login_by_literals_is_asked_for_and_never_shown() {
    let app = App::new(Security::Tls);
    let login = format!(
        "A001 LOGIN {{11}}\r\nFRED FOOBAR {{{}}}\r\n{TOKEN}\r\nA2 LIST \"\" *\r\nA3 LOGOUT\r\n",
        TOKEN.len()
    );
    let (events, sent) = converse(&app, &[login.as_bytes()]);
    assert!(events[0].starts_with("A001 Login { user: \"FRED FOOBAR\""), "{events:#?}");
    assert_eq!(
        sent[..4],
        ["* OK ready", "+ Ready for literal data", "+ Ready for literal data", "A001 OK completed."]
    );
}

#[test]
fn the_state_follows_the_replies() {
    let after = |text: &str| state_after(&App::preauth(), text.replace('\n', "\r\n").as_bytes());
    assert_eq!(after("a SELECT INBOX\n"), State::Selected);
    assert_eq!(after("a SELECT INBOX\nb CLOSE\n"), State::Authenticated);
    assert_eq!(after("a SELECT INBOX\nb UNSELECT\n"), State::Authenticated);
    // RFC 3501 section 6.3.1: a SELECT that fails leaves no mailbox selected.
    assert_eq!(after("a SELECT INBOX\nb SELECT nowhere\n"), State::Authenticated);
    assert_eq!(after("a LOGOUT\n"), State::Logout);
    let login = |password: &str| {
        state_after(&App::new(Security::Tls), format!("a LOGIN ana {password}\r\n").as_bytes())
    };
    assert_eq!(login(TOKEN), State::Authenticated);
    assert_eq!(login("wrong"), State::NotAuthenticated);
}

#[test]
fn commands_out_of_their_state_are_not_the_applications_to_execute() {
    let bad = |app: &App, line: &str| {
        let (events, sent) = converse(app, &[format!("a {line}\r\n").as_bytes()]);
        assert_eq!(sent[1], "a BAD not like that", "{line}");
        events[0].clone()
    };
    let stranger = App::new(Security::Tls);
    for line in ["SELECT INBOX", "LIST \"\" *", "IDLE", "FETCH 1 FLAGS", "CLOSE", "NAMESPACE", "APPEND x {5}"]
    {
        assert_eq!(bad(&stranger, line), "a bad: State(NotAuthenticated)");
    }
    for line in ["FETCH 1 FLAGS", "UID SEARCH ALL", "EXPUNGE", "LOGIN a b", "AUTHENTICATE PLAIN", "STARTTLS"]
    {
        assert_eq!(bad(&App::preauth(), line), "a bad: State(Authenticated)");
    }
    // TLS is there already.
    assert_eq!(bad(&stranger, "STARTTLS"), "a bad: State(NotAuthenticated)");
}

#[test]
fn an_unknown_name_is_the_applications_to_refuse() {
    for app in [App::new(Security::Tls), App::preauth()] {
        let (events, sent) = converse(&app, &[b"a XAOL.SHOW something\r\n"]);
        assert!(events[0].starts_with("a Unknown { name: \"XAOL.SHOW\""), "{events:?}");
        assert_eq!(sent[1], "a BAD Command Error. 10");
    }
}

#[test]
fn a_command_can_be_kept_beyond_its_buffer() {
    // The types own what they must: the event outlives the input when asked to.
    let kept: Command<'static> = {
        let frame = b"a SELECT INBOX\r\n".to_vec();
        postkey_imap_proto::grammar::command(&frame, Default::default()).unwrap().1.into_owned()
    };
    assert_eq!(kept.name(), "SELECT");
}
