//! Messages: what goes out in one group, and what follows from the replies.

use crate::{
    BODY, EHLO, ONE, PLAIN, behind, last, message, partial, plain, saw, saw_not, sends, sent, turns, with,
};
use postkey_smtp_proto::testkit::{Action, ScriptedClient};
use postkey_smtp_proto::{Config, Dialect, Security};
use wire::Need;
use wire::testkit::run;

#[test]
fn the_typical_scenario_of_rfc_5321() {
    // Appendix D.1, one of the three recipients unknown, the others wanted all the same; without PIPELINING.
    let server = "250 OK\r\n250 OK\r\n550 No such user here\r\n250 OK\r\n354 Start mail input; end with <CRLF>.<CRLF>\r\n250 OK\r\n\
        221 foo.com Service closing transmission channel\r\n";
    let script = || {
        vec![Action::Send(vec![partial(&["Jones@foo.com", "Green@foo.com", "Brown@foo.com"])]), Action::Quit]
    };
    let o = plain(PLAIN, script, server);
    assert_eq!(
        behind(&o),
        "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRCPT TO:<Brown@foo.com>\r\nDATA\r\n\
         Blah blah blah...\r\n..etc. etc. etc.\r\n.\r\nQUIT\r\n"
    );
    saw(&o, "recipient 0: 250 OK");
    saw(&o, "recipient 1: 550 No such user here");
    saw(&o, "recipient 2: 250 OK");
    saw(&o, "accepted: 250 OK");
    assert_eq!(o.end, Need::Close);
    saw_not(&o, "error");
}

#[test]
fn the_aborted_transaction_of_rfc_5321() {
    // Appendix D.2: the recipient is refused, RSET, QUIT. SM-09: nothing is sent to the rest unless that is asked for.
    for hello in [PLAIN, EHLO] {
        let script = || vec![Action::Send(vec![message(&["Jones@foo.com", "Green@foo.com"])]), Action::Quit];
        let o = plain(hello, script, "250 OK\r\n250 OK\r\n550 No such user here\r\n250 OK\r\n221 bye\r\n");
        assert_eq!(
            behind(&o),
            "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRSET\r\nQUIT\r\n"
        );
        saw(&o, "rejected at Recipients: 550 No such user here");
        saw_not(&o, "wants body");
    }
}

#[test]
fn with_pipelining_all_commands_go_in_one_group() {
    // RFC 2920 section 4: one recipient, or a sender that is content with some.
    let mut c = ScriptedClient::new(
        Security::DangerousPlaintext,
        [Action::Hello, Action::Send(vec![message(&["jones@foo.com"])])],
    );
    let o = run(&mut c, &turns(EHLO), &mut |n| n);
    assert_eq!(behind(&o), ONE, "before any reply");
    let o =
        sends(EHLO, || vec![message(&["jones@foo.com"])], "250 a\r\n250 b\r\n354 go\r\n250 2.0.0 queued\r\n");
    assert_eq!(behind(&o), format!("{ONE}{BODY}"));
    saw(&o, "accepted: 250 2.0.0 queued");
    // Several recipients, all wanted: DATA must wait.
    let mut c = ScriptedClient::new(
        Security::DangerousPlaintext,
        [Action::Hello, Action::Send(vec![message(&["a@foo.com", "b@foo.com"])])],
    );
    let o = run(&mut c, &turns(EHLO), &mut |n| n);
    assert_eq!(behind(&o), "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<a@foo.com>\r\nRCPT TO:<b@foo.com>\r\n");
}

#[test]
fn the_next_message_rides_with_the_end_of_the_one_before() {
    // RFC 2920 section 3.1: the end of a message may be the first of a group.
    let two = || vec![message(&["jones@foo.com"]), message(&["jones@foo.com"])];
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(two())]);
    let o = run(&mut c, &turns(&format!("{EHLO}250 a\r\n250 b\r\n354 go\r\n")), &mut |n| n);
    assert_eq!(behind(&o), format!("{ONE}{BODY}{ONE}"), "before the first one's reply");
    let o = sends(
        EHLO,
        two,
        "250 a\r\n250 b\r\n354 go\r\n250 q1\r\n250 a\r\n250 b\r\n354 go\r\n550 5.7.1 no\r\n",
    );
    assert_eq!(behind(&o), format!("{ONE}{BODY}{ONE}{BODY}"));
    saw(&o, "CommandId(2) accepted: 250 q1");
    saw(&o, "CommandId(3) rejected at Message: 550 5.7.1 no");
    // The first one is refused: the second one is not touched by that.
    let server =
        "250 a\r\n550 5.1.1 no\r\n503 no recipients\r\n250 reset\r\n250 a\r\n250 b\r\n354 go\r\n250 q2\r\n";
    let o = sends(EHLO, two, server);
    assert_eq!(behind(&o), format!("{ONE}RSET\r\n{ONE}{BODY}"));
    saw(&o, "CommandId(2) rejected at Recipients: 550 5.1.1 no");
    saw(&o, "CommandId(3) accepted: 250 q2");
}

#[test]
fn nobody_left_and_the_server_wants_the_message_all_the_same() {
    // RFC 2920 section 3.1: a dot alone.
    let o = sends(
        EHLO,
        || vec![message(&["jones@foo.com"])],
        "250 a\r\n550 no\r\n354 go\r\n554 nobody\r\n250 reset\r\n",
    );
    assert_eq!(behind(&o), format!("{ONE}.\r\nRSET\r\n"));
    saw(&o, "rejected at Recipients: 550 no");
    saw_not(&o, "wants body");
    // Even if it takes that for a success.
    let o = sends(
        EHLO,
        || vec![partial(&["jones@foo.com"])],
        "250 a\r\n450 no\r\n354 go\r\n250 thanks\r\n250 reset\r\n",
    );
    saw(&o, "rejected at Recipients: 450 no");
    saw_not(&o, "accepted");
}

#[test]
fn a_refused_sender_is_a_refused_message() {
    for (hello, server) in [(PLAIN, "550 5.7.60 no\r\n"), (EHLO, "550 5.7.60 no\r\n503 x\r\n503 x\r\n")] {
        let o = sends(hello, || vec![message(&["jones@foo.com"])], server);
        saw(&o, "rejected at Sender: 550 5.7.60 no");
        saw_not(&o, "recipient");
        assert!(!behind(&o).contains("RSET"));
    }
}

#[test]
fn lmtp_replies_for_each_recipient() {
    // RFC 2033 section 4.2
    let mut config = Config::new(Security::DangerousPlaintext);
    config.dialect = Dialect::Lmtp;
    let script = || {
        vec![
            Action::Hello,
            Action::Send(vec![partial(&["pat@foo.edu", "jones@foo.edu", "green@foo.edu"])]),
            Action::Quit,
        ]
    };
    let server = "220 foo.edu LMTP server ready\r\n250-foo.edu\r\n250-PIPELINING\r\n250 SIZE\r\n250 OK\r\n250 OK\r\n550 No such user here\r\n\
        250 OK\r\n354 Start mail input\r\n250 OK\r\n452 <green@foo.edu> is temporarily over quota\r\n221 foo.edu closing connection\r\n";
    let o = with(config, script, server);
    assert!(sent(&o).starts_with("LHLO client.example\r\n"));
    saw(&o, "recipient 1: 550 No such user here");
    saw(&o, "recipient 0 last=false: 250 OK");
    saw(&o, "recipient 2 last=true: 452 <green@foo.edu> is temporarily over quota");
    saw_not(&o, "accepted");
    // One of two replies, then the end: what is known is known.
    let cut = server.split("452").next().unwrap();
    let o = with(config, script, cut);
    saw(&o, "recipient 0 last=false: 250 OK");
    assert!(last(&o).starts_with("error: Unknown"), "{}", last(&o));
}
