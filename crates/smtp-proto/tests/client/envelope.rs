//! What is refused before anything is sent.

use crate::{EHLO, ONE, address, bdat, behind, last, message, saw, sends, turns};
use postkey_smtp_proto::testkit::{Action, Message, ScriptedClient};
use postkey_smtp_proto::types::{
    BodyType, ByMode, DeliverBy, Hold, HoldSeconds, MailParams, Notify, Ret, Submitter, Transfer,
};
use postkey_smtp_proto::{BareNewline, Security};
use wire::testkit::run;

#[test]
fn what_can_be_known_is_known_before_anything_is_sent() {
    let refused = |hello: &str, m: Message, misuse: &str| {
        let o = sends(hello, || vec![m.clone()], "");
        saw(&o, &format!("gives Err({misuse}"));
        assert_eq!(behind(&o), "", "{misuse}");
    };
    // SM-14
    let mut m = message(&["a@b"]);
    m.body.size = Some(1_001);
    refused(EHLO, m.clone(), "TooLarge { size: 1001, limit: 1000 }");
    m.body.size = Some(1_000);
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(vec![m])]);
    assert!(
        behind(&run(&mut c, &turns(EHLO), &mut |n| n)).starts_with("MAIL FROM:<smith@bar.com> SIZE=1000\r\n")
    );
    // INJ-17
    refused(EHLO, message(&["ä@b.example"]), "NeedsSmtpUtf8");
    refused(EHLO, message(&["a@ö.example"]), "NeedsSmtpUtf8");
    let mut m = message(&["a@b"]);
    m.envelope.from = address("ä@b.example").into();
    refused(EHLO, m.clone(), "NeedsSmtpUtf8");
    let utf8 = EHLO.replace("250-8BITMIME", "250-SMTPUTF8");
    let mut c = ScriptedClient::new(Security::DangerousPlaintext, [Action::Hello, Action::Send(vec![m])]);
    assert!(
        behind(&run(&mut c, &turns(&utf8), &mut |n| n)).starts_with("MAIL FROM:<ä@b.example> SMTPUTF8\r\n")
    );
    // Every parameter needs its extension.
    type Set = fn(&mut MailParams);
    let sets: [(&str, Set); 8] = [
        ("8BITMIME", |p| p.body = Some(BodyType::EightBitMime)),
        ("BINARYMIME", |p| p.body = Some(BodyType::BinaryMime)),
        ("SMTPUTF8", |p| p.smtputf8 = true),
        ("AUTH", |p| p.submitter = Some(Submitter::Unknown)),
        ("DSN", |p| p.ret = Some(Ret::Full)),
        ("REQUIRETLS", |p| p.require_tls = true),
        ("DELIVERBY", |p| p.by = DeliverBy::new(60, ByMode::Return, false).ok()),
        ("FUTURERELEASE", |p| p.hold = HoldSeconds::new(60).ok().map(Hold::For)),
    ];
    for (extension, set) in sets {
        let mut m = message(&["a@b"]);
        set(&mut m.envelope.params);
        refused("220 x\r\n250 x\r\n", m, &format!("Unsupported {{ extension: \"{extension}\" }}"));
    }
    let mut m = message(&["a@b"]);
    m.envelope.recipients[0].params.notify = Some(Notify::Never);
    refused(EHLO, m, "Unsupported { extension: \"DSN\" }");
    refused("220 x\r\n250 x\r\n", bdat(&["a@b"]), "Unsupported { extension: \"CHUNKING\" }");
    let mut m = message(&["a@b"]);
    m.envelope.params.body = Some(BodyType::BinaryMime);
    refused(EHLO, m, "Invalid(");
    refused(EHLO, message(&[]), "NoRecipients");
    // RFC 9422
    let limits = "220 x\r\n250-x\r\n250 LIMITS MAILMAX=1 RCPTMAX=2 RCPTDOMAINMAX=1\r\n";
    refused(limits, message(&["a@b", "c@b", "d@b"]), "ServerLimit { name: \"RCPTMAX\", limit: 2 }");
    refused(limits, message(&["a@b", "c@d"]), "ServerLimit { name: \"RCPTDOMAINMAX\", limit: 1 }");
    let o = sends(limits, || vec![message(&["a@b", "c@B"]), message(&["a@b"])], "");
    saw(&o, "gives Err(ServerLimit { name: \"MAILMAX\", limit: 1 }");
}

#[test]
fn a_bare_newline_is_refused_or_made_canonical() {
    let of = |bare_newline, transfer| {
        move || {
            let mut m = message(&["jones@foo.com"]);
            m.octets = b"a\n.\nb\r.c".to_vec();
            m.body.bare_newline = bare_newline;
            m.body.transfer = transfer;
            vec![m]
        }
    };
    let data = "250 a\r\n250 b\r\n354 go\r\n250 queued\r\n";
    let o = sends(EHLO, of(BareNewline::Normalise, Transfer::Data), data);
    assert_eq!(behind(&o), format!("{ONE}a\r\n..\r\nb\r\n..c\r\n.\r\n"));
    let o = sends(EHLO, of(BareNewline::Refuse, Transfer::Data), data);
    assert_eq!(behind(&o), ONE);
    saw(&o, "BareNewline { offset: 1 }");
    assert_eq!(last(&o), "error: Aborted");
    let o = sends(EHLO, of(BareNewline::Normalise, Transfer::Bdat), "250 a\r\n250 b\r\n250 queued\r\n");
    assert!(behind(&o).ends_with("BDAT 13 LAST\r\na\r\n.\r\nb\r\n.c\r\n"), "{}", behind(&o));
    let o = sends(EHLO, of(BareNewline::Refuse, Transfer::Bdat), "250 a\r\n250 b\r\n250 queued\r\n");
    saw(&o, "BareNewline { offset: 1 }");
    assert!(!behind(&o).contains("BDAT"));
}
