//! The end of a connection, which comes once.

use crate::Need;

/// Whether a machine is at its end, and whether the reason has been told.
///
/// The first error counts. It is the machine's last event; behind it there is only [`Need::Close`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End<E>(Stage<E>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage<E> {
    Open,
    Unreported(E),
    /// Reported, or without a fault: the protocol's own farewell is complete.
    Over,
}

impl<E> Default for End<E> {
    fn default() -> Self {
        Self(Stage::Open)
    }
}

impl<E> End<E> {
    /// Ends with an error; `false` when the end had come before.
    pub fn fail(&mut self, error: E) -> bool {
        let first = !self.is_over();
        if first {
            self.0 = Stage::Unreported(error);
        }
        first
    }

    /// Ends without a fault, unless the end had come before.
    pub fn finish(&mut self) {
        if !self.is_over() {
            self.0 = Stage::Over;
        }
    }

    /// Whether the end has come.
    pub fn is_over(&self) -> bool {
        !matches!(self.0, Stage::Open)
    }

    /// The error, once.
    pub fn report(&mut self) -> Option<E> {
        match core::mem::replace(&mut self.0, Stage::Over) {
            Stage::Unreported(error) => return Some(error),
            stage => self.0 = stage,
        }
        None
    }

    /// What the machine needs because of it; `None` while the connection lives.
    pub fn need(&self) -> Option<Need> {
        match self.0 {
            Stage::Open => None,
            Stage::Unreported(_) => Some(Need::Event),
            Stage::Over => Some(Need::Close),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_told_once() {
        let mut end = End::default();
        assert_eq!((end.need(), end.report()), (None, None));
        assert!(end.fail('a'));
        assert!(!end.fail('b'), "the end has come");
        end.finish();
        assert_eq!(end.need(), Some(Need::Event));
        assert_eq!(end.report(), Some('a'));
        assert_eq!((end.need(), end.report()), (Some(Need::Close), None));
    }

    #[test]
    fn a_farewell_needs_no_report() {
        let mut end = End::default();
        end.finish();
        assert!(!end.fail('a'));
        assert_eq!((end.need(), end.report()), (Some(Need::Close), None));
    }
}
