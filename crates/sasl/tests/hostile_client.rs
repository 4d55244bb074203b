//! Clients that mean harm.

use postkey_sasl::{
    Error, Limits, ServerExchange, ServerMechanism, ServerReply, ServerStep, Verdict, base64, plain,
};

/// A client that sends too much, too often, or nonsense.
#[test]
fn hostile_client() {
    let start =
        |name: &str, line: &[u8]| ServerExchange::named(name, Limits::default()).unwrap().start(Some(line));
    let large = base64::encode(&vec![b'x'; 65_537]);
    for name in postkey_sasl::MECHANISMS {
        assert_eq!(
            start(name, large.as_bytes()),
            ServerReply::Fail(Error::MessageTooLarge { limit: 65_536 })
        );
        assert_eq!(start(name, b"%%%"), ServerReply::Fail(Error::InvalidBase64));
        assert_eq!(start(name, b"="), ServerReply::Fail(Error::MalformedResponse));
        assert_eq!(start(name, b"*"), ServerReply::Fail(Error::InvalidBase64));

        let mut cancelled = ServerExchange::named(name, Limits::default()).unwrap();
        assert!(matches!(cancelled.start(None), ServerReply::Challenge(_)));
        assert_eq!(cancelled.response(b"*"), ServerReply::Fail(Error::Cancelled));
        assert_eq!(cancelled.response(b""), ServerReply::Fail(Error::OutOfOrder));

        let mut twice = ServerExchange::named(name, Limits::default()).unwrap();
        assert_eq!(twice.verdict(Verdict::Accept), ServerReply::Fail(Error::OutOfOrder));
        assert_eq!(twice.start(None), ServerReply::Fail(Error::OutOfOrder));
    }
    // A line that overtakes the verdict must not be taken for the next message.
    let mut overtaken = ServerExchange::named("PLAIN", Limits::default()).unwrap();
    assert!(matches!(overtaken.start(Some(b"AHUAcA==")), ServerReply::Verify(_)));
    assert_eq!(overtaken.response(b""), ServerReply::Fail(Error::OutOfOrder));
    assert_eq!(overtaken.verdict(Verdict::Accept), ServerReply::Fail(Error::OutOfOrder));
}

#[test]
fn unknown_mechanism() {
    for name in ["", "NTLM", "XOAUTH", "XOAUTH2 ", "SCRAM-SHA-1"] {
        assert!(ServerExchange::named(name, Limits::default()).is_none(), "{name:?}");
    }
    for name in postkey_sasl::MECHANISMS {
        let lower = ServerExchange::named(&name.to_lowercase(), Limits::default()).unwrap();
        assert_eq!(lower.mechanism(), name);
    }
}

/// A mechanism from another crate: it challenges for ever, or has data to send with its success.
#[derive(Debug)]
struct Foreign {
    done: bool,
}

impl ServerMechanism for Foreign {
    fn name(&self) -> &'static str {
        "X-FOREIGN"
    }

    fn step(&mut self, _response: Option<&[u8]>) -> ServerStep {
        if self.done { ServerStep::Success(Some(b"v=proof".to_vec())) } else { ServerStep::Challenge(vec![]) }
    }

    fn verdict(&mut self, _verdict: Verdict) -> ServerStep {
        ServerStep::Fail(Error::OutOfOrder)
    }
}

#[test]
fn server_rounds_are_limited() {
    let mut exchange = ServerExchange::new(Box::new(Foreign { done: false }), Limits::default());
    assert_eq!(exchange.start(None), ServerReply::Challenge(String::new()));
    for _ in 0..8 {
        assert_eq!(exchange.response(b""), ServerReply::Challenge(String::new()));
    }
    assert_eq!(exchange.response(b""), ServerReply::Fail(Error::TooManyRounds { limit: 8 }));
}

/// RFC 4422 section 3.6: without a place for it in the success, the data goes out as a challenge first.
#[test]
fn success_data_needs_an_empty_answer() {
    for (answer, outcome) in [
        (&b""[..], ServerReply::Success),
        (b"QQ==", ServerReply::Fail(Error::MalformedResponse)),
        (b"*", ServerReply::Fail(Error::Cancelled)),
    ] {
        let mut exchange = ServerExchange::new(Box::new(Foreign { done: true }), Limits::default());
        assert_eq!(exchange.start(None), ServerReply::Challenge(base64::encode(b"v=proof")));
        assert_eq!(exchange.response(answer), outcome);
        assert_eq!(exchange.response(b""), ServerReply::Fail(Error::OutOfOrder));
    }
}

/// A server mechanism by itself judges nothing it did not ask about, and nothing twice.
#[test]
fn verdict_without_a_question() {
    for name in postkey_sasl::MECHANISMS {
        let mut mechanism = postkey_sasl::mechanism(name).unwrap();
        assert_eq!(mechanism.verdict(Verdict::Accept), ServerStep::Fail(Error::OutOfOrder), "{name}");
    }
    let mut plain = plain::Server::default();
    assert!(matches!(plain.step(Some(b"\0u\0p")), ServerStep::Verify(_)));
    assert_eq!(plain.verdict(Verdict::Accept), ServerStep::Success(None));
    assert_eq!(plain.verdict(Verdict::Accept), ServerStep::Fail(Error::OutOfOrder));
    assert_eq!(plain.step(Some(b"\0u\0p")), ServerStep::Fail(Error::OutOfOrder));
}
