//! One case: what a server says instead of what it should say, and what must come of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// The protocol of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Proto {
    /// IMAP4rev1.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP.
    Smtp,
}

/// How the connection of a case begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// In plain text, and it stays so.
    None,
    /// In plain text; the client must ask for TLS.
    Starttls,
    /// With TLS.
    Implicit,
}

/// One thing a hostile server does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Segment {
    /// Sends the text, one octet per character (Latin-1), after filling in the placeholders: `{tag}`, `{next}`
    /// and `{next2}` (the client's tag and the two after it), `{TAGCASE}`, `{uid}`, `{attr}` (the body item that was
    /// asked for), `{ECHO}` (the command's arguments), `{LIT}` (a literal announcement of the right length).
    Text(String),
    /// Sends the unit so many times.
    Repeat {
        /// What is repeated.
        rep: String,
        /// How often.
        n: usize,
    },
    /// Waits.
    Sleep {
        /// Seconds.
        sleep: f64,
    },
    /// Sends a few octets at a time.
    Drip {
        /// What is sent in the end.
        drip: String,
        /// Octets at a time.
        step: usize,
        /// Seconds between them.
        every: f64,
    },
    /// Is silent until the client goes.
    Hang {
        /// Always 1.
        hang: u8,
    },
    /// Reads a line.
    Wait {
        /// Always 1.
        wait: u8,
    },
    /// Ends the stream in order.
    Close {
        /// Always 1.
        close: u8,
    },
    /// Resets the connection.
    Reset {
        /// Always 1.
        rst: u8,
    },
    /// Does the TLS handshake.
    Tls {
        /// Always 1.
        tls: u8,
    },
}

/// A case of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Stable, such as `ST-01`; tests name it.
    pub id: String,
    /// The protocol.
    pub proto: Proto,
    /// How the connection begins.
    pub tls: Start,
    /// What it is about.
    pub title: String,
    /// What a client must do. Names of errors are suggestions; that they are typed and distinct is not.
    pub expect: String,
    /// Sent instead of the default greeting.
    #[serde(default)]
    pub greet: Option<Vec<Segment>>,
    /// Advertised instead of the default capabilities.
    #[serde(default)]
    pub caps: Option<String>,
    /// What the server does instead of answering the command of that name. FETCH is split into `FETCH_BODY` and
    /// `FETCH_META`.
    pub on: BTreeMap<String, Vec<Segment>>,
    /// Within so many seconds a client must be done.
    t: f64,
    /// The most memory that the client may use, in MiB.
    pub rss: u32,
    /// Remarks for whoever runs the case.
    #[serde(default)]
    pub note: Option<String>,
    /// Where the case comes from.
    #[serde(default)]
    pub src: Option<String>,
}

impl Case {
    /// Within this time a client must be done.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.t)
    }
}

/// Every case of a protocol, in the catalogue's order.
pub fn cases(proto: Proto) -> Vec<Case> {
    let mut cases: Vec<Case> = serde_json::from_str(include_str!("../../data/hostile/cases.json"))
        .expect("the catalogue is well-formed");
    cases.retain(|case| case.proto == proto);
    cases
}

/// The case of that id.
///
/// # Panics
/// When there is none.
pub fn case(id: &str) -> Case {
    let all = [Proto::Imap, Proto::Pop3, Proto::Smtp].into_iter().flat_map(cases);
    let found = all.into_iter().find(|case| case.id == id);
    found.unwrap_or_else(|| panic!("the catalogue has no case {id}"))
}
