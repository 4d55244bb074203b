//! Just enough JSON (RFC 8259) for an error challenge: one object, read member by member.
//!
//! Values that the caller does not want are checked for shape and thrown away, nesting is limited, and no
//! tree is built, so memory is bounded by the longest string of the input.

use alloc::string::String;
use alloc::vec::Vec;

/// Deepest nesting accepted, the outer object included.
const DEPTH: u32 = 32;

/// The offset at which the text stops being the expected JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stopped(pub(crate) usize);

/// Reads one object that is the whole input and calls `member` for every member of it, in order. The value
/// is the text of a string, or of a number, `true` or `false` as spelled; `None` for everything else.
pub(crate) fn object(input: &[u8], mut member: impl FnMut(&str, Option<String>)) -> Result<(), Stopped> {
    let mut reader = Reader { input, at: 0 };
    reader.space();
    reader.members(DEPTH, &mut member)?;
    reader.space();
    if reader.at < input.len() { reader.stop() } else { Ok(()) }
}

struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn stop<T>(&self) -> Result<T, Stopped> {
        Err(Stopped(self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, octet: u8) -> Result<(), Stopped> {
        if self.take(octet) { Ok(()) } else { self.stop() }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn members(&mut self, depth: u32, member: &mut dyn FnMut(&str, Option<String>)) -> Result<(), Stopped> {
        self.expect(b'{')?;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let value = self.value(depth)?;
            member(&name, value);
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn elements(&mut self, depth: u32) -> Result<(), Stopped> {
        self.expect(b'[')?;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// One value with the white space around it. `depth` is how many levels may be open, the caller's
    /// included; recursion ends there.
    fn value(&mut self, depth: u32) -> Result<Option<String>, Stopped> {
        self.space();
        let inner = depth.saturating_sub(1);
        let value = match self.peek() {
            Some(b'"') => Some(self.string()?),
            Some(b'{' | b'[') if inner == 0 => return self.stop(),
            Some(b'{') => {
                self.members(inner, &mut |_, _| ())?;
                None
            }
            Some(b'[') => {
                self.elements(inner)?;
                None
            }
            _ => self.scalar()?,
        };
        self.space();
        Ok(value)
    }

    /// A number, `true`, `false` or `null`. Numbers are checked by their characters only: their value
    /// is never used.
    fn scalar(&mut self) -> Result<Option<String>, Stopped> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|o| !matches!(o, b'0'..=b'9' | b'a'..=b'z' | b'+' | b'-' | b'.' | b'E'))
            .unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or_default();
        let number = matches!(word, [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..])
            && word.iter().all(|o| matches!(o, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let value = match word {
            b"null" => None,
            b"true" | b"false" => core::str::from_utf8(word).ok(),
            _ if number => core::str::from_utf8(word).ok(),
            _ => return self.stop(),
        };
        self.at = self.at.saturating_add(len);
        Ok(value.map(String::from))
    }

    fn string(&mut self) -> Result<String, Stopped> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at = self.at.saturating_add(1);
                    let c = self.escape()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(octet @ 0x20..) => {
                    text.push(octet);
                    self.at = self.at.saturating_add(1);
                }
                _ => return self.stop(),
            }
        }
        let text = String::from_utf8(text).or_else(|_| self.stop())?;
        self.expect(b'"')?;
        Ok(text)
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Stopped> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at = self.at.saturating_add(1);
                return self.utf16();
            }
            _ => return self.stop(),
        };
        self.at = self.at.saturating_add(1);
        Ok(c)
    }

    /// One or two `\u` escapes; an unpaired surrogate becomes U+FFFD.
    fn utf16(&mut self) -> Result<char, Stopped> {
        let first = self.hex4()?;
        let before = self.at;
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
            let second = self.hex4()?;
            if let Some(Ok(c)) = char::decode_utf16([first, second]).next() {
                return Ok(c);
            }
        }
        if (0xd800..0xe000).contains(&first) {
            // Whatever came after the lone surrogate is read again on its own.
            self.at = before;
        }
        Ok(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u16, Stopped> {
        let mut unit = 0u16;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|o| char::from(o).to_digit(16)) else {
                return self.stop();
            };
            unit = (unit << 4) | u16::try_from(digit).unwrap_or_default();
            self.at = self.at.saturating_add(1);
        }
        Ok(unit)
    }
}

/// Appends a JSON string with its quotes.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                out.push_str("\\u00");
                for nibble in [u32::from(c) >> 4, u32::from(c) & 15] {
                    out.extend(char::from_digit(nibble, 16));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use std::vec;

    use proptest::prelude::*;

    use super::*;

    fn read(input: &[u8]) -> Result<Vec<(String, Option<String>)>, Stopped> {
        let mut members = vec![];
        object(input, |name, value| members.push((name.into(), value)))?;
        Ok(members)
    }

    fn one(input: &str) -> Option<String> {
        let mut members = read(input.as_bytes()).unwrap();
        assert_eq!(members.len(), 1);
        members.remove(0).1
    }

    #[test]
    fn strings_with_every_escape() {
        let text = r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00"}"#;
        assert_eq!(one(text).unwrap(), "\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{20ac}\u{1f600}");
        assert_eq!(
            one(r#"{"a":"\ud83d!\ude00\ud83dA\ud83d\n"}"#).unwrap(),
            "\u{fffd}!\u{fffd}\u{fffd}A\u{fffd}\n"
        );
        assert_eq!(one(r#"{"a":"\ud83d\u0041"}"#).unwrap(), "\u{fffd}A");
    }

    #[test]
    fn other_values() {
        assert_eq!(one(r#"{"a":400}"#).unwrap(), "400");
        assert_eq!(one(r#" { "a" : -1.5e+3 } "#).unwrap(), "-1.5e+3");
        assert_eq!(one(r#"{"a":true}"#).unwrap(), "true");
        assert_eq!(one(r#"{"a":null}"#), None);
        assert_eq!(one(r#"{"a":[1,"x",{"b":[]},{}]}"#), None);
        assert_eq!(read(b"{}").unwrap(), []);
        assert_eq!(read(b"{\"a\":1,\"a\":2}").unwrap().len(), 2);
    }

    #[test]
    fn not_an_object() {
        for (text, at) in [
            ("", 0),
            ("[]", 0),
            ("\u{feff}{}", 0),
            ("{", 1),
            ("{}x", 2),
            ("{} {}", 3),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("{\"a\":NaN}", 5),
            ("{\"a\":nul}", 5),
            ("{\"a\":-}", 5),
            ("{\"a\":\"\n\"}", 6),
            ("{\"a\":\"\\x\"}", 7),
            ("{\"a\":\"\\u12g4\"}", 10),
            ("{\"a\":\"b", 7),
            ("{\"a\":[1 2]}", 8),
        ] {
            assert_eq!(read(text.as_bytes()), Err(Stopped(at)), "{text:?}");
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}"), Err(Stopped(7)));
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(nested(31).as_bytes()).is_ok());
        assert_eq!(read(nested(32).as_bytes()), Err(Stopped(5 + 31)));
        assert!(read("{\"a\":".repeat(10_000).as_bytes()).is_err());
        assert!(read(format!("{{\"a\":{}", "[".repeat(60_000)).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_octets(input: Vec<u8>) {
            let _ = read(&input);
        }

        #[test]
        fn nearly_json(input in "\\{(\"[a\\\\u\\-d]{0,3}\" ?[:,] ?[\\[{\"0-9tn\\]}]{0,4},?){0,4}\\}?") {
            let _ = read(input.as_bytes());
        }

        #[test]
        fn strings_come_back(text: String) {
            let mut json = String::from("{\"a\":");
            write_string(&mut json, &text);
            json.push('}');
            prop_assert_eq!(one(&json), Some(text));
        }
    }
}
