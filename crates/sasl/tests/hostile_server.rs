//! Servers and callers that mean harm; the ids are those of the project's list of hostile cases.

use postkey_sasl::{
    ClientExchange, ClientMechanism, Error, Fault, Field, Initial, Limits, Reply, Room, base64, login,
    oauthbearer, plain, xoauth2,
};

fn mechanisms() -> [Box<dyn ClientMechanism>; 4] {
    [
        Box::new(xoauth2::Client::new("u@x.example", "t0ken".into()).unwrap()),
        Box::new(oauthbearer::Client::new(Some("u@x.example"), "t0ken".into(), None).unwrap()),
        Box::new(plain::Client::new("u@x.example", "pa55".into()).unwrap()),
        Box::new(login::Client::new("u@x.example", "pa55".into()).unwrap()),
    ]
}

fn xoauth2_exchange() -> ClientExchange {
    let [mechanism, ..] = mechanisms();
    ClientExchange::new(mechanism, Limits::default())
}

fn refused(text: &str) -> Vec<u8> {
    base64::encode(text.as_bytes()).into_bytes()
}

/// SA-01: whether or not the initial response is out, what is not base64 cancels.
#[test]
fn sa_01_not_base64() {
    for room in [Room::None, Room::Unlimited] {
        for index in 0..mechanisms().len() {
            for text in ["%%%not base64", "Zg", "Zh==", "go ahead", "Zg== ", "=", "*"] {
                let mechanism = mechanisms().into_iter().nth(index).unwrap();
                let name = mechanism.name();
                let mut exchange = ClientExchange::new(mechanism, Limits::default());
                let _ = exchange.initial(room).unwrap();
                let reply = exchange.challenge(text.as_bytes());
                assert_eq!(reply, Reply::Cancel(Error::InvalidBase64), "{name} {text}");
                assert_eq!(exchange.failure().cause, Some(Error::InvalidBase64), "{name} {text}");
                assert_eq!(exchange.failure().mechanism, name);
            }
        }
    }
}

/// SA-03: the limit is on the decoded message, to the octet, and is checked before decoding.
#[test]
fn sa_03_challenge_too_large() {
    let limit = 65_536;
    for (text, expected) in [
        ("QUFB".repeat(2_097_152), Error::MessageTooLarge { limit }),
        ("%".repeat(8_388_608), Error::MessageTooLarge { limit }),
        (base64::encode(&vec![b'['; limit + 1]), Error::MessageTooLarge { limit }),
        (base64::encode(&vec![b'['; limit]), Error::MalformedErrorChallenge { offset: 0 }),
    ] {
        let mut exchange = xoauth2_exchange();
        let _ = exchange.initial(Room::Unlimited).unwrap();
        assert_eq!(exchange.challenge(text.as_bytes()), Reply::Cancel(expected));
    }
}

/// A challenge that nests deeper than 32 is refused without recursion getting there.
#[test]
fn deep_json() {
    let mut exchange = xoauth2_exchange();
    let _ = exchange.initial(Room::Unlimited).unwrap();
    let text = refused(&format!("{{\"status\":{}", "[".repeat(60_000)));
    assert_eq!(exchange.challenge(&text), Reply::Cancel(Error::MalformedErrorChallenge { offset: 10 + 31 }));
}

/// SA-05: at most 8 answers, then `*`, then the connection is given up.
#[test]
fn sa_05_endless_challenges() {
    for room in [Room::None, Room::Unlimited] {
        let mut exchange = xoauth2_exchange();
        let _ = exchange.initial(room).unwrap();
        for _ in 0..8 {
            assert!(matches!(exchange.challenge(b""), Reply::Send(_)));
        }
        let error = Error::TooManyRounds { limit: 8 };
        assert_eq!(exchange.challenge(b""), Reply::Cancel(error.clone()));
        assert_eq!(exchange.challenge(b""), Reply::Close(error.clone()));
        assert_eq!(exchange.success(None).unwrap_err(), error);
        assert_eq!(exchange.failure().cause, Some(error));
    }
}

/// SA-05 for the mechanisms that know how many challenges they have.
#[test]
fn challenges_beyond_the_last() {
    for (index, allowed) in [(2, 0), (3, 2)] {
        let mechanism = mechanisms().into_iter().nth(index).unwrap();
        let mut exchange = ClientExchange::new(mechanism, Limits::default());
        let _ = exchange.initial(Room::Unlimited).unwrap();
        for _ in 0..allowed {
            assert!(matches!(exchange.challenge(b""), Reply::Send(_)));
        }
        assert_eq!(exchange.challenge(b""), Reply::Cancel(Error::UnexpectedChallenge));
    }
}

/// SA-06, LG-02: a server echoes the token, or the line that carried it, in its reason.
#[test]
fn sa_06_echo_in_the_challenge() {
    let mut exchange = xoauth2_exchange();
    let Initial::Inline(line) = exchange.initial(Room::Unlimited).unwrap() else { panic!() };
    let line = std::str::from_utf8(line.expose()).unwrap().to_owned();
    let text = format!(r#"{{"status":"bad t0ken","scope":"<{line}>","schemes":"t0ken t0ken"}}"#);
    assert!(matches!(exchange.challenge(&refused(&text)), Reply::Send(_)));
    assert!(!format!("{exchange:?}").contains("t0ken"));
    let failure = exchange.failure();
    let reason = failure.error_challenge.clone().unwrap();
    assert_eq!(reason.status, "bad [redacted]");
    assert_eq!(reason.scope.as_deref(), Some("<[redacted]>"));
    assert_eq!(reason.schemes.as_deref(), Some("[redacted] [redacted]"));
    for shown in [format!("{failure:?}"), failure.to_string()] {
        assert!(!shown.contains("t0ken") && !shown.contains(&line), "{shown}");
    }
}

/// SA-06: what a redactor must look for includes every line that carried a secret, and no other.
#[test]
fn sa_06_secrets_for_the_redactor() {
    let of = |exchange: &ClientExchange| -> Vec<String> {
        exchange.secrets().iter().map(|secret| secret.expose().to_owned()).collect()
    };
    let mut bearer = xoauth2_exchange();
    assert_eq!(of(&bearer), ["t0ken"]);
    let _ = bearer.initial(Room::None).unwrap();
    assert_eq!(of(&bearer), ["t0ken"]);
    assert!(matches!(bearer.challenge(b""), Reply::Send(_)));
    let line = base64::encode(b"user=u@x.example\x01auth=Bearer t0ken\x01\x01");
    assert_eq!(of(&bearer), ["t0ken".to_owned(), line.clone()]);
    assert!(matches!(bearer.challenge(&refused("{}")), Reply::Send(_)));
    assert_eq!(of(&bearer), ["t0ken".to_owned(), line]);

    let [.., login] = mechanisms();
    let mut login = ClientExchange::new(login, Limits::default());
    let _ = login.initial(Room::Unlimited).unwrap();
    assert!(matches!(login.challenge(b""), Reply::Send(_)));
    assert!(matches!(login.challenge(b""), Reply::Send(_)));
    assert_eq!(of(&login), ["pa55".to_owned(), base64::encode(b"pa55")]);
}

/// SA-09: a success that comes before the credentials went out is refused, also when the mechanism has built
/// its message and the message is still waiting for the server's invitation.
#[test]
fn sa_09_early_success() {
    for mechanism in mechanisms() {
        let mut exchange = ClientExchange::new(mechanism, Limits::default());
        let _ = exchange.initial(Room::None).unwrap();
        assert_eq!(exchange.success(None).unwrap_err(), Error::EarlySuccess);
        assert_eq!(exchange.success(None).unwrap_err(), Error::EarlySuccess, "errors stay");
        assert!(matches!(exchange.challenge(b""), Reply::Close(Error::EarlySuccess)));
        assert_eq!(exchange.failure().cause, Some(Error::EarlySuccess));
    }
    for mechanism in mechanisms() {
        let mut exchange = ClientExchange::new(mechanism, Limits::default());
        assert_eq!(exchange.success(None).unwrap_err(), Error::EarlySuccess, "before the command");
    }
    for mut mechanism in mechanisms() {
        assert_eq!(mechanism.success(None), Err(Error::EarlySuccess), "without an exchange");
    }
    let [.., login] = mechanisms();
    let mut half = ClientExchange::new(login, Limits::default());
    let _ = half.initial(Room::None).unwrap();
    assert!(matches!(half.challenge(b"VXNlcm5hbWU6"), Reply::Send(_)));
    assert_eq!(half.success(None).unwrap_err(), Error::EarlySuccess, "the password was not asked for");
}

/// A server that refuses in a challenge, or is told `*`, cannot then say yes.
#[test]
fn success_after_the_end() {
    for challenge in [refused("{\"status\":\"400\"}"), Vec::new()] {
        let mut exchange = xoauth2_exchange();
        let _ = exchange.initial(Room::Unlimited).unwrap();
        assert!(matches!(exchange.challenge(&challenge), Reply::Send(_)));
        assert_eq!(exchange.success(None).unwrap_err(), Error::SuccessAfterError);
    }
    for mechanism in mechanisms() {
        let mut exchange = ClientExchange::new(mechanism, Limits::default());
        let _ = exchange.initial(Room::Unlimited).unwrap();
        exchange.cancel();
        assert_eq!(exchange.success(None).unwrap_err(), Error::Cancelled);
        assert_eq!(exchange.challenge(b""), Reply::Close(Error::Cancelled));
    }
}

#[test]
fn one_success_per_exchange() {
    let mut exchange = xoauth2_exchange();
    let _ = exchange.initial(Room::Unlimited).unwrap();
    assert_eq!(exchange.initial(Room::Unlimited), Err(Error::OutOfOrder));
    assert_eq!(exchange.success(Some(b"")).unwrap().mechanism(), "XOAUTH2");
    assert_eq!(exchange.success(None).unwrap_err(), Error::OutOfOrder);
    assert_eq!(exchange.challenge(b""), Reply::Close(Error::OutOfOrder));
}

#[test]
fn success_with_data() {
    for (data, expected) in [(&b"QQ=="[..], Error::UnexpectedSuccessData), (b"%", Error::InvalidBase64)] {
        let mut exchange = xoauth2_exchange();
        let _ = exchange.initial(Room::Unlimited).unwrap();
        assert_eq!(exchange.success(Some(data)).unwrap_err(), expected);
    }
}

/// Before the initial response is out, a challenge that is not empty is no invitation. SA-02: it can be a refusal all the same, and
/// then its reason must reach the caller; the credentials stay here.
#[test]
fn first_challenge_with_content() {
    for mechanism in mechanisms().into_iter().take(3) {
        let name = mechanism.name();
        let mut exchange = ClientExchange::new(mechanism, Limits::default());
        let _ = exchange.initial(Room::Octets(3)).unwrap();
        let reply = exchange.challenge(&refused("{\"status\":\"400\"}"));
        if name == "PLAIN" {
            assert_eq!(reply, Reply::Cancel(Error::UnexpectedChallenge));
            assert_eq!(exchange.challenge(b""), Reply::Close(Error::UnexpectedChallenge));
            continue;
        }
        let Reply::Send(answer) = reply else { panic!("{name}: {reply:?}") };
        assert!(answer.expose() == b"" || answer.expose() == b"AQ==", "{name} gives no credentials away");
        assert_eq!(exchange.success(None).unwrap_err(), Error::SuccessAfterError);
    }
}

#[test]
fn second_reason() {
    let mut exchange = xoauth2_exchange();
    let _ = exchange.initial(Room::Unlimited).unwrap();
    assert!(matches!(exchange.challenge(&refused("{\"status\":\"1\"}")), Reply::Send(_)));
    assert_eq!(exchange.challenge(&refused("{\"status\":\"2\"}")), Reply::Cancel(Error::UnexpectedChallenge));
    assert_eq!(exchange.failure().error_challenge.unwrap().status, "1");
}

/// The room on the command is counted in octets of base64.
#[test]
fn room_on_the_command() {
    let line = base64::encode(b"user=u@x.example\x01auth=Bearer t0ken\x01\x01");
    for (room, fits) in [(line.len() - 1, false), (line.len(), true)] {
        let initial = xoauth2_exchange().initial(Room::Octets(room)).unwrap();
        assert_eq!(initial != Initial::None, fits);
    }
}

/// INJ-07, INJ-08, INJ-09: nothing that could end a field, a message or a line gets into one.
#[test]
fn inj_07_08_09_credentials() {
    type Build = fn(&str, &str) -> Result<(), Error>;
    let bearers: [Build; 2] = [
        |user, token| xoauth2::Client::new(user, token.into()).map(drop),
        |user, token| oauthbearer::Client::new(Some(user), token.into(), Some(("h", 1))).map(drop),
    ];
    let passwords: [Build; 2] = [
        |user, password| plain::Client::new(user, password.into()).map(drop),
        |user, password| login::Client::new(user, password.into()).map(drop),
    ];
    let fault = |field, fault| Err(Error::Credential { field, fault });
    for build in bearers.iter().chain(&passwords) {
        for user in [
            "a\u{1}auth=Bearer evil",
            "a\rb",
            "a\nb",
            "a\r\nb",
            "a\0b",
            "a\tb",
            "a\u{7f}",
            "a\u{85}b",
            "\u{1b}[2J",
        ] {
            assert_eq!(build(user, "t"), fault(Field::User, Fault::Control), "{user:?}");
        }
        assert_eq!(build("", "t"), fault(Field::User, Fault::Empty));
        for user in ["a\"b", "a,b=c", "j\u{f6}rg@x.example", "\u{4f60}", "a b", "{5}"] {
            assert_eq!(build(user, "t"), Ok(()), "{user:?}");
        }
    }
    for build in &bearers {
        for (token, found) in [
            ("", Fault::Empty),
            ("t\u{1}", Fault::Control),
            ("t\r", Fault::Control),
            ("t\n", Fault::Control),
            ("t\0", Fault::Control),
            ("t\t", Fault::Control),
            ("t\u{7f}", Fault::Control),
            ("t t", Fault::Space),
            ("t\u{e9}", Fault::NonAscii),
        ] {
            assert_eq!(build("u", token), fault(Field::Token, found), "{token:?}");
        }
        assert_eq!(build("u", "aZ09-._~+/=!\"#$%&'()*,:;<>?@[\\]^`{|}"), Ok(()));
    }
    for build in &passwords {
        for (password, found) in
            [("", Fault::Empty), ("p\0", Fault::Control), ("p\r", Fault::Control), ("p\n", Fault::Control)]
        {
            assert_eq!(build("u", password), fault(Field::Password, found), "{password:?}");
        }
        assert_eq!(build("u", "p \t\u{1}\"\u{e9}"), Ok(()));
    }
    let server = |host, port| oauthbearer::Client::new(None, "t".into(), Some((host, port))).map(drop);
    assert_eq!(server("h\u{1}auth=Bearer evil", 1), fault(Field::Host, Fault::Control));
    assert_eq!(server("h h", 1), fault(Field::Host, Fault::Space));
    assert_eq!(server("", 1), fault(Field::Host, Fault::Empty));
    assert_eq!(server("h", 0), fault(Field::Port, Fault::Zero));
    let acting_as = |authzid| plain::Client::new("u", "p".into()).unwrap().acting_as(authzid).map(drop);
    assert_eq!(acting_as("a\0b"), fault(Field::AuthorizationIdentity, Fault::Control));
    assert_eq!(acting_as(""), fault(Field::AuthorizationIdentity, Fault::Empty));
}

/// The first objection is the one reported, whatever follows.
#[test]
fn first_cause_stays() {
    let mut exchange = xoauth2_exchange();
    let _ = exchange.initial(Room::Unlimited).unwrap();
    assert_eq!(exchange.challenge(b"%"), Reply::Cancel(Error::InvalidBase64));
    exchange.cancel();
    assert_eq!(exchange.success(None).unwrap_err(), Error::InvalidBase64);
    assert_eq!(exchange.failure().cause, Some(Error::InvalidBase64));
}

/// A mechanism from another crate: an empty initial response, and agreement with every success.
#[derive(Debug)]
struct Agreeable;

impl ClientMechanism for Agreeable {
    fn name(&self) -> &'static str {
        "X-AGREEABLE"
    }

    fn initial_response(&mut self) -> Result<Option<wire::SecretBytes>, Error> {
        Ok(Some(wire::SecretBytes::default()))
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<wire::SecretBytes, Error> {
        Err(Error::UnexpectedChallenge)
    }

    fn success(&mut self, _data: Option<&[u8]>) -> Result<(), Error> {
        Ok(())
    }

    fn secrets(&self) -> Vec<&str> {
        vec![""]
    }
}

/// RFC 4959 section 3: an empty initial response is `=` on the command, and an empty line after a challenge.
#[test]
fn empty_initial_response() {
    let agreeable = || ClientExchange::new(Box::new(Agreeable), Limits::default());
    for (room, inline) in [(Room::Octets(0), false), (Room::Octets(1), true), (Room::Unlimited, true)] {
        let mut exchange = agreeable();
        match exchange.initial(room).unwrap() {
            Initial::Inline(line) => assert!(inline && line.expose() == b"="),
            Initial::None => {
                assert!(!inline);
                assert_eq!(exchange.success(None).unwrap_err(), Error::EarlySuccess);
            }
        }
    }
    let mut held_back = agreeable();
    assert_eq!(held_back.challenge(b""), Reply::Send(wire::SecretBytes::default()));
    assert_eq!(held_back.secrets(), []);
    assert_eq!(held_back.success(None).unwrap().mechanism(), "X-AGREEABLE");
    assert_eq!(agreeable().success(None).unwrap_err(), Error::EarlySuccess, "before the command");
}
