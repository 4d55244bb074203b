//! Every mechanism, with and without an initial response, through success, refusal, cancel and garbage, on either side: generated, not
//! listed.

use postkey_smtp_proto::testkit::{Action, App, ScriptedClient};
use postkey_smtp_proto::{Config, InitialResponse, Security};
use sasl::{ClientMechanism, ErrorChallenge};
use wire::testkit::{PairOptions, check, pair};

const SECRET: &str = "canary-5ecre7-canary";
const WRONG: &str = "canary-wr0ng-canary";

type Make = fn() -> Box<dyn ClientMechanism>;

/// Name, with the right secret, with the wrong one.
fn mechanisms() -> [(&'static str, Make, Make); 4] {
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
    [
        ("XOAUTH2", || xoauth2(SECRET), || xoauth2(WRONG)),
        ("OAUTHBEARER", || oauthbearer(SECRET), || oauthbearer(WRONG)),
        ("PLAIN", || plain(SECRET), || plain(WRONG)),
        ("LOGIN", || login(SECRET), || login(WRONG)),
    ]
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
