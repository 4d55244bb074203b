//! Many processes for many rounds, and processes killed at any moment, against a server that revokes the whole family of
//! refresh tokens when one is used twice. Hostile cases AU-36 and AU-38.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use postkey_auth::store::{Source, TokenStore, access_token};
use postkey_auth::{Client, Clock, Error, Registration};

use crate::processes::{client_at, role, run, sign_in, spawn, store_in, transport, wanted};
use crate::support::*;

const TEST: &str = "rounds::a_process_of_its_own";
/// How many rounds, instead of 100.
const ROUNDS: &str = "POSTKEY_TEST_ROUNDS";
/// How many kills, instead of 50.
const KILLS: &str = "POSTKEY_TEST_KILLS";
/// In the folder: the reader is to end.
const STOP: &str = "stop";

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |value| value.parse().unwrap())
}

/// The number in `AT-7` and `RT-7`.
fn serial(token: &str) -> u64 {
    token.split_once('-').unwrap().1.parse().unwrap()
}

/// What a child process does; as an ordinary test it has no role and does nothing.
#[test]
fn a_process_of_its_own() {
    let Some((role, address, folder)) = role() else { return };
    match role.as_str() {
        "rounds" => run(async {
            let registration = Registration::public("CLIENT", "");
            let client = Client::with_clock(endpoints(address), registration, transport(), Quick);
            for _ in 0..number(ROUNDS, 100) {
                // Everything anew, as another run of the program would.
                let issued = access_token(&store_in(&folder), &client, &wanted(&client)).await.unwrap();
                let renewed = issued.source == Source::Renewed;
                println!("\nround {} {renewed}", serial(issued.token.expose()));
                while Quick.now() < issued.expires_at {
                    Quick.sleep(Duration::from_millis(20)).await;
                }
            }
        }),
        "read" => {
            let key = wanted(&client_at(address, transport())).key;
            let (mut reads, mut last) = (0u64, 0);
            let mut store = store_in(&folder);
            while !folder.join(STOP).exists() {
                let tokens = store.load(&key).unwrap().unwrap().tokens.unwrap();
                let found = serial(tokens.refresh_token.unwrap().expose());
                assert!(found >= last, "the store went back from {last} to {found}");
                assert_eq!(store.list().unwrap().problems.len(), 0);
                (reads, last) = (reads + 1, found);
                if reads % 100 == 0 {
                    store = store_in(&folder);
                }
                std::thread::sleep(Duration::from_micros(300));
            }
            println!("\nreads {reads}");
        }
        "endless" => {
            let client = client_at(address, transport());
            let store = store_in(&folder);
            println!("\nup");
            loop {
                run(access_token(&store, &client, &wanted(&client))).unwrap();
            }
        }
        other => panic!("{other}"),
    }
}

/// The words behind `name` in a child's output, once it has ended well.
fn lines(child: Child, name: &str) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    shown.lines().filter_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).collect()
}

/// Ends the reader however the test ends.
struct Reader<'a>(&'a Path);

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        std::fs::write(self.0.join(STOP), "").unwrap();
    }
}

/// Eight processes, each for 100 tokens that live for one second (of a clock that runs four times as fast), beside one that
/// reads all the time.
#[test]
fn au_36_eight_processes_make_one_refresh_per_expiry() {
    let rounds = number(ROUNDS, 100);
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::start(1, false);
    sign_in(&server, folder.path());
    let end = Reader(folder.path());
    let reader = spawn(TEST, "read", server.address, folder.path());
    let children: Vec<Child> = (0..8).map(|_| spawn(TEST, "rounds", server.address, folder.path())).collect();
    let mut renewed = BTreeSet::new();
    for child in children {
        let mut last = 0;
        let lines = lines(child, "round ");
        assert_eq!(lines.len() as u64, rounds);
        for line in lines {
            let (serial, fresh) = line.split_once(' ').unwrap();
            let serial = serial.parse().unwrap();
            assert!(serial > last, "a token that was over came again: {serial} after {last}");
            last = serial;
            if fresh == "true" {
                assert!(renewed.insert(serial), "two processes were given token {serial} by the server");
            }
        }
    }
    drop(end);
    let reads: u64 = lines(reader, "reads ")[0].parse().unwrap();
    assert!(!server.revoked());
    assert_eq!(server.early(), 0, "nobody refreshed while the token before was good");
    assert!(server.refreshes() >= rounds);
    assert_eq!(
        renewed,
        (1..=server.refreshes()).collect(),
        "every refresh was somebody's, and none was repeated"
    );
    assert!(reads > rounds, "{reads}");
    eprintln!("{} refreshes for {} tokens, {reads} reads", server.refreshes(), 8 * rounds);
}

/// A child that renews without end, killed some time after it began to.
fn kill_somewhere(server: &StrictServer, folder: &Path, after: Duration) {
    let mut child = spawn(TEST, "endless", server.address, folder);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "up"));
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The refresh token in the store.
fn kept(server: &StrictServer, folder: &Path) -> u64 {
    let key = wanted(&client_at(server.address, transport())).key;
    let store = store_in(folder);
    assert!(store.load(&key).unwrap().unwrap().tokens.is_some(), "it can be read without the lock, too");
    let lock = store.try_lock(&key).unwrap().unwrap();
    let tokens = store.load_locked(&lock, &key).unwrap().unwrap().tokens.unwrap();
    serial(tokens.refresh_token.unwrap().expose())
}

fn moments() -> impl Iterator<Item = Duration> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    let mut state = u64::from_be_bytes(random) | 1;
    eprintln!("seed {state}");
    std::iter::from_fn(move || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(Duration::from_micros(state % 20_000))
    })
}

/// Where a refresh token works until its successor was used, as at Entra and at every server that allows for lost answers, no
/// kill costs a sign-in.
#[test]
fn au_38_fifty_kills_lose_no_refresh_token_where_answers_may_get_lost() {
    let kills = number(KILLS, 50);
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::start(0, true);
    sign_in(&server, folder.path());
    let client = client_at(server.address, transport());
    for (number, moment) in (0..kills).zip(moments()) {
        kill_somewhere(&server, folder.path(), moment);
        let serial = server.serial();
        let kept = kept(&server, folder.path());
        assert!(
            kept == serial || kept + 1 == serial,
            "kill {number}: {kept} is stored, {serial} was issued last"
        );
        let issued = run(access_token(&store_in(folder.path()), &client, &wanted(&client)));
        assert_eq!(issued.unwrap().source, Source::Renewed, "kill {number} after {moment:?}");
    }
    assert!(!server.revoked());
    assert!(
        server.refreshes() > 2 * kills,
        "{} refreshes: the processes were killed at work",
        server.refreshes()
    );
}

/// Where it works once and never again, a kill can cost the one token whose answer was under way; and then it is said.
#[test]
fn au_38_kills_lose_at_most_the_answer_under_way_where_refresh_tokens_work_once() {
    let mut lost = 0;
    let mut place = None;
    for (number, moment) in (0..number(KILLS, 50)).zip(moments()) {
        let (folder, server) = place.get_or_insert_with(|| {
            let (folder, server) = (tempfile::tempdir().unwrap(), StrictServer::start(0, false));
            sign_in(&server, folder.path());
            (folder, server)
        });
        kill_somewhere(server, folder.path(), moment);
        let (serial, kept) = (server.serial(), kept(server, folder.path()));
        let client = client_at(server.address, transport());
        let next = run(access_token(&store_in(folder.path()), &client, &wanted(&client)));
        if kept == serial {
            assert_eq!(next.unwrap().source, Source::Renewed, "kill {number} after {moment:?}");
            assert!(!server.revoked());
            continue;
        }
        assert_eq!(kept + 1, serial, "kill {number} after {moment:?}");
        assert!(matches!(next, Err(Error::SignInAgain(_))), "{next:?}");
        assert_eq!(self::kept(server, folder.path()), kept, "what is stored stays");
        lost += 1;
        place = None;
    }
    eprintln!("{lost} kills between the server's answer and the entry");
}
