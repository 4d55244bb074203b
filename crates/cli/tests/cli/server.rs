//! What answers at the mail server's address, and which code it gives (issue 2, "What must hold" 6).

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::support::*;

/// A mail server of a few lines on loopback, without TLS: `answer` gets each command without its tag.
struct Server {
    port: u16,
}

impl Server {
    fn start(greeting: &'static str, answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.write_all(greeting.as_bytes());
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
                    let reply = answer(command).replace("{tag}", tag);
                    let bye = reply.starts_with("* BYE");
                    if stream.write_all(reply.as_bytes()).is_err() || bye {
                        break;
                    }
                }
            }
        });
        Self { port }
    }

    fn home(&self) -> Home {
        let home = Home::new();
        home.configure(&format!(
            "[accounts.w]\nuser = \"ana@x.example\"\ntoken = {{ command = \"echo canary-token-0123456789\" }}\n\
             [accounts.w.imap]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"dangerous-plaintext\"\n",
            self.port
        ));
        home
    }
}

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n";

/// A server that lets everybody in and has one empty folder.
fn friendly(command: &str) -> String {
    let name = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    match name.as_str() {
        "LIST" => {
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" \"a\\\\b\"\r\n{tag} OK\r\n"
                .into()
        }
        "LOGOUT" => "* BYE\r\n{tag} OK\r\n".into(),
        "EXAMINE" | "SELECT" => {
            "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT 1] \r\n{tag} OK [READ-ONLY] done\r\n".into()
        }
        "NAMESPACE" => "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n{tag} OK\r\n".into(),
        "CAPABILITY" => "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK\r\n".into(),
        _ => "{tag} OK done\r\n".into(),
    }
}

#[test]
fn a_friendly_server_lists_its_folders() {
    let home = Server::start(GREETING, friendly).home();
    assert_eq!(home.run(&["folders"]).code(0).stdout, "INBOX\na\\b  (holds folders only)\n");
    let folders = home.run(&["folders", "--json"]).code(0).json();
    assert_eq!(folders["folders"][0]["name"], "INBOX");
    assert_eq!(folders["folders"][1]["selectable"], false);
}

#[test]
fn an_empty_mailbox_is_no_failure_and_a_folder_that_is_not_there_is_a_12() {
    let home = Server::start(GREETING, friendly).home();
    let ran = home.run(&["fetch", "--to", "maildir:Mail", "--json"]).code(0);
    assert_eq!(ran.json()["complete"], true);
    home.run(&["fetch", "--to", "maildir:Mail", "--quiet"]).code(0);
    let ran = home.run(&["fetch", "--to", "maildir:Other", "--folder", "Inbxo"]).code(12);
    ran.says(&["no folder \"Inbxo\"", "nothing was downloaded", "did you mean \"INBOX\"?"]);
}

/// FR-07, DU-24: a server that lists a message and does not give it out.
#[test]
fn a_message_that_does_not_come_is_a_50_and_is_named() {
    let home = Server::start(GREETING, |command| {
        let wants = |what: &str| command.to_ascii_uppercase().contains(what);
        if wants("EXAMINE") {
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT 9] \r\n{tag} OK [READ-ONLY] done\r\n".into()
        } else if wants("UID FETCH") && wants("BODY") {
            let body = "Subject: a\r\n\r\n";
            let first = format!("* 1 FETCH (UID 4 FLAGS () BODY[] {{{}}}\r\n{body})\r\n", body.len());
            if wants("FETCH 8 ") { "{tag} OK\r\n".into() } else { format!("{first}{{tag}} OK\r\n") }
        } else if wants("UID FETCH") {
            "* 1 FETCH (UID 4 FLAGS ())\r\n* 2 FETCH (UID 8 FLAGS ())\r\n{tag} OK\r\n".into()
        } else if wants("UID SEARCH") {
            // Asked whether it is still there, it says so.
            "* SEARCH 8\r\n{tag} OK\r\n".into()
        } else if wants("LIST") {
            "* LIST () \"/\" INBOX\r\n{tag} OK\r\n".into()
        } else {
            friendly(command)
        }
    })
    .home();
    let ran = home.run(&["fetch", "--to", "maildir:Mail", "--quiet"]).code(50);
    let ran = ran.says(&[
        "INBOX, UID 8 is missing",
        "not everything is stored: 1 message missing",
        "run the same command again",
    ]);
    assert_eq!(ran.stdout, "");
    assert_eq!(files(&home.path("Mail/new")).len(), 1);
    let report = home.run(&["fetch", "--to", "maildir:Mail", "--json"]).code(50).json();
    assert_eq!(
        (report["complete"].as_bool(), report["folders"][0]["missing"][0]["uid"].as_u64()),
        (Some(false), Some(8))
    );
    assert_eq!(report["folders"][0]["already"], 1);
}

#[test]
fn a_server_that_is_not_there_is_a_30() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Server { port }.home();
    home.run(&["folders"]).code(30).says(&[&format!("127.0.0.1:{port}"), "postkey account show w"]);
}

#[test]
fn a_server_that_does_not_speak_imap_is_a_32() {
    for greeting in
        ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n"]
    {
        let home = Server::start(greeting, |_| String::new()).home();
        home.run(&["folders"]).code(32).says(&[
            "not an IMAP server",
            "Check host and port",
            "postkey account show w",
        ]);
    }
}

#[test]
fn a_refused_sign_in_is_a_33_and_an_echoed_token_is_not_shown() {
    let echo = |command: &str| match command.strip_prefix("AUTHENTICATE ") {
        Some(rest) => format!("{{tag}} NO AUTHENTICATE failed. {rest} canary-token-0123456789\r\n"),
        None => friendly(command),
    };
    let home = Server::start(GREETING, echo).home();
    // LG-02, SA-06
    let ran =
        home.run(&["folders", "-vvvv"]).code(33).says(&["AUTHENTICATE failed.", "postkey account show w"]);
    assert!(
        !ran.stderr.contains("canary") && !ran.stderr.contains("Y2FuYXJ5") && !ran.stderr.contains("dXNlcj1"),
        "{}",
        ran.stderr
    );
    home.run(&["fetch", "--to", "maildir:Mail"]).code(33);
}

#[test]
fn signed_in_but_not_connected_is_a_34() {
    let home = Server::start(GREETING, |command| match command.split(' ').next() {
        Some("AUTHENTICATE") => "{tag} OK AUTHENTICATE completed.\r\n".into(),
        Some("LOGOUT") => "* BYE\r\n{tag} OK\r\n".into(),
        _ => "{tag} BAD User is authenticated but not connected.\r\n".into(),
    })
    .home();
    home.run(&["folders"]).code(34).says(&[
        "mailbox cannot be opened",
        "IMAP is switched on",
        "Get-CASMailbox",
    ]);
}

#[test]
fn a_server_that_breaks_the_protocol_is_a_35() {
    let home = Server::start(GREETING, |_| "* )(\r\nZZZ OK what\r\n".into()).home();
    home.run(&["folders"]).code(35);
}

#[test]
fn a_server_that_takes_no_tokens_is_a_33() {
    let greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] ready\r\n";
    let home = Server::start(greeting, |command| match command.split(' ').next() {
        Some("CAPABILITY") => "* CAPABILITY IMAP4rev1 AUTH=GSSAPI\r\n{tag} OK\r\n".into(),
        _ => "{tag} BAD\r\n".into(),
    })
    .home();
    home.run(&["folders"]).code(33).says(&["GSSAPI"]);
}

#[test]
fn a_silent_server_is_a_36() {
    let home = Server::start("", |_| String::new()).home();
    let text = std::fs::read_to_string(home.config()).unwrap();
    home.configure(&format!("{text}timeout = 1\n"));
    home.run(&["folders"]).code(36).says(&["no greeting in time", "check host, port and tls"]);
}

#[test]
fn a_throttling_server_is_a_37() {
    let home = Server::start(GREETING, |command| match command.split(' ').next() {
        Some("LIST") => {
            "{tag} NO Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n".into()
        }
        _ => friendly(command),
    })
    .home();
    home.run(&["folders"]).code(37).says(&["92 s"]);
}

#[test]
fn certificates_that_do_not_verify_and_servers_without_tls_are_a_31() {
    let world = World::new();
    let port = world.sandbox.ports().https;
    let with = |host: &str, port: u16, more: &str| {
        let home = Home::new();
        home.configure(&format!(
            "[accounts.w]\nuser = \"a@x\"\ntoken = {{ command = \"echo t\" }}\n[accounts.w.imap]\nhost = \"{host}\"\nport = {port}\n{more}"
        ));
        home
    };
    with("localhost", port, "").run(&["folders"]).code(31).says(&["issuer", "ca_file"]);
    let ca = format!("ca_file = \"{}\"\n", world.home.path("ca.pem").display());
    with("127.0.0.2", port, &ca).run(&["folders"]);
    let plain = Server::start(GREETING, friendly);
    with("127.0.0.1", plain.port, "").run(&["folders"]).code(31).says(&["does not speak TLS"]);
    let starttls = with("127.0.0.1", plain.port, "tls = \"starttls\"\n");
    starttls.run(&["folders"]).code(31).says(&["does not offer STARTTLS", "nothing is sent"]);
    with("localhost", port, "ca_file = \"nowhere.pem\"\n").run(&["folders"]).code(10).says(&["nowhere.pem"]);
}

#[cfg(unix)]
#[test]
fn targets_that_cannot_be_used() {
    let home = Server::start(GREETING, friendly).home();
    // Another run has it: DU-27.
    let held = archive::Maildir::open(&home.path("Busy"), archive::Options::default()).unwrap();
    home.run(&["fetch", "--to", "maildir:Busy"]).code(42).says(&["in use by another process", "wait"]);
    drop(held);
    home.run(&["fetch", "--to", "maildir:Busy"]).code(0);
    std::fs::create_dir(home.path("Open")).unwrap();
    mode(&home.path("Open"), 0o777);
    home.run(&["fetch", "--to", "maildir:Open"]).code(41).says(&["every user of this machine"]);
    std::fs::write(home.path("file"), "").unwrap();
    home.run(&["fetch", "--to", "maildir:file"]).code(41);
    let root = rustix::process::geteuid().is_root();
    if !root {
        std::fs::create_dir(home.path("Shut")).unwrap();
        mode(&home.path("Shut"), 0o500);
        home.run(&["fetch", "--to", "maildir:Shut/Mail"]).code(41).says(&["right to write"]);
    }
    // Nobody, root included, writes into proc.
    home.run(&["fetch", "--to", "maildir:/proc/postkey"]).says(&["/proc/postkey"]);
}

/// INJ-20, FS-01: what a server calls its folders reaches neither the terminal nor the file system unescaped.
#[test]
fn names_of_a_server_are_escaped() {
    let home = Server::start(GREETING, |command| match command.split(' ').next() {
        Some("LIST") => {
            "* LIST () \"/\" {8}\r\n\x1b]0;x\x07\u{9b}\r\n* LIST () \"/\" \"../../evil\"\r\n{tag} OK\r\n"
                .into()
        }
        _ => friendly(command),
    })
    .home();
    let ran = home.run(&["folders"]).code(0);
    assert!(!ran.stdout.contains(['\x1b', '\x07', '\u{9b}']), "{:?}", ran.stdout);
    home.run(&["fetch", "--to", "maildir:deep/er/Mail"]);
    for file in files(home.dir.path()) {
        let shown = file.display().to_string();
        assert!(shown.contains("/deep/er/Mail/") || shown.ends_with("config.toml"), "{shown}");
    }
}
