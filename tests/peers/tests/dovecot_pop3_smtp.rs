//! Dovecot's POP3 and submission, with bearer tokens over both mechanisms and both ways to TLS.

mod support;

use postkey::smtp::{Fate, Options};
use postkey::{Error, Mechanism, Pop3, Security, Smtp};
use postkey_peers::{Program, Sink, available};
use support::*;

fn there(test: &str) -> bool {
    available(test, &[Program::Dovecot, Program::DovecotServices])
}

const MESSAGE: &[u8] = b"Subject: one\r\n\r\n.dot\r\n..\r\nend\r\n";

#[test]
fn pop3_gives_out_what_is_there_and_deletes() {
    if !there("pop3_gives_out_what_is_there_and_deletes") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    house.dovecot.deliver(ANA, "", "1.one", "", MESSAGE).unwrap();
    house.dovecot.deliver(ANA, "", "2.two", "S", b"Subject: two\r\n\r\nx\r\n").unwrap();
    runtime().block_on(async {
        for mechanism in BOTH {
            for security in [Security::Tls, Security::StartTls] {
                let credential = bearer(ANA, &house.token(ANA), mechanism);
                let mut pop3 = match Pop3::open(&house.pop3_server(security), &credential).await {
                    Ok(pop3) => pop3,
                    Err(e) => panic!("{mechanism:?} {security:?}: {e:?}\n{}", house.dovecot.log()),
                };
                assert_eq!(pop3.messages(), 2);
                assert_eq!(all(&mut pop3).await, [MESSAGE, b"Subject: two\r\n\r\nx\r\n"]);
                pop3.quit().await.unwrap();
            }
        }
        let mut pop3 = house.pop3(ANA).await;
        let listed = pop3.list().await.unwrap();
        assert!(listed[0].uidl.is_some() && listed[0].uidl != listed[1].uidl);
        assert_eq!(listed[0].size, Some(MESSAGE.len() as u64));
        pop3.delete(1).await.unwrap();
        pop3.quit().await.unwrap();
        let mut pop3 = house.pop3(ANA).await;
        let left = pop3.list().await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].uidl, listed[1].uidl);
        pop3.quit().await.unwrap();
    });
}

/// UTF-8 in headers, and octets that are none, come out as they lie in the mailbox, whether or not this Dovecot lists UTF8.
#[test]
fn pop3_gives_out_utf_8_as_it_is() {
    if !there("pop3_gives_out_utf_8_as_it_is") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    let messages = [
        "Subject: Gr\u{fc}\u{df}e \u{1f4ee}\r\nFrom: J\u{f6}rg <j\u{f6}rg@x.example>\r\n\r\n\u{e9}\r\n"
            .as_bytes(),
        b"Subject: \xff\xfe latin \xe9\r\n\r\n\xc3\r\n",
        b"Subject: =?utf-8?q?J=C3=B6?=\r\n\r\nx\r\n",
    ];
    for (n, message) in messages.iter().enumerate() {
        house.dovecot.deliver(ANA, "", &format!("{n}.utf8"), "", message).unwrap();
    }
    runtime().block_on(async {
        let mut pop3 = house.pop3(ANA).await;
        assert_eq!(all(&mut pop3).await, messages);
        pop3.quit().await.unwrap();
    });
}

#[test]
fn submission_takes_a_message_and_hands_it_on_unchanged() {
    if !there("submission_takes_a_message_and_hands_it_on_unchanged") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    runtime().block_on(async {
        let mut sent = 0;
        for mechanism in BOTH {
            for security in [Security::Tls, Security::StartTls] {
                for chunking in [false, true] {
                    let credential = bearer(ANA, &house.token(ANA), mechanism);
                    let opened = Smtp::open(&house.submission_server(security), &credential, &name()).await;
                    let mut smtp = match opened {
                        Ok(smtp) => smtp,
                        Err(e) => panic!("{mechanism:?} {security:?}: {e:?}\n{}", house.dovecot.log()),
                    };
                    let options = Options { chunking, ..Options::default() };
                    let outcome = send(&mut smtp, MESSAGE, &options).await.unwrap();
                    assert!(outcome.is_accepted(), "{outcome:?}");
                    sent += 1;
                    smtp.quit().await;
                }
            }
        }
        let delivered = sink.delivered();
        assert_eq!(delivered.len(), sent);
        for one in delivered {
            assert!(one.from.starts_with(&format!("<{ANA}>")), "{one:?}");
            assert_eq!(one.to.len(), 1);
            assert!(one.octets.ends_with(MESSAGE), "{}", one.octets.escape_ascii());
            assert_eq!(without_trace(&one.octets), MESSAGE);
        }
    });
}

/// The token is longer than what may stand on the AUTH line (Dovecot takes about 1 KB there).
#[test]
fn long_tokens_go_after_334() {
    if !there("long_tokens_go_after_334") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    for mechanism in BOTH {
        // The shortest that the sandbox issues is above 1 KB; none of 8 KB or more, which Dovecot's POP3 does not take.
        for length in [0, 1_500, 2_500, 5_000] {
            let token = house.issue(&good(ANA).pad_to(length));
            assert!(token.len() > 1_024, "{} octets", token.len());
            runtime().block_on(async {
                let credential = bearer(ANA, &token, mechanism);
                let smtp = Smtp::open(&house.submission_server(Security::Tls), &credential, &name()).await;
                match smtp {
                    Ok(smtp) => smtp.quit().await,
                    Err(e) => panic!("{length} {mechanism:?}: {e:?}\n{}", house.dovecot.log()),
                }
                let pop3 = Pop3::open(&house.pop3_server(Security::Tls), &credential).await;
                match pop3 {
                    Ok(pop3) => pop3.quit().await.unwrap(),
                    Err(e) => panic!("{length} {mechanism:?}: {e:?}\n{}", house.dovecot.log()),
                }
            });
        }
    }
}

#[test]
fn a_bad_token_is_refused_and_not_shown() {
    if !there("a_bad_token_is_refused_and_not_shown") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    runtime().block_on(async {
        for (what, spec) in bad(ANA) {
            let token = house.issue(&spec);
            for mechanism in [Mechanism::XOAuth2, Mechanism::OAuthBearer, Mechanism::Offered] {
                let credential = bearer(ANA, &token, mechanism);
                let submission = house.submission_server(Security::Tls);
                let smtp = Smtp::open(&submission, &credential, &name()).await.unwrap_err();
                let pop3 = Pop3::open(&house.pop3_server(Security::Tls), &credential).await.unwrap_err();
                for error in [smtp, pop3] {
                    let case = format!("{what}, {mechanism:?}");
                    assert!(matches!(error, Error::SignIn { .. }) && error.is_auth(), "{case}: {error:?}");
                    let shown = format!("{error} {error:?}");
                    assert!(!shown.contains(&token[token.len() - 20..]), "{shown}");
                }
            }
        }
    });
    assert!(sink.delivered().is_empty());
}

#[test]
fn without_sign_in_nothing_is_taken() {
    if !there("without_sign_in_nothing_is_taken") {
        return;
    }
    let sink = Sink::start().unwrap();
    let house = House::new(sink.port());
    runtime().block_on(async {
        let mut smtp = Smtp::connect(&house.submission_server(Security::Tls), &name()).await.unwrap();
        let outcome = send(&mut smtp, MESSAGE, &Options::default()).await.unwrap();
        assert!(matches!(outcome.recipients[..], [Fate::Rejected { .. }]), "{outcome:?}");
        smtp.quit().await;
    });
    assert!(sink.delivered().is_empty());
}
