//! Sign-ins, generated and not listed: every mechanism × with and without an initial response × every way in which a server ends the
//! exchange. A protocol's tests say them in its own words.

use alloc::string::String;
use alloc::vec::Vec;

use super::client;
use crate::{ClientExchange, Initial, Limits, MECHANISMS, Room, login};

/// The initial response that goes out with the command, in Base64, where there is `room` for it and the mechanism has one.
///
/// # Panics
/// As [`client`].
pub fn initial_response(mechanism: &str, secret: &str, room: bool) -> Option<String> {
    let mut exchange = ClientExchange::new(client(mechanism, secret), Limits::default());
    match exchange.initial(if room { Room::Unlimited } else { Room::None }) {
        Ok(Initial::Inline(line)) => Some(String::from_utf8_lossy(line.expose()).into_owned()),
        Ok(Initial::None) => None,
        Err(e) => panic!("{mechanism}: {e}"),
    }
}

/// How a server ends an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It lets the user in.
    Success,
    /// It refuses, once it has the credentials.
    Refusal,
    /// It says something in Base64 that no mechanism has an answer to; the client cancels and the server agrees.
    Cancel,
    /// It says something that is no Base64; the client cancels and the server agrees.
    Garbage,
    /// It lets the user in without another question. Unless the credentials went out with the command, that is too early.
    Early,
}

impl Ending {
    const ALL: [Self; 5] = [Self::Success, Self::Refusal, Self::Cancel, Self::Garbage, Self::Early];
}

/// A sign-in at some server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The mechanism's name.
    pub mechanism: &'static str,
    /// Whether there is room for an initial response.
    pub room: bool,
    /// What the server does.
    pub ending: Ending,
}

impl Case {
    /// What the server says before its last word, in Base64.
    ///
    /// # Panics
    /// As [`client`].
    pub fn challenges(self) -> Vec<&'static str> {
        let mut challenges = match self.mechanism {
            login::NAME => Vec::from(["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]),
            _ if self.is_inline() => Vec::new(),
            _ => Vec::from([""]),
        };
        match self.ending {
            Ending::Success | Ending::Refusal => {}
            Ending::Cancel => challenges.push("bm90IEpTT04="),
            Ending::Garbage => challenges.push("%%%"),
            Ending::Early => challenges.clear(),
        }
        challenges
    }

    /// Whether the credentials go out with the command.
    ///
    /// # Panics
    /// As [`client`].
    pub fn is_inline(self) -> bool {
        initial_response(self.mechanism, "x", self.room).is_some()
    }

    /// Whether the server says that the user is in before it can know.
    ///
    /// # Panics
    /// As [`client`].
    pub fn is_too_early(self) -> bool {
        self.ending == Ending::Early && !self.is_inline()
    }
}

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    MECHANISMS.into_iter().flat_map(|mechanism| {
        [false, true]
            .into_iter()
            .flat_map(move |room| Ending::ALL.into_iter().map(move |ending| Case { mechanism, room, ending }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_both_rooms_every_ending() {
        let all: Vec<Case> = cases().collect();
        assert_eq!(all.len(), MECHANISMS.len() * 2 * Ending::ALL.len());
        assert!(all.iter().enumerate().all(|(n, case)| !all[..n].contains(case)), "{all:#?}");
        // LOGIN has no initial response: its credentials never go out with the command.
        assert!(all.iter().all(|case| case.is_inline() == (case.room && case.mechanism != login::NAME)));
    }
}
