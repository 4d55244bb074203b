use std::string::String;
use std::vec::Vec;

use super::Subject;
use crate::{InBuf, Need, Tick};

/// What came of a [`flood`](flood()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flooded {
    /// Events and application actions in order.
    pub transcript: Vec<String>,
    /// The most octets that were held at a time, unread and unsent together.
    pub most: usize,
}

/// Feeds `head` and then `piece` so many `times`, without ever holding it all, until the machine closes or everything has been said. What
/// the machine sends is read at once.
///
/// # Panics
/// When the machine asks to read and has no room, asks for an upgrade, or waits for an application that has nothing left to do.
pub fn flood(subject: &mut dyn Subject, head: &[u8], piece: &[u8], times: usize) -> Flooded {
    let mut input = InBuf::new(subject.inbox());
    let (mut transcript, mut most) = (Vec::new(), 0);
    let (mut next, mut left) = (head, times);
    loop {
        let need = subject.machine().advance(&mut input, Tick::ZERO);
        let output = subject.machine().output();
        output.sent(output.len());
        most = most.max(input.capacity() + output.capacity());
        match need {
            Need::Event => subject.event(&input, &mut transcript),
            Need::App => assert!(subject.app(&mut transcript), "it waits for an application that is done"),
            Need::Input if !next.is_empty() => {
                let taken = input.extend(next);
                assert!(taken > 0, "asked to read with a full buffer");
                next = &next[taken..];
            }
            Need::Input if left > 0 => {
                left -= 1;
                next = piece;
            }
            Need::Input | Need::Close => return Flooded { transcript, most },
            Need::Upgrade(_) => panic!("nobody asked for TLS"),
        }
    }
}
