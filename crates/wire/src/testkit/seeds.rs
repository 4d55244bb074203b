//! What the fuzz targets of this workspace start from.

use std::path::Path;
use std::string::String;
use std::vec::Vec;

/// The seeds of a fuzz target by name, for tests that hold them to be understood. For this workspace's own tests: the files are not part of a
/// published crate.
///
/// # Panics
/// When there are none, or they cannot be read.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let files = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let read = |file: std::fs::DirEntry| {
        let octets = std::fs::read(file.path()).unwrap_or_else(|e| panic!("{}: {e}", file.path().display()));
        (file.file_name().to_string_lossy().into_owned(), octets)
    };
    let all: Vec<_> = files.flatten().map(read).collect();
    assert!(!all.is_empty(), "{target} has no seeds");
    all
}
