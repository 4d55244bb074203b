//! The well-behaved POP3 server around a case: two small messages, everything accepted.

use std::io;

use super::player::{Player, done};
use super::substitute::Command;

const MESSAGE: &str = "From: a@x\r\nTo: b@x\r\nSubject: one\r\n\r\nhello one\r\n";

/// Speaks until the connection ends, which is always an error.
pub(super) fn run(player: &mut Player<'_>) -> io::Result<()> {
    let case = player.case;
    player.greet("+OK ready\r\n")?;
    loop {
        let (verb, arguments) = player.command()?;
        match case.on.get(&verb) {
            Some(segments) if !(verb == "STLS" && player.tls) => {
                player.play(segments, Command { tag: "", arguments: &arguments })?;
            }
            _ => answer(player, &verb, &arguments)?,
        }
    }
}

fn answer(player: &mut Player<'_>, verb: &str, arguments: &str) -> io::Result<()> {
    let size = MESSAGE.len();
    let text = match verb {
        "CAPA" => {
            let stls = if player.tls { "" } else { "STLS\r\n" };
            format!("+OK\r\nUSER\r\nUIDL\r\nTOP\r\nSASL PLAIN XOAUTH2\r\n{stls}.\r\n")
        }
        "STLS" => {
            player.send(b"+OK\r\n")?;
            return player.upgrade();
        }
        "AUTH" => {
            if !arguments.contains(' ') {
                player.send(b"+ \r\n")?;
                player.line()?;
            }
            "+OK\r\n".into()
        }
        "STAT" => format!("+OK 2 {}\r\n", 2 * size),
        "LIST" if arguments.is_empty() => format!("+OK\r\n1 {size}\r\n2 {size}\r\n.\r\n"),
        "LIST" => format!("+OK {arguments} {size}\r\n"),
        "UIDL" if arguments.is_empty() => "+OK\r\n1 aa\r\n2 bb\r\n.\r\n".into(),
        "UIDL" => format!("+OK {arguments} aa\r\n"),
        "RETR" | "TOP" => format!("+OK\r\n{MESSAGE}.\r\n"),
        "QUIT" => {
            player.send(b"+OK\r\n")?;
            return Err(done());
        }
        "USER" | "PASS" | "NOOP" | "DELE" | "RSET" | "APOP" => "+OK\r\n".into(),
        _ => "-ERR\r\n".into(),
    };
    player.send(text.as_bytes())
}
