//! The well-behaved server around a case: INBOX with three small messages, everything accepted.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;

use super::case::Start;
use super::player::{Player, done};
use super::substitute::{Command, asks_for_body, body_item, latin1};

const MESSAGE: &str = "From: a@x\r\nTo: b@x\r\nSubject: one\r\n\r\nhello one\r\n";
const MESSAGES: u32 = 3;

/// No case needs a larger literal from the client.
const MAX_LITERAL: usize = 16 << 20;

/// Speaks until the connection ends, which is always an error.
pub(super) fn run(player: &mut Player<'_>) -> io::Result<()> {
    let case = player.case;
    let capabilities = case.caps.clone().unwrap_or_else(|| {
        match case.tls {
            Start::Starttls => "IMAP4rev1 STARTTLS LOGINDISABLED",
            _ => "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=LOGIN IDLE UIDPLUS",
        }
        .to_owned()
    });
    player.greet(&format!("* OK [CAPABILITY {capabilities}] hi\r\n"))?;
    loop {
        let line = player.line()?;
        let line = latin1(&line);
        let mut words = line.splitn(3, ' ');
        let (Some(tag), Some(verb)) = (words.next(), words.next()) else {
            if !line.is_empty() {
                player.send(b"* BAD ?\r\n")?;
            }
            continue;
        };
        let mut arguments = words.next().unwrap_or_default().to_owned();
        read_literals(player, &mut arguments)?;
        let mut verb = verb.to_ascii_uppercase();
        if verb == "UID" {
            let (second, rest) = arguments.split_once(' ').unwrap_or((&arguments, ""));
            (verb, arguments) = (second.to_ascii_uppercase(), rest.to_owned());
        }
        let key = match verb.as_str() {
            // What is wrong with a SELECT is as wrong for a client that only reads.
            "EXAMINE" if !case.on.contains_key("EXAMINE") => "SELECT",
            "FETCH" if asks_for_body(&arguments) => "FETCH_BODY",
            "FETCH" => "FETCH_META",
            other => other,
        };
        let command = Command { tag, arguments: &arguments };
        match case.on.get(key) {
            Some(segments) if !(key == "STARTTLS" && player.tls) => player.play(segments, command)?,
            _ => answer(player, &verb, command, &capabilities)?,
        }
    }
}

/// Synchronising literals are asked for, non-synchronising ones read.
fn read_literals(player: &mut Player<'_>, arguments: &mut String) -> io::Result<()> {
    while let Some((start, count, synchronising)) = announced(arguments) {
        if count > MAX_LITERAL {
            return Err(io::Error::other("the client announced a literal that no case needs"));
        }
        if synchronising {
            player.send(b"+ ok\r\n")?;
        }
        arguments.truncate(start);
        arguments.push_str(&latin1(&player.exactly(count)?));
        arguments.push_str(&latin1(&player.line()?));
    }
    Ok(())
}

/// `{12}` or `{12+}` at the end: where it starts, the count, and whether the client waits.
fn announced(arguments: &str) -> Option<(usize, usize, bool)> {
    let inner = arguments.strip_suffix('}')?;
    let start = inner.rfind('{')?;
    let number = &inner[start + 1..];
    let (number, synchronising) = match number.strip_suffix('+') {
        Some(number) => (number, false),
        None => (number, true),
    };
    Some((start, number.parse().ok()?, synchronising))
}

fn answer(player: &mut Player<'_>, verb: &str, command: Command<'_>, capabilities: &str) -> io::Result<()> {
    let Command { tag, arguments } = command;
    let untagged = match verb {
        "LOGIN" | "NOOP" | "ENABLE" | "STORE" | "CLOSE" | "CREATE" | "SUBSCRIBE" | "CHECK" | "EXPUNGE"
        | "UNSELECT" => String::new(),
        "CAPABILITY" if player.tls => "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\n".into(),
        "CAPABILITY" => format!("* CAPABILITY {capabilities}\r\n"),
        "STARTTLS" => {
            player.send(format!("{tag} OK go\r\n").as_bytes())?;
            return player.upgrade();
        }
        "AUTHENTICATE" => {
            if !arguments.contains(' ') {
                player.send(b"+ \r\n")?;
                player.line()?;
            }
            String::new()
        }
        "ID" => "* ID NIL\r\n".into(),
        "NAMESPACE" => "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".into(),
        "LIST" | "LSUB" => format!("* {verb} (\\HasNoChildren) \"/\" INBOX\r\n"),
        "SELECT" | "EXAMINE" => {
            let flags = "* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] x\r\n";
            let state = "* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 100] x\r\n* OK [UIDNEXT 4] x\r\n";
            return player.send(format!("{flags}{state}{tag} OK [READ-WRITE] done\r\n").as_bytes());
        }
        "STATUS" => "* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 100 UNSEEN 3)\r\n".into(),
        "SEARCH" => "* SEARCH 1 2 3\r\n".into(),
        "FETCH" => fetched(arguments),
        "IDLE" => {
            player.send(b"+ idling\r\n")?;
            player.line()?;
            String::new()
        }
        "LOGOUT" => {
            player.send(format!("* BYE\r\n{tag} OK\r\n").as_bytes())?;
            return Err(done());
        }
        _ => return player.send(format!("{tag} BAD unknown\r\n").as_bytes()),
    };
    player.send(format!("{untagged}{tag} OK done\r\n").as_bytes())
}

/// The three messages, as far as they were asked for.
fn fetched(arguments: &str) -> String {
    let upper = arguments.to_ascii_uppercase();
    let mut out = String::new();
    for number in numbers(arguments) {
        let _ = write!(out, "* {number} FETCH (UID {number}");
        if upper.contains("FLAGS") {
            out.push_str(" FLAGS ()");
        }
        if upper.contains("RFC822.SIZE") {
            let _ = write!(out, " RFC822.SIZE {}", MESSAGE.len());
        }
        if upper.contains("INTERNALDATE") {
            out.push_str(" INTERNALDATE \"01-Jan-2026 00:00:00 +0000\"");
        }
        if let Some(item) = body_item(arguments) {
            let name = item.replace(".PEEK", "");
            let (header, text) = MESSAGE.split_at(MESSAGE.find("\r\n\r\n").map_or(0, |at| at + 4));
            let data = match &name {
                name if name.contains("HEADER") => header,
                name if name.contains("TEXT") => text,
                _ => MESSAGE,
            };
            let _ = write!(out, " {name} {{{}}}\r\n{data}", data.len());
        }
        out.push_str(")\r\n");
    }
    out
}

/// The message numbers of a sequence set that exist, each once. Numbers and UIDs are the same here.
fn numbers(arguments: &str) -> BTreeSet<u32> {
    let end = arguments.find(|c: char| !matches!(c, '0'..='9' | ':' | '*' | ',')).unwrap_or(arguments.len());
    let number = |text: &str| if text == "*" { Some(MESSAGES) } else { text.parse().ok() };
    let range = |part: &str| {
        let (low, high) = part.split_once(':').unwrap_or((part, part));
        let (low, high) = (number(low)?, number(high)?);
        Some(low.min(high).max(1)..=low.max(high).min(MESSAGES))
    };
    arguments[..end].split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_sets() {
        let set = |text| numbers(text).into_iter().collect::<Vec<_>>();
        assert_eq!(set("1:* (FLAGS)"), [1, 2, 3]);
        assert_eq!(set("*:2"), [2, 3]);
        assert_eq!(set("1,3,3:4294967295"), [1, 3]);
        assert_eq!(set("0,7"), [] as [u32; 0]);
    }

    #[test]
    fn literals_at_the_end_of_a_line() {
        assert_eq!(announced("INBOX {12}"), Some((6, 12, true)));
        assert_eq!(announced("INBOX {12+}"), Some((6, 12, false)));
        assert_eq!(announced("a{b}"), None);
        assert_eq!(announced("{5} "), None);
    }
}
