//! The façade against every hostile IMAP server of the catalogue: the error is typed, and what is stored is what was sent.

#[path = "support/catalogue.rs"]
mod catalogue;

use postkey_peers::hostile::Proto;
use postkey_peers::hostile_client::Told;

/// What must come of a case.
enum Must {
    /// The session ends with an error whose `Debug` holds one of these.
    Fail(&'static [&'static str]),
    /// It runs to its end; these messages are stored and the others of 1 to 3 are missing.
    Store(&'static [u32]),
    /// Either.
    Either(&'static [u32], &'static [&'static str]),
}

use Must::{Either, Fail, Store};

const ALL: &[u32] = &[1, 2, 3];
const NONE: &[u32] = &[];

/// By case; what is not here is checked for the general promises only.
fn must(id: &str) -> Option<Must> {
    Some(match id {
        "ST-01" | "ST-02" => Fail(&["StarttlsInjection"]),
        "ST-04" => Fail(&["StarttlsInjection", "Tls {"]),
        "ST-05" | "ST-06" => Fail(&["StarttlsRefused"]),
        "ST-08" => Fail(&["TlsRequired"]),
        "ST-09" => Fail(&["TlsRequired", "StarttlsRefused"]),
        "ST-10" => Fail(&["PreauthWithoutTls"]),
        "ST-12" => Fail(&["Tls {"]),
        "ST-13" => Fail(&["TimedOut { phase: \"TLS handshake\""]),
        "ST-14" => Store(ALL),
        "ST-16" => Fail(&["SignIn {"]),
        "ST-17" => Fail(&["LoginDisabled"]),
        "ST-18" => Fail(&["PlaintextPeer"]),
        "MEM-02" => Fail(&["Limit(Body)"]),
        "MEM-03" => Fail(&["rule: \"literal\""]),
        "MEM-04" => Fail(&["rule: \"response\""]),
        "MEM-20" => Store(NONE),
        "MEM-06" | "MEM-07" | "MEM-16" | "MEM-18" => Fail(&["Limit(Line)", "Limit(PreAuthTotal)"]),
        "MEM-08" => Either(ALL, &["Limit(Chatter)"]),
        "MEM-10" => Fail(&["Limit(Literals)"]),
        "MEM-11" | "MEM-12" | "MEM-14" | "MEM-15" => Store(ALL),
        "MEM-19" => Fail(&["Limit(Literal)"]),
        "FR-02" => Fail(&["TimedOut(Command)"]),
        "FR-03" => Store(ALL),
        "FR-04" => Store(ALL),
        "FR-06" | "FR-07" | "FR-08" | "FR-10" => Store(NONE),
        "FR-11" => Store(&[2]),
        "FR-12" | "FR-18" | "FR-19" | "FR-20" => Store(ALL),
        "FR-14" => Either(ALL, &["Peer {"]),
        "FR-15" | "FR-16" | "FR-22" | "FR-23" | "FR-24" => Store(ALL),
        "IS-01" => Fail(&["Bye { text: \"too many connections\" }"]),
        "IS-02" => Fail(&["TokenExpired"]),
        "IS-03" => Fail(&["UnexpectedTag"]),
        "IS-05" => Fail(&["NotImap"]),
        "IS-06" | "IS-07" => Fail(&["TimedOut(Greeting)"]),
        "IS-09" | "IS-10" | "IS-13" | "IS-17" | "IS-18" | "IS-19" => Store(ALL),
        "IS-11" => Fail(&["NotConnected"]),
        "IS-14" => Fail(&["Closed(Response)"]),
        "IS-15" => Fail(&["Io("]),
        "SA-01" => Fail(&["Sasl(InvalidBase64)"]),
        "SA-02" => Fail(&["400"]),
        "SA-03" => Fail(&["Limit(SaslChallenge)"]),
        "SA-05" => Fail(&["Sasl(TooManyRounds"]),
        "SA-06" => Fail(&["SignIn {"]),
        "SA-07" => Fail(&["NoMechanism"]),
        "SA-09" => Fail(&["Sasl(EarlySuccess)"]),
        "SA-10" => Store(ALL),
        _ => return None,
    })
}

#[test]
fn every_hostile_imap_server() {
    catalogue::play(Proto::Imap, |id, told, _, output| judge(id, told, output));
}

fn judge(id: &str, told: &Told, output: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let stored: Vec<u32> = told.stored.iter().map(|(uid, _)| *uid).collect();
    let fails = |kinds: &[&str]| told.error.as_ref().is_some_and(|e| kinds.iter().any(|k| e.contains(k)));
    let ends = |want: &[u32]| {
        let missing: Vec<u32> = ALL.iter().copied().filter(|u| !want.contains(u)).collect();
        told.error.is_none() && stored == want && told.missing == missing
    };
    let fine = match must(id) {
        None => {
            wrong.push("it is not in the table".into());
            true
        }
        Some(Fail(kinds)) => fails(kinds),
        Some(Store(want)) => ends(want),
        Some(Either(want, kinds)) => fails(kinds) || ends(want),
    };
    if !fine {
        wrong.push(format!("{told:?}"));
    }
    for (uid, body) in &told.stored {
        let empty = id == "FR-04";
        if body.is_empty() != empty {
            wrong.push(format!("message {uid} is stored as {body:?}"));
        }
    }
    if id == "ST-14" && output.contains("EVIL") {
        wrong.push("what was said before TLS is visible after it".into());
    }
    if id == "MEM-14" && told.found != 1 {
        wrong.push(format!("the numbers are the same two million times, found {}", told.found));
    }
    // What cannot be read must not pass for nothing.
    let unreadable = u64::from(matches!(id, "MEM-11" | "MEM-12"));
    if told.error.is_none() && told.unreadable != unreadable && id != "FR-19" {
        wrong.push(format!("{} messages could not be listed", told.unreadable));
    }
    if matches!(id, "IS-09" | "IS-10") && told.uid_validity.is_some() {
        wrong.push(format!("UIDVALIDITY {:?} is believed", told.uid_validity));
    }
    wrong
}
