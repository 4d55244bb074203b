//! Reading and changing a mailbox over IMAP, compared with what the store holds.

mod common;

use common::imap::*;
use postkey_sandbox::{ANA, ImapFault, RequestKind, Sandbox};

async fn open(n: usize) -> (Sandbox, Raw) {
    let sandbox = Sandbox::builder().messages(n).start().await.unwrap();
    let raw = Raw::signed_in(&sandbox, ANA).await;
    (sandbox, raw)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Every message of every folder arrives as the store holds it, octet by octet.
#[tokio::test]
async fn all_of_it_byte_for_byte() {
    let (sandbox, mut raw) = open(150).await;
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let listed = raw.ok("LIST \"\" *").await;
    assert_eq!(listed.lines.len(), mailbox.folders().len());
    let mut count = 0;
    for folder in mailbox.folders() {
        let wire = folder.replace('&', "&-").replace('Ü', "&ANw-").replace('"', "\\\"");
        let select = raw.ok(&format!("EXAMINE \"{wire}\"")).await;
        let (validity, uids) = mailbox.uids(&folder).unwrap();
        assert!(select.text().contains(&format!("* OK [UIDVALIDITY {validity}]")));
        assert!(select.text().contains(&format!("* {} EXISTS", uids.len())));
        if uids.is_empty() {
            continue;
        }
        let answer = raw.ok("UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])").await;
        assert_eq!(answer.lines.len(), uids.len(), "{folder}");
        for (line, uid) in answer.lines.iter().zip(uids) {
            let stored = mailbox.message(&folder, uid).unwrap().unwrap();
            assert_eq!(literal(line), stored.octets, "{folder} {uid}");
            let head = text(&line[..60.min(line.len())]);
            assert!(head.contains(&format!("UID {uid} RFC822.SIZE {}", stored.octets.len())), "{head}");
            count += 1;
        }
    }
    assert_eq!(count, 150);
    assert_eq!(sandbox.requests(RequestKind::ImapBody), 150);
}

#[tokio::test]
async fn select_says_what_exchange_says() {
    let (_sandbox, mut raw) = open(30).await;
    let answer = raw.ok("SELECT INBOX").await;
    assert_eq!(answer.status, "OK [READ-WRITE] SELECT completed.");
    let lines = answer.text();
    assert!(lines.contains("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)"), "{lines}");
    assert!(lines.contains(
        "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)] Permanent flags"
    ));
    assert!(lines.contains("* OK [UIDVALIDITY 14]") && lines.contains("* OK [UIDNEXT "));
    let answer = raw.ok("EXAMINE Drafts").await;
    assert_eq!(answer.status, "OK [READ-ONLY] EXAMINE completed.");
    assert_eq!(raw.run("SELECT Nowhere").await.status, "NO Nowhere doesn't exist.");
    assert!(
        raw.run("FETCH 1 UID").await.status.starts_with("BAD "),
        "a failed SELECT leaves nothing selected"
    );
    assert_eq!(raw.ok("LIST \"\" \"\"").await.text(), "* LIST (\\Noselect) \"/\" \"\"");
    assert_eq!(raw.ok("LIST \"\" inbox").await.text(), "* LIST (\\Marked \\HasNoChildren) \"/\" INBOX");
    let archive = raw.ok("LIST \"\" Archive%").await.text();
    assert_eq!(archive, "* LIST (\\HasChildren) \"/\" Archive");
    assert_eq!(raw.ok("LIST Archive/ %").await.lines.len(), 2);
    assert!(raw.ok("LSUB \"\" *").await.lines.len() > 10);
    assert_eq!(raw.ok("ID NIL").await.text(), "* ID NIL");
    let status = raw.ok("STATUS Archive (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)").await.text();
    assert!(status.starts_with("* STATUS Archive (MESSAGES 2 RECENT 0 UIDNEXT "), "{status}");
    assert!(raw.run("STATUS Archive (HIGHESTMODSEQ)").await.status.starts_with("BAD Command Argument Error"));
    assert!(raw.run("ENABLE CONDSTORE").await.status.starts_with("BAD "));
}

#[tokio::test]
async fn sections_partials_and_flags() {
    let (sandbox, mut raw) = open(20).await;
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let message = b"From: a@b.example\r\nX-A: 1\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>\r\n--x--\r\n";
    mailbox.create("T").unwrap();
    mailbox.deliver("T", 1_790_000_000, message).unwrap();
    raw.ok("SELECT T").await;
    let mut get = async |what: &str| {
        let answer = raw.ok(&format!("FETCH 1 {what}")).await;
        text(&answer.lines[0])
    };
    assert!(get("BODY.PEEK[1]").await.contains("BODY[1] {10}\r\nfirst part"));
    assert!(get("BODY.PEEK[1.MIME]").await.contains("{28}\r\nContent-Type: text/plain\r\n\r\n"));
    assert!(get("BODY.PEEK[HEADER.FIELDS (x-a subject)]").await.contains("X-A: 1\r\nSubject: s\r\n\r\n"));
    assert!(!get("BODY.PEEK[HEADER.FIELDS.NOT (x-a)]").await.contains("X-A"));
    assert!(get("BODY.PEEK[]<6.3>").await.contains("BODY[]<6> {3}\r\na@b"));
    assert!(get("BODY.PEEK[]<100000.5>").await.contains("BODY[]<100000> "));
    assert!(get("BODY.PEEK[3]").await.contains("BODY[3] NIL"));
    assert_eq!(get("(INTERNALDATE)").await, "* 1 FETCH (INTERNALDATE \"21-Sep-2026 14:13:20 +0000\")");
    assert!(get("BODYSTRUCTURE").await.contains("(\"text\" \"html\" NIL NIL NIL \"7bit\" 3 "));
    assert!(get("ENVELOPE").await.contains("(NIL NIL \"a\" \"b.example\")"));
    assert_eq!(get("FLAGS").await, "* 1 FETCH (FLAGS (\\Recent))", "peeking sets nothing");
    let seen = get("RFC822.TEXT").await;
    assert!(seen.contains("FLAGS (\\Seen \\Recent)"), "{seen}");
    assert!(raw.run("FETCH 1 X-GM-LABELS").await.status.starts_with("BAD Command Argument Error. 11"));

    raw.ok("EXAMINE T").await;
    let answer = raw.ok("FETCH 1 (BODY[])").await;
    assert!(!answer.text().contains("FLAGS"), "a read-only mailbox changes nothing");
}

/// SV-15: numbers at their ends.
#[tokio::test]
async fn sections_and_sets_at_their_ends() {
    let (_sandbox, mut raw) = open(20).await;
    raw.ok("SELECT INBOX").await;
    let n = raw.ok("UID FETCH 1:4294967295 UID").await.lines.len();
    assert!(n > 0);
    assert_eq!(raw.ok("FETCH *:1 UID").await.lines.len(), n);
    assert!(raw.run("FETCH 0 UID").await.status.starts_with("BAD "));
    assert!(raw.run("FETCH 1 BODY.PEEK[]<0.0>").await.status.starts_with("BAD "));
    let deep = vec!["1"; 300].join(".");
    assert!(raw.ok(&format!("FETCH 1 BODY.PEEK[{deep}]")).await.text().contains("NIL"));
    let many: Vec<String> = (1..5000).map(|n| (n % 3 + 1).to_string()).collect();
    assert_eq!(raw.ok(&format!("FETCH {} UID", many.join(","))).await.lines.len(), 3);
}

#[tokio::test]
async fn searching() {
    let (sandbox, mut raw) = open(20).await;
    let mailbox = sandbox.mailbox(ANA).unwrap();
    mailbox.create("T").unwrap();
    let day = 86_400;
    for (i, (subject, body)) in [
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "plain text"),
        ("report", "aGVsbG8gd29ybGQ="),
        ("Report two", "nothing"),
        ("other", "a report inside"),
    ]
    .into_iter()
    .enumerate()
    {
        let encoding = if i == 1 { "Content-Transfer-Encoding: base64\r\n" } else { "" };
        let message = format!(
            "From: Ana <ana@a.example>\r\nTo: b@b.example\r\nDate: Thu, {:02} Jan 1970 10:00:00 +0000\r\nSubject: {subject}\r\n\
             {encoding}\r\n{body}\r\n",
            i + 1
        );
        mailbox.deliver("T", day * i as i64, message.as_bytes()).unwrap();
    }
    raw.ok("SELECT T").await;
    raw.ok("STORE 2 +FLAGS (\\Flagged)").await;
    let mut find = async |what: &str| raw.ok(&format!("SEARCH {what}")).await.text();
    assert_eq!(find("ALL").await, "* SEARCH 1 2 3 4");
    assert_eq!(find("SUBJECT report").await, "* SEARCH 2 3");
    assert_eq!(find("TEXT report").await, "* SEARCH 2 3 4");
    assert_eq!(find("BODY \"hello world\"").await, "* SEARCH 2");
    assert_eq!(find("CHARSET UTF-8 SUBJECT {7+}\r\nGrüße").await, "* SEARCH 1");
    assert_eq!(find("FLAGGED").await, "* SEARCH 2");
    assert_eq!(find("NOT FLAGGED SINCE 2-Jan-1970 BEFORE 4-Jan-1970").await, "* SEARCH 3");
    assert_eq!(find("SENTON 4-Jan-1970").await, "* SEARCH 4");
    assert_eq!(find("OR (1) UID 4").await, "* SEARCH 1 4");
    assert_eq!(find("FROM ana TO b@b HEADER Subject \"\"").await, "* SEARCH 1 2 3 4");
    assert_eq!(find("LARGER 100000").await, "* SEARCH");
    assert!(
        raw.run("SEARCH CHARSET KOI8-R ALL").await.status.starts_with("NO [BADCHARSET (US-ASCII UTF-8)]")
    );
    assert_eq!(raw.ok("UID SEARCH 3:*").await.text(), "* SEARCH 3 4");
}

#[tokio::test]
async fn appending_copying_moving_expunging() {
    let (sandbox, mut raw) = open(20).await;
    raw.ok("CREATE Work/New").await;
    raw.send(b"p APPEND Work/New (\\Seen) \"01-Feb-2024 03:04:05 +0100\" {12}\r\n").await;
    assert!(raw.line().await.unwrap().starts_with("+ "));
    raw.send(b"Subject: x\r\n\r\n").await;
    let answer = raw.answer("p").await;
    assert!(answer.status.starts_with("OK [APPENDUID ") && answer.status.ends_with(" 1] APPEND completed."));
    // Without waiting, as LITERAL+ allows.
    raw.send(b"q APPEND Work/New {3+}\r\na\r\n\r\n").await;
    assert!(raw.answer("q").await.status.contains(" 2] APPEND"));
    raw.send(b"r APPEND Nowhere {3+}\r\na\r\n\r\n").await;
    assert!(raw.answer("r").await.status.starts_with("NO [TRYCREATE] "));
    raw.send(b"s APPEND Work/New {99999999}\r\n").await;
    assert_eq!(raw.answer("s").await.status, "NO Maximum size of appendable message has been exceeded");
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let stored = mailbox.message("Work/New", 1).unwrap().unwrap();
    assert_eq!((stored.octets.as_slice(), stored.internal_date), (&b"Subject: x\r\n"[..], 1_706_753_045));
    assert!(stored.flags.seen);

    raw.ok("SELECT Work/New").await;
    let copied = raw.ok("UID COPY 1:2 Archive/2024").await;
    assert!(copied.status.starts_with("OK [COPYUID "), "{copied:?}");
    assert!(raw.run("UID COPY 1 Nowhere").await.status.starts_with("NO [TRYCREATE]"));
    let moved = raw.ok("UID MOVE 1 Archive/2025").await;
    assert!(moved.text().starts_with("* OK [COPYUID ") && moved.text().contains("* 1 EXPUNGE"), "{moved:?}");
    assert_eq!(mailbox.uids("Work/New").unwrap().1, [2]);
    let stored = raw.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    assert!(stored.lines.is_empty());
    assert_eq!(raw.ok("EXPUNGE").await.text(), "* 1 EXPUNGE");
    raw.send(b"t APPEND Work/New (\\Deleted) {3+}\r\na\r\n\r\n").await;
    let t = raw.answer("t").await;
    assert!(t.text().contains("* 1 EXISTS"), "{t:?}");
    raw.ok("CLOSE").await;
    assert!(mailbox.uids("Work/New").unwrap().1.is_empty());
    raw.ok("RENAME Work Play").await;
    raw.ok("DELETE Play/New").await;
    assert_eq!(raw.run("CREATE Files").await.status, "NO Folder name is reserved");
    assert_eq!(raw.run("DELETE INBOX").await.status, "NO Folder name is reserved");
}

/// Another client's changes arrive in IDLE, and never in the middle of a FETCH.
#[tokio::test]
async fn idling() {
    let (sandbox, mut raw) = open(40).await;
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let n = mailbox.uids("INBOX").unwrap().1.len();
    raw.ok("SELECT INBOX").await;
    raw.send(b"i IDLE\r\n").await;
    assert!(raw.line().await.unwrap().starts_with("+ IDLE accepted"));
    let uid = mailbox.deliver("INBOX", 1_790_000_000, b"Subject: new\r\n\r\n").unwrap();
    assert_eq!(raw.line().await.unwrap(), format!("* {} EXISTS", n + 1));
    assert_eq!(raw.line().await.unwrap(), "* 1 RECENT");
    mailbox.remove("INBOX", uid).unwrap();
    // Marked as deleted first, then gone; the two may arrive as one.
    let mut line = raw.line().await.unwrap();
    if line.contains("FETCH") {
        line = raw.line().await.unwrap();
    }
    assert_eq!(line, format!("* {} EXPUNGE", n + 1));
    raw.send(b"DONE\r\n").await;
    assert_eq!(raw.answer("i").await.status, "OK IDLE completed.");
    let first = mailbox.uids("INBOX").unwrap().1[0];
    mailbox.remove("INBOX", first).unwrap();
    let fetch = raw.ok("FETCH 1:* FLAGS").await;
    assert!(!fetch.text().contains("EXPUNGE"), "sequence numbers must not change inside a FETCH");
    assert!(raw.ok("NOOP").await.text().contains("* 1 EXPUNGE"));
    mailbox.renumber("INBOX").unwrap();
    raw.run("NOOP").await;
    assert!(raw.is_over().await, "a folder that is no more what it was ends the session");
}

#[tokio::test]
async fn faults() {
    let (sandbox, mut raw) = open(60).await;
    sandbox.inject_imap(ImapFault::Throttled(92_415));
    let throttled = "Request is throttled. Suggested Backoff Time: 92415 milliseconds";
    assert_eq!(raw.run("LIST \"\" *").await.status, format!("BAD {throttled}"));
    assert_eq!(raw.run("LIST \"\" *").await.status, format!("NO {throttled}"));
    assert_eq!(raw.line().await.unwrap(), "* BYE Connection closed. 14");
    assert!(raw.is_over().await);

    let mut raw = Raw::signed_in(&sandbox, ANA).await;
    sandbox.inject_imap(ImapFault::Unavailable);
    let answer = raw.run("LIST \"\" *").await;
    assert_eq!(
        (answer.text().as_str(), answer.status.as_str()),
        ("Server Unavailable. 15", "BAD Server Unavailable. 15")
    );

    // The token ends inside a literal: what was announced never comes.
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let uid = mailbox.deliver("INBOX", 0, &b"x".repeat(300_000)).unwrap();
    for fault in [ImapFault::ExpireInBody(200_000), ImapFault::ResetInBody(200_000)] {
        let mut raw = Raw::signed_in(&sandbox, ANA).await;
        raw.ok("SELECT INBOX").await;
        sandbox.inject_imap(fault);
        raw.send(format!("f UID FETCH {uid} BODY.PEEK[]\r\n").as_bytes()).await;
        assert!(raw.is_over().await, "{fault:?}");
    }
}

/// SV-06, SV-07, SV-13, SV-14: what no client sends.
#[tokio::test]
async fn hostile_commands() {
    let sandbox = Sandbox::builder().messages(5).start().await.unwrap();
    let (mut raw, _) = Raw::connect(&sandbox).await;
    raw.send(b"a LOGIN {400000000}\r\n").await;
    assert!(raw.line().await.unwrap().starts_with("a BAD "));
    assert!(raw.is_over().await);

    let (mut raw, _) = Raw::connect(&sandbox).await;
    raw.send(&b"x".repeat(20_000)).await;
    let mut last = String::new();
    while let Some(line) = raw.line().await {
        last = line;
    }
    assert!(last.contains("BAD"), "{last}");

    let (mut raw, _) = Raw::connect(&sandbox).await;
    raw.send(b"* NOOP\r\n+ NOOP\r\n NOOP\r\n\r\nb NOOP\r\n").await;
    let answer = raw.answer("b").await;
    assert!(answer.is_ok() && answer.lines.iter().all(|l| l.starts_with(b"* BAD ")), "{answer:?}");

    let mut raw = Raw::signed_in(&sandbox, ANA).await;
    raw.ok("SELECT INBOX").await;
    raw.send(b"i IDLE\r\n").await;
    raw.line().await.unwrap();
    raw.send(b"GARBAGE\r\n").await;
    assert!(raw.answer("i").await.status.starts_with("BAD "));
    raw.ok("NOOP").await;
}

/// Commands sent without waiting are answered in order.
#[tokio::test]
async fn pipelining() {
    let (_sandbox, mut raw) = open(20).await;
    raw.send(b"1 SELECT INBOX\r\n2 FETCH 1 UID\r\n3 SEARCH ALL\r\n4 NOOP\r\n").await;
    for tag in ["1", "2", "3", "4"] {
        assert!(raw.answer(tag).await.is_ok(), "{tag}");
    }
}

/// Two connections of one user see each other; recent messages belong to the first that selects.
#[tokio::test]
async fn two_connections() {
    let (sandbox, mut one) = open(20).await;
    let mut two = Raw::signed_in(&sandbox, ANA).await;
    one.ok("SELECT INBOX").await;
    two.ok("SELECT INBOX").await;
    one.ok("STORE 1 FLAGS (\\Answered)").await;
    let news = two.ok("NOOP").await.text();
    assert_eq!(news, "* 1 FETCH (FLAGS (\\Answered))");
    assert!(one.ok("NOOP").await.lines.is_empty(), "its own change is not told again");
}
