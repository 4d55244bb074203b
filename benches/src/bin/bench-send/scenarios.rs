//! What is compared, and what postkey promises of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use postkey_benches::measured::{CommandLine, Row, Verdict, call, clear, find};

use crate::front::Front;
use crate::options::Options;
use crate::sinks::{Counter, SmtpSink};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    what: What,
}

enum What {
    /// Many messages.
    Many { connections: usize, tls: bool },
    /// One large message; the word that the façade's program takes.
    Huge(&'static str),
}

/// Every scenario, in the order in which they run.
pub(crate) const ALL: &[Scenario] = &[
    many("plain-1", "One connection, plain", 1, false),
    many("plain-4", "Four connections, plain", 4, false),
    many("tls-1", "One connection, TLS", 1, true),
    many("tls-4", "Four connections, TLS", 4, true),
    Scenario { name: "data", title: "One large message by DATA", what: What::Huge("data") },
    Scenario { name: "bdat", title: "One large message by BDAT", what: What::Huge("bdat") },
];

const fn many(name: &'static str, title: &'static str, connections: usize, tls: bool) -> Scenario {
    Scenario { name, title, what: What::Many { connections, tls } }
}

const PIPELINED: &str = "raw, pipelined";
const UNPIPELINED: &str = "raw, unpipelined";
const LETTRE: &str = "lettre, TCP_NODELAY forced";
const POSTKEY: &str = "postkey";

/// At least so much of the rate of the pipelined yardstick.
const OF_PIPELINED: f64 = 0.8;
/// At least so many times the rate of lettre.
const OF_LETTRE: f64 = 3.0;
/// At most so many MiB for a message of any size.
const PEAK: f64 = 32.0;

impl Scenario {
    /// How many messages a call sends, and the rows.
    pub(crate) fn measure(&self, options: &Options) -> io::Result<(usize, Vec<Row>)> {
        clear(&options.tmpfs)?;
        fs::create_dir_all(&options.tmpfs)?;
        let measured = match self.what {
            What::Many { connections, tls } => (options.count, in_turns(options, connections, tls)?),
            What::Huge(how) => (1, huge(options, how)?),
        };
        clear(&options.tmpfs)?;
        Ok(measured)
    }

    pub(crate) fn verdicts(&self, rows: &[Row]) -> Vec<Verdict> {
        let judged = match self.what {
            What::Many { .. } => {
                vec![self.rate(rows, PIPELINED, OF_PIPELINED), self.rate(rows, LETTRE, OF_LETTRE)]
            }
            What::Huge(_) => vec![self.peak(rows)],
        };
        judged.into_iter().flatten().collect()
    }

    fn rate(&self, rows: &[Row], theirs: &str, bound: f64) -> Option<Verdict> {
        let of = |label| find(rows, label)?.median(|usage| usage.wall);
        let ratio = of(theirs)? / of(POSTKEY)?;
        let text = format!(
            "{}: {POSTKEY} sends {ratio:.2} × as many messages a second as {theirs} (at least {bound})",
            self.name
        );
        Some(Verdict { text, kept: ratio >= bound })
    }

    fn peak(&self, rows: &[Row]) -> Option<Verdict> {
        let peak = find(rows, POSTKEY)?.peak()?;
        let text = format!("{}: {POSTKEY} peaks at {peak:.1} MiB (at most {PEAK})", self.name);
        Some(Verdict { text, kept: peak <= PEAK })
    }
}

fn in_turns(options: &Options, connections: usize, tls: bool) -> io::Result<Vec<Row>> {
    let sink = SmtpSink::start()?;
    let front = if tls { Some(Front::start(sink.at(), &options.tmpfs)?) } else { None };
    let at = front.as_ref().map_or(sink.at(), Front::at);
    let ca = front.as_ref().map(Front::ca);
    let file = options.tmpfs.join("message");
    fs::write(&file, message())?;
    let call_of = |program: &str, first: Option<&str>, last: Option<&str>| -> io::Result<CommandLine> {
        let (count, connections, at) = (options.count.to_string(), connections.to_string(), at.to_string());
        let words = [text(&built(program)?)].into_iter().chain(first.map(str::to_owned));
        let words = words.chain([at, count, connections, text(&file)]).chain(last.map(str::to_owned));
        Ok(words.chain(ca.map(text)).collect())
    };
    let mut calls = vec![
        (Row::new(PIPELINED), call_of("rawsend", None, Some("pipelined"))?),
        (Row::new(UNPIPELINED), call_of("rawsend", None, Some("unpipelined"))?),
        (Row::new(POSTKEY), call_of("facade", Some("send"), None)?),
    ];
    match call_of("../bench-peers/release/lettre-send", None, None) {
        Ok(line) => calls.push((Row::new(LETTRE), line)),
        Err(e) => eprintln!("  {LETTRE}: left out: {e}"),
    }
    let programs = calls.len();
    for turn in 0..options.runs {
        for n in 0..programs {
            let (row, line) = &mut calls[(turn + n) % programs];
            call_once(&options.tmpfs, row, line)?;
        }
    }
    Ok(calls.into_iter().map(|(row, _)| row).collect())
}

fn huge(options: &Options, how: &str) -> io::Result<Vec<Row>> {
    let (server, octets) = (Counter::start()?, options.huge << 20);
    let line = [&text(&built("facade")?), "huge", &server.at().to_string(), &octets.to_string(), how];
    let (line, mut row) = (line.map(str::to_owned).to_vec(), Row::new(POSTKEY));
    for _ in 0..options.runs {
        call_once(&options.tmpfs, &mut row, &line)?;
        let taken = server.take();
        if row.failure.is_none() && taken != octets {
            row.failure = Some(format!("the server took {taken} of {octets} octets"));
        }
    }
    Ok(vec![row])
}

fn call_once(dir: &Path, row: &mut Row, line: &CommandLine) -> io::Result<()> {
    if row.failure.is_some() {
        return Ok(());
    }
    match call(dir, line)? {
        Ok(usage) => row.usages.push(usage),
        Err(why) => {
            eprintln!("  {}: {why}", row.label);
            row.failure = Some(why);
        }
    }
    Ok(())
}

/// A message of 10 KiB: a header and lines of text, none of which begins with a dot.
fn message() -> Vec<u8> {
    const LINE: &[u8] = b"A line of text, as long as lines of text in messages are on the whole.\r\n";
    let mut message = b"From: a@example.org\r\nTo: b@example.com\r\nSubject: measured\r\n\r\n".to_vec();
    while message.len() < 10 << 10 {
        let room = (10 << 10) - message.len();
        match room {
            room if room >= 2 * LINE.len() => message.extend(LINE),
            room => {
                message.extend(std::iter::repeat_n(b'x', room - 2));
                message.extend(b"\r\n");
            }
        }
    }
    message
}

fn built(relative: &str) -> io::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(relative);
    if program.is_file() {
        Ok(program)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, format!("{} is not there", program.display())))
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkey_benches::measured::Usage;

    fn row(label: &str, wall: f64, rss: f64) -> Row {
        Row { usages: vec![Usage { wall, cpu: wall, rss }], ..Row::new(label) }
    }

    #[test]
    fn bounds_are_judged() {
        let kept = |scenario: &Scenario, rows: &[Row]| -> Vec<bool> {
            scenario.verdicts(rows).iter().map(|verdict| verdict.kept).collect()
        };
        let rows = [row(PIPELINED, 0.7, 3.0), row(LETTRE, 3.1, 9.0), row(POSTKEY, 1.0, 9.0)];
        assert_eq!(kept(&ALL[0], &rows), [false, true]);
        assert!(kept(&ALL[0], &rows[..2]).is_empty());
        assert_eq!(kept(&ALL[5], &[row(POSTKEY, 1.0, 32.5)]), [false]);
    }

    #[test]
    fn the_message_is_what_the_yardstick_may_send() {
        let message = message();
        assert_eq!(message.len(), 10 << 10);
        assert!(message.ends_with(b"\r\n"));
        assert!(message.split(|&o| o == b'\n').all(|line| !line.starts_with(b".") && line.len() < 1000));
    }
}
