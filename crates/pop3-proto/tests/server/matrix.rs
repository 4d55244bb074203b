//! Every mechanism × with and without an initial response × every outcome, made from the list of mechanisms.

use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::Command;
use postkey_pop3_proto::{Config, InitialResponse, Security, State};
use sasl::testkit::matrix::{Case, Ending, cases, initial_response};
use sasl::{ErrorChallenge, MECHANISMS};
use wire::Need;
use wire::testkit::{Outcome, PairOptions, check, pair};

use crate::app::{App, TOKEN, converse};

const WRONG: &str = "canary-wr0ng-canary";

fn client(mechanism: &str, secret: &str, room: bool, then: Command) -> ScriptedClient {
    let mut config = Config::new(Security::Tls);
    config.initial_response = if room { InitialResponse::WhenShort } else { InitialResponse::Never };
    let script = [Action::Authenticate(sasl::testkit::client(mechanism, secret)), Action::Send(then)];
    ScriptedClient::with_config(config, script)
}

#[test]
fn the_client_with_every_server() {
    for case in cases() {
        let mut flights = vec!["+OK hi\r\n".to_owned()];
        flights.extend(case.challenges().iter().map(|challenge| format!("+ {challenge}\r\n")));
        flights.push(match case.ending {
            Ending::Success | Ending::Early => "+OK in\r\n".into(),
            Ending::Refusal => "-ERR [AUTH] no\r\n".into(),
            Ending::Cancel | Ending::Garbage => "-ERR cancelled\r\n".into(),
        });
        let flights: Vec<&[u8]> = flights.iter().map(String::as_bytes).collect();
        let make = || client(case.mechanism, TOKEN, case.room, Command::Noop);
        judge(case, &check(make, &flights, &[TOKEN]));
    }
}

fn judge(case: Case, o: &Outcome) {
    let why = format!("{case:?}: {:#?}", o.transcript);
    let sent = String::from_utf8(o.sent.clone()).unwrap();
    let first = sent.split("\r\n").next().unwrap();
    let initial = initial_response(case.mechanism, TOKEN, case.room).map(|i| format!(" {i}"));
    assert_eq!(first, format!("AUTH {}{}", case.mechanism, initial.unwrap_or_default()), "{why}");
    let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
    // NOOP is only possible signed in.
    let signed_in = sent.ends_with("NOOP\r\n");
    let cancelled = sent.ends_with("\r\n*\r\n");
    match case.ending {
        _ if case.is_too_early() => {
            assert!(has("error: Sasl(EarlySuccess)") && o.end == Need::Close && !signed_in, "{why}");
        }
        Ending::Success | Ending::Early => assert!(signed_in && has("\"in\""), "{why}"),
        Ending::Refusal => {
            assert!(has("sign_in: Some(Failure") && has("cause: None") && has("gives Err(State)"), "{why}");
            assert!(!signed_in && !cancelled, "{why}");
        }
        Ending::Cancel => assert!(cancelled && !signed_in && has("cause: Some("), "{why}"),
        Ending::Garbage => assert!(cancelled && !signed_in && has("cause: Some(InvalidBase64)"), "{why}"),
    }
}

#[test]
fn the_server_with_every_client() {
    for name in MECHANISMS {
        for room in [false, true] {
            for (garbage, line) in [(false, "*"), (true, "%%%")] {
                // An initial response that invites an answer, or is garbage itself.
                let text = match (room, garbage) {
                    (false, _) => format!("AUTH {name}\r\n{line}\r\nSTAT\r\n"),
                    (true, true) => format!("AUTH {name} {line}\r\nSTAT\r\n"),
                    (true, false) => {
                        let bad = initial_response(name, WRONG, room).map(|i| format!(" {i}"));
                        format!("AUTH {name}{}\r\n*\r\nSTAT\r\n", bad.unwrap_or_default())
                    }
                };
                let mut app = App::new(Security::Tls);
                app.refusal = Some(ErrorChallenge::new("401"));
                let (events, sent) = converse(&app, &[text.as_bytes()]);
                let case = format!("{name} {room} {line}: {events:#?} {sent:#?}");
                assert!(events.iter().any(|e| e.starts_with("AuthEnd(Err(")), "{case}");
                assert!(!sent.iter().any(|l| l.starts_with("+OK")), "nobody is signed in: {case}");
                if garbage {
                    assert!(events.iter().any(|e| e == "AuthEnd(Err(InvalidBase64))"), "{case}");
                }
            }
        }
    }
}

#[test]
fn the_client_with_the_server() {
    for name in MECHANISMS {
        for room in [false, true] {
            for secret in [TOKEN, WRONG] {
                for refusal in [None, Some(ErrorChallenge::new("401"))] {
                    for seed in 0..3 {
                        let mut subject = client(name, secret, room, Command::Stat);
                        let mut app = App::new(Security::Tls);
                        app.refusal = refusal.clone();
                        let mut server = app.start();
                        let options = PairOptions { seed, pipe: 3 + 40 * (seed as usize), chunk: 7 };
                        let (c, s) = pair(&mut subject, &mut server, options);
                        let good = secret == TOKEN;
                        let state = if good { State::Transaction } else { State::Authorization };
                        assert_eq!(subject.client.state(), state, "{name} {room}: {c:#?} {s:#?}");
                        assert_eq!(s.iter().any(|l| l == "AuthEnd(Ok(()))"), good, "{s:#?}");
                        let told = c.iter().any(|l| l.contains("status: \"401\""));
                        let bearer = matches!(name, sasl::xoauth2::NAME | sasl::oauthbearer::NAME);
                        assert_eq!(told, !good && bearer && refusal.is_some(), "{name}: {c:#?}");
                        assert!(!c.iter().chain(&s).any(|l| l.contains(secret)));
                    }
                }
            }
        }
    }
}
