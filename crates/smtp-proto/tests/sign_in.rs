//! Every mechanism, with and without an initial response, through success, refusal, cancel and garbage, on either side: generated, not
//! listed.

use postkey_smtp_proto::testkit::{Action, App, ScriptedClient};
use postkey_smtp_proto::{Config, InitialResponse, Security};
use sasl::testkit::matrix::{Ending, cases, initial_response};
use sasl::{ErrorChallenge, MECHANISMS};
use wire::testkit::{PairOptions, check, pair};

const SECRET: &str = "canary-5ecre7-canary";
const WRONG: &str = "canary-wr0ng-canary";

fn client(mechanism: &str, secret: &str, room: bool) -> ScriptedClient {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = if room { InitialResponse::Fitting } else { InitialResponse::Never };
    let mechanism = sasl::testkit::client(mechanism, secret);
    let script = [Action::Hello, Action::Authenticate(mechanism), Action::Noop, Action::Quit];
    ScriptedClient::with_config(config, script)
}

#[test]
fn our_client_signs_in_at_our_server_or_does_not() {
    for name in MECHANISMS {
        for room in [true, false] {
            for challenge in [None, Some(ErrorChallenge::new("401"))] {
                for (secret, good) in [(SECRET, true), (WRONG, false)] {
                    for seed in 0..4 {
                        let app =
                            App { challenge: challenge.clone(), ..App::new(Security::DangerousPlaintext) };
                        let (mut a, mut b) = (client(name, secret, room), app.start());
                        let options = PairOptions { seed, pipe: 64 + 1000 * seed as usize, chunk: 40 };
                        let (c, s) = pair(&mut a, &mut b, options);
                        let case = format!("{name} {room} {challenge:?} {good}: {c:#?} {s:#?}");
                        assert_eq!(b.server.is_authenticated(), good, "{case}");
                        assert_eq!(a.client.is_authenticated(), good, "{case}");
                        assert!(
                            c.iter().any(|l| l.contains(if good {
                                "AUTH 235 2.7.0"
                            } else {
                                "AUTH 535 5.7.3"
                            })),
                            "{case}"
                        );
                        // The session goes on.
                        assert!(c.iter().any(|l| l.contains("NOOP 250")), "{case}");
                        let bearer = name == "XOAUTH2" || name == "OAUTHBEARER";
                        let told = c.iter().any(|l| l.contains("status: \"401\""));
                        assert_eq!(told, bearer && !good && challenge.is_some(), "{case}");
                        assert!(
                            !c.iter().chain(&s).any(|l| l.contains(SECRET) || l.contains(WRONG)),
                            "{case}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn our_client_with_every_server() {
    for case in cases() {
        let mut flights = vec!["220 mx\r\n".to_owned(), "250 mx\r\n".into()];
        flights.extend(case.challenges().iter().map(|challenge| format!("334 {challenge}\r\n")));
        flights.push(match case.ending {
            Ending::Success | Ending::Early => "235 2.7.0 in\r\n".into(),
            Ending::Refusal => "535 5.7.3 no\r\n".into(),
            Ending::Cancel | Ending::Garbage => "501 5.7.0 cancelled\r\n".into(),
        });
        flights.extend(["250 noop\r\n".into(), "221 bye\r\n".into()]);
        let flights: Vec<&[u8]> = flights.iter().map(String::as_bytes).collect();
        let o = check(|| client(case.mechanism, SECRET, case.room), &flights, &[SECRET]);
        let sent = String::from_utf8(o.sent.clone()).unwrap();
        let why = format!("{case:?}: {:#?} {sent}", o.transcript);
        let initial = initial_response(case.mechanism, SECRET, case.room).map(|i| format!(" {i}"));
        let first = format!("\r\nAUTH {}{}\r\n", case.mechanism, initial.unwrap_or_default());
        assert!(sent.contains(&first), "{why}");
        let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
        let cancelled = sent.contains("\r\n*\r\n");
        let goes_on = sent.ends_with("\r\nNOOP\r\nQUIT\r\n");
        match case.ending {
            _ if case.is_too_early() => assert!(has("EarlySuccess") && !goes_on, "{why}"),
            Ending::Success | Ending::Early => {
                assert!(goes_on && !cancelled && has("AUTH 235 2.7.0 in None"), "{why}");
            }
            Ending::Refusal => assert!(goes_on && !cancelled && has("cause: None"), "{why}"),
            Ending::Cancel => assert!(goes_on && cancelled && has("cause: Some("), "{why}"),
            Ending::Garbage => {
                assert!(goes_on && cancelled && has("cause: Some(InvalidBase64)"), "{why}");
            }
        }
    }
}

#[test]
fn our_client_cancels_what_makes_no_sense() {
    for name in MECHANISMS {
        for room in [true, false] {
            for garbage in ["%%%", "!", "Zg", "====", "\u{e4}"] {
                // The first challenge may be the invitation, whatever it says; the second is none.
                let server = format!(
                    "334 {garbage}\r\n334 {garbage}\r\n501 5.7.0 cancelled\r\n250 noop\r\n221 bye\r\n"
                );
                let flights = format!("220 mx\r\n250 mx\r\n{server}");
                let flights: Vec<&[u8]> = flights.as_bytes().split_inclusive(|c| *c == b'\n').collect();
                let held = !room && name != "LOGIN";
                // Without an invitation to answer, the first is one too many already.
                let flights: Vec<&[u8]> = match held {
                    true => flights,
                    false => {
                        flights.into_iter().enumerate().filter(|(n, _)| *n != 3).map(|(_, f)| f).collect()
                    }
                };
                let o = check(|| client(name, SECRET, room), &flights, &[SECRET]);
                let sent = String::from_utf8(o.sent.clone()).unwrap();
                let case = format!("{name} {room} {garbage}: {:#?} {sent}", o.transcript);
                assert!(sent.contains("\r\n*\r\nNOOP\r\n"), "{case}");
                assert!(
                    o.transcript
                        .iter()
                        .any(|l| l.contains("AUTH 501 5.7.0 cancelled") && l.contains("cause: Some(")),
                    "{case}"
                );
            }
        }
    }
}

#[test]
fn our_server_refuses_what_makes_no_sense() {
    for name in MECHANISMS {
        for initial in [true, false] {
            for (said, code) in
                [("*", "501"), ("%%%", "501"), ("Zg", "501"), ("Zm9v", "5"), ("=", "5"), ("", "5")]
            {
                let client = match (initial, said) {
                    // An empty initial response is "=", and "*" is none.
                    (true, "" | "*") => continue,
                    (true, said) => format!("EHLO x\r\nAUTH {name} {said}\r\n*\r\nNOOP\r\n"),
                    (false, "=") => continue,
                    (false, said) => format!("EHLO x\r\nAUTH {name}\r\n{said}\r\n*\r\nNOOP\r\n"),
                };
                let lines: Vec<&[u8]> = client.as_bytes().split_inclusive(|c| *c == b'\n').collect();
                let app = App::new(Security::DangerousPlaintext);
                let o = check(|| app.start(), &lines, &[SECRET]);
                let sent = String::from_utf8(o.sent.clone()).unwrap();
                let case = format!("{name} {initial} {said:?}: {sent} {:#?}", o.transcript);
                assert!(!sent.contains("\r\n235"), "{case}");
                assert!(sent.ends_with("\r\n250 2.0.0 fine\r\n"), "{case}");
                assert!(sent.contains(&format!("\r\n{code}")), "{case}");
                // What is not even of the alphabet is no command (RFC 4954 section 8).
                let refused = |l: &String| l.starts_with("AuthEnd(Err(") || l.contains("rule: \"auth\"");
                assert!(o.transcript.iter().any(refused), "{case}");
            }
        }
    }
}

#[test]
fn our_server_lets_nobody_in_who_gives_up() {
    for name in MECHANISMS {
        for room in [true, false] {
            // An initial response that invites an answer, or none.
            let bad = initial_response(name, WRONG, room).map(|i| format!(" {i}")).unwrap_or_default();
            let client = format!("EHLO x\r\nAUTH {name}{bad}\r\n*\r\nNOOP\r\n");
            let lines: Vec<&[u8]> = client.as_bytes().split_inclusive(|c| *c == b'\n').collect();
            let app =
                App { challenge: Some(ErrorChallenge::new("401")), ..App::new(Security::DangerousPlaintext) };
            let o = check(|| app.start(), &lines, &[SECRET, WRONG]);
            let sent = String::from_utf8(o.sent.clone()).unwrap();
            let case = format!("{name} {room}: {sent} {:#?}", o.transcript);
            assert!(!sent.contains("\r\n235"), "{case}");
            assert!(sent.ends_with("\r\n250 2.0.0 fine\r\n"), "{case}");
            let ends: Vec<_> = o.transcript.iter().filter(|l| l.starts_with("AuthEnd(")).collect();
            assert!(matches!(ends[..], [end] if end.starts_with("AuthEnd(Err(")), "{case}");
        }
    }
}

#[test]
fn a_response_without_end_ends_the_connection() {
    let long = format!("EHLO x\r\nAUTH PLAIN\r\n{}", "A".repeat(200_000));
    let app = App::new(Security::DangerousPlaintext);
    let o = wire::testkit::run(&mut app.start(), &[long.as_bytes()], &mut |n| n.min(3_000));
    assert!(
        o.transcript.contains(&"BadCommand { fault: Limit(SaslChallenge), closes: true }".to_owned()),
        "{:?}",
        o.transcript.len()
    );
}
