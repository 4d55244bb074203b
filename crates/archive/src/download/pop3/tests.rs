//! Downloads from a maildrop that changes, breaks off and refuses.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postkey::{Credential, Roots, Security, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Options;

/// A maildrop and how its server behaves.
#[derive(Default)]
struct Maildrop {
    /// What UIDL says, and the message.
    messages: Vec<(String, String)>,
    /// The connection is cut inside the message after so many.
    cut_after: Option<usize>,
    /// QUIT is refused and nothing deleted.
    quit_refused: bool,
    /// Everything that clients said.
    said: Vec<String>,
}

type Shared = Arc<Mutex<Maildrop>>;

impl Maildrop {
    fn of(messages: &[(&str, &str)]) -> Shared {
        let messages = messages.iter().map(|(u, m)| ((*u).to_owned(), (*m).to_owned())).collect();
        Arc::new(Mutex::new(Self { messages, ..Self::default() }))
    }
}

async fn serve(drop: Shared) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = session(stream, &drop).await;
        }
    });
    Server::pop3("127.0.0.1", Roots::mozilla()).port(port).security(Security::DangerousPlaintext)
}

async fn session(stream: TcpStream, drop: &Shared) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let messages = drop.lock().unwrap().messages.clone();
    let mut deleted = BTreeSet::new();
    write.write_all(b"+OK\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let listing = |each: &dyn Fn(usize) -> String| {
            let lines: String = (0..messages.len()).map(|n| format!("{} {}\r\n", n + 1, each(n))).collect();
            format!("+OK\r\n{lines}.\r\n")
        };
        let number = argument.parse::<usize>().unwrap_or(0);
        let mut cut = false;
        let reply = match verb {
            "CAPA" => "+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\n.\r\n".into(),
            "STAT" => format!("+OK {} 1\r\n", messages.len()),
            "UIDL" => listing(&|n| messages[n].0.clone()),
            "LIST" => listing(&|n| messages[n].1.len().to_string()),
            "RETR" => {
                let mut drop = drop.lock().unwrap();
                let whole = format!("+OK\r\n{}.\r\n", messages[number - 1].1);
                match &mut drop.cut_after {
                    Some(0) => {
                        cut = true;
                        drop.cut_after = None;
                        whole[..whole.len() - 6].to_owned()
                    }
                    Some(n) => {
                        *n -= 1;
                        whole
                    }
                    None => whole,
                }
            }
            "DELE" => {
                deleted.insert(number - 1);
                "+OK\r\n".into()
            }
            "QUIT" => {
                let mut drop = drop.lock().unwrap();
                cut = true;
                if drop.quit_refused {
                    "-ERR not deleted\r\n".into()
                } else {
                    let kept = messages.iter().enumerate().filter(|(n, _)| !deleted.contains(n));
                    drop.messages = kept.map(|(_, m)| m.clone()).collect();
                    "+OK\r\n".into()
                }
            }
            _ => "+OK\r\n".into(),
        };
        drop.lock().unwrap().said.push(verb.to_owned());
        write.write_all(reply.as_bytes()).await?;
        if cut {
            return Ok(());
        }
    }
    Ok(())
}

async fn run(server: &Server, root: &Path, keep: Keep, options: Options) -> Ended {
    let mut plan = Plan { keep, ..Plan::default() };
    plan.patience.first = Duration::ZERO;
    let credential = Credential::Password { user: "ana".into(), password: "secret".into() };
    let maildir = Maildir::open(root, options).unwrap();
    Download::new(server.clone(), credential, plan).run(&maildir, &mut (), std::future::pending()).await
}

async fn complete(server: &Server, root: &Path, keep: Keep) -> FolderReport {
    let mut ended = run(server, root, keep, Options::default()).await;
    assert!(ended.error.is_none(), "{ended:?}");
    assert!(ended.report.is_complete(), "{ended:?}");
    ended.report.folders.remove(0)
}

/// The messages on disk, sorted.
fn stored(root: &Path) -> Vec<String> {
    let files = ["cur", "new"].into_iter().flat_map(|part| fs::read_dir(root.join(part)).unwrap());
    let mut all: Vec<String> = files.map(|f| fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    all.sort();
    all
}

fn said(drop: &Shared, verb: &str) -> usize {
    std::mem::take(&mut drop.lock().unwrap().said).iter().filter(|v| *v == verb).count()
}

#[tokio::test]
async fn what_is_there_is_not_downloaded_again_also_under_other_numbers() {
    let drop = Maildrop::of(&[("a", "one\r\n"), ("b", "two\r\n")]);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let report = complete(&server, dir.path(), Keep::All).await;
    assert_eq!((report.stored, report.already, report.unstable), (2, 0, false));
    assert_eq!(said(&drop, "RETR"), 2);
    // The first is gone: the second is number 1 now.
    drop.lock().unwrap().messages.remove(0);
    drop.lock().unwrap().messages.push(("c".into(), "three\r\n".into()));
    let report = complete(&server, dir.path(), Keep::All).await;
    assert_eq!((report.stored, report.already, report.deleted), (1, 2, 0));
    assert_eq!(said(&drop, "RETR"), 1);
    assert_eq!(stored(dir.path()), ["one\r\n", "three\r\n", "two\r\n"]);
}

#[tokio::test]
async fn a_cut_connection_goes_on_where_it_was() {
    // PO-04
    let drop = Maildrop::of(&[("a", "one\r\n"), ("b", "two\r\n"), ("c", "three\r\n")]);
    drop.lock().unwrap().cut_after = Some(1);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let report = complete(&server, dir.path(), Keep::Days(0)).await;
    assert_eq!((report.stored, report.deleted), (3, 3));
    assert_eq!(stored(dir.path()), ["one\r\n", "three\r\n", "two\r\n"]);
    let said = std::mem::take(&mut drop.lock().unwrap().said);
    // Nothing is marked before everything is here.
    let first_dele = said.iter().position(|v| v == "DELE").unwrap();
    assert!(!said[first_dele..].contains(&"RETR".to_owned()), "{said:?}");
    assert!(drop.lock().unwrap().messages.is_empty());
}

#[tokio::test]
async fn deletions_that_are_refused_lose_nothing_and_store_nothing_twice() {
    // PO-09
    let drop = Maildrop::of(&[("a", "one\r\n"), ("b", "two\r\n")]);
    drop.lock().unwrap().quit_refused = true;
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let report = complete(&server, dir.path(), Keep::Days(0)).await;
    assert_eq!((report.stored, report.deleted), (2, 0));
    assert!(matches!(&report.undeleted, Some(Why::Refused(_))), "{report:?}");
    assert_eq!(said(&drop, "RETR"), 2);
    drop.lock().unwrap().quit_refused = false;
    let report = complete(&server, dir.path(), Keep::Days(0)).await;
    assert_eq!((report.stored, report.deleted, report.undeleted), (0, 2, None));
    assert_eq!(said(&drop, "RETR"), 0);
    assert_eq!(stored(dir.path()), ["one\r\n", "two\r\n"]);
}

#[tokio::test]
async fn what_is_young_stays_on_the_server() {
    let drop = Maildrop::of(&[("a", "one\r\n")]);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(complete(&server, dir.path(), Keep::Days(7)).await.deleted, 0);
    assert_eq!(said(&drop, "DELE"), 0);
    assert_eq!(drop.lock().unwrap().messages.len(), 1);
}

#[tokio::test]
async fn messages_that_share_a_unique_id_are_all_stored_and_recognised_by_content() {
    // PO-03
    let messages = [("dup", "one\r\n"), ("dup", "two\r\n"), ("has space", "three\r\n"), ("d", "four\r\n")];
    let drop = Maildrop::of(&messages);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let report = complete(&server, dir.path(), Keep::All).await;
    assert_eq!((report.stored, report.unstable), (4, true));
    assert_eq!(said(&drop, "RETR"), 4);
    let report = complete(&server, dir.path(), Keep::All).await;
    assert_eq!((report.stored, report.already), (0, 4));
    assert_eq!(said(&drop, "RETR"), 3);
    assert_eq!(stored(dir.path()), ["four\r\n", "one\r\n", "three\r\n", "two\r\n"]);
    // They are deleted all the same, because each is known to be here.
    assert_eq!(complete(&server, dir.path(), Keep::Days(0)).await.deleted, 4);
}

#[tokio::test]
async fn without_its_file_messages_are_recognised_by_content() {
    let drop = Maildrop::of(&[("a", "one\r\n"), ("b", "two\r\n")]);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    complete(&server, dir.path(), Keep::All).await;
    fs::remove_file(dir.path().join("postkey.uidl")).unwrap();
    let report = complete(&server, dir.path(), Keep::All).await;
    assert_eq!((report.stored, report.recognised), (0, 2));
    assert_eq!(stored(dir.path()), ["one\r\n", "two\r\n"]);
}

#[tokio::test]
async fn nothing_is_deleted_where_nothing_is_durable() {
    let drop = Maildrop::of(&[("a", "one\r\n")]);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let options = Options { durability: Durability::None, ..Options::default() };
    let ended = run(&server, dir.path(), Keep::Days(0), options).await;
    assert!(matches!(ended.error, Some(Error::Archive(crate::Error::Misuse(_)))), "{ended:?}");
    assert!(drop.lock().unwrap().said.is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_reported_and_does_not_stop_the_others() {
    let large = format!("{}\r\n", "x".repeat(500));
    let drop = Maildrop::of(&[("a", &large), ("b", "two\r\n")]);
    let server = serve(drop.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan { max_message: 100, keep: Keep::Days(0), ..Plan::default() };
    let credential = Credential::Password { user: "ana".into(), password: "secret".into() };
    let maildir = Maildir::open(dir.path(), Options::default()).unwrap();
    let ended = Download::new(server, credential, plan).run(&maildir, &mut (), std::future::pending()).await;
    assert!(ended.error.is_none() && !ended.report.is_complete(), "{ended:?}");
    let report = &ended.report.folders[0];
    assert_eq!((report.stored, report.missing.len(), report.deleted), (1, 1, 1));
    // What is not here is not deleted there.
    assert_eq!(drop.lock().unwrap().messages[0].0, "a");
}
