//! `postkey login --check`

use std::time::Duration;

use sandbox::{ANA, Fault, RequestKind, Rule, SmtpRefusal, User};

use crate::support::*;

fn steps(ran: &Ran) -> Vec<(String, bool)> {
    let document = ran.json();
    let steps = document["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap().to_owned(), step["ok"].as_bool().unwrap())).collect()
}

fn all(results: [bool; 4]) -> Vec<(String, bool)> {
    ["token", "imap", "pop3", "smtp"].map(str::to_owned).into_iter().zip(results).collect()
}

#[test]
fn every_server_is_asked() {
    let world = World::new();
    world.everywhere();
    world.run(&["login", "--check"]).code(24).says(&["postkey login ana"]);
    world.sign_in("ana");
    let ran = world.run(&["login", "--check", "--json"]).code(0);
    assert_eq!(steps(&ran), all([true; 4]));
    assert_eq!((ran.json()["ok"].as_bool(), ran.stderr.as_str()), (Some(true), ""));
    let shown = world.run(&["login", "ana", "--check"]).code(0).stdout;
    assert!(shown.contains("imap") && shown.contains(&format!("{ANA} at localhost:")), "{shown}");
    world.run(&["login", "--check", "--flow", "device"]).code(2);
}

#[test]
fn one_that_refuses_does_not_hide_the_others() {
    let refuses =
        |builder: sandbox::Builder| builder.user(User::work(ANA, "x").without_smtp(SmtpRefusal::Mailbox));
    let world = World::with(refuses);
    world.everywhere();
    world.sign_in("ana");
    let ran = world.run(&["login", "--check", "--json"]).code(33);
    assert_eq!(steps(&ran), all([true, true, true, false]));
    assert_eq!(ran.json()["steps"][3]["error"]["exit_code"], 33);
    assert!(ran.stderr.contains("5.7.139"), "{}", ran.stderr);
    let switch = format!("Set-CASMailbox -Identity {ANA} -SmtpClientAuthenticationDisabled $false");
    assert!(ran.stderr.contains(&switch), "{}", ran.stderr);
}

#[test]
fn a_token_that_has_ended_is_renewed_without_a_person() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    std::thread::sleep(Duration::from_millis(1500));
    let shown = world.run(&["login", "--check"]).code(0).stdout;
    assert!(shown.contains("renewed, ends in"), "{shown}");
    assert_eq!(world.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn an_application_is_checked_without_ever_having_signed_in() {
    let world = World::new();
    let ran = world.run(&["login", "daemon", "--check", "--json"]).code(0);
    assert_eq!(steps(&ran), [("token".to_owned(), true), ("imap".to_owned(), true)]);
}

#[test]
fn revoked_is_a_24_and_no_server_is_asked() {
    let world = World::new();
    world.sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    world.sign_in("ana");
    world.sandbox.revoke_sessions(ANA).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let ran = world.run(&["login", "--check", "--json"]).code(24);
    assert_eq!(steps(&ran), [("token".to_owned(), false)]);
}
