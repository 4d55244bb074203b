//! Messages as the RFCs, the vendors and real servers spell them.

use postkey_sasl::{
    ClientExchange, ClientMechanism, Credentials, Error, ErrorChallenge, Initial, Limits, Reply, Room,
    ServerExchange, ServerReply, Verdict, login, oauthbearer, plain, xoauth2,
};

fn exchange(mechanism: impl ClientMechanism + 'static) -> ClientExchange {
    ClientExchange::new(Box::new(mechanism), Limits::default())
}

fn initial(mechanism: impl ClientMechanism + 'static) -> String {
    match exchange(mechanism).initial(Room::Unlimited).unwrap() {
        Initial::Inline(line) => String::from_utf8(line.expose().to_vec()).unwrap(),
        Initial::None => panic!("no initial response"),
    }
}

fn sent(reply: Reply) -> String {
    match reply {
        Reply::Send(line) => String::from_utf8(line.expose().to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn presented(mechanism: &str, line: &str) -> Credentials {
    match ServerExchange::named(mechanism, Limits::default()).unwrap().start(Some(line.as_bytes())) {
        ServerReply::Verify(credentials) => credentials,
        other => panic!("{other:?}"),
    }
}

fn bearer(credentials: &Credentials) -> (Option<&str>, &str, Option<&str>, Option<u16>) {
    match credentials {
        Credentials::Bearer { user, token, host, port } => {
            (user.as_deref(), token.expose(), host.as_deref(), *port)
        }
        other => panic!("{other:?}"),
    }
}

fn password(credentials: &Credentials) -> (Option<&str>, &str, &str) {
    match credentials {
        Credentials::Password { authzid, user, password } => (authzid.as_deref(), user, password.expose()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn xoauth2() {
    for (user, token, line) in [
        (
            "ana@contoso.example",
            "tok.en-1",
            "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvay5lbi0xAQE=",
        ),
        // Microsoft's documented sample.
        (
            "test@contoso.onmicrosoft.com",
            "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA",
            "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQl\
             daV0NjbFJDM0VvQUEBAQ==",
        ),
        // Google's documented sample.
        (
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1sem\
             RHRXVZMjl0Q2cBAQ==",
        ),
    ] {
        assert_eq!(initial(xoauth2::Client::new(user, token.into()).unwrap()), line);
        assert_eq!(bearer(&presented("XOAUTH2", line)), (Some(user), token, None, None));
    }
}

/// RFC 7628 section 4.1 (IMAP and SMTP), and the vector of an address at Contoso.
#[test]
fn oauthbearer() {
    let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
    for (user, token, host, port, line) in [
        (
            "user@example.com",
            token,
            "server.example.com",
            143,
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI\
             HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
        ),
        (
            "user@example.com",
            token,
            "server.example.com",
            587,
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyI\
             HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
        ),
        (
            "ana@contoso.example",
            "tok.en-1",
            "imap.example",
            993,
            "bixhPWFuYUBjb250b3NvLmV4YW1wbGUsAWhvc3Q9aW1hcC5leGFtcGxlAXBvcnQ9OTkzAWF1dGg9QmVhcmVyIHRvay5lbi0xAQE=",
        ),
    ] {
        let client = oauthbearer::Client::new(Some(user), token.into(), Some((host, port))).unwrap();
        assert_eq!(initial(client), line);
        assert_eq!(bearer(&presented("OAUTHBEARER", line)), (Some(user), token, Some(host), Some(port)));
    }
}

/// The escapes of RFC 5801 section 4, and the parts a client may leave out.
#[test]
fn oauthbearer_header() {
    let line = |user, server| {
        let line = initial(oauthbearer::Client::new(user, "t".into(), server).unwrap());
        String::from_utf8(postkey_sasl::base64::decode(line.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(line(Some("a,b=c@x"), None), "n,a=a=2Cb=3Dc@x,\u{1}auth=Bearer t\u{1}\u{1}");
    assert_eq!(line(None, None), "n,,\u{1}auth=Bearer t\u{1}\u{1}");
    assert_eq!(line(None, Some(("h", 1))), "n,,\u{1}host=h\u{1}port=1\u{1}auth=Bearer t\u{1}\u{1}");

    let read = |message: &str| {
        let line = postkey_sasl::base64::encode(message.as_bytes());
        ServerExchange::named("oauthbearer", Limits::default()).unwrap().start(Some(line.as_bytes()))
    };
    let user = |message: &str| match read(message) {
        ServerReply::Verify(credentials) => bearer(&credentials).0.map(str::to_owned),
        other => panic!("{message:?}: {other:?}"),
    };
    let tail = "\u{1}auth=bEaReR t\u{1}\u{1}";
    assert_eq!(user(&format!("n,a=a=2Cb=3dc=2c,{tail}")).unwrap(), "a,b=c,");
    assert_eq!(user(&format!("y,a=j\u{f6}rg,{tail}")).unwrap(), "j\u{f6}rg");
    assert_eq!(user(&format!("n,,\u{1}mthd=POST\u{1}x=a=b c{tail}")), None);
    for message in [
        "".to_owned(),
        "\u{1}".to_owned(),
        "n,,".to_owned(),
        "n,,\u{1}".to_owned(),
        "n,,\u{1}\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer t\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer t".to_owned(),
        tail.to_owned(),
        format!("n{tail}"),
        format!("n,{tail}"),
        format!("n,a,{tail}"),
        format!("n,a=,{tail}"),
        format!("n,a=u,x{tail}"),
        format!("n,a=u,,{tail}"),
        format!("n,a=a=2,{tail}"),
        format!("n,a=a=41,{tail}"),
        format!("n,a=a=2\u{e9},{tail}"),
        format!("n,a=a\r\nb,{tail}"),
        format!("N,a=u,{tail}"),
        format!("F,n,a=u,{tail}"),
        format!("p=tls-exporter,a=u,{tail}"),
        // The SMTP example of RFC 7628 section 4.4 has this header, which no grammar allows.
        format!("n,user=someuser@example.com,{tail}"),
        format!("n,,\u{1}port=0{tail}"),
        format!("n,,\u{1}port=0993{tail}"),
        format!("n,,\u{1}port=65536{tail}"),
        format!("n,,\u{1}port=+1{tail}"),
        format!("n,,\u{1}host=a b{tail}"),
        format!("n,,\u{1}host=a\u{1}host=b{tail}"),
        format!("n,,\u{1}auth=Bearer u{tail}"),
        format!("n,,\u{1}x1=y{tail}"),
        format!("n,,\u{1}=y{tail}"),
        format!("n,,\u{1}y{tail}"),
        "n,,\u{1}auth=Basic dTpw\u{1}\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer\u{1}\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer a b\u{1}\u{1}".to_owned(),
        "n,,\u{1}auth=Bearer a\r\n\u{1}\u{1}".to_owned(),
    ] {
        assert_eq!(read(&message), ServerReply::Fail(Error::MalformedResponse), "{message:?}");
    }
}

/// RFC 7628 section 4.3: a client asks for the scope, and ends the exchange with 0x01 or with `*`. The
/// challenge in base64 is the RFC's, whose decoded form there differs in the last word.
#[test]
fn oauthbearer_scope_question() {
    let question = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=";
    let challenge = "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRp\
                     b24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=";
    let mut reason = ErrorChallenge::new("invalid_token");
    reason.scope = Some("example_scope".into());
    reason.openid_configuration = Some("https://example.com/.well-known/openid-configuration".into());

    for (answer, outcome) in [("AQ==", Error::Refused), ("*", Error::Cancelled)] {
        let mut server = ServerExchange::named("OAUTHBEARER", Limits::default()).unwrap();
        let ServerReply::Verify(credentials) = server.start(Some(question.as_bytes())) else { panic!() };
        assert_eq!(
            bearer(&credentials),
            (Some("user@example.com"), "", Some("server.example.com"), Some(143))
        );
        let reply = server.verdict(Verdict::Refuse(Some(reason.clone())));
        assert_eq!(reply, ServerReply::Challenge(challenge.into()));
        assert_eq!(server.response(answer.as_bytes()), ServerReply::Fail(outcome));
    }

    // An empty token is no credential, whatever the verdict.
    let mut server = ServerExchange::named("OAUTHBEARER", Limits::default()).unwrap();
    let _ = server.start(Some(question.as_bytes()));
    assert_eq!(server.verdict(Verdict::Accept), ServerReply::Fail(Error::Refused));

    let mut client =
        exchange(oauthbearer::Client::new(Some("user@example.com"), "tok.en-1".into(), None).unwrap());
    let _ = client.initial(Room::Unlimited).unwrap();
    assert_eq!(sent(client.challenge(challenge.as_bytes())), "AQ==");
    assert_eq!(client.failure().error_challenge, Some(reason));
}

/// RFC 7628 section 4.4: the challenge names schemes.
#[test]
fn oauthbearer_schemes() {
    let challenge = "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NoZW1lcyI6ImJlYXJlciBtYWMiL\
                     CJzY29wZSI6Imh0dHBzOi8vbWFpbC5leGFtcGxlLmNvbS8ifQ==";
    let mut client = exchange(oauthbearer::Client::new(None, "tok.en-1".into(), None).unwrap());
    let _ = client.initial(Room::Unlimited).unwrap();
    assert_eq!(sent(client.challenge(challenge.as_bytes())), "AQ==");
    let reason = client.failure().error_challenge.unwrap();
    assert_eq!((reason.status.as_str(), reason.schemes.as_deref()), ("invalid_token", Some("bearer mac")));
    assert_eq!(reason.scope.as_deref(), Some("https://mail.example.com/"));
}

/// SA-02, Gmail's refusal: the answer is an empty line, and the reason is kept.
#[test]
fn gmail_refusal() {
    let challenge =
        "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
    let mut client = exchange(xoauth2::Client::new("u@gmail.example", "t0ken".into()).unwrap());
    let _ = client.initial(Room::Unlimited).unwrap();
    assert_eq!(sent(client.challenge(challenge.as_bytes())), "");
    let failure = client.failure();
    assert_eq!(failure.cause, None);
    assert_eq!(
        failure.to_string(),
        "XOAUTH2 sign-in failed: the server refused the token (status 400, schemes \"Bearer\", scope \
         \"https://mail.google.com/\"); check its scope, audience and user, or obtain a fresh one"
    );
}

/// Exchange Online sends a bare `+`, takes the message, and refuses without a reason.
#[test]
fn exchange_online_refusal() {
    let mut client = exchange(xoauth2::Client::new("ana@contoso.example", "tok.en-1".into()).unwrap());
    assert_eq!(client.initial(Room::None).unwrap(), Initial::None);
    assert_eq!(
        sent(client.challenge(b"")),
        "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHRvay5lbi0xAQE="
    );
    let failure = client.failure();
    assert_eq!((failure.error_challenge, failure.cause), (None, None));
}

/// RFC 4616 section 4.
#[test]
fn plain() {
    let tim = plain::Client::new("tim", "tanstaaftanstaaf".into()).unwrap();
    assert_eq!(initial(tim), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    let kurt = plain::Client::new("Kurt", "xipj3plmq".into()).unwrap().acting_as("Ursel").unwrap();
    assert_eq!(initial(kurt), "VXJzZWwAS3VydAB4aXBqM3BsbXE=");
    assert_eq!(
        password(&presented("PLAIN", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm")),
        (None, "tim", "tanstaaftanstaaf")
    );
    assert_eq!(
        password(&presented("plain", "VXJzZWwAS3VydAB4aXBqM3BsbXE=")),
        (Some("Ursel"), "Kurt", "xipj3plmq")
    );
    for message in [
        &b""[..],
        b"tim\0pw",
        b"\0\0pw",
        b"\0tim\0",
        b"\0tim\0pw\0",
        b"\0a\0b\0c",
        b"\0\xff\0pw",
        b"\0a\nb\0pw",
        b"a\x01\0b\0pw",
        b"\0tim\0pw\r\n",
    ] {
        let line = postkey_sasl::base64::encode(message);
        let reply = ServerExchange::named("PLAIN", Limits::default()).unwrap().start(Some(line.as_bytes()));
        assert_eq!(reply, ServerReply::Fail(Error::MalformedResponse), "{message:?}");
    }
}

/// The prompts as most servers send them, and as the draft has them; the client goes by their order.
#[test]
fn login() {
    for (first, second) in [("VXNlcm5hbWU6", "UGFzc3dvcmQ6"), ("VXNlciBOYW1lAA==", "UGFzc3dvcmQA"), ("", "")]
    {
        let mut client = exchange(login::Client::new("tim", "tanstaaftanstaaf".into()).unwrap());
        assert_eq!(client.initial(Room::Unlimited).unwrap(), Initial::None);
        assert_eq!(sent(client.challenge(first.as_bytes())), "dGlt");
        assert_eq!(sent(client.challenge(second.as_bytes())), "dGFuc3RhYWZ0YW5zdGFhZg==");
        assert_eq!(client.success(None).unwrap().mechanism(), "LOGIN");
    }

    let mut server = ServerExchange::named("LOGIN", Limits::default()).unwrap();
    assert_eq!(server.start(None), ServerReply::Challenge("VXNlcm5hbWU6".into()));
    assert_eq!(server.response(b"dGlt"), ServerReply::Challenge("UGFzc3dvcmQ6".into()));
    let ServerReply::Verify(credentials) = server.response(b"dGFuc3RhYWZ0YW5zdGFhZg==") else { panic!() };
    assert_eq!(password(&credentials), (None, "tim", "tanstaaftanstaaf"));
    assert_eq!(server.verdict(Verdict::Accept), ServerReply::Success);

    let mut with_initial = ServerExchange::named("login", Limits::default()).unwrap();
    assert_eq!(with_initial.start(Some(b"dGlt")), ServerReply::Challenge("UGFzc3dvcmQ6".into()));
}

/// XOAUTH2 messages that clients get wrong.
#[test]
fn xoauth2_malformed() {
    for message in [
        "",
        "\u{1}",
        "user=u\u{1}auth=Bearer t",
        "user=u\u{1}auth=Bearer t\u{1}",
        "user=u\u{1}\u{1}",
        "auth=Bearer t\u{1}\u{1}",
        "user=\u{1}auth=Bearer t\u{1}\u{1}",
        "user=u\u{1}auth=Bearer t\u{1}\u{1}\u{1}",
        "user=u\u{1}user=v\u{1}auth=Bearer t\u{1}\u{1}",
        "user=u\u{1}auth=Bearer t\u{1}auth=Bearer v\u{1}\u{1}",
        "user=u\r\n\u{1}auth=Bearer t\u{1}\u{1}",
        "user=u\u{1}auth=t\u{1}\u{1}",
        "user=u^Aauth=Bearer t^A^A",
        "n,a=u,\u{1}auth=Bearer t\u{1}\u{1}",
    ] {
        let line = postkey_sasl::base64::encode(message.as_bytes());
        let reply = ServerExchange::named("XOAUTH2", Limits::default()).unwrap().start(Some(line.as_bytes()));
        assert_eq!(reply, ServerReply::Fail(Error::MalformedResponse), "{message:?}");
    }
}
