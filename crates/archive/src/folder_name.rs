//! What the server calls a folder.

use std::fmt;

/// A folder of the server, split at the hierarchy delimiter.
///
/// Two names are equal if their components are; the delimiter that separated them may change between runs (FS-02).
/// `INBOX`, in any letter case, is the one folder that lives in the target's root.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderName {
    components: Vec<Vec<u8>>,
    undecoded: bool,
    delimiter: Delimiter,
}

/// Not part of a name's identity.
#[derive(Clone, Copy)]
struct Delimiter(Option<char>);

impl PartialEq for Delimiter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Delimiter {}
impl std::hash::Hash for Delimiter {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
impl PartialOrd for Delimiter {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Delimiter {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl FolderName {
    /// A name as people read it (modified UTF-7 decoded), with the delimiter that LIST gave for it; `None` stands
    /// for NIL, a flat name.
    #[must_use]
    pub fn new(name: &str, delimiter: Option<char>) -> Self {
        let components = split(name.as_bytes(), delimiter);
        Self { components, undecoded: false, delimiter: Delimiter(delimiter) }.normal()
    }

    /// A name that cannot be decoded, as the bytes the server sent (FS-04). It never equals a decoded one.
    #[must_use]
    pub fn undecoded(name: &[u8], delimiter: Option<char>) -> Self {
        let components = split(name, delimiter);
        Self { components, undecoded: true, delimiter: Delimiter(delimiter) }
    }

    /// The folder `INBOX`.
    #[must_use]
    pub fn inbox() -> Self {
        Self::new("INBOX", None)
    }

    /// Whether this is `INBOX` itself.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        !self.undecoded
            && self.components.len() == 1
            && self.components.first().is_some_and(|c| c == b"INBOX")
    }

    /// The parts between delimiters, from the top; at least one. UTF-8 unless [`is_undecoded`](Self::is_undecoded).
    pub fn components(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.components.iter().map(Vec::as_slice)
    }

    /// Whether the name is the server's bytes because they could not be decoded.
    #[must_use]
    pub fn is_undecoded(&self) -> bool {
        self.undecoded
    }

    /// The delimiter that the name was given with.
    #[must_use]
    pub fn delimiter(&self) -> Option<char> {
        self.delimiter.0
    }

    /// The whole name with its delimiters, as it was given (`INBOX` in capitals).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut joint = [0; 4];
        // a name decoded from a directory has components but perhaps never had a delimiter
        let joint = self.delimiter.0.unwrap_or('/').encode_utf8(&mut joint);
        self.components.join(joint.as_bytes())
    }

    pub(crate) fn from_components(components: Vec<Vec<u8>>, undecoded: bool) -> Option<Self> {
        if !undecoded && components.iter().any(|c| std::str::from_utf8(c).is_err()) {
            return None;
        }
        // a directory does not say what the delimiter was: take one that no component contains
        let unused = |delimiter: &char| {
            let mut utf8 = [0; 4];
            let utf8 = delimiter.encode_utf8(&mut utf8).as_bytes();
            !components.iter().any(|c| c.windows(utf8.len()).any(|part| part == utf8))
        };
        let delimiter = ['/', '.', '\\'].into_iter().chain('\u{e000}'..='\u{f8ff}').find(unused)?;
        let delimiter = Delimiter((components.len() > 1).then_some(delimiter));
        let name = Self { components, undecoded, delimiter };
        Some(if undecoded { name } else { name.normal() })
    }

    fn normal(mut self) -> Self {
        if let [only] = self.components.as_mut_slice()
            && only.eq_ignore_ascii_case(b"INBOX")
        {
            only.make_ascii_uppercase();
        }
        self
    }
}

fn split(name: &[u8], delimiter: Option<char>) -> Vec<Vec<u8>> {
    let Some(delimiter) = delimiter else { return vec![name.to_vec()] };
    let mut joint = [0; 4];
    let joint = delimiter.encode_utf8(&mut joint).as_bytes();
    let mut components = Vec::new();
    let mut current = Vec::new();
    let mut rest = name;
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(joint) {
            components.push(std::mem::take(&mut current));
            rest = after;
        } else {
            current.push(*first);
            rest = others;
        }
    }
    components.push(current);
    components
}

impl fmt::Display for FolderName {
    /// For people: bytes that are not UTF-8, and control characters, are shown as U+FFFD.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_bytes();
        for c in String::from_utf8_lossy(&name).chars() {
            let shown = if crate::folder_dir::is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FolderName(\"{}\"", self.to_bytes().escape_ascii())?;
        write!(f, "{})", if self.undecoded { ", undecoded" } else { "" })
    }
}
