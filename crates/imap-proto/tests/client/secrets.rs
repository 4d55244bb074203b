//! What is planted shows nowhere, whoever repeats it: LG-02, LG-03.

use postkey_imap_proto::testkit::Action;
use postkey_imap_proto::types::{AString, Command};

use super::by_hand::ByHand;
use super::*;

#[test]
fn what_cannot_be_understood_shows_no_credential() {
    // LG-02, LG-03: in a line of no known kind, in one that is broken, and where an error cuts one short.
    for line in [
        format!("* XECHO you said {TOKEN} to me"),
        format!("* LIST ( broken {TOKEN}"),
        format!("* 1 FETCH (UID 0 {TOKEN})"),
        format!("* 1 FETCH (UID 1 FLAGS \"{TOKEN}\")"),
        format!("Server Unavailable. 15 {TOKEN}"),
    ] {
        let server = format!("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n{line}\r\nA1 NO no\r\n");
        let o = plain(|| vec![Action::Authenticate(xoauth2())], &server);
        let all = o.transcript.join("\n");
        for piece in TOKEN.as_bytes().windows(8) {
            let decimal = format!("{piece:?}");
            let decimal = decimal.trim_matches(['[', ']']);
            assert!(
                !all.contains(std::str::from_utf8(piece).unwrap()) && !all.contains(decimal),
                "{line}: {all}"
            );
        }
        assert!(has(&o, "Completed"), "{all}");
    }
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    for before in 0..64 {
        let before = "x".repeat(before);
        let server =
            format!("* OK hi\r\n* 1 FETCH ({before}hunter2 X {{99999999999999999999999}}\r\nA1 NO no\r\n");
        let o = plain(|| vec![Action::Send(login())], &server);
        assert!(last(&o).starts_with("error: Peer"), "{:#?}", o.transcript);
        assert!(!last(&o).contains("hunt"), "{}", last(&o));
    }
}

#[test]
fn half_a_token_in_an_error_challenge_is_blotted_out() {
    // LG-03
    let json = format!("{{\"status\":\"401\",\"scope\":\"{}\"}}", &TOKEN[5..40]);
    let server = format!(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ {}\r\nA1 NO no\r\n",
        sasl::base64::encode(json.as_bytes())
    );
    let o = plain(|| vec![Action::Authenticate(xoauth2())], &server);
    assert!(has(&o, "status: \"401\"") && !has(&o, &TOKEN[5..13]), "{:#?}", o.transcript);
}

#[test]
fn the_arguments_of_a_command_nobody_knows_are_shown_in_no_log() {
    use postkey_imap_proto::types::{Atom, RawArguments};
    use wire::Machine as _;
    let mut c = ByHand::new();
    assert_eq!(c.hear("* PREAUTH hi\r\n"), None);
    let arguments = RawArguments::new(&b"ana hunter2"[..]).unwrap();
    c.client.send(&Command::Unknown { name: Atom::new("XLOGIN").unwrap(), arguments }).unwrap();
    let _ = c.client.advance(&mut c.input, c.now);
    let out = c.client.output();
    assert_eq!(out.redacted(out.len()), b"A1 XLOGIN [redacted]\r\n");
    assert_eq!(c.sends(), "A1 XLOGIN ana hunter2\r\n");
}
