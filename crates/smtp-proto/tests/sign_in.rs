//! Every mechanism, with and without an initial response, through success, refusal, cancel and garbage, on either side: generated, not
//! listed.

use postkey_smtp_proto::testkit::{Action, App, ScriptedClient};
use postkey_smtp_proto::{Config, InitialResponse, Security};
use sasl::{ClientExchange, ClientMechanism, ErrorChallenge, Initial, Room};
use wire::testkit::{PairOptions, check, pair};

const SECRET: &str = "canary-5ecre7-canary";
const WRONG: &str = "canary-wr0ng-canary";

type Make = fn() -> Box<dyn ClientMechanism>;

/// Name, with the right secret, with the wrong one: for every mechanism there is. A name that is added to the list and not here fails
/// every test.
fn mechanisms() -> impl Iterator<Item = (&'static str, Make, Make)> {
    fn xoauth2(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::xoauth2::Client::new("ana@contoso.example", secret.into()).unwrap())
    }
    fn oauthbearer(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(
            sasl::oauthbearer::Client::new(Some("ana"), secret.into(), Some(("mx.example", 587))).unwrap(),
        )
    }
    fn plain(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::plain::Client::new("ana", secret.into()).unwrap())
    }
    fn login(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::login::Client::new("ana", secret.into()).unwrap())
    }
    sasl::MECHANISMS.into_iter().map(|name| {
        let (right, wrong): (Make, Make) = match name {
            sasl::xoauth2::NAME => (|| xoauth2(SECRET), || xoauth2(WRONG)),
            sasl::oauthbearer::NAME => (|| oauthbearer(SECRET), || oauthbearer(WRONG)),
            sasl::plain::NAME => (|| plain(SECRET), || plain(WRONG)),
            sasl::login::NAME => (|| login(SECRET), || login(WRONG)),
            other => panic!("{other} is not in the matrix"),
        };
        (name, right, wrong)
    })
}

fn client(initial: InitialResponse, mechanism: Make) -> ScriptedClient {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = initial;
    let script = [Action::Hello, Action::Authenticate(mechanism), Action::Noop, Action::Quit];
    ScriptedClient::with_config(config, script)
}

const BOTH: [InitialResponse; 2] = [InitialResponse::Fitting, InitialResponse::Never];

#[test]
fn our_client_signs_in_at_our_server_or_does_not() {
    for (name, right, wrong) in mechanisms() {
        for initial in BOTH {
            for challenge in [None, Some(ErrorChallenge::new("401"))] {
                for (mechanism, good) in [(right, true), (wrong, false)] {
                    for seed in 0..4 {
                        let app =
                            App { challenge: challenge.clone(), ..App::new(Security::DangerousPlaintext) };
                        let (mut a, mut b) = (client(initial, mechanism), app.start());
                        let options = PairOptions { seed, pipe: 64 + 1000 * seed as usize, chunk: 40 };
                        let (c, s) = pair(&mut a, &mut b, options);
                        let case = format!("{name} {initial:?} {challenge:?} {good}: {c:#?} {s:#?}");
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

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Refusal,
    Cancel,
    Garbage,
    Early,
}
const ENDS: [End; 5] = [End::Success, End::Refusal, End::Cancel, End::Garbage, End::Early];

/// The initial response of a mechanism that has one and may send it.
fn inline(initial: InitialResponse, mechanism: Make) -> Option<String> {
    let mut exchange = ClientExchange::new(mechanism(), sasl::Limits::default());
    let room = if initial == InitialResponse::Never { Room::None } else { Room::Unlimited };
    match exchange.initial(room).unwrap() {
        Initial::Inline(line) => Some(String::from_utf8(line.expose().to_vec()).unwrap()),
        Initial::None => None,
    }
}

#[test]
fn our_client_with_every_server() {
    let mut cases = 0;
    for (name, mechanism, _) in mechanisms() {
        for initial in BOTH {
            let inline = inline(initial, mechanism);
            let prompts: &[&str] = match (name, &inline) {
                (sasl::login::NAME, _) => &["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"],
                (_, Some(_)) => &[],
                (_, None) => &["334 \r\n"],
            };
            for end in ENDS {
                cases += 1;
                let last: &[&str] = match end {
                    End::Success | End::Early => &["235 2.7.0 in\r\n"],
                    End::Refusal => &["535 5.7.3 no\r\n"],
                    // A challenge that no mechanism here has an answer to.
                    End::Cancel => &["334 bm90IEpTT04=\r\n", "501 5.7.0 cancelled\r\n"],
                    End::Garbage => &["334 %%%\r\n", "501 5.7.0 cancelled\r\n"],
                };
                let prompts = if end == End::Early { &[] } else { prompts };
                let flights =
                    [&["220 mx\r\n", "250 mx\r\n"], prompts, last, &["250 noop\r\n", "221 bye\r\n"]].concat();
                let flights: Vec<&[u8]> = flights.iter().map(|f| f.as_bytes()).collect();
                let o = check(|| client(initial, mechanism), &flights, &[SECRET]);
                let sent = String::from_utf8(o.sent.clone()).unwrap();
                let case = format!("{name} {initial:?} {end:?}: {:#?} {sent}", o.transcript);
                let first = inline.iter().fold(format!("\r\nAUTH {name}"), |line, i| format!("{line} {i}"));
                assert!(sent.contains(&format!("{first}\r\n")), "{case}");
                let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
                let cancelled = sent.contains("\r\n*\r\n");
                let goes_on = sent.ends_with("\r\nNOOP\r\nQUIT\r\n");
                match end {
                    End::Success => assert!(goes_on && !cancelled && has("AUTH 235 2.7.0 in None"), "{case}"),
                    End::Refusal => assert!(goes_on && !cancelled && has("cause: None"), "{case}"),
                    End::Cancel => assert!(goes_on && cancelled && has("cause: Some("), "{case}"),
                    End::Garbage => {
                        assert!(goes_on && cancelled && has("cause: Some(InvalidBase64)"), "{case}");
                    }
                    // With an initial response there is nothing early about it.
                    End::Early if inline.is_some() => assert!(goes_on && !cancelled, "{case}"),
                    End::Early => assert!(has("EarlySuccess") && !goes_on, "{case}"),
                }
            }
        }
    }
    assert_eq!(cases, sasl::MECHANISMS.len() * 2 * 5);
}

#[test]
fn our_client_cancels_what_makes_no_sense() {
    for (name, mechanism, _) in mechanisms() {
        for initial in BOTH {
            for garbage in ["%%%", "!", "Zg", "====", "\u{e4}"] {
                // The first challenge may be the invitation, whatever it says; the second is none.
                let server = format!(
                    "334 {garbage}\r\n334 {garbage}\r\n501 5.7.0 cancelled\r\n250 noop\r\n221 bye\r\n"
                );
                let flights = format!("220 mx\r\n250 mx\r\n{server}");
                let flights: Vec<&[u8]> = flights.as_bytes().split_inclusive(|c| *c == b'\n').collect();
                let held = initial == InitialResponse::Never && name != "LOGIN";
                // Without an invitation to answer, the first is one too many already.
                let flights: Vec<&[u8]> = match held {
                    true => flights,
                    false => {
                        flights.into_iter().enumerate().filter(|(n, _)| *n != 3).map(|(_, f)| f).collect()
                    }
                };
                let o = check(|| client(initial, mechanism), &flights, &[SECRET]);
                let sent = String::from_utf8(o.sent.clone()).unwrap();
                let case = format!("{name} {initial:?} {garbage}: {:#?} {sent}", o.transcript);
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
    for (name, ..) in mechanisms() {
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
    for (name, _, wrong) in mechanisms() {
        for initial in BOTH {
            // An initial response that invites an answer, or none.
            let bad = inline(initial, wrong).map(|i| format!(" {i}")).unwrap_or_default();
            let client = format!("EHLO x\r\nAUTH {name}{bad}\r\n*\r\nNOOP\r\n");
            let lines: Vec<&[u8]> = client.as_bytes().split_inclusive(|c| *c == b'\n').collect();
            let app =
                App { challenge: Some(ErrorChallenge::new("401")), ..App::new(Security::DangerousPlaintext) };
            let o = check(|| app.start(), &lines, &[SECRET, WRONG]);
            let sent = String::from_utf8(o.sent.clone()).unwrap();
            let case = format!("{name} {initial:?}: {sent} {:#?}", o.transcript);
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
