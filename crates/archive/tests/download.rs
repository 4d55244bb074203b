//! The download against a scripted server, where a real one cannot be made to do the thing: what it must not miss, and what it must
//! get over.

use postkey::{Credential, Roots, Security, Server};
use postkey_archive::download::{Download, Ended, Error, Plan};
use postkey_archive::{Maildir, Options};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server has and how it misbehaves.
#[derive(Default)]
struct Mailbox {
    validity: u32,
    highest: Option<u64>,
    /// UID, mod-sequence, flags.
    messages: Vec<(u32, u64, String)>,
    /// The connection is cut after so many bodies.
    cut_after: Option<usize>,
    bodies: Vec<u32>,
    connections: usize,
    close_listener_after_cut: bool,
    auth_reply: Option<&'static str>,
    fetch_reply: Option<&'static str>,
    list_flood: usize,
    interleave: bool,
    flags_flood: usize,
    /// One line of the listing is no FETCH data.
    garbled: bool,
}

fn serve(state: Arc<Mutex<Mailbox>>) -> u16 {
    let l = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = l.local_addr().unwrap().port();
    std::thread::spawn(move || {
        loop {
            let Ok((s, _)) = l.accept() else { return };
            state.lock().unwrap().connections += 1;
            let cut = session(s, &state);
            if cut && state.lock().unwrap().close_listener_after_cut {
                drop(l);
                std::thread::sleep(Duration::from_millis(2500));
                state.lock().unwrap().close_listener_after_cut = false;
                let l = TcpListener::bind(("127.0.0.1", port)).unwrap();
                loop {
                    let Ok((s, _)) = l.accept() else { return };
                    session(s, &state);
                }
            }
        }
    });
    port
}

fn session(mut s: TcpStream, state: &Arc<Mutex<Mailbox>>) -> bool {
    let mut r = BufReader::new(s.try_clone().unwrap());
    let caps = "IMAP4rev1 CONDSTORE SASL-IR AUTH=PLAIN NAMESPACE";
    write!(s, "* OK [CAPABILITY {caps}] hi\r\n").unwrap();
    let mut sent = 0;
    let mut held: Option<String> = None;
    loop {
        let mut line = String::new();
        if r.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        let line = line.trim_end().to_owned();
        let (tag, rest) = line.split_once(' ').unwrap();
        let up = rest.to_ascii_uppercase();
        let mut out: Vec<u8> = Vec::new();
        if up.starts_with("AUTHENTICATE") {
            if let Some(reply) = state.lock().unwrap().auth_reply.take() {
                out.extend(format!("{tag} {reply}\r\n").bytes());
                s.write_all(&out).unwrap();
                continue;
            }
        } else if up.starts_with("CAPABILITY") {
            out.extend(format!("* CAPABILITY {caps}\r\n").bytes());
        } else if up.starts_with("NAMESPACE") && state.lock().unwrap().interleave {
            held = Some(tag.to_owned());
            continue;
        } else if up.starts_with("NAMESPACE") {
            out.extend(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
        } else if up.starts_with("LIST") {
            out.extend(b"* LIST () \"/\" INBOX\r\n");
            if let Some(t) = held.take() {
                out.extend(format!("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n{t} OK done\r\n").bytes());
            }
            let n = state.lock().unwrap().list_flood;
            for i in 0..n {
                let line = format!("* LIST (\\Noselect) \"/\" \"{i}{}\"\r\n", "x".repeat(60_000));
                if s.write_all(line.as_bytes()).is_err() {
                    return false;
                }
            }
        } else if up.starts_with("EXAMINE") {
            let st = state.lock().unwrap();
            out.extend(
                format!("* {} EXISTS\r\n* OK [UIDVALIDITY {}] x\r\n", st.messages.len(), st.validity).bytes(),
            );
            match st.highest {
                Some(h) => out.extend(format!("* OK [HIGHESTMODSEQ {h}] x\r\n").bytes()),
                None => out.extend(b"* OK [NOMODSEQ] x\r\n"),
            }
        } else if up.starts_with("UID FETCH 1:*") {
            let st = state.lock().unwrap();
            let since =
                up.split("CHANGEDSINCE ").nth(1).map(|x| x.trim_end_matches(')').parse::<u64>().unwrap());
            if since.is_some() && st.highest.is_none() {
                out.extend(format!("{tag} BAD no modseq here\r\n").bytes());
                s.write_all(&out).unwrap();
                continue;
            }
            for k in 0..st.flags_flood {
                if s.write_all(format!("* 1 FETCH (UID {} FLAGS ())\r\n", k + 1).as_bytes()).is_err() {
                    return false;
                }
            }
            if st.garbled {
                out.extend(b"* 9 FETCH UID 9\r\n");
            }
            for (i, (uid, m, flags)) in st.messages.iter().enumerate() {
                if since.is_none_or(|x| *m > x) {
                    out.extend(format!("* {} FETCH (UID {uid} FLAGS ({flags}))\r\n", i + 1).bytes());
                }
            }
        } else if up.starts_with("UID FETCH") {
            let set = rest.split(' ').nth(2).unwrap().to_owned();
            if let Some(reply) = state.lock().unwrap().fetch_reply.take() {
                out.extend(format!("{tag} {reply}\r\n").bytes());
                s.write_all(&out).unwrap();
                continue;
            }
            let mut st = state.lock().unwrap();
            let msgs = st.messages.clone();
            for (i, (uid, _, flags)) in msgs.iter().enumerate() {
                let within = set.split(',').any(|p| match p.split_once(':') {
                    Some((a, b)) => (a.parse::<u32>().unwrap()..=b.parse::<u32>().unwrap()).contains(uid),
                    None => p.parse::<u32>().unwrap() == *uid,
                });
                if !within {
                    continue;
                }
                let flags = if flags.is_ascii() { flags.clone() } else { String::new() };
                let body = format!("Subject: {uid}\r\n\r\n{uid}\r\n");
                out.extend(format!("* {} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" BODY[] {{{}}}\r\n{body})\r\n", i + 1, body.len()).bytes());
                st.bodies.push(*uid);
                sent += 1;
                if st.cut_after == Some(sent) {
                    st.cut_after = None;
                    s.write_all(&out).unwrap();
                    s.shutdown(std::net::Shutdown::Both).unwrap();
                    return true;
                }
            }
        } else if up.starts_with("UID SEARCH") {
            let st = state.lock().unwrap();
            out.extend(b"* SEARCH");
            for (u, _, _) in &st.messages {
                out.extend(format!(" {u}").bytes());
            }
            out.extend(b"\r\n");
        } else if up.starts_with("LOGOUT") {
            out.extend(b"* BYE bye\r\n");
        }
        out.extend(format!("{tag} OK done\r\n").bytes());
        if s.write_all(&out).is_err() {
            return false;
        }
        if up.starts_with("LOGOUT") {
            return false;
        }
    }
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.per_command = 10;
    plan.patience.first = Duration::from_millis(400);
    plan
}

fn fetch(port: u16, user: &str, target: &Path, plan: Plan) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let maildir = Maildir::open(target, Options::default()).unwrap();
    let server = Server::imap("127.0.0.1", Roots::none()).port(port).security(Security::DangerousPlaintext);
    let credential = Credential::Password { user: user.into(), password: "secretpassword".into() };
    runtime.block_on(Download::new(server, credential, plan).run(&maildir, &mut (), std::future::pending()))
}

fn mailbox(messages: u32) -> Mailbox {
    let messages = (1..=messages).map(|uid| (uid, u64::from(uid), String::new())).collect();
    Mailbox { validity: 7, highest: Some(1000), messages, ..Mailbox::default() }
}

/// A server and a place to download to.
struct Scene {
    state: Arc<Mutex<Mailbox>>,
    port: u16,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new(mailbox: Mailbox) -> Self {
        let state = Arc::new(Mutex::new(mailbox));
        let port = serve(state.clone());
        Self { state, port, dir: tempfile::tempdir().unwrap() }
    }

    fn change(&self, change: impl FnOnce(&mut Mailbox)) {
        change(&mut self.state.lock().unwrap());
    }

    fn target(&self) -> std::path::PathBuf {
        self.dir.path().join("mail")
    }

    fn fetch(&self) -> Ended {
        fetch(self.port, "u", &self.target(), plan())
    }

    #[track_caller]
    fn complete(&self, stored: u64) {
        let ended = self.fetch();
        assert!(ended.error.is_none() && ended.report.is_complete(), "{ended:?}");
        assert_eq!(ended.report.stored(), stored, "{ended:?}");
    }
}

#[test]
fn a_run_that_was_cut_fetches_nothing_twice() {
    let scene = Scene::new(Mailbox { highest: Some(2), ..mailbox(2) });
    scene.complete(2);
    scene.change(|m| {
        m.messages.extend((3..=52).map(|uid| (uid, u64::from(uid), String::new())));
        m.highest = Some(52);
        m.bodies.clear();
        m.cut_after = Some(40);
    });
    scene.complete(50);
    assert_eq!(scene.state.lock().unwrap().bodies.len(), 50);
}

#[test]
fn a_mod_sequence_that_goes_back_or_away_hides_nothing() {
    let scene = Scene::new(mailbox(5));
    scene.complete(5);
    // The server's index was lost or restored: the new message has a smaller mod-sequence than what was remembered.
    scene.change(|m| {
        m.messages.push((6, 2, String::new()));
        m.highest = Some(2);
    });
    scene.complete(1);
    scene.complete(0);
    scene.change(|m| {
        m.messages.push((7, 1, String::new()));
        m.highest = None;
    });
    scene.complete(1);
    scene.complete(0);
}

#[test]
fn flags_that_cannot_be_read_hide_no_message() {
    let mut mailbox = mailbox(3);
    mailbox.messages[1].2 = "\\Seen caf\u{e9}".into();
    Scene::new(mailbox).complete(3);
}

#[test]
fn a_message_that_cannot_be_listed_is_not_passed_over_in_silence() {
    let scene = Scene::new(Mailbox { garbled: true, ..mailbox(3) });
    let ended = scene.fetch();
    assert!(ended.error.is_none() && !ended.report.is_complete(), "{ended:?}");
    assert_eq!(ended.report.stored(), 3, "the others are stored");
    // Nor next time: nothing was remembered as seen.
    assert!(!scene.fetch().report.is_complete());
    scene.change(|m| m.garbled = false);
    scene.complete(0);
}

#[test]
fn a_network_that_is_away_for_a_while_is_waited_for() {
    // DU-12
    let scene = Scene::new(Mailbox { cut_after: Some(20), close_listener_after_cut: true, ..mailbox(50) });
    scene.complete(50);
}

#[test]
fn nobody_there_from_the_start_is_said_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let dir = tempfile::tempdir().unwrap();
    let mut patient = plan();
    patient.patience.first = Duration::from_secs(3600);
    let ended = fetch(port, "u", &dir.path().join("mail"), patient);
    assert!(matches!(ended.error, Some(Error::Mail(postkey::Error::Connection(_)))), "{ended:?}");
}

#[test]
fn throttled_at_the_sign_in_is_waited_out() {
    // DU-26
    let reply = "BAD Request is throttled. Suggested Backoff Time: 100 milliseconds";
    Scene::new(Mailbox { auth_reply: Some(reply), ..mailbox(5) }).complete(5);
}

#[test]
fn refused_in_the_middle_it_tries_one_more_session() {
    // DU-25: the words that a session is answered with whose token has ended.
    for reply in ["BAD User is authenticated but not connected.", "NO [AUTHENTICATIONFAILED] token expired"] {
        let scene = Scene::new(Mailbox { fetch_reply: Some(reply), ..mailbox(5) });
        scene.complete(5);
        assert_eq!(scene.state.lock().unwrap().connections, 2);
    }
}

#[test]
fn one_message_a_command_is_as_good_as_many() {
    let scene = Scene::new(mailbox(1_500));
    let mut plan = plan();
    plan.per_command = 1;
    let ended = fetch(scene.port, "u", &scene.target(), plan);
    assert!(ended.error.is_none() && ended.report.is_complete(), "{:?}", ended.error);
    assert_eq!(ended.report.stored(), 1_500);
}

#[test]
fn a_target_is_one_mailboxs() {
    // Servers give small UIDVALIDITYs: two mailboxes may have the same, and their UIDs mean different messages.
    let (first, second) = (Scene::new(mailbox(5)), Scene::new(mailbox(3)));
    first.complete(5);
    let ended = fetch(second.port, "somebody-else", &first.target(), plan());
    match ended.error {
        Some(Error::Archive(e)) => {
            assert_eq!(e.kind(), postkey_archive::Kind::OtherMailbox);
            let text = e.to_string();
            assert!(
                text.contains("imap u 127.0.0.1") && text.contains("imap somebody-else 127.0.0.1"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
    first.complete(0);
}

#[test]
fn replies_in_any_order_lose_no_folder() {
    // RFC 3501 section 5.5: data of one command may come before the reply to another.
    Scene::new(Mailbox { interleave: true, ..mailbox(5) }).complete(5);
}

#[test]
fn folders_and_messages_without_end_are_given_up() {
    let limit = |ended: Ended| match ended.error {
        Some(Error::Mail(postkey::Error::Protocol(e))) => e.to_string(),
        other => panic!("{other:?}"),
    };
    let scene = Scene::new(Mailbox { list_flood: 5_000, ..mailbox(1) });
    assert!(limit(scene.fetch()).contains("beyond a limit"));
    let scene = Scene::new(Mailbox { flags_flood: 300_000, ..mailbox(1) });
    assert!(limit(scene.fetch()).contains("beyond a limit"));
}
