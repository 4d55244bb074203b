//! Addresses as people and headers write them (RFC 5322 section 3.4): names, comments, groups and all.

use std::fmt;

use smtp_proto::types::Mailbox;

/// An address with the name that stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The name; empty if there is none.
    pub(crate) name: String,
    /// The address.
    pub(crate) mailbox: Mailbox,
}

/// For people: the name as it is.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => self.mailbox.fmt(f),
            name => write!(f, "{name} <{}>", self.mailbox),
        }
    }
}

/// What is wrong with a text that should hold addresses. Says what, without repeating the text's control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The single address that a text must be.
pub(crate) fn one(text: &str) -> Result<Address, Unreadable> {
    let mut all = list(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(address), true) => Ok(address),
        (None, _) => Err(Unreadable("there is no address".into())),
        (Some(_), false) => Err(Unreadable("there are several addresses, and there must be one".into())),
    }
}

/// All addresses in the value of a header field. Line ends count as blanks only where blank follows: there the field is folded.
pub(crate) fn field(value: &str) -> Result<Vec<Address>, Unreadable> {
    list(&value.replace("\r\n ", " ").replace("\r\n\t", "\t"))
}

/// All addresses of a list, those in groups included. Every control character but a tab is refused (INJ-11, INJ-14).
pub(crate) fn list(text: &str) -> Result<Vec<Address>, Unreadable> {
    let tokens = tokens(text)?;
    let mut found = Vec::new();
    let mut element: Vec<Token> = Vec::new();
    let mut in_group = false;
    let mut in_angle = false;
    for token in tokens {
        match token {
            Token::Special('<') if in_angle => return Err(Unreadable("there is a < within < >".into())),
            Token::Special('>') if !in_angle => return Err(Unreadable("there is a > without a <".into())),
            Token::Special(c @ ('<' | '>')) => {
                in_angle = c == '<';
                element.push(Token::Special(c));
            }
            // Within the brackets both belong to a source route, which means nothing any more.
            Token::Special(c @ (',' | ':')) if in_angle => element.push(Token::Special(c)),
            Token::Special(':') if !in_group => {
                phrase(&element)?;
                in_group = true;
                element.clear();
            }
            Token::Special(',') => end(&mut element, &mut found)?,
            Token::Special(';') if in_group => {
                end(&mut element, &mut found)?;
                in_group = false;
            }
            Token::Special(c @ (':' | ';')) => {
                return Err(Unreadable(format!("there is a {c:?} where none belongs")));
            }
            token => element.push(token),
        }
    }
    if in_angle {
        return Err(Unreadable("there is a < without its >".into()));
    }
    end(&mut element, &mut found)?;
    Ok(found)
}

/// An element of the list is complete; an empty one is nothing.
fn end(element: &mut Vec<Token>, found: &mut Vec<Address>) -> Result<(), Unreadable> {
    let element = std::mem::take(element);
    if element.is_empty() {
        return Ok(());
    }
    let open = element.iter().position(|token| *token == Token::Special('<'));
    let (name, address) = match open.map(|at| element.split_at(at)) {
        None => (&[][..], element.as_slice()),
        Some((name, rest)) => {
            let (Some((_, inner)), Some(Token::Special('>'))) = (rest.split_first(), rest.last()) else {
                return Err(Unreadable("there is something behind an address in < >".into()));
            };
            let inner = inner.split_last().map_or(&[][..], |(_, inner)| inner);
            // <@a,@b:c@d>
            let route = inner.iter().position(|token| *token == Token::Special(':'));
            (name, route.and_then(|at| inner.get(at.saturating_add(1)..)).unwrap_or(inner))
        }
    };
    found.push(Address { name: phrase(name)?, mailbox: mailbox(address)? });
    Ok(())
}

fn phrase(tokens: &[Token]) -> Result<String, Unreadable> {
    let mut name = String::new();
    for token in tokens {
        match token {
            Token::Special('.') => name.push('.'),
            Token::Atom(word) | Token::Quoted(word) => {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(word);
            }
            _ => return Err(Unreadable("a name with special characters must stand in quotes".into())),
        }
    }
    Ok(name)
}

fn mailbox(tokens: &[Token]) -> Result<Mailbox, Unreadable> {
    let no_domain = || Unreadable("there is no @ in an address; write name@domain".into());
    let at = tokens.iter().position(|token| *token == Token::Special('@')).ok_or_else(no_domain)?;
    let (local, domain) = tokens.split_at(at);
    let domain = domain.split_first().map_or(&[][..], |(_, rest)| rest);
    let dotted = |tokens: &[Token], literal: bool| {
        let mut text = String::new();
        for (i, token) in tokens.iter().enumerate() {
            match token {
                Token::Special('.') if i % 2 == 1 => text.push('.'),
                Token::Atom(word) if i % 2 == 0 => text.push_str(word),
                Token::Quoted(word) if i % 2 == 0 && !literal => text.push_str(word),
                Token::Literal(word) if literal && tokens.len() == 1 => text.push_str(word),
                _ => return Err(Unreadable("an address is not name@domain".into())),
            }
        }
        if tokens.len().is_multiple_of(2) {
            return Err(Unreadable("an address is not name@domain".into()));
        }
        Ok(text)
    };
    Mailbox::new(dotted(local, false)?, dotted(domain, true)?)
        .map_err(|error| Unreadable(format!("an address cannot be sent: {error}")))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Atom(String),
    Quoted(String),
    /// `[192.0.2.1]`, with its brackets.
    Literal(String),
    Special(char),
}

/// Deepest nesting of comments that is followed.
const DEPTH: usize = 32;

fn tokens(text: &str) -> Result<Vec<Token>, Unreadable> {
    let mut tokens = Vec::new();
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(Unreadable(format!("it holds the control character U+{:04X}", u32::from(c))));
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => {}
            '(' => {
                let mut depth = 1_usize;
                while depth > 0 {
                    match chars.next() {
                        Some('(') if depth < DEPTH => depth = depth.saturating_add(1),
                        Some(')') => depth = depth.saturating_sub(1),
                        Some('\\') => drop(chars.next()),
                        Some('(') | None => return Err(Unreadable("a comment in ( ) does not end".into())),
                        Some(_) => {}
                    }
                }
            }
            '"' => {
                let mut word = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(chars.next()),
                        Some(c) => word.push(c),
                        None => return Err(Unreadable("a text in quotes does not end".into())),
                    }
                }
                tokens.push(Token::Quoted(word));
            }
            '[' => {
                let mut word = String::from('[');
                loop {
                    match chars.next() {
                        Some(']') => break,
                        Some(c) => word.push(c),
                        None => return Err(Unreadable("a text in [ ] does not end".into())),
                    }
                }
                word.push(']');
                tokens.push(Token::Literal(word));
            }
            '<' | '>' | '@' | ',' | ';' | ':' | '.' => tokens.push(Token::Special(c)),
            ')' | ']' | '\\' => return Err(Unreadable(format!("there is a {c:?} where none belongs"))),
            first => {
                let mut word = String::from(first);
                while let Some(c) = chars.next_if(|c| !" \t()\"[]<>@,;:.\\".contains(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Atom(word));
            }
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        field(text).unwrap().iter().map(|address| address.mailbox.to_string()).collect()
    }

    #[test]
    fn the_examples_of_rfc_5322_appendix_a() {
        // A.1.2, A.1.3, A.5, A.6.1
        assert_eq!(addresses("\"Joe Q. Public\" <john.q.public@example.com>"), ["john.q.public@example.com"]);
        assert_eq!(
            addresses("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
            ["mary@x.test", "jdoe@example.org", "one@y.test"]
        );
        assert_eq!(
            addresses("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            ["boss@nil.test", "sysservices@example.net"]
        );
        assert_eq!(
            addresses("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
            ["c@a.test", "joe@where.test", "jdoe@one.test"]
        );
        assert_eq!(addresses("Undisclosed recipients:;"), [""; 0]);
        assert_eq!(
            addresses("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
            ["pete@silly.test"]
        );
        assert_eq!(
            addresses(
                "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org;"
            ),
            ["c@public.example", "joe@example.org"]
        );
        assert_eq!(addresses("Joe Q. Public <john.q.public@example.com>"), ["john.q.public@example.com"]);
        assert_eq!(
            addresses("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
            ["mary@example.net", "jdoe@test.example"]
        );
    }

    #[test]
    fn names_and_odd_local_parts() {
        let address = one("\"Ana, of \\\"X\\\"\" <\"a b\"@x.example>").unwrap();
        assert_eq!((address.name.as_str(), address.mailbox.local_part()), ("Ana, of \"X\"", "a b"));
        assert_eq!(address.mailbox.to_string(), "\"a b\"@x.example");
        assert_eq!(addresses("a@[192.0.2.1]"), ["a@[192.0.2.1]"]);
        assert_eq!(one("Jörg Müller <j@x.example>").unwrap().name, "Jörg Müller");
    }

    #[test]
    fn inj_11_and_inj_14_what_would_be_another_line_is_refused() {
        for text in [
            "a@b>\r\nRCPT TO:<x@y",
            "\"a\r\nb\"@c",
            "a@b\r\nBcc: x@y",
            "a@b\rBcc: x@y",
            "a@b\nBcc: x@y",
            "a\0@b",
            "\"a\r\n b\" <a@b\n>",
            "a@b\u{85}",
            "<a@b> SIZE=1",
            "a@b> SIZE=1",
            "<a<b@c>>",
            "a b@c",
            "a@b c",
            "a@b@c",
            "a@",
            "@b",
            "root",
            "a@b (",
            "\"a",
            "<a@b",
            "a..b@c",
            "x: y: a@b;",
            "a@b: c@d;",
            "a@b;",
            "\"<\"@b",
        ] {
            assert!(field(text).is_err(), "{text:?}: {:?}", field(text));
        }
        // What is not from a header is not folded either.
        assert!(field("a\r\n <a@b>").is_ok() && list("a\r\n <a@b>").is_err());
        let long = format!("{}@x.example", "a".repeat(2_000));
        assert!(list(&long).is_err());
        assert!(list(&"(".repeat(100_000)).is_err());
        assert!(one("a@b, c@d").is_err() && one("").is_err());
    }
}
