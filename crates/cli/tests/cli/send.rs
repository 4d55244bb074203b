//! `postkey send` to the sandbox: what arrives, what does not leave, what is tried again and what never is.

use std::io::Write as _;
use std::process::Stdio;

use sandbox::{ANA, PUBLIC_APP, RequestKind, SHARED, SmtpFault};
use serde_json::Value;

use crate::support::*;

pub(crate) const BJORN: &str = "bjorn@contoso.example";

/// A world with the account `post`, signed in, that can send.
pub(crate) fn post(more: &str) -> World {
    let world = World::new();
    world.configure(&format!(
        "{}[accounts.post.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"starttls\"\nca_file = \"{}\"\n{more}",
        world.account("post", "device", PUBLIC_APP),
        world.sandbox.ports().submission,
        world.home.path("ca.pem").display(),
    ));
    world.sign_in("post");
    world
}

/// The messages of a folder that have this subject.
pub(crate) fn with_subject(world: &World, user: &str, folder: &str, subject: &str) -> Vec<String> {
    let mailbox = world.sandbox.mailbox(user).unwrap();
    let (_, uids) = mailbox.uids(folder).unwrap();
    uids.into_iter()
        .map(|uid| mailbox.message(folder, uid).unwrap().unwrap().octets)
        .map(|octets| String::from_utf8_lossy(&octets).into_owned())
        .filter(|text| text.contains(&format!("Subject: {subject}\r\n")))
        .collect()
}

fn run_with(world: &World, args: &[&str], input: &[u8]) -> Ran {
    let mut command = world.home.command(args);
    feed(command.stdin(Stdio::piped()).spawn().unwrap(), input)
}

fn feed(mut child: std::process::Child, input: &[u8]) -> Ran {
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = finish(child, String::new());
    writer.join().unwrap();
    ran
}

fn outcomes(report: &Value) -> Vec<&str> {
    report["messages"][0]["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["outcome"].as_str().unwrap())
        .collect()
}

#[test]
fn a_written_message_arrives_and_bcc_stays_hidden() {
    let world = post("");
    std::fs::write(world.home.path("table.csv"), "a;b\n").unwrap();
    let args = [
        "send",
        "--account",
        "post",
        "--to",
        BJORN,
        "--bcc",
        ANA,
        "--subject",
        "Numbers",
        "--body",
        ".\nHi\n.\n",
        "--attach",
        "table.csv",
        "--json",
    ];
    let report = world.run(&args).code(0).json();
    assert_eq!((report["sent"].as_u64(), report["sender"].as_str()), (Some(1), Some(ANA)));
    assert_eq!(outcomes(&report), ["accepted", "accepted"]);
    for (user, folder) in [(BJORN, "INBOX"), (ANA, "INBOX"), (ANA, "Sent Items")] {
        let found = with_subject(&world, user, folder, "Numbers");
        assert_eq!(found.len(), 1, "{user} {folder}");
        let header = found[0].split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(!header.contains("bcc:"), "{header}");
        let id = report["messages"][0]["message_id"].as_str().unwrap();
        assert!(
            found[0].contains(&format!("Message-ID: {id}\r\n")) && found[0].contains("Date: "),
            "{header}"
        );
        assert!(found[0].contains("table.csv"));
    }
}

#[test]
fn it_stands_in_for_sendmail() {
    let world = post("");
    let text = world.home.config();
    let config = std::fs::read_to_string(&text)
        .unwrap()
        .replace("default_account = \"ana\"", "default_account = \"post\"");
    world.home.configure(&config);
    let message = b"To: bjorn@contoso.example\nBcc: ana@contoso.example\nSubject: Cron\n\n.\n..\nlast\n";
    #[cfg(unix)]
    {
        let link = world.home.path("sendmail");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_postkey"), &link).unwrap();
        let mut command = std::process::Command::new(&link);
        command
            .args(["-t", "-oi", "-oem", "-F", "Cron Daemon"])
            .env_clear()
            .env("HOME", world.home.dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ran = feed(command.spawn().unwrap(), message).code(0);
        assert_eq!(ran.stdout, "", "sendmail says nothing");
    }
    #[cfg(not(unix))]
    run_with(&world, &["send", "-t", "-oi", "-F", "Cron Daemon"], message).code(0);
    let found = with_subject(&world, BJORN, "INBOX", "Cron");
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("\r\n\r\n.\r\n..\r\nlast\r\n"), "{}", found[0]);
    assert!(found[0].contains("From: \"Cron Daemon\" <ana@contoso.example>\r\n"), "{}", found[0]);
    assert!(!found[0].contains("Bcc"), "{}", found[0]);
    assert_eq!(with_subject(&world, ANA, "INBOX", "Cron").len(), 1);
}

#[test]
fn several_messages_take_one_connection() {
    let world = post("");
    let names: Vec<String> = (0..5).map(|n| format!("{n}.eml")).collect();
    for (n, name) in names.iter().enumerate() {
        std::fs::write(world.home.path(name), format!("Subject: Several\r\n\r\n{n}\r\n")).unwrap();
    }
    let mut args = vec!["send", "-a", "post", BJORN];
    args.extend(names.iter().map(String::as_str));
    let before = world.sandbox.requests(RequestKind::SmtpConnection);
    let ran = world.run(&args).code(0);
    assert_eq!(ran.stdout.lines().count(), 5, "{}", ran.stdout);
    assert_eq!(world.sandbox.requests(RequestKind::SmtpConnection) - before, 1);
    assert_eq!(with_subject(&world, BJORN, "INBOX", "Several").len(), 5);
    // One that is not there does not keep the others back.
    let ran = world.run(&["send", "-a", "post", BJORN, "nowhere.eml", "0.eml"]).code(2);
    ran.says(&["1 of 2 messages sent", "nowhere.eml"]);
    assert_eq!(with_subject(&world, BJORN, "INBOX", "Several").len(), 6);
}

#[test]
fn what_passes_is_tried_again_and_arrives_once() {
    let world = post("");
    // SM-10 and the throttling texts of Exchange
    for (n, fault) in
        [SmtpFault::ServerBusy, SmtpFault::Proxy, SmtpFault::Closing, SmtpFault::SignInTemporary]
            .into_iter()
            .enumerate()
    {
        world.sandbox.inject_smtp(fault);
        let subject = format!("Again {n}");
        let args = [
            "send",
            "-a",
            "post",
            "--to",
            BJORN,
            "--subject",
            &subject,
            "--body",
            "x",
            "--wait",
            "0",
            "--json",
        ];
        let report = world.run(&args).code(0).json();
        assert_eq!(report["messages"][0]["tries"], 2, "{fault:?}");
        assert_eq!(with_subject(&world, BJORN, "INBOX", &subject).len(), 1, "{fault:?}");
    }
    world.sandbox.inject_smtp(SmtpFault::Proxy);
    let args = ["send", "-a", "post", "--to", BJORN, "--subject", "Once", "--body", "x", "--tries", "1"];
    world.run(&args).says(&["PRX4", "run the same command again later"]);
    assert_eq!(with_subject(&world, BJORN, "INBOX", "Once").len(), 0);
}

#[test]
fn an_unknown_outcome_is_a_62_and_is_not_tried_again() {
    // SM-05
    let world = post("");
    for (delivered, there) in [(true, 1), (false, 0)] {
        world.sandbox.inject_smtp(SmtpFault::CutAfterMessage { delivered });
        let subject = format!("Cut {delivered}");
        let args = [
            "send",
            "-a",
            "post",
            "--to",
            BJORN,
            "--subject",
            &subject,
            "--body",
            "x",
            "--wait",
            "0",
            "--json",
        ];
        let ran = world.run(&args).code(62).says(&["outcome-unknown", "Sent Items"]);
        let report = ran.json();
        assert_eq!(outcomes(&report), ["unknown"]);
        assert_eq!(report["messages"][0]["tries"], 1);
        assert_eq!(with_subject(&world, BJORN, "INBOX", &subject).len(), there);
    }
}

#[test]
fn what_is_refused_for_good_is_said_once() {
    let world = post("");
    world.sandbox.inject_smtp(SmtpFault::Quota);
    let args = ["send", "-a", "post", "--to", BJORN, "--subject", "Quota", "--body", "x"];
    world.run(&args).code(61).says(&["SubmissionQuotaExceededException", "nobody got the message"]);
    let args =
        ["send", "-a", "post", "--to", BJORN, "--from", "other@x.example", "--subject", "As", "--body", "x"];
    world.run(&args).code(61).says(&["SendAsDenied", "send as the mailbox that signed in"]);
    assert_eq!(with_subject(&world, BJORN, "INBOX", "As").len(), 0);
}

#[test]
fn a_refused_recipient_is_a_60_and_the_others_get_it_only_if_asked() {
    // SM-09
    let world = post("");
    let args = [
        "send",
        "-a",
        "post",
        "--to",
        "nobody@contoso.example",
        "--to",
        BJORN,
        "--subject",
        "Part",
        "--body",
        "x",
    ];
    let ran = world.run(&[&args[..], &["--json"]].concat()).code(60);
    assert_eq!(outcomes(&ran.json()), ["refused", "withheld"]);
    let refused = &ran.json()["messages"][0]["recipients"][0];
    assert_eq!((refused["code"].as_u64(), refused["enhanced"].as_str()), (Some(550), Some("5.1.10")));
    assert_eq!(with_subject(&world, BJORN, "INBOX", "Part").len(), 0);
    let ran = world.run(&[&args[..], &["--partial"]].concat()).code(60);
    let ran = ran.says(&["not sent to nobody@contoso.example", "5.1.10", "1 other got it"]);
    assert!(ran.stdout.contains("sent to 1 recipient"), "{}", ran.stdout);
    assert_eq!(with_subject(&world, BJORN, "INBOX", "Part").len(), 1);
}

#[test]
fn the_four_identities_are_separate() {
    let world = post(&format!("sender = \"{SHARED}\"\nfrom = \"Info Desk <{SHARED}>\"\n"));
    let shown = world.run(&["account", "show", "post", "--json"]).code(0).json();
    assert_eq!(
        (shown["sending"]["user"].as_str(), shown["sending"]["sender"].as_str()),
        (Some(ANA), Some(SHARED))
    );
    let args = ["send", "-a", "post", "--to", BJORN, "--subject", "Shared", "--body", "x", "--json"];
    let ran = world.run(&args);
    // Whether ana may send as the shared mailbox is the tenant's matter; that she signs in as herself is ours.
    let report = ran.json();
    assert_eq!(report["sender"], SHARED);
    assert!(ran.code == 0 || ran.stderr.contains("SendAsDenied"), "{ran:?}");
}

#[test]
fn a_sign_in_that_is_not_for_smtp_is_a_10() {
    let world = World::new();
    world.sign_in("ana");
    let ran = world.run(&["send", "-a", "ana", "--to", BJORN, "--subject", "x", "--body", "x"]).code(10);
    ran.says(&["not for smtp", "protocols = [\"imap\", \"smtp\"]", "postkey login ana"]);
    world.run(&["token", "ana", "--for", "smtp"]).code(10);
}

#[test]
fn inj_11_inj_14_nothing_is_sent_that_could_be_read_in_two_ways() {
    let world = post("");
    let before = world.sandbox.requests(RequestKind::SmtpConnection);
    let send = ["send", "-a", "post"];
    for args in [
        &["--to", "a@b\r\nBcc: c@d", "--body", "x"][..],
        &["--to", BJORN, "--subject", "x\r\nBcc: c@d", "--body", "x"],
        &["-f", "a@b>\r\nRCPT TO:<c@d", BJORN],
        &["-F", "x\nBcc: c@d", BJORN],
        &["a@b> SIZE=1"],
    ] {
        world.run(&[&send[..], args].concat()).code(2);
    }
    for text in [
        &b"To: a@b\r\nSubject: x\rBcc: c@d\r\n\r\nx"[..],
        b"Subject: x\0\r\n\r\nx",
        b"To: a@b\rRCPT TO:<c@d>\n\nx",
    ] {
        run_with(&world, &[&send[..], &["-t"]].concat(), text).code(61).says(&["nothing was sent"]);
    }
    run_with(&world, &[&send[..], &["--raw", BJORN]].concat(), b"Subject: x\n\nx\n")
        .code(61)
        .says(&["not CRLF"]);
    assert_eq!(world.sandbox.requests(RequestKind::SmtpConnection), before);
}

/// Every value that a caller can give × CR and LF × where they stand: refused before a connection is made.
#[test]
fn inj_11_inj_14_no_value_holds_a_line_end() {
    let world = post("");
    let before = world.sandbox.requests(RequestKind::SmtpConnection);
    let wholesome = ["send", "-a", "post", "--tries", "1"];
    for end in ["\r", "\n", "\r\n"] {
        for value in [format!("x{end}Bcc: c@d"), format!("{end}x"), format!("x{end}")] {
            let (address, name) = (format!("{value}@b.example"), format!("{value} <{BJORN}>"));
            let (local, domain) = (format!("\"{value}\"@b.example"), format!("b@{value}"));
            let quoted = format!("\"{value}\" <{BJORN}>");
            let mut tried: Vec<Vec<&str>> = Vec::new();
            for bad in [&address, &name, &local, &domain, &quoted] {
                for option in ["--to", "--cc", "--bcc", "--from"] {
                    tried.push(vec!["--to", BJORN, "--body", "x", option, bad]);
                }
                tried.push(vec!["-f", bad, BJORN]);
                tried.push(vec!["--", bad]);
            }
            tried.push(vec!["--to", BJORN, "--body", "x", "--subject", &value]);
            tried.push(vec!["-F", &value, BJORN]);
            // The file is there: it is the name that cannot be sent.
            #[cfg(unix)]
            {
                std::fs::write(world.home.path(&value), "x").unwrap();
                tried.push(vec!["--to", BJORN, "--body", "x", "--attach", &value]);
            }
            for args in tried {
                let args = [&wholesome[..], &args].concat();
                let ran = run_with(&world, &args, b"Subject: x\n\nx\n");
                assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
                assert!(!ran.stderr.contains('\r'), "it is not shown as it is: {ran:?}");
            }
        }
    }
    // An argument cannot hold NUL; a header can.
    for header in ["To: a\0@b", "To: \"x\0\" <a@b>", "From: a\0@b", "Subject: \0", "Bcc: a@b\0"] {
        let text = format!("{header}\nX: y\n\nx\n");
        let ran = run_with(&world, &["send", "-a", "post", "-t", BJORN], text.as_bytes());
        assert_eq!(ran.code, 61, "{header:?}: {ran:?}");
        ran.says(&["nothing was sent"]);
    }
    assert_eq!(world.sandbox.requests(RequestKind::SmtpConnection), before);
}
