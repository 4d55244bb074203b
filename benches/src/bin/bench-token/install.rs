//! The programs as they are installed.

use std::fs;
use std::path::PathBuf;

/// Copies `postkey` and `postkey-full` from beside this program into a folder there, as `cargo install` and packages do: a program that
/// still lies as the linker wrote it, piece by piece, takes longer to be mapped.
pub(crate) fn beside_this() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let folder = own.with_file_name("installed");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for name in ["postkey", "postkey-full"] {
        let (from, to) = (own.with_file_name(name), folder.join(name));
        // Not over the old one, whose pieces would stay where they are.
        let gone = fs::remove_file(&to).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        });
        gone.and_then(|()| fs::copy(&from, &to)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    Ok(folder.join("postkey"))
}
