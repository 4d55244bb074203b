//! Dot-stuffing (RFC 5321 section 4.5.2, RFC 1939 section 3), both directions, streaming.
//!
//! One codec for everything that ends in a line with a single dot. It is strict on purpose: only `CRLF . CRLF` ends
//! the data, and a bare CR or LF is never written, because two servers that disagree about line ends can be made to
//! see two messages where one was sent.

use alloc::vec::Vec;

use memchr::{memchr2, memmem};

/// What the decoder found at the start of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// These octets are content; drop `consumed` octets of input afterwards.
    Data {
        /// The content, without stuffing.
        content: &'a [u8],
        /// Octets of input used up.
        consumed: usize,
    },
    /// The final dot; drop `consumed` octets, the data is complete.
    End {
        /// Octets of input used up.
        consumed: usize,
    },
    /// Nothing can be said before more octets come.
    More,
}

/// Takes the stuffing out.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    line_start: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { line_start: true }
    }
}

impl Decoder {
    /// A decoder at the start of the data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the unread input; call again after consuming what it says.
    pub fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        let mut skip = 0;
        if self.line_start {
            match input {
                [] | b"." | b".\r" => return Step::More,
                [b'.', b'\r', b'\n', ..] => return Step::End { consumed: 3 },
                [b'.', ..] => skip = 1,
                _ => {}
            }
        }
        let body = input.get(skip..).unwrap_or_default();
        // Stop behind the CRLF in front of the next dot; otherwise everything but a CR whose LF may follow.
        let end = match memmem::find(body, b"\r\n.") {
            Some(at) => at.saturating_add(2),
            None => body.len().saturating_sub(usize::from(body.ends_with(b"\r"))),
        };
        if end == 0 {
            return Step::More;
        }
        let content = body.get(..end).unwrap_or_default();
        self.line_start = content.ends_with(b"\r\n");
        Step::Data { content, consumed: skip.saturating_add(end) }
    }
}

/// What to do with a CR without LF or an LF without CR in outgoing data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BareNewline {
    /// Write CRLF in its place.
    #[default]
    Normalise,
    /// Stop with [`Ambiguous`].
    Refuse,
}

/// A bare CR or LF stood in data that must not hold one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// Position in the data, in octets from its start.
    pub offset: u64,
}

/// Puts the stuffing in.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    policy: BareNewline,
    stuff: bool,
    line_start: bool,
    cr: bool,
    offset: u64,
}

impl Encoder {
    /// An encoder at the start of the data.
    pub fn new(policy: BareNewline) -> Self {
        Self { policy, stuff: true, line_start: true, cr: false, offset: 0 }
    }

    /// An encoder that minds the line ends only: no stuffing, no dot at the end. For protocols that count octets (BDAT, APPEND)
    /// and carry the same text.
    pub fn lines(policy: BareNewline) -> Self {
        Self { stuff: false, ..Self::new(policy) }
    }

    /// Appends the encoded form of the next chunk of data to `out`.
    ///
    /// # Errors
    /// [`Ambiguous`] under [`BareNewline::Refuse`]; what was appended must then not be sent any further.
    pub fn write(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Ambiguous> {
        if self.cr && !chunk.is_empty() {
            self.cr = false;
            if let Some(rest) = chunk.strip_prefix(b"\n") {
                chunk = rest;
                self.offset = self.offset.saturating_add(1);
            } else if self.policy == BareNewline::Refuse {
                return Err(Ambiguous { offset: self.offset.saturating_sub(1) });
            }
            out.extend_from_slice(b"\r\n");
            self.line_start = true;
        }
        while let Some(first) = chunk.first() {
            if self.stuff && self.line_start && *first == b'.' {
                out.push(b'.');
            }
            let Some(at) = memchr2(b'\r', b'\n', chunk) else {
                out.extend_from_slice(chunk);
                self.offset = self.offset.saturating_add(chunk.len() as u64);
                self.line_start = false;
                break;
            };
            let (line, rest) = chunk.split_at(at);
            out.extend_from_slice(line);
            self.offset = self.offset.saturating_add(at as u64);
            let used = match rest {
                [b'\r', b'\n', ..] => 2,
                [b'\r'] => {
                    // Whether this CR is bare is decided by the next chunk.
                    self.cr = true;
                    self.offset = self.offset.saturating_add(1);
                    self.line_start = false;
                    break;
                }
                _ if self.policy == BareNewline::Refuse => return Err(Ambiguous { offset: self.offset }),
                _ => 1,
            };
            out.extend_from_slice(b"\r\n");
            self.line_start = true;
            self.offset = self.offset.saturating_add(used as u64);
            chunk = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the data: a missing final CRLF is added, then the line with the dot (not by an encoder of [`lines`](Self::lines)).
    ///
    /// # Errors
    /// [`Ambiguous`] when the data ended in a bare CR and the policy refuses that.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Ambiguous> {
        if self.cr && self.policy == BareNewline::Refuse {
            return Err(Ambiguous { offset: self.offset.saturating_sub(1) });
        }
        if self.cr || !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        if self.stuff {
            out.extend_from_slice(b".\r\n");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn encode(chunks: &[&[u8]], policy: BareNewline) -> Result<Vec<u8>, Ambiguous> {
        let (mut e, mut out) = (Encoder::new(policy), Vec::new());
        for c in chunks {
            e.write(c, &mut out)?;
        }
        e.finish(&mut out)?;
        Ok(out)
    }

    /// Decodes input that arrives in the given pieces; `None` when the end was not seen.
    fn decode(pieces: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut d, mut content, mut input) = (Decoder::new(), Vec::new(), Vec::new());
        for p in pieces {
            input.extend_from_slice(p);
            loop {
                match d.step(&input) {
                    Step::Data { content: c, consumed } => {
                        content.extend_from_slice(c);
                        input.drain(..consumed);
                    }
                    Step::End { consumed } => {
                        input.drain(..consumed);
                        return Some((content, input));
                    }
                    Step::More => break,
                }
            }
        }
        None
    }

    #[test]
    fn the_example_of_rfc_1939_and_5321() {
        assert_eq!(encode(&[b".\r\n..\r\na.b"], BareNewline::Refuse).unwrap(), b"..\r\n...\r\na.b\r\n.\r\n");
        assert_eq!(encode(&[b""], BareNewline::Refuse).unwrap(), b".\r\n");
        assert_eq!(
            decode(&[b"..\r\n...\r\na.b\r\n.\r\nnext"]).unwrap(),
            (b".\r\n..\r\na.b\r\n".to_vec(), b"next".to_vec())
        );
    }

    #[test]
    fn lines_alone_are_neither_stuffed_nor_ended() {
        let lines = |data: &[u8], policy| {
            let (mut e, mut out) = (Encoder::lines(policy), Vec::new());
            e.write(data, &mut out).and_then(|()| e.finish(&mut out)).map(|()| out)
        };
        assert_eq!(lines(b".\n..\ra", BareNewline::Normalise).unwrap(), b".\r\n..\r\na\r\n");
        assert_eq!(lines(b"", BareNewline::Refuse).unwrap(), b"");
        assert_eq!(lines(b"ab\n", BareNewline::Refuse), Err(Ambiguous { offset: 2 }));
    }

    #[test]
    fn only_crlf_dot_crlf_ends_the_data() {
        for inner in [&b"a\n.\n"[..], b"a\n.\r\n", b"a\r.\r", b"a\r\n.\n", b"a\r\n.\r\r\n", b"a\r\n.\rb\r\n"]
        {
            assert_eq!(decode(&[inner, b"b"]), None, "{}", inner.escape_ascii());
        }
    }

    #[test]
    fn no_encoding_of_any_line_end_leaves_a_bare_one() {
        // INJ-15: every combination of line end, dots and line end.
        let ends: [&[u8]; 4] = [b"\r\n", b"\n", b"\r", b"\r\r\n"];
        let dots: [&[u8]; 3] = [b".", b"..", b" ."];
        let tails: [&[u8]; 4] = [b"\r\n", b"\n", b"\r", b""];
        for e in ends {
            for d in dots {
                for t in tails {
                    let data = [b"x", e, d, t, b"y"].concat();
                    let wire = encode(&[&data], BareNewline::Normalise).unwrap();
                    let body = wire.strip_suffix(b".\r\n").unwrap();
                    assert_eq!(memmem::find(body, b"\r\n.\r\n"), None);
                    let mut previous = 0;
                    for (i, c) in body.iter().enumerate() {
                        assert!(*c != b'\n' || previous == b'\r', "bare LF");
                        assert!(*c != b'\r' || body.get(i + 1) == Some(&b'\n'), "bare CR");
                        previous = *c;
                    }
                    let paired = 2 * data.windows(2).filter(|w| w == b"\r\n").count();
                    let strict = paired != data.iter().filter(|c| matches!(c, b'\r' | b'\n')).count();
                    assert_eq!(encode(&[&data], BareNewline::Refuse).is_err(), strict);
                }
            }
        }
    }

    fn lines() -> impl Strategy<Value = Vec<u8>> {
        let piece =
            prop::sample::select(vec![&b"\r\n"[..], b".", b"..", b"a", b"\r\n.", b"text", b"\r\n.\r\n"]);
        prop::collection::vec(piece, 0..20).prop_map(|v| v.concat())
    }

    fn cut<'a>(data: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut at: Vec<usize> = cuts.iter().map(|i| i.index(data.len() + 1)).collect();
        at.extend([0, data.len()]);
        at.sort_unstable();
        at.windows(2).map(|w| &data[w[0]..w[1]]).collect()
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_however_it_is_cut(
            data in lines(),
            a in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            b in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let wire = encode(&cut(&data, &a), BareNewline::Refuse).unwrap();
            let (content, rest) = decode(&cut(&wire, &b)).unwrap();
            let mut expected = data.clone();
            if !expected.is_empty() && !expected.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(content, expected);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn normalising_does_not_depend_on_the_cuts(
            data in prop::collection::vec(prop::sample::select(vec![b'\r', b'\n', b'.', b'x']), 0..30),
            a in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            prop_assert_eq!(encode(&cut(&data, &a), BareNewline::Normalise), encode(&[&data], BareNewline::Normalise));
        }
    }
}
