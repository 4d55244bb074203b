//! What a parser refuses to follow.

/// Limits of the grammar. Lengths are limited by the framing, before a parser sees a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseLimits {
    /// How deeply lists, body structures and search keys may nest. At most [`MAX_DEPTH`](Self::MAX_DEPTH) is used.
    pub depth: usize,
}

impl ParseLimits {
    /// The deepest nesting that any setting of [`depth`](Self::depth) allows: a debug build needs less than 1 MiB of stack for it.
    pub const MAX_DEPTH: usize = 128;

    /// How many elements the lists of one response, one FETCH item or one command may have together: MIME parts and their
    /// parameters, addresses, flags, capabilities, search keys … What takes four octets on the wire can take a few
    /// hundred in memory, so the length of the frame alone does not bound it. Ranges of numbers are not counted.
    pub const MAX_ITEMS: usize = 65_536;

    /// A depth of 64.
    pub const DEFAULT: ParseLimits = ParseLimits { depth: 64 };

    pub(crate) fn effective_depth(self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
