//! A word to be compared without regard to case by `match`.

/// The longest word that is looked up: `UNSUBSCRIBE`, `AUTHENTICATE` and the like are shorter.
const MAX: usize = 16;

/// A word in upper case; longer words than any that IMAP knows are empty.
pub(crate) struct Word {
    octets: [u8; MAX],
    len: usize,
}

impl Word {
    pub(crate) fn new(word: &[u8]) -> Self {
        let mut octets = [0; MAX];
        match octets.get_mut(..word.len()) {
            Some(slot) => {
                slot.copy_from_slice(word);
                slot.make_ascii_uppercase();
                Self { octets, len: word.len() }
            }
            None => Self { octets, len: 0 },
        }
    }

    pub(crate) fn upper(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}
