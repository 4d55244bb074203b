//! Address lists as an ENVELOPE wants them (RFC 5322 section 3.4, RFC 3501 section 7.4.2).

/// One entry: an address, or one end of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// The display name as it stands in the header, quotes removed, encoded words kept.
    pub(crate) name: Option<Vec<u8>>,
    /// The source route.
    pub(crate) route: Option<Vec<u8>>,
    /// The local part, or a group's name; none at a group's end.
    pub(crate) mailbox: Option<Vec<u8>>,
    /// The domain; none at both ends of a group.
    pub(crate) host: Option<Vec<u8>>,
}

/// Addresses read from one field.
const MAX_ADDRESSES: usize = 10_000;

/// What Exchange and others say when an address has no domain.
const NO_HOST: &[u8] = b".MISSING-HOST-NAME.";

/// Reads an unfolded address list. Rubbish is skipped up to the next comma.
pub(crate) fn parse(value: &[u8]) -> Vec<Address> {
    let mut out = Vec::new();
    let mut in_group = false;
    let mut words: Vec<Word> = Vec::new();
    let mut lexer = Lexer { data: value, at: 0, comment: None };
    while out.len() < MAX_ADDRESSES {
        match lexer.next() {
            Some(Token::Word(word)) => words.push(word),
            Some(Token::Special(b':')) if !in_group => {
                in_group = true;
                out.push(Address { mailbox: Some(phrase(&words)), ..Address::default() });
                words.clear();
            }
            Some(Token::Angle(inside)) => {
                let name = phrase(&words);
                out.extend(angle(&inside, (!name.is_empty()).then_some(name)));
                words.clear();
                lexer.comment = None;
            }
            Some(Token::Special(b',' | b';')) | None => {
                let comment = lexer.comment.take();
                out.extend(bare(&words, comment));
                words.clear();
                let end = lexer.at >= value.len();
                let closes = value.get(lexer.at.wrapping_sub(1)) == Some(&b';');
                if in_group && (closes || end) {
                    in_group = false;
                    out.push(Address::default());
                }
                if end {
                    break;
                }
            }
            Some(Token::Special(other)) => {
                words.push(Word { text: vec![other], quoted: false, spaced: false });
            }
        }
    }
    out
}

#[derive(Clone, Debug)]
struct Word {
    text: Vec<u8>,
    quoted: bool,
    /// Whether a blank stood before it.
    spaced: bool,
}

enum Token {
    Word(Word),
    Special(u8),
    /// What stands between angle brackets.
    Angle(Vec<u8>),
}

struct Lexer<'a> {
    data: &'a [u8],
    at: usize,
    /// The last comment: an old way to give a name.
    comment: Option<Vec<u8>>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        let mut spaced = false;
        loop {
            let b = *self.data.get(self.at)?;
            match b {
                b' ' | b'\t' => {
                    self.at += 1;
                    spaced = true;
                }
                b'(' => {
                    let inside = self.delimited(b'(', b')');
                    self.comment = Some(inside);
                    spaced = true;
                }
                b'"' => {
                    let text = self.delimited(b'"', b'"');
                    return Some(Token::Word(Word { text, quoted: true, spaced }));
                }
                b'<' => {
                    self.at += 1;
                    let rest = self.data.get(self.at..).unwrap_or_default();
                    let mut quoted = false;
                    let end = rest.iter().position(|b| {
                        quoted ^= *b == b'"';
                        *b == b'>' && !quoted
                    });
                    let len = end.unwrap_or(rest.len());
                    self.at += len + usize::from(end.is_some());
                    return Some(Token::Angle(rest.get(..len).unwrap_or_default().to_vec()));
                }
                b',' | b';' | b':' | b'@' | b'.' | b'>' | b')' => {
                    self.at += 1;
                    return Some(if matches!(b, b',' | b';' | b':') {
                        Token::Special(b)
                    } else {
                        Token::Word(Word { text: vec![b], quoted: false, spaced })
                    });
                }
                _ => {
                    let rest = self.data.get(self.at..).unwrap_or_default();
                    let stop = |b: &u8| b" \t()<>@,;:.\"".contains(b);
                    let len = rest.iter().position(stop).unwrap_or(rest.len()).max(1);
                    self.at += len;
                    let text = rest.get(..len).unwrap_or_default().to_vec();
                    return Some(Token::Word(Word { text, quoted: false, spaced }));
                }
            }
        }
    }

    /// A quoted string or a nested comment, without its ends and backslashes.
    fn delimited(&mut self, open: u8, close: u8) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut depth = 1usize;
        while let Some(b) = self.data.get(self.at).copied() {
            self.at += 1;
            if b == b'\\' {
                out.extend(self.data.get(self.at));
                self.at += 1;
                continue;
            }
            if b == close {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            } else if b == open {
                depth += 1;
            }
            out.push(b);
        }
        out
    }
}

/// Words as a name, with one blank where blanks stood.
fn phrase(words: &[Word]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in words {
        if word.spaced && !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(&word.text);
    }
    out
}

/// An address without angle brackets; a comment is its name.
fn bare(words: &[Word], comment: Option<Vec<u8>>) -> Option<Address> {
    if words.is_empty() {
        return None;
    }
    let at = words.iter().rposition(|w| !w.quoted && w.text == b"@");
    let flat = |words: &[Word]| words.iter().flat_map(|w| w.text.clone()).collect::<Vec<u8>>();
    let (mailbox, host) = match at {
        Some(at) => {
            (flat(words.get(..at).unwrap_or_default()), flat(words.get(at + 1..).unwrap_or_default()))
        }
        None => (phrase(words), Vec::new()),
    };
    let host = if host.is_empty() { NO_HOST.to_vec() } else { host };
    Some(Address { name: comment, route: None, mailbox: Some(mailbox), host: Some(host) })
}

/// What stands between angle brackets: an optional route and an address.
fn angle(inside: &[u8], name: Option<Vec<u8>>) -> Option<Address> {
    let (route, rest) = match inside.first() {
        Some(b'@') => match inside.iter().position(|b| *b == b':') {
            Some(colon) => (inside.get(..colon), inside.get(colon + 1..).unwrap_or_default()),
            None => (None, inside),
        },
        _ => (None, inside),
    };
    let mut words = Vec::new();
    let mut lexer = Lexer { data: rest, at: 0, comment: None };
    while let Some(token) = lexer.next() {
        match token {
            Token::Word(word) => words.push(word),
            Token::Special(b) => words.push(Word { text: vec![b], quoted: false, spaced: false }),
            Token::Angle(text) => words.push(Word { text, quoted: false, spaced: false }),
        }
    }
    let address = bare(&words, None);
    if address.is_none() && name.is_none() {
        return None;
    }
    let mut address = address.unwrap_or_else(|| Address {
        mailbox: Some(Vec::new()),
        host: Some(NO_HOST.to_vec()),
        ..Address::default()
    });
    address.name = name;
    address.route = route.map(<[u8]>::to_vec);
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: &str) -> Vec<String> {
        let text = |t: &Option<Vec<u8>>| {
            t.as_ref().map_or("NIL".into(), |t| String::from_utf8_lossy(t).into_owned())
        };
        parse(value.as_bytes())
            .iter()
            .map(|a| format!("{}|{}|{}|{}", text(&a.name), text(&a.route), text(&a.mailbox), text(&a.host)))
            .collect()
    }

    /// Appendix A.1 and A.5 of RFC 5322.
    #[test]
    fn examples_of_rfc_5322() {
        assert_eq!(show("John Doe <jdoe@machine.example>"), ["John Doe|NIL|jdoe|machine.example"]);
        assert_eq!(
            show("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
            ["Mary Smith|NIL|mary|x.test", "NIL|NIL|jdoe|example.org", "Who?|NIL|one|y.test"]
        );
        assert_eq!(
            show("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            ["NIL|NIL|boss|nil.test", "Giant; \"Big\" Box|NIL|sysservices|example.net"]
        );
        assert_eq!(
            show("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
            [
                "NIL|NIL|A Group|NIL",
                "Ed Jones|NIL|c|a.test",
                "NIL|NIL|joe|where.test",
                "John|NIL|jdoe|one.test",
                "NIL|NIL|NIL|NIL"
            ]
        );
        assert_eq!(
            show("Undisclosed recipients:;"),
            ["NIL|NIL|Undisclosed recipients|NIL", "NIL|NIL|NIL|NIL"]
        );
        assert_eq!(
            show("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
            ["Pete|NIL|pete|silly.test"]
        );
        assert_eq!(show("joe@example.org (Joe Q. Public)"), ["Joe Q. Public|NIL|joe|example.org"]);
        assert_eq!(
            show("Joe Q. Public <john.q.public@example.com>"),
            ["Joe Q. Public|NIL|john.q.public|example.com"]
        );
    }

    #[test]
    fn routes_quotes_and_rubbish() {
        assert_eq!(show("X <@a.test,@b.test:joe@c.test>"), ["X|@a.test,@b.test|joe|c.test"]);
        assert_eq!(show("\"odd local\"@x.test"), ["NIL|NIL|odd local|x.test"]);
        assert_eq!(show("=?utf-8?Q?J=C3=BCrgen?= <j@x.test>"), ["=?utf-8?Q?J=C3=BCrgen?=|NIL|j|x.test"]);
        assert_eq!(show("root"), ["NIL|NIL|root|.MISSING-HOST-NAME."]);
        assert_eq!(show(""), Vec::<String>::new());
        assert_eq!(show(",,;"), Vec::<String>::new());
        assert_eq!(show("<>"), Vec::<String>::new());
        assert_eq!(show("Open:a@x.test"), ["NIL|NIL|Open|NIL", "NIL|NIL|a|x.test", "NIL|NIL|NIL|NIL"]);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_groups_close(text in "[a-z<>@,;:.\"\\\\() ]{0,60}") {
            let list = parse(text.as_bytes());
            let starts = list.iter().filter(|a| a.host.is_none() && a.mailbox.is_some()).count();
            let ends = list.iter().filter(|a| a.host.is_none() && a.mailbox.is_none()).count();
            proptest::prop_assert_eq!(starts, ends);
        }
    }
}
