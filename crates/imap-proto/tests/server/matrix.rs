//! Every mechanism × with and without an initial response × every outcome, made from the list of mechanisms, on either side.

use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::Command;
use postkey_imap_proto::{Config, InitialResponse, Security, State};
use sasl::{ClientExchange, ClientMechanism, ErrorChallenge, Initial, MECHANISMS, Room};
use wire::Need;
use wire::testkit::{Outcome, PairOptions, check, pair};

use crate::app::{App, TOKEN, converse};

const WRONG: &str = "canary-wr0ng-canary";
const ROOMS: [InitialResponse; 2] = [InitialResponse::Never, InitialResponse::Always];

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Refusal,
    Cancel,
    Garbage,
    Early,
}
const ENDS: [End; 5] = [End::Success, End::Refusal, End::Cancel, End::Garbage, End::Early];

type Make = fn() -> Box<dyn ClientMechanism>;

/// A mechanism by its name, with the right secret and with the wrong one; a name that is added to the list and not here fails every
/// test.
fn client(name: &str, right: bool) -> Make {
    fn xoauth2(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::xoauth2::Client::new("ana", secret.into()).unwrap())
    }
    fn oauthbearer(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::oauthbearer::Client::new(Some("ana"), secret.into(), None).unwrap())
    }
    fn plain(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::plain::Client::new("ana", secret.into()).unwrap())
    }
    fn login(secret: &str) -> Box<dyn ClientMechanism> {
        Box::new(sasl::login::Client::new("ana", secret.into()).unwrap())
    }
    match (name, right) {
        (sasl::xoauth2::NAME, true) => || xoauth2(TOKEN),
        (sasl::xoauth2::NAME, false) => || xoauth2(WRONG),
        (sasl::oauthbearer::NAME, true) => || oauthbearer(TOKEN),
        (sasl::oauthbearer::NAME, false) => || oauthbearer(WRONG),
        (sasl::plain::NAME, true) => || plain(TOKEN),
        (sasl::plain::NAME, false) => || plain(WRONG),
        (sasl::login::NAME, true) => || login(TOKEN),
        (sasl::login::NAME, false) => || login(WRONG),
        (other, _) => panic!("{other} is not in the matrix"),
    }
}

fn config(initial_response: InitialResponse) -> Config {
    let mut config = Config::new(Security::Tls);
    config.initial_response = initial_response;
    config
}

/// The initial response of a mechanism that has one and may send it.
fn inline(name: &str, room: InitialResponse, right: bool) -> Option<String> {
    let mut exchange = ClientExchange::new(client(name, right)(), sasl::Limits::default());
    match exchange.initial(if room == InitialResponse::Never { Room::None } else { Room::Unlimited }).unwrap()
    {
        Initial::Inline(line) => Some(String::from_utf8(line.expose().to_vec()).unwrap()),
        Initial::None => None,
    }
}

/// What a server says to `name` and, last, how the client then has to come out of it.
fn script(name: &str, room: InitialResponse, end: End) -> Vec<&'static str> {
    let prompts: &[&str] = match (name, inline(name, room, true)) {
        (sasl::login::NAME, _) => &["+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n"],
        (_, Some(_)) => &[],
        (_, None) => &["+ \r\n"],
    };
    let last: &[&str] = match end {
        End::Success | End::Early => &["A1 OK in\r\n"],
        End::Refusal => &["A1 NO [AUTHENTICATIONFAILED] no\r\n"],
        // A challenge that no mechanism here has an answer to.
        End::Cancel => &["+ bm90IEpTT04=\r\n", "A1 BAD cancelled\r\n"],
        End::Garbage => &["+ %%%\r\n", "A1 BAD cancelled\r\n"],
    };
    let prompts = if end == End::Early { &[] } else { prompts };
    [&["* OK hi\r\n"], prompts, last].concat()
}

#[test]
fn the_client_with_every_server() {
    let mut cases = 0;
    for name in MECHANISMS {
        for room in ROOMS {
            for end in ENDS {
                cases += 1;
                let flights = script(name, room, end);
                let flights: Vec<&[u8]> = flights.iter().map(|f| f.as_bytes()).collect();
                let make = || {
                    let script =
                        [Action::Authenticate(client(name, true)), Action::Send(Command::Capability)];
                    ScriptedClient::with_config(config(room), script)
                };
                judge(name, room, end, &check(make, &flights, &[TOKEN]));
            }
        }
    }
    assert_eq!(cases, MECHANISMS.len() * 2 * 5);
}

fn judge(name: &str, room: InitialResponse, end: End, o: &Outcome) {
    let sent = String::from_utf8(o.sent.clone()).unwrap();
    let case = format!("{name} {room:?} {end:?}: {:#?}", o.transcript);
    let first = sent.split("\r\n").next().unwrap();
    match inline(name, room, true) {
        Some(initial) => assert_eq!(first, format!("A1 AUTHENTICATE {name} {initial}"), "{case}"),
        None => assert_eq!(first, format!("A1 AUTHENTICATE {name}"), "{case}"),
    }
    let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
    let cancelled = sent.contains("\r\n*\r\n");
    let goes_on = sent.ends_with("A2 CAPABILITY\r\n");
    match end {
        End::Success => assert!(goes_on && !cancelled && has("\"in\""), "{case}"),
        End::Refusal => {
            assert!(goes_on && !cancelled && has("sign_in: Some(Failure") && has("cause: None"), "{case}");
        }
        End::Cancel => assert!(goes_on && cancelled && has("cause: Some("), "{case}"),
        End::Garbage => assert!(goes_on && cancelled && has("cause: Some(InvalidBase64)"), "{case}"),
        // With an initial response there is nothing early about it.
        End::Early if inline(name, room, true).is_some() => assert!(goes_on && !cancelled, "{case}"),
        End::Early => assert!(has("EarlySuccess") && o.end == Need::Close && !goes_on, "{case}"),
    }
}

#[test]
fn the_server_with_every_client() {
    for name in MECHANISMS {
        for room in ROOMS {
            for (end, line) in [(End::Cancel, "*"), (End::Garbage, "%%%")] {
                // An initial response that invites an answer, or is garbage itself.
                let text = match (room, end) {
                    (InitialResponse::Never, _) => format!("a AUTHENTICATE {name}\r\n{line}\r\n"),
                    (_, End::Garbage) => format!("a AUTHENTICATE {name} {line}\r\n"),
                    _ => {
                        let bad = inline(name, room, false).map(|i| format!(" {i}")).unwrap_or_default();
                        format!("a AUTHENTICATE {name}{bad}\r\n*\r\n")
                    }
                };
                let app = App { refusal: Some(ErrorChallenge::new("401")), ..App::new(Security::Tls) };
                let (events, sent) = converse(&app, &[text.as_bytes(), b"b SELECT INBOX\r\n"]);
                let case = format!("{name} {room:?} {end:?}: {events:#?} {sent:#?}");
                assert!(!sent.iter().any(|l| l.starts_with("a OK")), "nobody is signed in: {case}");
                assert!(!sent.iter().any(|l| l.starts_with("b OK")), "nobody is signed in: {case}");
                let garbage = end == End::Garbage;
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
        for room in ROOMS {
            for good in [true, false] {
                for refusal in [None, Some(ErrorChallenge::new("401"))] {
                    for seed in 0..3 {
                        let script =
                            [Action::Authenticate(client(name, good)), Action::Send(Command::Capability)];
                        let mut subject = ScriptedClient::with_config(config(room), script);
                        let mut server = App { refusal: refusal.clone(), ..App::new(Security::Tls) }.start();
                        let options = PairOptions { seed, pipe: 3 + 40 * (seed as usize), chunk: 7 };
                        let (c, s) = pair(&mut subject, &mut server, options);
                        let case = format!("{name} {room:?} {good} {refusal:?}: {c:#?} {s:#?}");
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
