//! The façades against every hostile POP3 and SMTP server of the catalogue: the error is typed, nothing is deleted that did not arrive,
//! and nothing is called sent that was not.

#[path = "support/catalogue.rs"]
mod catalogue;

use postkey_peers::hostile::Proto;
use postkey_peers::hostile_client::Told;

/// What must come of a case.
enum Must {
    /// The session ends with an error whose `Debug` holds one of these.
    Fail(&'static [&'static str]),
    /// POP3: it runs to its end and these messages arrive.
    Store(&'static [u32]),
    /// SMTP: it runs to its end, and what became of the message for each of both recipients begins like this.
    Fates([&'static str; 2]),
}

use Must::{Fail, Fates, Store};

const BOTH: &[u32] = &[1, 2];
const NONE: &[u32] = &[];

fn must(id: &str) -> Option<Must> {
    Some(match id {
        "ST-21" | "ST-23" | "ST-31" => Fail(&["StarttlsRefused"]),
        "ST-22" => Fail(&["StarttlsRefused", "TlsRequired"]),
        "ST-32" | "ST-33" => Fail(&["TlsRequired"]),
        "PO-01" => Fail(&["Peer { rule: \"drop-listing\""]),
        "PO-05" | "PO-08" | "PO-15" => Store(BOTH),
        "PO-03" => Store(&[1, 2, 3, 4]),
        "PO-04" => Fail(&["Closed(Message)"]),
        "PO-07" => Store(NONE),
        "PO-09" => Fail(&["Refused { command: \"QUIT\""]),
        "PO-11" | "SM-12" => Fail(&["SignIn {"]),
        "PO-12" => Fail(&["Limit(PreAuthTotal)"]),
        "PO-13" => Fail(&["Peer { rule: \"status\""]),
        "SM-01" => Fail(&["ReplyTooLong"]),
        "SM-02" => Fail(&["Limit(Line)"]),
        "SM-04" => Fail(&["Peer { rule: \"Reply-line\""]),
        "SM-05" => Fates(["Unknown", "Unknown"]),
        "SM-06" | "SM-16" | "SM-18" => Fates(["Accepted", "Accepted"]),
        "SM-08" => Fates(["Rejected { stage: Message"; 2]),
        "SM-09" => Fates(["Rejected { stage: Recipients", "Withheld"]),
        "SM-10" => Fates(["Rejected { stage: Sender"; 2]),
        "SM-13" => Fail(&["Unwelcome("]),
        "SM-14" => Fail(&["TooLarge {"]),
        // A reply too many shows at once, or, where it comes after the next command has gone out, as the wrong reply to DATA.
        "SM-17" => Fail(&["Desync"]),
        _ => return None,
    })
}

#[test]
fn every_hostile_pop3_server() {
    catalogue::play(Proto::Pop3, judge);
}

#[test]
fn every_hostile_smtp_server() {
    catalogue::play(Proto::Smtp, judge);
}

fn judge(id: &str, told: &Told, lines: &[String], _output: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let fine = match must(id) {
        None => false,
        Some(Fail(kinds)) => told.error.as_ref().is_some_and(|e| kinds.iter().any(|k| e.contains(k))),
        Some(Store(want)) => told.error.is_none() && numbers(told) == want,
        Some(Fates(want)) => {
            told.error.is_none()
                && told.fates.len() == 2
                && told.fates.iter().zip(want).all(|(fate, want)| fate.starts_with(want))
        }
    };
    if !fine {
        wrong.push(format!("{told:?}"));
    }
    let said = |verb: &str| lines.iter().filter(|l| l.to_ascii_uppercase().starts_with(verb)).count();
    // Only what arrived is deleted, and a message is handed over once at most.
    if said("DELE") > told.stored.len() {
        wrong.push(format!("deleted without having it: {lines:?}"));
    }
    if said("MAIL") > 1 || said("DATA") > 1 {
        wrong.push(format!("sent again: {lines:?}"));
    }
    wrong.extend(particular(id, told, lines));
    wrong
}

/// What a case is about besides how it ends.
fn particular(id: &str, told: &Told, lines: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |what: &str, fine: bool| {
        if !fine {
            wrong.push(format!("{what}: {told:?} {lines:?}"));
        }
    };
    match id {
        "PO-03" => {
            let unique =
                |number| told.unique_ids.iter().find(|(n, _)| *n == number).and_then(|(_, id)| id.clone());
            must("a unique-id of 1 MiB is none", unique(1).is_none_or(|id| id.len() <= 70));
            must("both messages with the same unique-id are there", unique(3) == unique(4));
        }
        "PO-05" => must(
            "only CRLF . CRLF ends a message",
            told.stored.iter().all(|(_, body)| body.ends_with("line\n.\nstill body\r\n")),
        ),
        "PO-07" => must("what is refused is reported", told.missing == [1, 2]),
        "PO-08" => must("every octet arrives", told.octets == 2 * ((64 << 20) + 16)),
        "SM-09" | "SM-14" => {
            must("nothing of the message is sent", !lines.iter().any(|l| l == "DATA" || l.contains("hello")));
        }
        _ => {}
    }
    wrong
}

fn numbers(told: &Told) -> Vec<u32> {
    told.stored.iter().map(|(number, _)| *number).collect()
}
