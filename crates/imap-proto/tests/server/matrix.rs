//! Every mechanism × with and without an initial response × every outcome, made from the list of mechanisms, on either side.

use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::Command;
use postkey_imap_proto::{Config, InitialResponse, Security, State};
use sasl::testkit::matrix::{Case, Ending, cases, initial_response};
use sasl::{ErrorChallenge, MECHANISMS};
use wire::Need;
use wire::testkit::{Outcome, PairOptions, check, pair};

use crate::app::{App, TOKEN, converse};

const WRONG: &str = "canary-wr0ng-canary";

fn client(mechanism: &str, secret: &str, room: bool, then: Command<'static>) -> ScriptedClient {
    let mut config = Config::new(Security::Tls);
    config.initial_response = if room { InitialResponse::Always } else { InitialResponse::Never };
    let script = [Action::Authenticate(sasl::testkit::client(mechanism, secret)), Action::Send(then)];
    ScriptedClient::with_config(config, script)
}

#[test]
fn the_client_with_every_server() {
    for case in cases() {
        let mut flights = vec!["* OK hi\r\n".to_owned()];
        flights.extend(case.challenges().iter().map(|challenge| format!("+ {challenge}\r\n")));
        flights.push(match case.ending {
            Ending::Success | Ending::Early => "A1 OK in\r\n".into(),
            Ending::Refusal => "A1 NO [AUTHENTICATIONFAILED] no\r\n".into(),
            Ending::Cancel | Ending::Garbage => "A1 BAD cancelled\r\n".into(),
        });
        let flights: Vec<&[u8]> = flights.iter().map(String::as_bytes).collect();
        let make = || client(case.mechanism, TOKEN, case.room, Command::Capability);
        judge(case, &check(make, &flights, &[TOKEN]));
    }
}

fn judge(case: Case, o: &Outcome) {
    let sent = String::from_utf8(o.sent.clone()).unwrap();
    let why = format!("{case:?}: {:#?}", o.transcript);
    let first = sent.split("\r\n").next().unwrap();
    let initial = initial_response(case.mechanism, TOKEN, case.room).map(|i| format!(" {i}"));
    assert_eq!(first, format!("A1 AUTHENTICATE {}{}", case.mechanism, initial.unwrap_or_default()), "{why}");
    let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
    let cancelled = sent.contains("\r\n*\r\n");
    let goes_on = sent.ends_with("A2 CAPABILITY\r\n");
    match case.ending {
        _ if case.is_too_early() => {
            assert!(has("EarlySuccess") && o.end == Need::Close && !goes_on, "{why}");
        }
        Ending::Success | Ending::Early => assert!(goes_on && !cancelled && has("\"in\""), "{why}"),
        Ending::Refusal => {
            assert!(goes_on && !cancelled && has("sign_in: Some(Failure") && has("cause: None"), "{why}");
        }
        Ending::Cancel => assert!(goes_on && cancelled && has("cause: Some("), "{why}"),
        Ending::Garbage => assert!(goes_on && cancelled && has("cause: Some(InvalidBase64)"), "{why}"),
    }
}

#[test]
fn the_server_with_every_client() {
    for name in MECHANISMS {
        for room in [false, true] {
            for (garbage, line) in [(false, "*"), (true, "%%%")] {
                // An initial response that invites an answer, or is garbage itself.
                let text = match (room, garbage) {
                    (false, _) => format!("a AUTHENTICATE {name}\r\n{line}\r\n"),
                    (true, true) => format!("a AUTHENTICATE {name} {line}\r\n"),
                    (true, false) => {
                        let bad = initial_response(name, WRONG, room).map(|i| format!(" {i}"));
                        format!("a AUTHENTICATE {name}{}\r\n*\r\n", bad.unwrap_or_default())
                    }
                };
                let app = App { refusal: Some(ErrorChallenge::new("401")), ..App::new(Security::Tls) };
                let (events, sent) = converse(&app, &[text.as_bytes(), b"b SELECT INBOX\r\n"]);
                let case = format!("{name} {room} {line}: {events:#?} {sent:#?}");
                assert!(!sent.iter().any(|l| l.starts_with("a OK")), "nobody is signed in: {case}");
                assert!(!sent.iter().any(|l| l.starts_with("b OK")), "nobody is signed in: {case}");
                let refused = |l: &String| match garbage {
                    true => l == "sign-in: Err(InvalidBase64)" || l.starts_with("a bad: "),
                    false => l.starts_with("sign-in: Err("),
                };
                assert!(events.iter().any(refused), "{case}");
            }
        }
    }
}

#[test]
fn the_client_with_the_server() {
    for name in MECHANISMS {
        for room in [false, true] {
            for good in [true, false] {
                for refusal in [None, Some(ErrorChallenge::new("401"))] {
                    for seed in 0..3 {
                        let secret = if good { TOKEN } else { WRONG };
                        let mut subject = client(name, secret, room, Command::Capability);
                        let mut server = App { refusal: refusal.clone(), ..App::new(Security::Tls) }.start();
                        let options = PairOptions { seed, pipe: 3 + 40 * (seed as usize), chunk: 7 };
                        let (c, s) = pair(&mut subject, &mut server, options);
                        let case = format!("{name} {room} {good} {refusal:?}: {c:#?} {s:#?}");
                        let state = if good { State::Authenticated } else { State::NotAuthenticated };
                        assert_eq!(subject.client.state(), state, "{case}");
                        assert_eq!(s.iter().any(|l| l == "sign-in: Ok(())"), good, "{case}");
                        assert_eq!(s.iter().any(|l| l == "sign-in: Err(Refused)"), !good, "{case}");
                        let told = c.iter().any(|l| l.contains("status: \"401\""));
                        let bearer = matches!(name, sasl::xoauth2::NAME | sasl::oauthbearer::NAME);
                        assert_eq!(told, !good && bearer && refusal.is_some(), "{case}");
                        assert!(s.iter().any(|l| l.ends_with("Capability")), "the session goes on: {case}");
                        assert!(!c.iter().chain(&s).any(|l| l.contains(TOKEN) || l.contains(WRONG)));
                    }
                }
            }
        }
    }
}
