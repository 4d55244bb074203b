//! Every mechanism × with and without an initial response × every outcome, made from the list of mechanisms.

use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::Command;
use postkey_pop3_proto::{Config, InitialResponse, Security, State};
use sasl::{ClientExchange, ClientMechanism, ErrorChallenge, Initial, MECHANISMS, Room};
use wire::Need;
use wire::testkit::{Outcome, PairOptions, check, pair};

use crate::app::{App, TOKEN, converse};

const WRONG: &str = "canary-wr0ng-canary";
const ROOMS: [InitialResponse; 2] = [InitialResponse::Never, InitialResponse::WhenShort];

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Refusal,
    Cancel,
    Garbage,
    Early,
}
const ENDS: [End; 5] = [End::Success, End::Refusal, End::Cancel, End::Garbage, End::Early];

/// A mechanism by its name; a name that is added to the list and not here fails every test.
fn client(name: &str, secret: &str) -> Box<dyn ClientMechanism> {
    match name {
        sasl::xoauth2::NAME => Box::new(sasl::xoauth2::Client::new("ana", secret.into()).unwrap()),
        sasl::oauthbearer::NAME => {
            Box::new(sasl::oauthbearer::Client::new(Some("ana"), secret.into(), None).unwrap())
        }
        sasl::plain::NAME => Box::new(sasl::plain::Client::new("ana", secret.into()).unwrap()),
        sasl::login::NAME => Box::new(sasl::login::Client::new("ana", secret.into()).unwrap()),
        other => panic!("{other} is not in the matrix"),
    }
}

fn config(initial_response: InitialResponse) -> Config {
    let mut config = Config::new(Security::Tls);
    config.initial_response = initial_response;
    config
}

/// The initial response of a mechanism that has one and may send it.
fn inline(name: &str, room: InitialResponse, secret: &str) -> Option<String> {
    let mut exchange = ClientExchange::new(client(name, secret), sasl::Limits::default());
    match exchange.initial(if room == InitialResponse::Never { Room::None } else { Room::Unlimited }).unwrap()
    {
        Initial::Inline(line) => Some(String::from_utf8(line.expose().to_vec()).unwrap()),
        Initial::None => None,
    }
}

/// What a server says to `name` and, last, how the client then has to come out of it.
fn script(name: &str, room: InitialResponse, end: End) -> Vec<String> {
    let prompts: &[&str] = match (name, inline(name, room, TOKEN)) {
        (sasl::login::NAME, _) => &["+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n"],
        (_, Some(_)) => &[],
        (_, None) => &["+ \r\n"],
    };
    let mut flights = vec!["+OK hi\r\n".to_string()];
    if end != End::Early {
        flights.extend(prompts.iter().map(|p| p.to_string()));
    }
    flights.extend(
        match end {
            End::Success | End::Early => &["+OK in\r\n"][..],
            End::Refusal => &["-ERR [AUTH] no\r\n"],
            // A challenge that no mechanism here has an answer to.
            End::Cancel => &["+ bm90IEpTT04=\r\n", "-ERR cancelled\r\n"],
            End::Garbage => &["+ %%%\r\n", "-ERR cancelled\r\n"],
        }
        .iter()
        .map(|f| f.to_string()),
    );
    flights
}

#[test]
fn the_client_with_every_server() {
    let mut cases = 0;
    for name in MECHANISMS {
        for room in ROOMS {
            for end in ENDS {
                cases += 1;
                let flights = script(name, room, end);
                let flights: Vec<&[u8]> = flights.iter().map(String::as_bytes).collect();
                let make = || {
                    let script = [Action::Authenticate(client(name, TOKEN)), Action::Send(Command::Noop)];
                    ScriptedClient::with_config(config(room), script)
                };
                let o = check(make, &flights, &[TOKEN]);
                judge(name, room, end, &o);
            }
        }
    }
    assert_eq!(cases, MECHANISMS.len() * 2 * 5);
}

fn judge(name: &str, room: InitialResponse, end: End, o: &Outcome) {
    let case = format!("{name} {room:?} {end:?}: {:#?}", o.transcript);
    let sent = String::from_utf8(o.sent.clone()).unwrap();
    let first = sent.split("\r\n").next().unwrap();
    match inline(name, room, TOKEN) {
        Some(initial) => assert_eq!(first, format!("AUTH {name} {initial}"), "{case}"),
        None => assert_eq!(first, format!("AUTH {name}"), "{case}"),
    }
    let has = |what: &str| o.transcript.iter().any(|l| l.contains(what));
    // NOOP is only possible signed in.
    let signed_in = sent.ends_with("NOOP\r\n");
    let cancelled = sent.ends_with("\r\n*\r\n");
    match end {
        End::Success => assert!(signed_in && has("\"in\""), "{case}"),
        End::Refusal => {
            assert!(has("sign_in: Some(Failure") && has("cause: None") && has("gives Err(State)"), "{case}");
            assert!(!signed_in && !cancelled);
        }
        End::Cancel => assert!(cancelled && !signed_in && has("cause: Some("), "{case}"),
        End::Garbage => assert!(cancelled && !signed_in && has("cause: Some(InvalidBase64)"), "{case}"),
        // With an initial response there is nothing early about it.
        End::Early if inline(name, room, TOKEN).is_some() => assert!(signed_in, "{case}"),
        End::Early => {
            assert!(has("error: Sasl(EarlySuccess)") && o.end == Need::Close && !signed_in, "{case}");
        }
    }
}

#[test]
fn the_server_with_every_client() {
    for name in MECHANISMS {
        for room in ROOMS {
            for (end, line) in [(End::Cancel, "*"), (End::Garbage, "%%%")] {
                // An initial response that invites an answer, or is garbage itself.
                let text = match (room, end) {
                    (InitialResponse::Never, _) => format!("AUTH {name}\r\n{line}\r\nSTAT\r\n"),
                    (_, End::Garbage) => format!("AUTH {name} {line}\r\nSTAT\r\n"),
                    _ => {
                        let bad = inline(name, room, WRONG).map(|i| format!(" {i}")).unwrap_or_default();
                        format!("AUTH {name}{bad}\r\n*\r\nSTAT\r\n")
                    }
                };
                let mut app = App::new(Security::Tls);
                app.refusal = Some(ErrorChallenge::new("401"));
                let (events, sent) = converse(&app, &[text.as_bytes()]);
                let case = format!("{name} {room:?} {end:?}: {events:#?} {sent:#?}");
                assert!(events.iter().any(|e| e.starts_with("AuthEnd(Err(")), "{case}");
                assert!(!sent.iter().any(|l| l.starts_with("+OK")), "nobody is signed in: {case}");
                if end == End::Garbage {
                    assert!(events.iter().any(|e| e == "AuthEnd(Err(InvalidBase64))"), "{case}");
                }
            }
        }
    }
}

#[test]
fn the_client_with_the_server() {
    for name in MECHANISMS {
        for room in ROOMS {
            for secret in [TOKEN, WRONG] {
                for refusal in [None, Some(ErrorChallenge::new("401"))] {
                    for seed in 0..3 {
                        let script =
                            [Action::Authenticate(client(name, secret)), Action::Send(Command::Stat)];
                        let mut subject = ScriptedClient::with_config(config(room), script);
                        let mut app = App::new(Security::Tls);
                        app.refusal = refusal.clone();
                        let mut server = app.start();
                        let options = PairOptions { seed, pipe: 3 + 40 * (seed as usize), chunk: 7 };
                        let (c, s) = pair(&mut subject, &mut server, options);
                        let good = secret == TOKEN;
                        let state = if good { State::Transaction } else { State::Authorization };
                        assert_eq!(subject.client.state(), state, "{name} {room:?}: {c:#?} {s:#?}");
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
