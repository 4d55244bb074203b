use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::Rng;
use crate::{InBuf, Layer, Machine, Need, Tick, Upgraded};

/// How the kit sees a machine: the protocol's own part of the conversation.
pub trait Subject {
    /// The machine itself.
    fn machine(&mut self) -> &mut dyn Machine;

    /// Takes one event after [`Need::Event`] and describes it in `transcript`.
    ///
    /// Pieces of streamed data must be described so that the cuts do not show: the kit joins consecutive lines that start
    /// with `data:`.
    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>);

    /// Acts as the application when the machine waits for it; `false` when there is nothing left to do.
    fn app(&mut self, transcript: &mut Vec<String>) -> bool;

    /// The machine's `Debug` output, searched for planted secrets.
    fn debug(&self) -> String;

    /// How many unread octets it may be given: what the machine says that it needs, if it says so.
    fn inbox(&self) -> usize {
        64 << 20
    }

    /// Looked at after every step: panics when something does not hold that must hold all the time.
    fn invariant(&mut self) {}
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Events and application actions in order.
    pub transcript: Vec<String>,
    /// Everything the machine sent.
    pub sent: Vec<u8>,
    /// How it ended: the last [`Need`].
    pub end: Need,
}

/// Feeds `flights` to the machine, cut as `cut` says (it is asked for the size of the next piece), then the end of the stream.
///
/// A flight is what the peer says in one go. The next one begins only when the machine has used the one before, its application
/// has had its turn, and it waits for input: a reply does not come before its command was sent. An upgrade ends a
/// flight; octets of the same flight behind it arrive before the handshake.
///
/// # Panics
/// When the machine breaks its contract.
pub fn run(subject: &mut dyn Subject, flights: &[&[u8]], cut: &mut dyn FnMut(usize) -> usize) -> Outcome {
    converse(subject, flights, cut, true)
}

/// [`run`]; `eager`: the peer reads whatever is there at once, not only when the machine waits for it.
pub(super) fn converse(
    subject: &mut dyn Subject,
    flights: &[&[u8]],
    cut: &mut dyn FnMut(usize) -> usize,
    eager: bool,
) -> Outcome {
    let mut input = InBuf::new(subject.inbox());
    let (mut transcript, mut sent) = (Vec::new(), Vec::new());
    let mut flights = flights.iter();
    let mut rest: &[u8] = flights.next().copied().unwrap_or_default();
    let total: usize = rest.len() + flights.clone().map(|f| f.len()).sum::<usize>();
    let mut now = Tick::ZERO;
    let mut budget = 10_000 + 40 * total;
    let mut waiting_for_upgrade: Option<Layer> = None;
    let end = loop {
        budget -= 1;
        assert!(budget > 0, "no progress: the machine keeps asking without getting anywhere");
        let before = (input.received(), transcript.len(), input.len());
        let need = subject.machine().advance(&mut input, now);
        subject.invariant();
        let waits = matches!(need, Need::Input | Need::Upgrade(_));
        let read = if eager || waits { sent_into(subject, &mut sent) } else { 0 };
        match need {
            Need::Event => subject.event(&input, &mut transcript),
            Need::Input => {
                assert!(waiting_for_upgrade.is_none(), "asked to read while waiting for an upgrade");
                if rest.is_empty() {
                    rest = flights.next().copied().unwrap_or_default();
                }
                if rest.is_empty() {
                    if !input.is_closed() {
                        input.close();
                    } else if read == 0 {
                        // Only time can help now.
                        match subject.machine().deadline() {
                            Some(at) if at > now => now = at,
                            other => panic!(
                                "the stream has ended and the machine waits for input (deadline {other:?})"
                            ),
                        }
                    }
                } else {
                    let n = cut(rest.len()).clamp(1, rest.len());
                    let taken = input.extend(&rest[..n]);
                    assert!(taken > 0 || read > 0, "asked to read with a full buffer");
                    rest = &rest[taken..];
                }
            }
            Need::App => {
                if !subject.app(&mut transcript) {
                    break need;
                }
            }
            Need::Upgrade(layer) => {
                assert!(input.is_empty(), "asked for an upgrade with unread input: {before:?}");
                if rest.is_empty() {
                    waiting_for_upgrade = None;
                    subject.machine().upgraded(Upgraded { layer, channel_binding: None });
                } else {
                    // The network brings the rest before the handshake can begin: it must be refused.
                    assert!(waiting_for_upgrade.is_none(), "octets outside the new layer were not refused");
                    waiting_for_upgrade = Some(layer);
                    let taken = input.extend(rest);
                    rest = &rest[taken..];
                }
            }
            Need::Close => {
                let again = subject.machine().advance(&mut input, now);
                assert_eq!(again, Need::Close, "the end does not stick");
                break need;
            }
        }
        if matches!(need, Need::Event) {
            waiting_for_upgrade = None;
        }
    };
    sent_into(subject, &mut sent);
    Outcome { transcript: join_data(transcript), sent, end }
}

/// The peer reads; how many octets.
fn sent_into(subject: &mut dyn Subject, sent: &mut Vec<u8>) -> usize {
    let out = subject.machine().output();
    sent.extend_from_slice(out.pending());
    let n = out.len();
    out.sent(n);
    n
}

fn join_data(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in lines {
        if let Some(more) = line.strip_prefix("data:")
            && let Some(last) = out.last_mut().filter(|l| l.starts_with("data:"))
        {
            last.push_str(more);
            continue;
        }
        out.push(line);
    }
    out
}

/// Asserts the contract on one conversation.
///
/// * The same transcript and the same output whole, octet by octet and for a number of seeded random cuts, twice each.
/// * Ending at any offset (all of them for short input, a sample for long) ends in `Close` or waits for the application,
///   never hangs, never panics.
/// * None of `secrets` in the transcript or any `Debug` output.
///
/// Returns the outcome of the uncut run.
///
/// # Panics
/// When the machine breaks its contract.
pub fn check<S: Subject>(make: impl Fn() -> S, flights: &[&[u8]], secrets: &[&str]) -> Outcome {
    let whole = {
        let mut s = make();
        let o = run(&mut s, flights, &mut |n| n);
        look_for(secrets, &o, &s.debug());
        o
    };
    let compare = |name: &str, cut: &mut dyn FnMut(usize) -> usize| {
        let mut s = make();
        let o = run(&mut s, flights, cut);
        look_for(secrets, &o, &s.debug());
        assert_eq!(o.transcript, whole.transcript, "the transcript depends on the cuts ({name})");
        assert_eq!(o.end, whole.end, "the end depends on the cuts ({name})");
        assert_eq!(
            String::from_utf8_lossy(&o.sent),
            String::from_utf8_lossy(&whole.sent),
            "the output depends on the cuts ({name})"
        );
    };
    compare("whole again", &mut |n| n);
    compare("octet by octet", &mut |_| 1);
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        compare(&format!("seed {seed}"), &mut |n| rng.size(n.min(200)));
    }
    let total: usize = flights.iter().map(|f| f.len()).sum();
    let step = (total / 300).max(1);
    for at in (0..total).step_by(step) {
        let mut left = at;
        let mut cut_off: Vec<&[u8]> = vec![];
        for f in flights {
            let n = left.min(f.len());
            cut_off.push(&f[..n]);
            left -= n;
            if n < f.len() {
                break;
            }
        }
        let mut s = make();
        let o = run(&mut s, &cut_off, &mut |n| n);
        look_for(secrets, &o, &s.debug());
    }
    whole
}

fn look_for(secrets: &[&str], outcome: &Outcome, debug: &str) {
    for secret in secrets {
        assert!(!debug.contains(secret), "a secret is in the Debug output");
        for line in &outcome.transcript {
            assert!(!line.contains(secret), "a secret is in the transcript: {line}");
        }
    }
}
