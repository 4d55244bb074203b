//! The way from plaintext to TLS, the same in every protocol and for both sides.

use crate::{InBuf, Layer, Need, Upgraded};

/// Octets arrived between the consent to an upgrade and the handshake.
///
/// They came from outside the new layer: somebody put them there (CVE-2011-0411 and its many relatives). The connection must
/// end; nothing of them may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection;

/// Whether a machine waits for a layer.
///
/// A machine asks with [`ask`](Self::ask) once both sides have agreed, returns what [`look`](Self::look) says from every
/// [`advance`](crate::Machine::advance) until [`done`](Self::done), and fails on [`Injection`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Upgrade {
    waiting: Option<Layer>,
}

impl Upgrade {
    /// The sides have agreed: the next octets belong to the handshake.
    pub fn ask(&mut self, layer: Layer) {
        self.waiting = Some(layer);
    }

    /// Whether the layer is being waited for.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// What the machine needs while it waits; `None` when it does not wait.
    ///
    /// # Errors
    /// [`Injection`] when there are unread octets.
    pub fn look(&self, input: &InBuf) -> Result<Option<Need>, Injection> {
        match self.waiting {
            Some(_) if !input.is_empty() => Err(Injection),
            waiting => Ok(waiting.map(Need::Upgrade)),
        }
    }

    /// The driver has finished. `true` when that is what was waited for.
    pub fn done(&mut self, done: &Upgraded) -> bool {
        let expected = self.waiting == Some(done.layer);
        if expected {
            self.waiting = None;
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_octet_is_one_too_many() {
        let mut upgrade = Upgrade::default();
        let mut input = InBuf::new(1 << 16);
        input.extend(b"before");
        assert_eq!(upgrade.look(&input), Ok(None));
        input.consume(6);
        upgrade.ask(Layer::Tls);
        assert_eq!(upgrade.look(&input), Ok(Some(Need::Upgrade(Layer::Tls))));
        input.extend(b" ");
        assert_eq!(upgrade.look(&input), Err(Injection));
    }

    #[test]
    fn only_the_layer_that_was_asked_for_counts() {
        let mut upgrade = Upgrade::default();
        assert!(!upgrade.done(&Upgraded::tls()), "nobody asked");
        upgrade.ask(Layer::Deflate);
        assert!(!upgrade.done(&Upgraded::tls()));
        assert!(upgrade.is_waiting());
    }
}
