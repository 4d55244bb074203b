//! Known answers: examples of the RFCs, lines of real servers, and what must never be built.

use postkey_smtp_proto::grammar::{ParseErrorKind, command, reply, write_command};
use postkey_smtp_proto::types::*;

fn mail(line: &str) -> (ReversePath, MailParams) {
    match command(line.as_bytes()) {
        Ok(Command::Mail { from, params }) => (from, params),
        other => panic!("{line:?}: {other:?}"),
    }
}

fn rcpt(line: &str) -> (ForwardPath, RcptParams) {
    match command(line.as_bytes()) {
        Ok(Command::Rcpt { to, params }) => (to, params),
        other => panic!("{line:?}: {other:?}"),
    }
}

fn address(text: &str) -> Mailbox {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn written(command: &Command) -> String {
    let mut line = String::new();
    write_command(command, &mut line).unwrap();
    line
}

#[test]
fn nothing_a_caller_gives_can_end_a_path() {
    // INJ-11
    let long = format!("{}@b.example", "a".repeat(2_000));
    for bad in [
        "a@b>\r\nRCPT TO:<x@y",
        "<a@b>",
        "\"a\r\nb\"@c.example",
        "\"a\\\rb\"@c.example",
        "\"a\0b\"@c.example",
        "a\0b@c.example",
        "a@b> SIZE=1",
        "a@b SIZE=1",
        "a b@c.example",
        "a<b@c.example",
        "\"a>b\"@c.example",
        "\"a<b\"@c.example",
        "a\u{85}b@c.example",
        "a\u{2028}b@c.example",
        "a\u{202e}b@c.example",
        "a@b\u{2029}c",
        "a@b\u{a0}c",
        "a@",
        "@b",
        "a",
        "",
        "a..b@c",
        ".a@c",
        "a@b..c",
        "a@-b",
        "a@[1.2.3.4",
        "a@[1.2.3.4]x",
        "a@[1.2>3]",
        "\"a@c",
        "\"a\"b@c",
        "a@b\n",
        &long,
    ] {
        assert!(bad.parse::<Mailbox>().is_err(), "{bad:?}");
    }
    assert!(Mailbox::new("a\r\nRCPT TO:<x@y>", "b").is_err());
    assert!(Mailbox::new("a", "b>\r\nDATA").is_err());
    for good in [
        "a@b",
        "a+b=c@b.example",
        "\"a b\"@c.example",
        "\"\\\"\"@c",
        "a@[192.0.2.1]",
        "a@[IPv6:::1]",
        "ä@ö.example",
    ] {
        assert_eq!(address(good).to_string(), good);
    }
    // Quotes only where they are needed.
    assert_eq!(address("\"ana\"@b").to_string(), "ana@b");
    assert_eq!(address("\"a@b\"@c").local_part(), "a@b");
}

#[test]
fn nothing_a_caller_gives_can_end_a_hello() {
    // INJ-12
    for bad in [
        "",
        "a b",
        "a\r\nMAIL",
        "a\n",
        "a\0",
        "ä.example",
        "a..b",
        "-a",
        "[1.2.3.4]\r\n",
        "[]",
        "[1 2]",
        "a@b",
    ] {
        assert!(EhloName::new(bad).is_err(), "{bad:?}");
    }
    assert_eq!(EhloName::address([192, 0, 2, 1].into()).as_str(), "[192.0.2.1]");
    assert_eq!(EhloName::address("2001:db8::1".parse().unwrap()).as_str(), "[IPv6:2001:db8::1]");
    assert!(EhloName::new("my_host.example").is_ok());
}

#[test]
fn nothing_a_caller_gives_can_end_a_parameter() {
    // INJ-13
    assert!(EnvelopeId::new("a\r\nb").is_err());
    assert!(EnvelopeId::new("ä").is_err());
    assert!(EnvelopeId::new("x".repeat(101)).is_err());
    assert!(EnvelopeId::new(" ".repeat(40)).is_err(), "as xtext it has 120 octets");
    assert!(OriginalRecipient::new("rfc822 x", "a@b").is_err());
    assert!(OriginalRecipient::new("rfc822", "a\0b").is_err());
    assert!(Timestamp::new("2026-11-20T18:40:00Z SIZE=1").is_err());
    assert!(Argument::new("a\r\nQUIT").is_err());
    let params =
        MailParams { envelope_id: Some(EnvelopeId::new("a b+c=d").unwrap()), ..MailParams::default() };
    let line = written(&Command::Mail { from: ReversePath::Null, params });
    assert_eq!(line, "MAIL FROM:<> ENVID=a+20b+2Bc+3Dd\r\n");
}

/// Every value × CR, LF and NUL × where they stand.
#[test]
fn no_value_holds_cr_lf_or_nul() {
    type Make = fn(&str) -> Result<(), Invalid>;
    let makers: [(&str, &str, Make); 14] = [
        ("an address", "a@b.example", |v| v.parse::<Mailbox>().map(drop)),
        ("a quoted address", "\"a b\"@b.example", |v| v.parse::<Mailbox>().map(drop)),
        ("a local part", "ana", |v| Mailbox::new(v, "b.example").map(drop)),
        ("a domain", "b.example", |v| Mailbox::new("ana", v).map(drop)),
        ("an address literal", "[192.0.2.1]", |v| Mailbox::new("ana", v).map(drop)),
        ("a name for EHLO", "client.example", |v| EhloName::new(v).map(drop)),
        ("a literal for EHLO", "[192.0.2.1]", |v| EhloName::new(v).map(drop)),
        ("ENVID", "QQ314159", |v| EnvelopeId::new(v).map(drop)),
        ("the type of ORCPT", "rfc822", |v| OriginalRecipient::new(v, "a@b").map(drop)),
        ("ORCPT", "a@b.example", |v| OriginalRecipient::new("rfc822", v).map(drop)),
        ("HOLDUNTIL", "2026-11-20T18:40:00Z", |v| Timestamp::new(v).map(drop)),
        ("an argument", "ana", |v| Argument::new(v).map(drop)),
        ("a mechanism", "XOAUTH2", |v| Mechanism::new(v).map(drop)),
        ("a parameter of an extension", "1000", |v| Extension::new("SIZE", [v]).map(drop)),
    ];
    for (what, good, make) in makers {
        assert_eq!(make(good), Ok(()), "{what}");
        for bad in ["\r", "\n", "\0", "\r\n", "\r\nRCPT TO:<x@y>"] {
            for at in (0..=good.len()).filter(|at| good.is_char_boundary(*at)) {
                let value = format!("{}{bad}{}", &good[..at], &good[at..]);
                assert!(make(&value).is_err(), "{what}: {value:?}");
            }
        }
    }
}

#[test]
fn commands_of_rfc_5321() {
    // Appendix D and section 4.1.1.
    assert_eq!(mail("MAIL FROM:<Smith@bar.com>\r\n").0, address("Smith@bar.com").into());
    assert_eq!(mail("mail from:<>\r\n").0, ReversePath::Null);
    assert_eq!(mail("MAIL FROM: <a@b> \r\n").0, address("a@b").into());
    assert_eq!(rcpt("RCPT TO:<Jones@foo.com>\r\n").0, address("Jones@foo.com").into());
    assert_eq!(rcpt("RCPT TO:<postmaster>\r\n").0, ForwardPath::Postmaster);
    assert_eq!(
        rcpt("RCPT TO:<@hosta.int,@jkl.org:userc@d.bar.org>\r\n").0,
        address("userc@d.bar.org").into()
    );
    assert_eq!(command(b"VRFY Crispin\r\n"), Ok(Command::Vrfy(Argument::new("Crispin").unwrap())));
    assert_eq!(command(b"noop\r\n"), Ok(Command::Noop(None)));
    for (line, rule) in [
        (&b"MAIL FROM:a@b\r\n"[..], "reverse-path"),
        (b"MAIL FROM:<a@b\r\n", "reverse-path"),
        (b"MAIL FROM:<a@b>SIZE=1\r\n", "mail"),
        (b"MAIL <a@b>\r\n", "mail"),
        (b"MAIL FROM:<a\x01b@c>\r\n", "reverse-path"),
        (b"RCPT TO:<>\r\n", "forward-path"),
        (b"DATA now\r\n", "data"),
        (b"EHLO\r\n", "ehlo"),
        (b"VRFY\r\n", "vrfy"),
        (b"BDAT -1\r\n", "bdat"),
        (b"BDAT 99999999999999999999\r\n", "bdat"),
        (b"BDAT 1 LAST x\r\n", "bdat"),
        (b"AUTH PLAIN a b\r\n", "auth"),
        (b"AUTH PLAIN \xff\r\n", "line"),
        (b"EHLO a b\r\n", "ehlo"),
    ] {
        let error = command(line).unwrap_err();
        assert_eq!((error.rule, error.kind), (rule, ParseErrorKind::Syntax), "{}", line.escape_ascii());
    }
    // SV-19; a line ends in CRLF and nowhere else.
    for line in [&b"NOOP\n"[..], b"NOOP", b"MAIL FROM:<a\0b@c>\r\n", b"NOOP\r\r\n", b"NOOP a\nb\r\n"] {
        assert_eq!(command(line).unwrap_err().kind, ParseErrorKind::LineEnd, "{}", line.escape_ascii());
    }
    assert_eq!(command(b"XFOO\r\n").unwrap_err().kind, ParseErrorKind::UnknownCommand);
    assert_eq!(command(b"\r\n").unwrap_err().kind, ParseErrorKind::UnknownCommand);
}

#[test]
fn parameters_of_their_rfcs() {
    let (_, p) = mail("MAIL FROM:<ned@ymir.claremont.edu> SIZE=500000\r\n"); // RFC 1870 section 8
    assert_eq!(p.size, Some(500_000));
    let (_, p) = mail("MAIL FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com\r\n"); // RFC 4954 section 5
    assert_eq!(p.submitter, Some(Submitter::Mailbox(address("e=mc2@example.com"))));
    assert_eq!(mail("MAIL FROM:<a@b> AUTH=<>\r\n").1.submitter, Some(Submitter::Unknown));
    let (_, p) = mail("MAIL FROM:<Alice@Example.ORG> RET=HDRS ENVID=QQ314159\r\n"); // RFC 3461 section 10
    assert_eq!((p.ret, p.envelope_id), (Some(Ret::Headers), Some(EnvelopeId::new("QQ314159").unwrap())));
    let (_, p) = rcpt("RCPT TO:<Bob@Example.COM> NOTIFY=SUCCESS ORCPT=rfc822;Bob@Example.COM\r\n");
    assert_eq!(p.notify, Some(Notify::On(Occasions::new(true, false, false).unwrap())));
    assert_eq!(p.original, Some(OriginalRecipient::new("rfc822", "Bob@Example.COM").unwrap()));
    assert_eq!(rcpt("RCPT TO:<a@b> NOTIFY=never\r\n").1.notify, Some(Notify::Never));
    let (_, p) = mail("MAIL FROM:<eljefe@bigbiz.com> BY=98;R\r\n"); // RFC 2852 section 6
    assert_eq!(p.by, Some(DeliverBy::new(98, ByMode::Return, false).unwrap()));
    let (_, p) = mail("MAIL FROM:<a@b> BY=-15;NT BODY=BINARYMIME SMTPUTF8 REQUIRETLS HOLDFOR=7200\r\n");
    assert_eq!(p.by, Some(DeliverBy::new(-15, ByMode::Notify, true).unwrap()));
    assert_eq!(p.hold, Some(Hold::For(HoldSeconds::new(7_200).unwrap())));
    assert!(p.smtputf8 && p.require_tls && p.body == Some(BodyType::BinaryMime));
    let (_, p) = mail("MAIL FROM:<a@b> HOLDUNTIL=2026-11-20T18:40:00Z\r\n");
    assert_eq!(p.hold, Some(Hold::Until(Timestamp::new("2026-11-20T18:40:00Z").unwrap())));
    for bad in [
        "SIZE=",
        "SIZE=-1",
        "SIZE=+1",
        "SIZE=99999999999999999999",
        "SIZE=1 SIZE=2",
        "BODY=9BIT",
        "SMTPUTF8=1",
        "RET=ALL",
        "ENVID=a+2",
        "ENVID=a+GG",
        "ENVID=+0D",
        "BY=0;R",
        "BY=1;X",
        "BY=1234567890;N",
        "HOLDFOR=0",
        "HOLDFOR=1 HOLDUNTIL=2026-11-20T18:40:00Z",
        "HOLDUNTIL=2026-13-20T18:40:00Z",
        "AUTH=x+0Dy",
        "FOO=1",
    ] {
        assert!(command(format!("MAIL FROM:<a@b> {bad}\r\n").as_bytes()).is_err(), "{bad}");
    }
    let error = command(b"MAIL FROM:<a@b> FOO=1\r\n").unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::UnknownParameter);
    assert_eq!(command(b"RCPT TO:<a@b> SIZE=1\r\n").unwrap_err().kind, ParseErrorKind::UnknownParameter);
}

#[test]
fn replies_and_their_codes() {
    let r = reply(b"250-2.1.0 one\r\n250 2.1.0 two\r\n").unwrap();
    assert_eq!(
        (r.code().get(), r.enhanced(), r.text().as_str()),
        (250, EnhancedCode::new(2, 1, 0).ok(), "one two")
    );
    let r =
        reply(b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [x]\r\n").unwrap();
    assert_eq!(r.enhanced(), EnhancedCode::new(5, 7, 139).ok());
    assert!(r.is_permanent());
    let r = reply(b"432 4.3.2 Concurrent connections limit exceeded\r\n").unwrap();
    assert!(r.is_transient());
    assert_eq!(r.to_string(), "432 4.3.2 Concurrent connections limit exceeded");
    // The class must be the code's (RFC 2034 section 4).
    assert_eq!(reply(b"550 4.7.1 x\r\n").unwrap().enhanced(), None);
    assert_eq!(reply(b"354 3.0.0 x\r\n").unwrap().enhanced(), None);
    assert_eq!(reply(b"250\r\n").unwrap().text(), "");
    // SM-16
    let r = reply(b"250-x\n250-AUTH PLAIN\r\r\n250 SIZE 1000000\n").unwrap();
    assert_eq!(r.lines().collect::<Vec<_>>(), ["x", "AUTH PLAIN", "SIZE 1000000"]);
    // SM-04
    for bad in [
        "2xx ok\r\n",
        "25 ok\r\n",
        "650 ok\r\n",
        "000 ok\r\n",
        "199 x\r\n",
        "2500 ok\r\n",
        "250x\r\n",
        "",
        "250 a\r\n251 b\r\n",
        "250-a\r\n251 b\r\n",
        "250-a\r\n",
        "-250 x\r\n",
        "+25 x\r\n",
    ] {
        assert!(reply(bad.as_bytes()).is_err(), "{bad:?}");
    }
    // INJ-20
    let r = reply(b"250 a\x1b]0;x\x07 \xff\r\n").unwrap();
    assert_eq!(r.to_string(), "250 a\\u{1b}]0;x\\u{7} \u{fffd}");
    assert!(Reply::new(ReplyCode::OK, None, "a\r\nb").is_err());
    assert!(Reply::new(ReplyCode::OK, EnhancedCode::new(5, 0, 0).ok(), "a").is_err());
}

#[test]
fn capabilities_of_exchange_and_of_others() {
    let exchange = "250-AM0PR01CA0001.outlook.office365.com Hello [192.0.2.1]\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n\
        250-ENHANCEDSTATUSCODES\r\n250-AUTH LOGIN XOAUTH2\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n";
    let c = Capabilities::from_reply(&reply(exchange.as_bytes()).unwrap());
    assert_eq!(c.size(), Some(157_286_400));
    assert!(c.pipelining() && c.has("chunking") && c.has("SMTPUTF8") && !c.has("STARTTLS"));
    assert!(c.has_mechanism("xoauth2") && !c.has_mechanism("PLAIN"));
    // SM-18
    let c =
        Capabilities::from_reply(&reply(b"250-x\r\n250-AUTH=LOGIN PLAIN\r\n250 SIZE 1000000\r\n").unwrap());
    assert_eq!(c.mechanisms().collect::<Vec<_>>(), ["LOGIN", "PLAIN"]);
    // RFC 1870 section 3: 0 is no limit. RFC 9422 section 3.
    let c = Capabilities::from_reply(
        &reply(b"250-x\r\n250-SIZE 0\r\n250-LIMITS RCPTMAX=20 rcptdomainmax=1 FOO=3\r\n250-DELIVERBY 240\r\n250 FUTURERELEASE 86400 2027-01-01T00:00:00Z\r\n").unwrap(),
    );
    assert_eq!(c.size(), None);
    assert_eq!(c.limits(), ServerLimits { mails: None, recipients: Some(20), domains: Some(1) });
    assert_eq!((c.deliver_by_min(), c.hold_max()), (240, Some(86_400)));
}
