//! The façade against every hostile server of the catalogue that speaks a protocol, and what is promised at all of them: time and memory
//! are bounded, no credential goes out before TLS, and nothing that the server echoes of a credential is shown.

use std::path::Path;
use std::time::Duration;

use postkey_peers::hostile::{Case, Proto, Start, cases};
use postkey_peers::hostile_client::{Run, Spec, Told, run};
use postkey_peers::{HostileServer, Tls};

const TOKEN: &str = "eyJhbGciOiJub25lIn0.canary-9f3b7c1d-access-token.x";
const PASSWORD: &str = "canary-4e2a-password";

/// At these the server offers nothing for a token, and the case is about something else.
const WITH_PASSWORD: &[&str] = &["ST-14", "ST-17", "FR-14", "SM-14", "SM-16", "SM-18"];

/// What may not be said before TLS.
const BEHIND_TLS: &[&str] = &["LOGIN", "AUTH", "USER", "PASS", "APOP", "MAIL", "DATA"];

/// Plays every case of a protocol, or the one that the variable `CASE` names. `judge` says what is wrong with what was told, by the case's
/// id and the lines that the client said in the clear.
pub(crate) fn play(proto: Proto, judge: impl Fn(&str, &Told, &[String], &str) -> Vec<String>) {
    let tls = Tls::localhost();
    let program = Path::new(env!("CARGO_BIN_EXE_hostile-client"));
    let only = std::env::var("CASE").ok();
    let all = cases(proto);
    assert!(all.len() > 10, "the catalogue has cases");
    let mut failures = Vec::new();
    for case in all.into_iter().filter(|case| only.as_ref().is_none_or(|only| *only == case.id)) {
        let server = HostileServer::start(case.clone(), Some(&tls)).unwrap();
        let spec = Spec {
            proto: name(proto).into(),
            port: server.port(),
            security: security(&case).into(),
            ca_pem: tls.ca_pem.clone(),
            token: TOKEN.into(),
            password: WITH_PASSWORD.contains(&case.id.as_str()).then(|| PASSWORD.into()),
        };
        // The bound of the case, and time for a program built without optimisation on a busy machine.
        let limit = case.time() + Duration::from_secs(40);
        let wrong = match std::panic::catch_unwind(|| run(program, &spec, limit)) {
            Ok(run) => {
                server.seen_to_the_end();
                let lines = server.plaintext_lines();
                let mut wrong = judge(&case.id, &run.told, &lines, &run.output);
                wrong.extend(broken(&case, &run, &lines));
                wrong
            }
            Err(_) => vec!["did not end".into()],
        };
        failures.extend(wrong.into_iter().map(|what| format!("{}: {what}", case.id)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn name(proto: Proto) -> &'static str {
    match proto {
        Proto::Imap => "imap",
        Proto::Pop3 => "pop3",
        Proto::Smtp => "smtp",
        other => panic!("{other:?} is not played"),
    }
}

fn security(case: &Case) -> &'static str {
    match case.tls {
        // A client in implicit-TLS mode meets plaintext.
        _ if case.id == "ST-18" => "tls",
        Start::None => "plain",
        Start::Starttls => "starttls",
        Start::Implicit => "tls",
    }
}

/// Which of the promises that hold at every server are broken.
fn broken(case: &Case, run: &Run, lines: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    if run.told.rss > u64::from(case.rss) * 1024 {
        wrong.push(format!("{} KiB of memory, {} MiB are allowed", run.told.rss, case.rss));
    }
    for secret in [TOKEN, &TOKEN[20..36], PASSWORD] {
        if run.output.contains(secret) {
            wrong.push(format!("a credential is shown: {}", run.output));
        }
    }
    for line in lines.iter().filter(|_| security(case) == "starttls") {
        let upper = line.to_ascii_uppercase();
        // Behind IMAP's tag, or first.
        let said = |verb: &&str| upper.split(' ').take(2).any(|word| word.starts_with(verb));
        if BEHIND_TLS.iter().any(said) || line.contains("canary") {
            wrong.push(format!("sent before TLS: {line}"));
        }
    }
    wrong
}
