//! SV-05: several connections change one mailbox at once; none ever loses count.

mod common;

use common::imap::*;
use postkey_sandbox::{ANA, Sandbox};

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }
}

/// How many messages the client believes in after these lines.
fn count(mut known: u64, lines: &[Vec<u8>]) -> u64 {
    for line in lines {
        let text = String::from_utf8_lossy(line);
        let mut words = text.split(' ').skip(1);
        let number = words.next().and_then(|n| n.parse::<u64>().ok());
        match (number, words.next()) {
            (Some(n), Some("EXISTS")) => {
                assert!(n >= known, "EXISTS must not shrink a mailbox: {known} → {n}");
                known = n;
            }
            (Some(n), Some("EXPUNGE")) => {
                assert!((1..=known).contains(&n), "EXPUNGE {n} of {known}");
                known -= 1;
            }
            (Some(n), Some("FETCH")) => assert!((1..=known).contains(&n), "FETCH {n} of {known}"),
            _ => {}
        }
    }
    known
}

async fn client(mut raw: Raw, seed: u64) {
    let mut dice = Dice(seed);
    let mut known = count(0, &raw.ok("SELECT Stress").await.lines);
    for step in 0..60 {
        let (any, uid) = (dice.below(known.max(1)) + 1, dice.below(80) + 1);
        let command = match dice.below(10) {
            0 | 1 => "APPEND Stress {3+}\r\na\r\n".to_owned(),
            2 if known > 0 => format!("FETCH {any} (UID FLAGS BODY.PEEK[])"),
            3 => format!("UID FETCH {uid}:* FLAGS"),
            4 if known > 0 => format!("STORE {any} +FLAGS (\\Deleted)"),
            5 => "EXPUNGE".to_owned(),
            6 => format!("UID MOVE {uid} Archive"),
            7 => format!("UID COPY {uid}:{} Stress", uid + 1),
            8 => format!("UID STORE {uid}:* FLAGS (\\Seen)"),
            _ => "NOOP".to_owned(),
        };
        let answer = raw.ok(&command).await;
        known = count(known, &answer.lines);
        if step % 10 == 9 {
            known = count(known, &raw.ok("NOOP").await.lines);
            let found = raw.ok("SEARCH ALL").await;
            let numbers: Vec<u64> = found
                .lines
                .iter()
                .filter(|l| l.starts_with(b"* SEARCH"))
                .flat_map(|l| {
                    let text = String::from_utf8_lossy(l).into_owned();
                    text.split(' ').skip(2).map(|n| n.parse().unwrap()).collect::<Vec<u64>>()
                })
                .collect();
            // SEARCH speaks of what was there when it began; expunges wait.
            assert!(numbers.iter().all(|n| *n <= known), "{numbers:?} of {known}");
            known = count(known, &found.lines);
        }
    }
    raw.ok("LOGOUT").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_loses_count() {
    let sandbox = Sandbox::builder().messages(0).start().await.unwrap();
    let mailbox = sandbox.mailbox(ANA).unwrap();
    mailbox.create("Stress").unwrap();
    for n in 0..20 {
        mailbox.deliver("Stress", n, b"Subject: x\r\n\r\ny\r\n").unwrap();
    }
    let mut clients = tokio::task::JoinSet::new();
    for seed in 0..6 {
        clients.spawn(client(Raw::signed_in(&sandbox, ANA).await, seed));
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
}
