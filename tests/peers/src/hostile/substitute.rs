//! The placeholders of a text segment.

/// What the command that is answered said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Command<'a> {
    pub(super) tag: &'a str,
    pub(super) arguments: &'a str,
}

/// One character per octet, so that a text segment may hold what the client sent.
pub(super) fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

impl Command<'_> {
    /// Fills in the placeholders.
    pub(super) fn fill(self, text: &str) -> String {
        let text = match text.split_once("{LIT}\r\n") {
            Some((before, after)) => {
                let after = after.replace("{tag}", self.tag);
                let body = after.rfind(")\r\n").unwrap_or(after.len());
                format!("{before}{{{body}}}\r\n{after}")
            }
            None => text.to_owned(),
        };
        text.replace("{tag}", self.tag)
            .replace("{next}", &later(self.tag, 1))
            .replace("{next2}", &later(self.tag, 2))
            .replace("{TAGCASE}", &other_case(self.tag))
            .replace("{ECHO}", self.arguments)
            .replace("{uid}", leading_number(self.arguments))
            .replace(
                "{attr}",
                &body_item(self.arguments).unwrap_or_else(|| "BODY[]".into()).replace(".PEEK", ""),
            )
    }
}

/// The client's tag some commands later, if its tags end in a number.
fn later(tag: &str, by: u64) -> String {
    let digits = tag.len() - tag.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (name, number) = tag.split_at(tag.len() - digits);
    match number.parse::<u64>() {
        Ok(number) => format!("{name}{:0digits$}", number.wrapping_add(by)),
        Err(_) => tag.to_owned(),
    }
}

/// The tag with its letters in the other case, or a different tag if it has no letters.
fn other_case(tag: &str) -> String {
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let swapped: String = tag.chars().map(swap).collect();
    if swapped == tag { format!("{tag}x") } else { swapped }
}

fn leading_number(arguments: &str) -> &str {
    let end = arguments.find(|c: char| !c.is_ascii_digit()).unwrap_or(arguments.len());
    &arguments[..end]
}

/// The first item of a FETCH that asks for octets of the message: `BODY[…]`, `BODY.PEEK[…]`, `RFC822`,
/// `RFC822.HEADER` or `RFC822.TEXT`, in upper case, without a partial.
pub(super) fn body_item(arguments: &str) -> Option<String> {
    let upper = arguments.to_ascii_uppercase();
    (0..upper.len()).filter(|at| upper.is_char_boundary(*at)).find_map(|at| {
        let rest = &upper[at..];
        for name in ["BODY[", "BODY.PEEK["] {
            if rest.starts_with(name) {
                return Some(rest[..=rest.find(']')?].to_owned());
            }
        }
        for name in ["RFC822.HEADER", "RFC822.TEXT"] {
            if rest.starts_with(name) {
                return Some(name.to_owned());
            }
        }
        (rest.starts_with("RFC822") && !rest.starts_with("RFC822.SIZE")).then(|| "RFC822".to_owned())
    })
}

/// Whether a FETCH asks for more than metadata. As in the catalogue's own player, BODY and BODYSTRUCTURE count.
pub(super) fn asks_for_body(arguments: &str) -> bool {
    arguments.to_ascii_uppercase().contains("BODY") || body_item(arguments).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_on() {
        let command = Command { tag: "A0099", arguments: "7 (FLAGS)" };
        assert_eq!(command.fill("{tag} {next} {next2} {TAGCASE} {uid}"), "A0099 A0100 A0101 a0099 7");
        assert_eq!(Command { tag: "x", arguments: "" }.fill("{next}|{TAGCASE}|{uid}"), "x|X|");
        assert_eq!(Command { tag: "17", arguments: "" }.fill("{TAGCASE}"), "17x");
    }

    #[test]
    fn literals_get_their_length() {
        let command = Command { tag: "a1", arguments: "5 (BODY.PEEK[HEADER]<0.10>)" };
        let text = "* 5 FETCH ({attr} {LIT}\r\nab {tag} cd)\r\n{tag} OK\r\n";
        assert_eq!(command.fill(text), "* 5 FETCH (BODY[HEADER] {8}\r\nab a1 cd)\r\na1 OK\r\n");
    }

    #[test]
    fn body_items_are_found() {
        assert_eq!(body_item("1 (UID RFC822.SIZE BODY[1.MIME])").as_deref(), Some("BODY[1.MIME]"));
        assert_eq!(body_item("1 (RFC822.SIZE FLAGS)"), None);
        assert_eq!(body_item("1 rfc822").as_deref(), Some("RFC822"));
        assert_eq!(body_item("1 (RFC822.HEADER)").as_deref(), Some("RFC822.HEADER"));
        assert!(asks_for_body("1 (UID BODYSTRUCTURE)"));
        assert!(!asks_for_body("1 (UID FLAGS RFC822.SIZE)"));
    }
}
