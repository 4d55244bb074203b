//! LG-06: no planted secret in the `Debug` or `Display` output of anything, in any state.

use std::fmt::Debug;

use postkey_sasl::{
    ClientExchange, ClientMechanism, Limits, MECHANISMS, Room, ServerExchange, ServerReply, Verdict, base64,
    login, mechanism, oauthbearer, plain, xoauth2,
};

const CANARY: &str = "cAnArY-0123456789-sEcReT";

fn mechanisms() -> [Box<dyn ClientMechanism>; 4] {
    [
        Box::new(xoauth2::Client::new("u", CANARY.into()).unwrap()),
        Box::new(oauthbearer::Client::new(Some("u"), CANARY.into(), Some(("h", 993))).unwrap()),
        Box::new(plain::Client::new("u", CANARY.into()).unwrap().acting_as("v").unwrap()),
        Box::new(login::Client::new("u", CANARY.into()).unwrap()),
    ]
}

/// Every spelling in which the secret could leak: as it is, its first and last octets, in base64 at each of the
/// three alignments, in hex, and as the list of numbers that `Debug` of a byte vector prints.
fn assert_hidden(value: &dyn Debug) {
    let mut spellings = vec![CANARY.to_owned(), CANARY[..8].to_owned(), CANARY[16..].to_owned()];
    for skipped in 0..3 {
        let whole = &CANARY.as_bytes()[skipped..];
        spellings.push(base64::encode(&whole[..whole.len() / 3 * 3]));
    }
    spellings.push(CANARY.bytes().map(|octet| format!("{octet:02x}")).collect());
    spellings.push(CANARY.bytes().map(|octet| octet.to_string()).collect::<Vec<_>>().join(", "));
    for shown in
        [format!("{value:?}"), format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" ")]
    {
        for spelling in &spellings {
            assert!(!shown.contains(spelling.as_str()), "{shown}");
        }
    }
}

/// The check above finds what it looks for.
#[test]
fn the_check_can_fail() {
    for leak in [
        CANARY.as_bytes().to_vec(),
        base64::encode(format!("user=u\u{1}auth=Bearer {CANARY}").as_bytes()).into_bytes(),
        base64::encode(format!("x{CANARY}").as_bytes()).into_bytes(),
        base64::encode(CANARY.as_bytes()).into_bytes(),
    ] {
        let text = String::from_utf8(leak).unwrap();
        assert!(std::panic::catch_unwind(|| assert_hidden(&text)).is_err(), "{text}");
    }
    assert!(std::panic::catch_unwind(|| assert_hidden(&CANARY.as_bytes())).is_err());
}

#[test]
fn client_types() {
    for index in 0..mechanisms().len() {
        for room in [Room::None, Room::Unlimited] {
            let mut mechanism = mechanisms().into_iter().nth(index).unwrap();
            assert_hidden(&mechanism);
            let _ = mechanism.initial_response();
            assert_hidden(&mechanism);

            let mechanism = mechanisms().into_iter().nth(index).unwrap();
            let mut exchange = ClientExchange::new(mechanism, Limits::default());
            assert_hidden(&exchange);
            assert_hidden(&exchange.initial(room));
            assert_hidden(&exchange);
            for text in [String::new(), base64::encode(format!("{{\"status\":\"{CANARY}\"}}").as_bytes())] {
                let reply = exchange.challenge(text.as_bytes());
                assert_hidden(&reply);
                assert_hidden(&exchange);
            }
            assert_hidden(&exchange.secrets());
            assert_hidden(&exchange.success(None));
            let failure = exchange.failure();
            assert_hidden(&failure);
            assert_hidden(&failure.to_string());
        }
    }
}

#[test]
fn server_types() {
    let messages = [
        vec![format!("user=u\u{1}auth=Bearer {CANARY}\u{1}\u{1}")],
        vec![format!("n,,\u{1}auth=Bearer {CANARY}\u{1}\u{1}")],
        vec![format!("\0u\0{CANARY}")],
        vec!["u".to_owned(), CANARY.to_owned()],
    ];
    for (name, messages) in MECHANISMS.iter().zip(messages) {
        let mut bare = mechanism(name).unwrap();
        for message in &messages {
            assert_hidden(&bare.step(Some(message.as_bytes())));
            assert_hidden(&bare);
        }
        let mut exchange = ServerExchange::named(name, Limits::default()).unwrap();
        assert!(matches!(exchange.start(None), ServerReply::Challenge(_)));
        let mut asked = false;
        for message in messages {
            let reply = exchange.response(base64::encode(message.as_bytes()).as_bytes());
            assert_hidden(&reply);
            assert_hidden(&exchange);
            asked = matches!(reply, ServerReply::Verify(_));
        }
        assert!(asked);
        assert_hidden(&exchange.verdict(Verdict::Refuse(None)));
        assert_hidden(&exchange);

        let mut broken = ServerExchange::named(name, Limits::default()).unwrap();
        let line = base64::encode(format!("\0\0\0\u{1}{CANARY}").as_bytes());
        let reply = broken.start(Some(line.as_bytes()));
        assert!(matches!(&reply, ServerReply::Fail(_)), "{name}");
        assert_hidden(&reply);
        if let ServerReply::Fail(error) = reply {
            assert_hidden(&error.to_string());
        }
    }
}

/// A credential that is refused is not in the error that says so.
#[test]
fn refused_credentials() {
    let secret = format!("{CANARY}\n");
    for error in [
        xoauth2::Client::new("u", secret.as_str().into()).unwrap_err(),
        oauthbearer::Client::new(None, secret.as_str().into(), None).unwrap_err(),
        plain::Client::new("u", secret.as_str().into()).unwrap_err(),
        login::Client::new("u", secret.as_str().into()).unwrap_err(),
    ] {
        assert_hidden(&error);
        assert_hidden(&error.to_string());
    }
}
