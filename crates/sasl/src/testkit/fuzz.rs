//! Bodies of fuzz targets: any panic is a failure.
//!
//! Both read their input as a script: two octets choose the mechanism and the circumstances, the rest is a
//! list of lines separated by LF. A line that starts with `E` stands for the base64 of the rest of it, so that
//! a fuzzer reaches the parsers behind the decoder.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use wire::Secret;

use crate::{
    ClientExchange, ClientMechanism, Credentials, Error, ErrorChallenge, Initial, Limits, Reply, Room,
    ServerExchange, ServerReply, Verdict, base64, login, oauthbearer, plain, server, xoauth2,
};

/// The secret in every exchange of [`fuzz_client`].
const CANARY: &str = "canary-5ecre7-canary";

/// Drives a client exchange with a hostile server. The lines are challenges, or `S` for success, `F` for
/// failure, `C` for a cancel by the caller.
///
/// # Panics
///
/// When a secret shows in a `Debug` output, when more is answered than the limits allow, when a success is
/// granted without the secret having been sent or after a refusal, or when anything inside panics.
pub fn fuzz_client(data: &[u8]) {
    let Some(([mechanism, room], script)) = data.split_first_chunk::<2>().map(|(a, b)| (*a, b)) else {
        return;
    };
    let Some(mechanism) = client(mechanism) else { return };
    let limits = Limits::default();
    let mut exchange = ClientExchange::new(mechanism, limits);
    let mut sent = Vec::new();
    let (mut answers, mut over) = (0, false);
    let room = match room {
        0 => Room::None,
        255 => Room::Unlimited,
        octets => Room::Octets(octets.into()),
    };
    if let Ok(Initial::Inline(line)) = exchange.initial(room) {
        sent.extend(base64::decode(line.expose()).unwrap_or_default());
    }
    for line in script.split(|octet| *octet == b'\n') {
        match line {
            b"S" => {
                let granted = exchange.success(None);
                if granted.is_ok() {
                    assert!(!over, "a success after the end");
                    assert!(contains(&sent, CANARY), "a success before the credentials were sent");
                    assert_eq!(exchange.failure().error_challenge, None, "a success after a refusal");
                }
                over = true;
                assert_hidden(&granted);
            }
            b"F" => {
                assert_hidden(&exchange.failure());
                over = true;
            }
            b"C" => {
                exchange.cancel();
                over = true;
            }
            _ => {
                let reply = exchange.challenge(&text(line));
                assert_hidden(&reply);
                match &reply {
                    Reply::Send(line) => {
                        assert!(!over, "an answer after the end");
                        answers += 1;
                        let message = base64::decode(line.expose());
                        sent.extend(message.unwrap_or_else(|error| panic!("{error}: not base64 was sent")));
                    }
                    Reply::Cancel(_) | Reply::Close(_) => over = true,
                }
            }
        }
        assert!(answers <= limits.rounds, "more answers than the limit");
        assert_hidden(&exchange);
    }
    assert_hidden(&exchange.failure());
}

/// Drives a server exchange with a hostile client.
///
/// # Panics
///
/// When success is reached without an accepting verdict or with an empty token, when a challenge is not
/// base64, when credentials are handed out that our own client would not send or would send in a way that
/// reads back differently, or when anything inside panics.
pub fn fuzz_server(data: &[u8]) {
    let Some(([mechanism, manner], script)) = data.split_first_chunk::<2>().map(|(a, b)| (*a, b)) else {
        return;
    };
    let Some(name) = server::MECHANISMS.get(usize::from(mechanism & 3)) else { return };
    let limits = Limits::default();
    let Some(mut exchange) = ServerExchange::named(name, limits) else { return };
    let mut lines = script.split(|octet| *octet == b'\n');
    let initial = if manner & 1 == 0 { None } else { lines.next().map(text) };
    let mut reply = exchange.start(initial.as_deref());
    let (mut accepted, mut challenges) = (false, 0);
    loop {
        reply = match reply {
            ServerReply::Challenge(challenge) => {
                assert!(base64::decode(challenge.as_bytes()).is_ok(), "a challenge that is not base64");
                challenges += 1;
                assert!(challenges <= limits.rounds + 1, "more challenges than the limit");
                let Some(line) = lines.next() else { return };
                exchange.response(&text(line))
            }
            ServerReply::Verify(credentials) => {
                assert_reads_back(name, &credentials);
                let empty = matches!(&credentials, Credentials::Bearer { token, .. } if token.is_empty());
                accepted = manner & 6 == 0 && !empty;
                exchange.verdict(match manner & 6 {
                    0 => Verdict::Accept,
                    2 => Verdict::Refuse(None),
                    _ => Verdict::Refuse(Some(ErrorChallenge::new("invalid_token"))),
                })
            }
            ServerReply::Success => {
                assert!(accepted, "a success without an accepting verdict");
                break;
            }
            ServerReply::Fail(_) => {
                assert!(!accepted, "a failure after an accepting verdict");
                break;
            }
        };
    }
    assert_eq!(exchange.response(b""), ServerReply::Fail(Error::OutOfOrder));
}

fn client(choice: u8) -> Option<Box<dyn ClientMechanism>> {
    let secret = Secret::from(CANARY);
    Some(match choice & 3 {
        0 => Box::new(xoauth2::Client::new("u@x.example", secret).ok()?),
        1 => Box::new(oauthbearer::Client::new(Some("u@x.example"), secret, Some(("h.example", 993))).ok()?),
        2 => Box::new(plain::Client::new("u", secret).ok()?),
        _ => Box::new(login::Client::new("u", secret).ok()?),
    })
}

fn text(line: &[u8]) -> Vec<u8> {
    match line {
        [b'E', message @ ..] => base64::encode(message).into_bytes(),
        _ => line.to_vec(),
    }
}

fn contains(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|window| window == text.as_bytes())
}

fn assert_hidden(value: &dyn core::fmt::Debug) {
    let shown = format!("{value:?}");
    assert!(!shown.contains(CANARY), "a secret in a Debug output");
}

/// What a server read, our client can write, and the server reads the same again.
fn assert_reads_back(name: &str, credentials: &Credentials) {
    let again = match credentials {
        Credentials::Bearer { token, .. } if token.is_empty() => return,
        Credentials::Bearer { user: Some(user), token, .. } if name == xoauth2::NAME => {
            write(xoauth2::Client::new(user, token.clone()))
        }
        Credentials::Bearer { user, token, host, port } => {
            let (Some(host), Some(port)) = (host, port) else { return };
            write(oauthbearer::Client::new(user.as_deref(), token.clone(), Some((host, *port))))
        }
        Credentials::Password { authzid, user, password } if name == plain::NAME => {
            let client = plain::Client::new(user, password.clone());
            write(client.and_then(|client| match authzid {
                Some(authzid) => client.acting_as(authzid),
                None => Ok(client),
            }))
        }
        Credentials::Password { user, password, .. } => {
            let client = login::Client::new(user, password.clone());
            assert!(client.is_ok(), "LOGIN took credentials that its client refuses");
            return;
        }
    };
    let Some(mut exchange) = ServerExchange::named(name, Limits::default()) else { return };
    let reply = exchange.start(Some(again.as_bytes()));
    assert!(reply == ServerReply::Verify(credentials.clone()), "credentials that read back differently");
}

fn write(client: Result<impl ClientMechanism + 'static, Error>) -> String {
    let client = client.unwrap_or_else(|error| panic!("the server took what the client refuses: {error}"));
    let mut exchange = ClientExchange::new(Box::new(client), Limits::default());
    match exchange.initial(Room::Unlimited) {
        Ok(Initial::Inline(line)) => String::from_utf8_lossy(line.expose()).into_owned(),
        other => panic!("no initial response: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scripts of plausible lines, so that random input gets further than the first check.
    fn script(lines: &'static str) -> impl Strategy<Value = Vec<u8>> {
        (any::<[u8; 2]>(), prop::collection::vec(lines, 0..12))
            .prop_map(|(head, lines)| [&head[..], lines.join("\n").as_bytes()].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn client_any_octets(data: Vec<u8>) {
            fuzz_client(&data);
        }

        #[test]
        fn client_plausible(data in script("|S|F|C|E|E\\{\"status\":\"[0-9]{3}\"\\}|E\\PC{0,9}|[A-Za-z+/]{4}|=|AQ==")) {
            fuzz_client(&data);
        }

        #[test]
        fn client_echo(data in script("S||E\\{\"(status|scope)\":\"x?canary-5ecre7-canary\"\\}")) {
            fuzz_client(&data);
        }

        #[test]
        fn server_any_octets(data: Vec<u8>) {
            fuzz_server(&data);
        }

        #[test]
        fn server_plausible(data in script(concat!(
            "|E|\\*|=|AQ==|E\\x01|Ename|Euser=\\PC{0,3}\\x01auth=[Bb]earer {1,2}[!-~]{0,3}\\x01\\x01",
            "|E[ny],(a=\\PC{0,2}(=2C|=3D|=)?)?,\\x01(host=[!-~]{0,2}\\x01)?(port=[0-9]{0,6}\\x01)?(x=\\x01)?auth=bearer t\\x01\\x01",
            "|E\\PC{0,2}\\x00\\PC{0,2}\\x00\\PC{0,2}|E\\PC{0,9}",
        ))) {
            fuzz_server(&data);
        }
    }
}
