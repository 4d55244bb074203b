//! What a run did.

/// What a run did, folder by folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// In the order they were downloaded; folders that were not reached are not here.
    pub folders: Vec<FolderReport>,
}

/// What was done in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderReport {
    /// The folder's name, for people.
    pub name: String,
    /// Messages stored by this run.
    pub stored: u64,
    /// Their octets.
    pub octets: u64,
    /// Messages recognised by their content after the server had changed UIDVALIDITY; no new file was needed.
    pub recognised: u64,
    /// Messages that were stored before.
    pub already: u64,
    /// Messages whose flags were brought up to date.
    pub flags: u64,
    /// Messages that the server has and that are not stored.
    pub missing: Vec<Missing>,
    /// Why the folder as a whole could not be downloaded.
    pub failed: Option<Why>,
    /// The server gives no valid UIDVALIDITY: messages are told apart by their content, which costs a full download each time.
    pub unstable: bool,
    /// Messages that were deleted from the server (POP3).
    pub deleted: u64,
    /// Why messages that were to be deleted from the server are perhaps still there (POP3). The next run tries again.
    pub undeleted: Option<Why>,
}

/// A message that the server has and that is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its UID.
    pub uid: u32,
    /// Why it is not.
    pub why: Why,
}

/// Why something is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The server gave nothing for it, also when asked for it alone.
    NotGiven,
    /// The server refused.
    Refused(String),
    /// It could not be written.
    Archive(String),
    /// The run stopped before it.
    NotReached,
    /// So many of the server's lines about it cannot be read.
    Unreadable(u64),
    /// The connection ended before the server had said what it did.
    Unknown(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotGiven => f.write_str("the server lists it but does not give it out"),
            Self::Refused(text) => write!(f, "the server refused: {text}"),
            Self::Archive(text) | Self::Unknown(text) => f.write_str(text),
            Self::NotReached => f.write_str("the run stopped before it"),
            Self::Unreadable(lines) => write!(f, "{lines} of the server's lines about it cannot be read"),
        }
    }
}

impl Report {
    /// Whether everything the server has (of what was asked for) is stored.
    pub fn is_complete(&self) -> bool {
        self.folders.iter().all(|f| f.missing.is_empty() && f.failed.is_none())
    }

    /// Messages stored by this run.
    pub fn stored(&self) -> u64 {
        self.folders.iter().map(|f| f.stored).sum()
    }

    /// Octets stored by this run.
    pub fn octets(&self) -> u64 {
        self.folders.iter().map(|f| f.octets).sum()
    }
}

impl FolderReport {
    /// What could not even be named.
    pub(super) fn unreadable(lines: u64) -> Self {
        Self::failed("(folders whose names cannot be read)", Why::Unreadable(lines))
    }

    pub(super) fn failed(name: &str, why: Why) -> Self {
        Self { name: name.to_owned(), failed: Some(why), ..Self::default() }
    }
}
