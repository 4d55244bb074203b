//! The well-behaved SMTP server around a case: everything accepted.

use std::io;

use super::case::Start;
use super::player::{Player, done};
use super::substitute::Command;

/// Speaks until the connection ends, which is always an error.
pub(super) fn run(player: &mut Player<'_>) -> io::Result<()> {
    let case = player.case;
    player.greet("220 x ESMTP\r\n")?;
    loop {
        let (verb, arguments) = player.command()?;
        // Behind the handshake of a case about STARTTLS, the server is well-behaved.
        let over = player.tls && (verb == "STARTTLS" || (verb == "EHLO" && case.tls == Start::Starttls));
        match case.on.get(&verb) {
            Some(segments) if !over => {
                player.play(segments, Command { tag: "", arguments: &arguments })?;
                if verb == "DATA" {
                    data(player)?;
                }
            }
            _ => answer(player, &verb, &arguments)?,
        }
    }
}

fn answer(player: &mut Player<'_>, verb: &str, arguments: &str) -> io::Result<()> {
    let text: &[u8] = match verb {
        "EHLO" if player.case.tls == Start::Starttls && !player.tls => {
            b"250-x\r\n250-STARTTLS\r\n250 SIZE 100000000\r\n"
        }
        "EHLO" => b"250-x\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 SIZE 100000000\r\n",
        "STARTTLS" => {
            player.send(b"220 go\r\n")?;
            return player.upgrade();
        }
        "AUTH" => {
            if !arguments.contains(' ') {
                player.send(b"334 \r\n")?;
                player.line()?;
            }
            b"235 ok\r\n"
        }
        "DATA" => {
            player.send(b"354 go\r\n")?;
            return data(player);
        }
        "QUIT" => {
            player.send(b"221 bye\r\n")?;
            return Err(done());
        }
        _ => b"250 ok\r\n",
    };
    player.send(text)
}

/// Reads a message and answers as the case says under the name `DATA_END`.
fn data(player: &mut Player<'_>) -> io::Result<()> {
    while player.line()? != b"." {}
    match player.case.on.get("DATA_END") {
        Some(segments) => player.play(segments, Command::default()),
        None => player.send(b"250 queued\r\n"),
    }
}
