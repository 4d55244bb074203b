use std::string::String;
use std::vec::Vec;

use super::Rng;
use super::check::Subject;
use crate::{InBuf, Need, Tick, Upgraded};

/// How two machines are joined.
#[derive(Clone, Copy, Debug)]
pub struct PairOptions {
    /// Chunk sizes and turns come from this.
    pub seed: u64,
    /// Octets that fit into each direction's pipe; a full pipe blocks its writer.
    pub pipe: usize,
    /// Largest chunk moved at once.
    pub chunk: usize,
}

impl Default for PairOptions {
    fn default() -> Self {
        Self { seed: 1, pipe: 64 << 10, chunk: 16 << 10 }
    }
}

struct Side {
    input: InBuf,
    transcript: Vec<String>,
    need: Option<Need>,
    idle: bool,
    closed: bool,
}

impl Side {
    fn new() -> Self {
        Self { input: InBuf::new(64 << 20), transcript: Vec::new(), need: None, idle: false, closed: false }
    }
}

/// Joins two machines in memory: bounded pipes, random chunks, virtual time; runs until both have closed or wait for their
/// applications with nothing in flight. Returns both transcripts.
///
/// # Panics
/// When they deadlock or break the contract.
pub fn pair(a: &mut dyn Subject, b: &mut dyn Subject, options: PairOptions) -> (Vec<String>, Vec<String>) {
    let mut rng = Rng::new(options.seed);
    let mut now = Tick::ZERO;
    let (mut left, mut right) = (Side::new(), Side::new());
    let mut quiet = 0u32;
    loop {
        let mut moved = step(a, &mut left, now);
        moved |= step(b, &mut right, now);
        if let (Some(Need::Upgrade(l)), Some(Need::Upgrade(_))) = (left.need, right.need)
            && a.machine().output().is_empty()
            && b.machine().output().is_empty()
        {
            a.machine().upgraded(Upgraded { layer: l, channel_binding: None });
            b.machine().upgraded(Upgraded { layer: l, channel_binding: None });
            (left.need, right.need) = (None, None);
            moved = true;
        }
        moved |= carry(a, &mut right, &mut rng, options);
        moved |= carry(b, &mut left, &mut rng, options);
        moved |= pass_on_end(a, &left, &mut right);
        moved |= pass_on_end(b, &right, &mut left);
        if left.closed && right.closed {
            break;
        }
        if moved {
            quiet = 0;
            continue;
        }
        quiet += 1;
        if left.idle && right.idle {
            break;
        }
        if quiet > 2 {
            // Nothing moves: only time can help.
            let next = [a.machine().deadline(), b.machine().deadline()]
                .into_iter()
                .flatten()
                .filter(|t| *t > now)
                .min();
            match next {
                Some(at) => now = at,
                None => panic!(
                    "deadlock: {:?} / {:?}\n{:#?}\n{:#?}",
                    left.need, right.need, left.transcript, right.transcript
                ),
            }
            quiet = 0;
        }
    }
    (left.transcript, right.transcript)
}

fn step(subject: &mut dyn Subject, side: &mut Side, now: Tick) -> bool {
    if side.closed {
        return false;
    }
    let need = subject.machine().advance(&mut side.input, now);
    side.need = Some(need);
    side.idle = false;
    match need {
        Need::Event => {
            subject.event(&side.input, &mut side.transcript);
            true
        }
        Need::Input | Need::Upgrade(_) => false,
        Need::App => {
            if subject.app(&mut side.transcript) {
                true
            } else {
                side.idle = true;
                false
            }
        }
        Need::Close => {
            side.closed = true;
            true
        }
    }
}

/// A side that has closed and sent everything ends the other's stream.
fn pass_on_end(from: &mut dyn Subject, side: &Side, to: &mut Side) -> bool {
    let ended = side.closed && from.machine().output().is_empty() && !to.input.is_closed();
    if ended {
        to.input.close();
    }
    ended
}

fn carry(from: &mut dyn Subject, to: &mut Side, rng: &mut Rng, options: PairOptions) -> bool {
    let out = from.machine().output();
    if out.is_empty() || to.closed {
        let n = if to.closed { out.len() } else { 0 };
        out.sent(n);
        return n > 0;
    }
    // A reader that waits for its application leaves the pipe to fill up.
    if to.need == Some(Need::App) && to.input.len() >= options.pipe {
        return false;
    }
    let room = options.pipe.saturating_sub(to.input.len()).max(usize::from(to.need == Some(Need::Input)));
    let n = rng.size(out.len().min(options.chunk)).min(room);
    let taken = to.input.extend(&out.pending()[..n]);
    out.sent(taken);
    taken > 0
}
