//! Folder names as directory names.
//!
//! ```text
//! INBOX     = the root itself
//! directory = "." ["%!"] component *("." component)      "%!" marks a name that could not be decoded
//! component = "%-" / 1*(character / escape)              "%-" is the empty component
//! escape    = "%" 2HEXDIG                                one byte of UTF-8, capitals
//! ```
//!
//! Names stay readable: UTF-8 is kept. Escaped are `%`, `.`, `/`, control characters, characters that change how
//! text is laid out or cannot be seen (bidirectional marks, zero width, line separators), a `~` or space at the
//! start of a component and a space at its end. In a name that could not be decoded everything but printable ASCII
//! is escaped. The map is one to one and can be reversed, and what comes out is always a single path component that
//! begins with a dot and is neither `.` nor `..`.
//!
//! If the result is longer than 255 bytes, or the file system says that it is the directory of another folder
//! (letter case, Unicode normalisation), the directory is called `stem "%#" hash`: what fits of the name, and 32 hex digits
//! of the SHA-256 of the long form. Such a name cannot be reversed, so each folder's exact name is also in the file
//! [`RECORD`] inside its directory, which is checked whenever the folder is opened.

use aws_lc_rs::digest;

use crate::FolderName;

/// The file in each folder's directory that says which folder it is.
pub(crate) const RECORD: &[u8] = b"postkey.folder";

const RECORD_MAGIC: &[u8] = b"postkey-folder 1\n";

/// The longest file name of common file systems, in bytes.
const MAX: usize = 255;
/// How much of a name is kept before a hash.
const STEM: usize = 200;

/// The directory of a folder below the root; `None` for INBOX.
pub(crate) fn encode(name: &FolderName) -> Option<Vec<u8>> {
    if name.is_inbox() {
        return None;
    }
    let long = encode_long(name);
    if long.len() <= MAX { Some(long) } else { Some(shorten(&long)) }
}

/// The other directory that a folder may have, for when the first is taken.
pub(crate) fn encode_hashed(name: &FolderName) -> Vec<u8> {
    shorten(&encode_long(name))
}

/// The folder that a directory name stands for; `None` if no folder is encoded that way, or only as a hash.
pub(crate) fn decode(directory: &[u8]) -> Option<FolderName> {
    let rest = directory.strip_prefix(b".")?;
    let (undecoded, rest) = match rest.strip_prefix(b"%!") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let components = rest.split(|b| *b == b'.').map(decode_component).collect::<Option<Vec<_>>>()?;
    let name = FolderName::from_components(components, undecoded)?;
    // one spelling for each name: any other is not ours
    (encode(&name)? == directory).then_some(name)
}

fn encode_long(name: &FolderName) -> Vec<u8> {
    let mut out = vec![b'.'];
    if name.is_undecoded() {
        out.extend_from_slice(b"%!");
    }
    for (i, component) in name.components().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        match std::str::from_utf8(component) {
            _ if component.is_empty() => out.extend_from_slice(b"%-"),
            Ok(text) if !name.is_undecoded() => encode_text(text, &mut out),
            _ => encode_bytes(component, &mut out),
        }
    }
    out
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    for (at, c) in text.char_indices() {
        let mut utf8 = [0; 4];
        let bytes = c.encode_utf8(&mut utf8).as_bytes();
        let last = at + bytes.len() == text.len();
        let at_edge = (at == 0 && matches!(c, '~' | ' ')) || (last && c == ' ');
        if at_edge || matches!(c, '%' | '.' | '/') || is_unsafe(c) {
            bytes.iter().for_each(|byte| escape(*byte, out));
        } else {
            out.extend_from_slice(bytes);
        }
    }
}

fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'%' | b'.' | b'/' | b'~' => escape(*byte, out),
            0x21..=0x7e => out.push(*byte),
            _ => escape(*byte, out),
        }
    }
}

/// Control characters, and characters that hide or rearrange text.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    out.push(b'%');
    out.push(hex_digit(byte >> 4));
    out.push(hex_digit(byte & 15));
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' + (nibble & 15).saturating_sub(10),
    }
}

fn decode_component(text: &[u8]) -> Option<Vec<u8>> {
    if text == b"%-" {
        return Some(Vec::new());
    }
    if text.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        if *first != b'%' {
            out.push(*first);
            rest = others;
            continue;
        }
        let (digits, after) = others.split_at_checked(2)?;
        out.push(unhex(digits)?);
        rest = after;
    }
    Some(out)
}

fn unhex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(text, 16).ok()
}

/// Cuts at a whole character or escape and adds the hash of the uncut name.
fn shorten(long: &[u8]) -> Vec<u8> {
    let mut cut = long.len().min(STEM);
    if cut < long.len() {
        // not within an escape …
        for back in 1..=2 {
            if cut.checked_sub(back).and_then(|at| long.get(at)) == Some(&b'%') {
                cut -= back;
                break;
            }
        }
        // … nor within a character
        while cut > 1 && long.get(cut).is_some_and(|byte| byte & 0xc0 == 0x80) {
            cut -= 1;
        }
    }
    let mut out = long.get(..cut).unwrap_or_default().to_vec();
    out.extend_from_slice(b"%#");
    let hash = digest::digest(&digest::SHA256, long);
    for byte in hash.as_ref().iter().take(16) {
        out.push(hex_digit(byte >> 4));
        out.push(hex_digit(byte & 15));
    }
    out
}

/// The content of [`RECORD`].
pub(crate) fn record(name: &FolderName) -> Vec<u8> {
    let mut out = RECORD_MAGIC.to_vec();
    out.extend_from_slice(if name.is_undecoded() { b"undecoded " } else { b"unicode " });
    match name.delimiter() {
        Some(delimiter) => out.extend_from_slice(format!("{:X}\n", u32::from(delimiter)).as_bytes()),
        None => out.extend_from_slice(b"NIL\n"),
    }
    out.extend_from_slice(&name.to_bytes());
    out
}

/// The folder that a [`RECORD`] names; `None` if it is not such a file.
pub(crate) fn read_record(content: &[u8]) -> Option<FolderName> {
    let rest = content.strip_prefix(RECORD_MAGIC)?;
    let end = rest.iter().position(|b| *b == b'\n')?;
    let (head, name) = (rest.get(..end)?, rest.get(end.checked_add(1)?..)?);
    let (form, delimiter) = std::str::from_utf8(head).ok()?.split_once(' ')?;
    let delimiter = match delimiter {
        "NIL" => None,
        hex => Some(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?),
    };
    match form {
        "unicode" => Some(FolderName::new(std::str::from_utf8(name).ok()?, delimiter)),
        "undecoded" => Some(FolderName::undecoded(name, delimiter)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dir(name: &str, delimiter: char) -> String {
        String::from_utf8(encode(&FolderName::new(name, Some(delimiter))).unwrap()).unwrap()
    }

    /// FS-01, FS-02, FS-06, FS-07: what a hostile LIST can name stays one harmless path component.
    #[test]
    fn known_directories() {
        assert_eq!(encode(&FolderName::new("inBOX", Some('/'))), None);
        assert_eq!(dir("Sent Items", '/'), ".Sent Items");
        assert_eq!(dir("Archiv/2024/Ärger & Co.", '/'), ".Archiv.2024.Ärger & Co%2E");
        assert_eq!(dir("../../../etc/cron.d/x", '/'), ".%2E%2E.%2E%2E.%2E%2E.etc.cron%2Ed.x");
        assert_eq!(dir("/etc/passwd", '/'), ".%-.etc.passwd");
        assert_eq!(dir("..", '/'), ".%2E%2E");
        assert_eq!(dir("..", '.'), ".%-.%-.%-");
        assert_eq!(dir("", '/'), ".%-");
        assert_eq!(dir("a/../b", '.'), ".a%2F.%-.%2Fb");
        assert_eq!(dir("~root", '/'), ".%7Eroot");
        assert_eq!(dir(" x ", '/'), ".%20x%20");
        assert_eq!(dir("a\0b\n\u{1b}[2J:2,", '/'), ".a%00b%0A%1B[2J:2,");
        assert_eq!(dir("\u{202e}gpj.exe", '/'), ".%E2%80%AEgpj%2Eexe");
        assert_eq!(dir("100%", '/'), ".100%25");
        for reserved in ["cur", "new", "tmp", "postkey.lock", "postkey.journal"] {
            assert!(dir(reserved, '/').starts_with('.'));
        }
        assert_eq!(dir("INBOX/a", '/'), ".INBOX.a");
        assert_eq!(dir("a→b", '→'), ".a.b");
    }

    /// FS-03, FS-04: what the server sent as `&AOk-` and what it sent as a raw `é` are two folders.
    #[test]
    fn undecoded_names_are_apart() {
        let raw = FolderName::undecoded("é".as_bytes(), Some('/'));
        assert_eq!(encode(&raw).unwrap(), b".%!%C3%A9");
        assert_ne!(encode(&raw), encode(&FolderName::new("é", Some('/'))));
        assert_eq!(encode(&FolderName::undecoded(b"&A", Some('/'))).unwrap(), b".%!&A");
        assert_ne!(raw, FolderName::new("é", Some('/')));
        assert_eq!(format!("{raw:?}"), "FolderName(\"\\xc3\\xa9\", undecoded)");
    }

    /// FS-05: 255 bytes, 4 KiB.
    #[test]
    fn long_names_are_hashed() {
        let just = FolderName::new(&"x".repeat(254), None);
        assert_eq!(decode(&encode(&just).unwrap()), Some(just));
        let (a, b) = ("é%".repeat(1000) + "a", "é%".repeat(1000) + "b");
        let (a, b) = (FolderName::new(&a, None), FolderName::new(&b, None));
        let (dir_a, dir_b) = (encode(&a).unwrap(), encode(&b).unwrap());
        assert_ne!(dir_a, dir_b);
        assert!(dir_a.len() <= 255 && std::str::from_utf8(&dir_a).is_ok());
        assert_eq!(decode(&dir_a), None);
        assert_eq!(encode_hashed(&a), dir_a);
    }

    #[test]
    fn other_programs_directories_are_not_ours() {
        for other in [&b"."[..], b"..", b".a..b", b".%", b".%4", b".%41", b".%2e", b"cur", b".a%#00", b".a%-"]
        {
            assert_eq!(decode(other), None, "{}", other.escape_ascii());
        }
    }

    fn any_name() -> impl Strategy<Value = FolderName> {
        let delimiter = proptest::option::of(proptest::sample::select(vec!['/', '.', '\\', '→', '%', ' ']));
        let text = prop_oneof![any::<String>(), "[a-b./%~ \\\\.\u{e9}]{0,12}", "(?i)inbox", ".{200,300}"];
        let decoded = (text, delimiter.clone()).prop_map(|(name, d)| FolderName::new(&name, d));
        let bytes = prop_oneof![any::<Vec<u8>>(), "[a-b./%~ &]{0,8}".prop_map(String::into_bytes)];
        let raw = (bytes, delimiter).prop_map(|(name, d)| FolderName::undecoded(&name, d));
        prop_oneof![3 => decoded, 1 => raw]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn encoding_is_safe_and_reversible(name in any_name()) {
            let Some(directory) = encode(&name) else { return Ok(()) };
            prop_assert!(directory.len() <= 255 && directory.starts_with(b"."));
            prop_assert!(directory != b"." && directory != b".." && !directory.contains(&b'/'));
            prop_assert!(!directory.iter().any(|b| *b < 0x20 || *b == 0x7f));
            prop_assert!(!directory.windows(2).any(|w| w == b".."));
            if encode_long(&name).len() <= 255 {
                prop_assert_eq!(decode(&directory), Some(name.clone()));
            }
            prop_assert_eq!(read_record(&record(&name)), Some(name));
        }

        #[test]
        fn different_names_have_different_directories(a in any_name(), b in any_name()) {
            prop_assert_eq!(a == b, encode(&a) == encode(&b));
        }

        #[test]
        fn any_directory_and_record_are_survived(bytes: Vec<u8>) {
            if let Some(name) = decode(&bytes) {
                prop_assert_eq!(encode(&name), Some(bytes.clone()));
            }
            let _ = read_record(&bytes);
            let _ = read_record(&[RECORD_MAGIC, &bytes].concat());
        }
    }
}
