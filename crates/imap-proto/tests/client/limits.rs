//! How much a server may say.

use postkey_imap_proto::Security;
use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::Command;

use crate::{has, last, list, plain, turns};

#[test]
fn a_literal_beyond_the_limit_is_refused_at_once() {
    // MEM-02, MEM-03, MEM-19
    for (line, error) in [
        ("* 1 FETCH (UID 1 BODY[] {18446744073709551615}\r\nxx", "error: Limit(Body)"),
        ("* LIST () \"/\" {1048577}\r\n", "error: Limit(Literal)"),
    ] {
        let o = plain(|| vec![Action::Send(list())], &format!("* PREAUTH hi\r\n{line}"));
        assert_eq!(last(&o), error);
    }
    let o = plain(
        || vec![Action::Send(list())],
        "* PREAUTH hi\r\n* 1 FETCH (BODY[] {99999999999999999999999}\r\nzz",
    );
    assert!(last(&o).starts_with("error: Peer { rule: \"literal\""), "{}", last(&o));
    let o = plain(std::vec::Vec::new, "* OK [CAPABILITY {100000000}\r\n");
    assert_eq!(last(&o), "error: Limit(Literal)");
}

#[test]
fn lines_without_end_are_cut_where_they_stand() {
    // MEM-06, MEM-07, MEM-18
    let long = "x".repeat(70_000);
    let o = plain(std::vec::Vec::new, &format!("* OK {}", &long[..9_000]));
    assert_eq!(o.transcript, ["error: Limit(Line)"]);
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let server = format!("* PREAUTH hi\r\n* OK {long}");
    let o = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n.min(3000));
    assert_eq!(last(&o), "error: Limit(Line)");
}

#[test]
fn nesting_without_end_costs_one_response_not_the_session() {
    // MEM-11, MEM-12
    let deep = "(".repeat(300);
    let server = format!(
        "* PREAUTH hi\r\n* 1 FETCH (UID 1 BODYSTRUCTURE {deep}\r\n* 2 FETCH (UID 2)\r\nA1 OK done\r\n"
    );
    let o = plain(|| vec![Action::Send(Command::Noop)], &server);
    assert!(has(&o, "NestingTooDeep"), "{:#?}", o.transcript);
    assert!(has(&o, "Abandoned") && has(&o, "Start(2)") && has(&o, "done"), "{:#?}", o.transcript);
}

#[test]
fn too_many_literals_in_one_response() {
    // MEM-10
    let server = format!("* PREAUTH hi\r\n* 1 FETCH (UID 1 FLAGS ({}))\r\n", "{1}\r\nx ".repeat(10_001));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let o = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n);
    assert_eq!(last(&o), "error: Limit(Literals)");
}

#[test]
fn a_search_result_is_streamed_whatever_its_length() {
    // MEM-14 in small
    let numbers: Vec<String> = (1..30_000).map(|n| n.to_string()).collect();
    let server = format!("* PREAUTH hi\r\n* SEARCH {}\r\nA1 OK done\r\n", numbers.join(" "));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Send(Command::Noop)]);
    let whole = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n);
    let cut = wire::testkit::run(&mut make(), &turns(&server), &mut |n| n.min(1009));
    assert!(whole == cut, "the numbers depend on the cuts");
    let line = whole.transcript.iter().find(|l| l.starts_with("data:")).unwrap();
    assert_eq!(line.matches("Number(").count(), 29_999);
    assert!(line.ends_with("Ok(Number(29999))"));
}
