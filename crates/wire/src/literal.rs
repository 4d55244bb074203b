//! Counted octets behind a line: IMAP's literals (RFC 3501 section 4.3, RFC 7888, RFC 3516).

/// What `{n}`, `{n+}` or `~{n}` at the end of a line announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Octets that follow the line's CRLF.
    pub len: u64,
    /// `{n+}`: the sender does not wait to be asked (RFC 7888).
    pub non_sync: bool,
    /// `~{n}`: literal8, which may hold NUL (RFC 3516).
    pub binary: bool,
    /// Where the announcement starts in the line.
    pub start: usize,
}

/// The number in braces does not fit 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// Reads an announcement at the end of a line (given without its CRLF).
///
/// Whether the line *can* end in a literal is a matter of grammar that only the caller knows: free text may end in
/// `{5}` too.
///
/// # Errors
/// [`Overflow`] when the braces hold digits only but too many of them.
pub fn announced(line: &[u8]) -> Result<Option<Announced>, Overflow> {
    let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
    let Some(open) = memchr::memrchr(b'{', inner) else { return Ok(None) };
    let mut digits = inner.get(open.saturating_add(1)..).unwrap_or_default();
    let mut non_sync = false;
    if let Some(rest) = digits.strip_suffix(b"+") {
        digits = rest;
        non_sync = true;
    }
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let mut len = 0u64;
    for d in digits {
        len = len.checked_mul(10).and_then(|l| l.checked_add(u64::from(d - b'0'))).ok_or(Overflow)?;
    }
    let binary = open > 0 && line.get(open - 1) == Some(&b'~');
    Ok(Some(Announced { len, non_sync, binary, start: if binary { open - 1 } else { open } }))
}

/// Counts a literal's octets down while they stream past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    left: u64,
}

impl Countdown {
    /// `len` octets are to come.
    pub fn new(len: u64) -> Self {
        Self { left: len }
    }

    /// Octets still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// How many of `available` octets belong to the literal.
    pub fn within(&self, available: usize) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX).min(available)
    }

    /// `n` octets have gone past.
    pub fn take(&mut self, n: usize) {
        self.left = self.left.saturating_sub(n as u64);
    }

    /// Whether the literal is complete.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &[u8]) -> Announced {
        announced(line).unwrap().unwrap()
    }

    #[test]
    fn announcements_of_rfc_3501_7888_and_3516() {
        assert_eq!(one(b"A001 LOGIN {11}"), Announced { len: 11, non_sync: false, binary: false, start: 11 });
        assert_eq!(one(b"A001 LOGIN {11+}"), Announced { len: 11, non_sync: true, binary: false, start: 11 });
        assert_eq!(one(b"x BINARY[1] ~{4}"), Announced { len: 4, non_sync: false, binary: true, start: 12 });
        assert_eq!(one(b"{0}").len, 0);
    }

    #[test]
    fn what_is_not_an_announcement() {
        for line in [&b"{-1}"[..], b"{}", b"{+}", b"{1 }", b"5}", b"{5", b"{5}x", b"", b"{{5}}"] {
            assert_eq!(announced(line), Ok(None), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_number_beyond_64_bits_is_an_error_not_a_wrap() {
        assert_eq!(one(b"{18446744073709551615}").len, u64::MAX);
        assert_eq!(announced(b"{18446744073709551616}"), Err(Overflow));
        assert_eq!(announced(b"{99999999999999999999999}"), Err(Overflow));
    }
}
