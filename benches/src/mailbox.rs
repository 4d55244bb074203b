//! The mailbox that is downloaded: deterministic, of a size and mixture like a real one.
//!
//! Sizes are lognormal with a median of 8 KB (σ 0.95), at least 600 B and at most 1.5 MB, and twelve messages of
//! 2 to 6 MB in a mailbox of 1000 or more: 20,000 messages are about 300 MB. Messages over 30 KB carry an attachment in
//! base64. 90 % are seen. Lines end in LF on disk, as most servers store them; a server sends CRLF.

use std::fmt::Write as _;
use std::fs::{self, File, FileTimes};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When the first message arrived; each of the others a second later. Seconds since 1970.
const FIRST: u64 = 1_750_000_000;
const MEDIAN: f64 = 8_000.0;
const SIGMA: f64 = 0.95;
const LARGE: usize = 12;
/// From here on a message has an attachment.
const ATTACHED: usize = 30_000;

const WORDS: &[&str] = &[
    "the",
    "of",
    "and",
    "report",
    "meeting",
    "invoice",
    "quarterly",
    "project",
    "update",
    "review",
    "release",
    "budget",
    "schedule",
    "design",
    "draft",
    "attached",
    "please",
    "team",
    "customer",
    "server",
    "backup",
    "alert",
    "notice",
    "weekly",
    "build",
    "status",
    "failed",
    "passed",
    "question",
    "answer",
    "regarding",
    "contract",
];
const PEOPLE: &[&str] = &["alice", "bob", "carol", "dave"];

/// A generator of messages. The same seed and index give the same message.
#[derive(Debug)]
pub struct Mailbox {
    count: usize,
    seed: u64,
    text: String,
    base64: String,
}

/// One message and what its file says besides.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The message, with LF line ends.
    pub bytes: Vec<u8>,
    /// The letters after `:2,` in the file's name, in order.
    pub flags: String,
}

impl Mailbox {
    /// A mailbox of so many messages.
    pub fn new(count: usize, seed: u64) -> Self {
        let mut random = Random::new(seed, u64::MAX);
        let mut text = String::with_capacity(2 << 20);
        while text.len() < 2 << 20 {
            let words: Vec<_> = (0..random.between(4, 12)).map(|_| random.choose(WORDS)).collect();
            let _ = writeln!(text, "{}", words.join(" "));
        }
        let mut base64 = String::with_capacity(7 << 20);
        while base64.len() < (6 << 20) + 4096 {
            for _ in 0..76 {
                base64.push(char::from(
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                        [random.between(0, 63)],
                ));
            }
            base64.push('\n');
        }
        Self { count, seed, text, base64 }
    }

    /// One message. Nothing but the seed and the index decides what it is.
    pub fn message(&self, index: usize) -> Message {
        let mut random = Random::new(self.seed, index as u64);
        let size = self.size(index, &mut random);
        let person = random.choose(PEOPLE);
        let (day, minute) = (1 + index % 28, index % 60);
        let subject: Vec<_> = (0..random.between(2, 9)).map(|_| random.choose(WORDS)).collect();
        let mut head = format!(
            "Return-Path: <{person}@example.org>\n\
             Received: from mx.example.org (mx.example.org [192.0.2.{}])\n\
             \tby mail.example.com with ESMTPS id {:X}\n\
             \tfor <perf@example.com>; Mon, {day:02} Jun 2026 10:{minute:02}:00 +0000\n\
             Date: Mon, {day:02} Jun 2026 10:{minute:02}:00 +0000\n\
             From: {person} <{person}@example.org>\n\
             To: Perf Test <perf@example.com>\n\
             Subject: {}\n\
             Message-ID: <{:x}.{index:x}@example.org>\n\
             MIME-Version: 1.0\n",
            index % 250,
            random.next(),
            subject.join(" "),
            random.next(),
        );
        if size > ATTACHED {
            let boundary = format!("=_{:x}", random.next());
            let text = slice_of(&self.text, 2_000, &mut random);
            let data = slice_of(&self.base64, size.saturating_sub(2_600), &mut random);
            let _ = write!(
                head,
                "Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n\
                 --{boundary}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\
                 --{boundary}\nContent-Type: application/pdf; name=\"f{index}.pdf\"\n\
                 Content-Transfer-Encoding: base64\n\
                 Content-Disposition: attachment; filename=\"f{index}.pdf\"\n\n{data}\n--{boundary}--\n"
            );
        } else {
            let text = slice_of(&self.text, size.saturating_sub(head.len() + 41).max(50), &mut random);
            let _ = writeln!(head, "Content-Type: text/plain; charset=utf-8\n\n{}", text.trim_end());
        }
        let mut flags = String::new();
        for (letter, percent) in [('F', 5), ('R', 20), ('S', 90)] {
            if random.between(0, 99) < percent {
                flags.push(letter);
            }
        }
        Message { bytes: head.into_bytes(), flags }
    }

    fn size(&self, index: usize, random: &mut Random) -> usize {
        let every = self.count / LARGE;
        let is_large = self.count >= 1000 && index % every == every / 2 && index / every < LARGE;
        if is_large {
            return random.between(2 << 20, 6 << 20);
        }
        (MEDIAN.ln() + SIGMA * random.normal()).exp().clamp(600.0, 1.5e6) as usize
    }

    /// Writes all messages into `cur` of a Maildir and returns their octets.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, maildir: &Path) -> io::Result<u64> {
        make_maildir(maildir)?;
        let mut total = 0;
        for index in 0..self.count {
            let Message { bytes, flags } = self.message(index);
            let seconds = FIRST + index as u64;
            let name = format!("{seconds}.M{index}P1.perf,S={}:2,{flags}", bytes.len());
            let mut file = File::create(maildir.join("cur").join(name))?;
            file.write_all(&bytes)?;
            file.set_times(FileTimes::new().set_modified(arrived(seconds)))?;
            total += bytes.len() as u64;
        }
        Ok(total)
    }
}

/// Writes a Maildir with a single message of that many octets.
///
/// # Errors
/// When the file cannot be written.
pub fn write_huge(maildir: &Path, octets: u64) -> io::Result<()> {
    make_maildir(maildir)?;
    let path = maildir.join("cur").join(format!("{FIRST}.M0P1.perf:2,S"));
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    file.write_all(b"From: alice@example.org\r\nTo: perf@example.com\r\nSubject: large\r\n\r\n")?;
    let line = [&[b'x'; 76][..], b"\r\n"].concat().repeat(1024);
    let mut left = octets.saturating_sub(64);
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(line.len());
        file.write_all(&line[..now])?;
        left -= now as u64;
    }
    file.into_inner()?.set_times(FileTimes::new().set_modified(arrived(FIRST)))
}

fn make_maildir(maildir: &Path) -> io::Result<()> {
    ["cur", "new", "tmp"].iter().try_for_each(|sub| fs::create_dir_all(maildir.join(sub)))
}

fn arrived(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A piece of a text from a random place, all of it ASCII.
fn slice_of<'a>(text: &'a str, len: usize, random: &mut Random) -> &'a str {
    let len = len.min(text.len() - 1);
    let start = random.between(0, text.len() - len - 1);
    &text[start..start + len]
}

/// SplitMix64: small, good enough for data, and the same on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Both ends are included.
    fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    fn choose<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.between(0, from.len() - 1)]
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let unit = |bits: u64| ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        let (a, b) = (unit(self.next()), unit(self.next()));
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_decides() {
        let (one, same, other) = (Mailbox::new(2000, 42), Mailbox::new(2000, 42), Mailbox::new(2000, 43));
        for index in [0, 7, 1999] {
            assert_eq!(one.message(index), same.message(index));
            assert_ne!(one.message(index), other.message(index));
        }
        assert_ne!(one.message(1), one.message(2));
    }

    #[test]
    fn the_mixture_is_that_of_a_mailbox() {
        let mailbox = Mailbox::new(2000, 42);
        let messages: Vec<Message> = (0..2000).map(|index| mailbox.message(index)).collect();
        let mut sizes: Vec<usize> = messages.iter().map(|message| message.bytes.len()).collect();
        sizes.sort_unstable();
        let median = sizes[sizes.len() / 2];
        assert!((7_000..9_000).contains(&median), "median {median}");
        assert_eq!(sizes.iter().filter(|size| **size > 1_900_000).count(), LARGE);
        let ordinary: usize = sizes[..sizes.len() - LARGE].iter().sum::<usize>() / (sizes.len() - LARGE);
        assert!((11_000..14_500).contains(&ordinary), "mean of the others {ordinary}"); // e^(σ²/2) of the median
        let seen = messages.iter().filter(|message| message.flags.contains('S')).count();
        assert!((1_740..1_860).contains(&seen), "{seen} seen");
    }

    #[test]
    fn messages_are_well_formed() {
        let mailbox = Mailbox::new(3000, 1);
        let mut attached = 0;
        for index in 0..3000 {
            let text = String::from_utf8(mailbox.message(index).bytes).unwrap();
            let (head, body) = text.split_once("\n\n").unwrap();
            assert!(text.is_ascii() && text.ends_with('\n') && !text.contains('\r'));
            assert!(text.lines().all(|line| line.len() <= 998), "RFC 5322, section 2.1.1");
            assert!(head.contains("\nSubject: ") && head.contains("\nMessage-ID: <"));
            if let Some((_, boundary)) = head.split_once("boundary=\"") {
                let boundary = boundary.split('"').next().unwrap();
                assert_eq!(body.matches(&format!("--{boundary}")).count(), 3);
                attached += 1;
            }
        }
        assert!(attached > 100, "{attached} with an attachment");
    }
}
