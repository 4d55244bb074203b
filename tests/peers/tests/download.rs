//! A mailbox from a real Dovecot into a Maildir, whole and in pieces.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use archive::download::{Download, Ended, Plan, Selection};
use archive::{Durability, Maildir, Options};
use base64ct::{Base64, Encoding as _};
use postkey::{Credential, Roots, Server};
use postkey_peers::{Config, Cut, Dovecot, End, Program, Relay, Which, available};

const USER: &str = "ana";

/// A mailbox with all sorts of messages. Returns what the server stores, by folder.
fn fill(server: &Dovecot, messages: usize) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut all: BTreeMap<&'static str, Vec<Vec<u8>>> = BTreeMap::new();
    for i in 0..messages {
        let folder = ["", "", "", "Archive", "Archive.2024", "&AOQ-rger"][i % 6];
        let mut message =
            format!("From: a@x.example\r\nSubject: message {i}\r\nX-Number: {i}\r\n\r\n").into_bytes();
        match i % 97 {
            0 => message.extend(b"line\r\n".repeat(40_000)),
            1 => message.extend("\u{e4}\u{f6}\u{fc} raw 8-bit \r\n".repeat(20).into_bytes()),
            2 => message.extend_from_slice(b"no final line end"),
            3 => message.extend_from_slice(b"A1 OK done\r\n* 99 EXPUNGE\r\n{10}\r\n)\r\n.\r\n"),
            n => message.extend(format!("body {n}\r\n").repeat(n * 3).into_bytes()),
        }
        let flags = ["", "S", "RS", "FS", "D", "T"][i % 6];
        all.entry(folder).or_default().push(message.clone());
        let unique = format!("{}.M{i}P1.test", 1_700_000_000 + i);
        let dir = maildir(server, folder);
        fs::write(dir.join("cur").join(format!("{unique}:2,{flags}")), message).unwrap();
    }
    server.give(&server.maildir(USER)).unwrap();
    all
}

fn maildir(server: &Dovecot, folder: &str) -> std::path::PathBuf {
    let root = server.maildir(USER);
    let dir = if folder.is_empty() { root.clone() } else { root.join(format!(".{folder}")) };
    if !dir.join("cur").exists() {
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
    }
    dir
}

/// Contents of all messages in a Maildir folder, sorted; nothing may be left in `tmp`.
fn stored(dir: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for sub in ["cur", "new"] {
        for entry in fs::read_dir(dir.join(sub)).unwrap() {
            all.push(fs::read(entry.unwrap().path()).unwrap());
        }
    }
    all.sort();
    all
}

fn compare(target: &Path, expected: &BTreeMap<&'static str, Vec<Vec<u8>>>) {
    for (folder, messages) in expected {
        let name = match *folder {
            "" => String::new(),
            "&AOQ-rger" => ".\u{e4}rger".into(),
            other => format!(".{other}"),
        };
        let mut messages = messages.clone();
        messages.sort();
        let got = stored(&target.join(&name));
        assert_eq!(got.len(), messages.len(), "folder {folder:?}");
        assert!(got == messages, "folder {folder:?} differs");
    }
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.patience.first = Duration::from_millis(5);
    plan.per_command = 50;
    plan
}

fn options() -> Options {
    let mut options = Options::default();
    options.durability = Durability::None;
    options
}

fn server(port: u16, dovecot: &Dovecot) -> Server {
    Server::imap("localhost", Roots::none().with_pem(dovecot.ca_pem().as_bytes(), "dovecot").unwrap())
        .port(port)
}

fn password(dovecot: &Dovecot) -> Credential {
    Credential::Password { user: USER.into(), password: dovecot.password().into() }
}

fn run(server: Server, credential: Credential, plan: Plan, target: &Path, options: Options) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let maildir = Maildir::open(target, options).unwrap();
    let download = Download::new(server, credential, plan);
    runtime.block_on(download.run(&maildir, &mut (), std::future::pending()))
}

#[test]
fn every_message_once_and_again_nothing() {
    if !available("every_message_once_and_again_nothing", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    let expected = fill(&dovecot, 3_000);
    let target = tempfile::tempdir().unwrap();
    let target = target.path().join("mail");
    let go = || {
        run(
            server(dovecot.tls_addr().port(), &dovecot),
            password(&dovecot),
            plan(),
            &target,
            Options::default(),
        )
    };
    let first = go();
    assert!(first.error.is_none(), "{:?}", first.error);
    assert_eq!(first.report.stored(), 3_000);
    assert!(first.report.is_complete());
    compare(&target, &expected);
    let second = go();
    assert!(second.error.is_none(), "{:?}", second.error);
    assert_eq!((second.report.stored(), second.report.is_complete()), (0, true));
    assert_eq!(second.report.folders.iter().map(|f| f.already).sum::<u64>(), 3_000);
    compare(&target, &expected);
    // Flags travel with the messages.
    let names = |sub: &str| {
        fs::read_dir(target.join(sub)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap())
    };
    assert!(names("cur").any(|n| n.ends_with(":2,S")) && names("cur").any(|n| n.ends_with(":2,RS")));
    // New mail and a changed flag are all that a third run brings.
    dovecot.deliver(USER, "", "1800000000.Mnew.test", "", b"Subject: new\r\n\r\nnews\r\n").unwrap();
    let cur = dovecot.maildir(USER).join("cur");
    let old = fs::read_dir(&cur)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().ends_with(":2,S"))
        .unwrap();
    fs::rename(&old, old.to_string_lossy().replace(":2,S", ":2,FS")).unwrap();
    let third = go();
    assert_eq!((third.report.stored(), third.report.folders.iter().map(|f| f.flags).sum::<u64>()), (1, 1));
    let mut expected = expected;
    expected.get_mut("").unwrap().push(b"Subject: new\r\n\r\nnews\r\n".to_vec());
    compare(&target, &expected);
}

#[test]
fn only_the_folders_that_are_named_and_only_since_a_day() {
    if !available("only_the_folders_that_are_named_and_only_since_a_day", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    dovecot.deliver(USER, "", "1.old", "S", b"Subject: old\r\n\r\n").unwrap();
    let file = dovecot.deliver(USER, "Archive", "2.new", "S", b"Subject: new\r\n\r\n").unwrap();
    let old = dovecot.deliver(USER, "Archive", "1.old", "S", b"Subject: old\r\n\r\n").unwrap();
    let date = |path: &Path, unix: u64| {
        let time = std::time::UNIX_EPOCH + Duration::from_secs(unix);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    date(&file, 1_780_000_000); // 2026-05-28
    date(&old, 1_700_000_000); // 2023-11-14
    let target = tempfile::tempdir().unwrap();
    let target = target.path().join("mail");
    let mut plan = plan();
    plan.folders = Selection::Named(vec!["Archive".into()]);
    plan.since = Some((2026, 1, 1));
    let port = dovecot.tls_addr().port();
    let ended = run(server(port, &dovecot), password(&dovecot), plan.clone(), &target, options());
    assert!(ended.error.is_none(), "{:?}", ended.error);
    assert_eq!(ended.report.stored(), 1);
    assert_eq!(stored(&target.join(".Archive")), [b"Subject: new\r\n\r\n"]);
    assert_eq!(walk(&target), 1, "INBOX was not asked for");
    // Without the day the rest comes too: nothing was taken for stored that is not.
    plan.since = None;
    let ended = run(server(port, &dovecot), password(&dovecot), plan.clone(), &target, options());
    assert_eq!(ended.report.stored(), 1);
    plan.folders = Selection::Named(vec!["Nowhere".into()]);
    let ended = run(server(port, &dovecot), password(&dovecot), plan, &target, options());
    let text = ended.error.unwrap().to_string();
    assert!(text.contains("\"Nowhere\"") && text.contains("Archive"), "{text}");
}

#[test]
fn cut_anywhere_and_gone_on_with() {
    // DU-08: twenty places, with FIN and with RST, then one clean run each.
    if !available("cut_anywhere_and_gone_on_with", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    let expected = fill(&dovecot, 200);
    let target = dovecot.tls_addr();
    // How much a whole download is.
    let relay = Relay::start(target).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let whole =
        run(server(relay.port(), &dovecot), password(&dovecot), plan(), &dir.path().join("mail"), options());
    assert!(whole.error.is_none(), "{:?}", whole.error);
    let octets = relay.to_client();
    let mut rng = wire_rng();
    for i in 0..20u32 {
        for end in [End::Fin, End::Rst] {
            let offset = rng() % octets;
            let dir = tempfile::tempdir().unwrap();
            let mail = dir.path().join("mail");
            let relay = Relay::start(target).unwrap();
            relay.set_cut(Some(Cut { offset, end, which: Which::All }));
            let mut once = plan();
            once.patience = archive::download::Patience::none();
            let cut = run(server(relay.port(), &dovecot), password(&dovecot), once, &mail, options());
            assert!(cut.error.is_some(), "{i}: cut at {offset} of {octets} with {end:?} and nobody noticed");
            let reported: u64 = cut.report.stored();
            let there: usize = walk(&mail);
            assert_eq!(there as u64, reported, "{i}: cut at {offset} with {end:?}");
            let clean = run(server(target.port(), &dovecot), password(&dovecot), plan(), &mail, options());
            assert!(clean.error.is_none() && clean.report.is_complete(), "{:?}", clean.error);
            compare(&mail, &expected);
            // The same with patience: one run is enough when only the first connection is cut.
            if i % 5 == 0 {
                let dir = tempfile::tempdir().unwrap();
                let mail = dir.path().join("mail");
                let relay = Relay::start(target).unwrap();
                relay.set_cut(Some(Cut { offset: offset.max(octets / 2), end, which: Which::First }));
                let patient =
                    run(server(relay.port(), &dovecot), password(&dovecot), plan(), &mail, options());
                assert!(patient.error.is_none() && patient.report.is_complete(), "{:?}", patient.error);
                assert!(relay.connections() >= 2);
                compare(&mail, &expected);
            }
        }
    }
}

/// A fixed sequence: a failure can be repeated.
fn wire_rng() -> impl FnMut() -> u64 {
    let mut rng = wire::testkit::Rng::new(20_261_120);
    move || rng.next_u64()
}

/// Messages visible anywhere below the target.
fn walk(target: &Path) -> usize {
    let Ok(entries) = fs::read_dir(target) else { return 0 };
    let mut n = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "cur" || name == "new" {
            n += fs::read_dir(&path).unwrap().count();
        } else if path.is_dir() && name.starts_with('.') {
            n += walk(&path);
        }
    }
    n
}

#[test]
fn a_changed_uidvalidity_deletes_nothing_and_duplicates_nothing() {
    // DU-13
    if !available("a_changed_uidvalidity_deletes_nothing_and_duplicates_nothing", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    let expected = fill(&dovecot, 60);
    let dir = tempfile::tempdir().unwrap();
    let mail = dir.path().join("mail");
    let port = dovecot.tls_addr().port();
    let first = run(server(port, &dovecot), password(&dovecot), plan(), &mail, options());
    assert_eq!(first.report.stored(), 60);
    // Without its list of UIDs the server has to start over.
    for folder in expected.keys() {
        let folder = maildir(&dovecot, folder);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("dovecot") && path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
    }
    let uidlist = maildir(&dovecot, "").join("dovecot-uidlist");
    fs::write(&uidlist, "3 V4242 N1 G0123456789abcdef0123456789abcdef\n").unwrap();
    dovecot.give(&dovecot.maildir(USER)).unwrap();
    let second = run(server(port, &dovecot), password(&dovecot), plan(), &mail, options());
    assert!(second.error.is_none() && second.report.is_complete(), "{:?}", second.error);
    let recognised: u64 = second.report.folders.iter().map(|f| f.recognised).sum();
    assert!(recognised >= 30, "INBOX at least got a new UIDVALIDITY: {:?}", second.report);
    compare(&mail, &expected);
}

#[test]
fn a_message_of_a_size_that_no_buffer_holds() {
    if !available("a_message_of_a_size_that_no_buffer_holds", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    let mut big = b"Subject: big\r\n\r\n".to_vec();
    let line = Base64::encode_string(&[7u8; 57]) + "\r\n";
    while big.len() < 40 << 20 {
        big.extend_from_slice(line.as_bytes());
    }
    dovecot.deliver(USER, "", "1.big", "S", &big).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mail = dir.path().join("mail");
    let ended =
        run(server(dovecot.tls_addr().port(), &dovecot), password(&dovecot), plan(), &mail, options());
    assert!(ended.error.is_none(), "{:?}", ended.error);
    assert!(stored(&mail) == [big], "the message differs");
}

/// Deletes a message on the server when the download knows about it and has not fetched it.
struct Deletes(std::path::PathBuf);

impl archive::download::Progress for Deletes {
    fn folder(&mut self, _: &str, new: u64, _: u64) {
        assert!(new > 1);
        if self.0.exists() {
            fs::remove_file(&self.0).unwrap();
        }
    }
}

#[test]
fn what_somebody_deletes_meanwhile_is_not_missing() {
    // DU-17
    if !available("what_somebody_deletes_meanwhile_is_not_missing", &[Program::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(&Config::default()).unwrap();
    for i in 0..20 {
        let message = format!("Subject: {i}\r\n\r\n{i}\r\n");
        dovecot
            .deliver(USER, "", &format!("{}.M{i}.test", 1_700_000_000 + i), "S", message.as_bytes())
            .unwrap();
    }
    let gone = dovecot.maildir(USER).join("cur").join("1700000007.M7.test:2,S");
    let dir = tempfile::tempdir().unwrap();
    let mail = dir.path().join("mail");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let maildir = Maildir::open(&mail, options()).unwrap();
    let download = Download::new(server(dovecot.tls_addr().port(), &dovecot), password(&dovecot), plan());
    let ended = runtime.block_on(download.run(&maildir, &mut Deletes(gone), std::future::pending()));
    assert!(ended.error.is_none(), "{:?}", ended.error);
    assert!(ended.report.is_complete(), "{:?}\n{}", ended.report, dovecot.log());
    assert_eq!(stored(&mail).len(), 19);
}
