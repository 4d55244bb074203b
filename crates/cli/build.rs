//! What the linker is asked for, so that the programs start fast, where the system is a GNU one and the programs are for this machine.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).ok();
    if variable("HOST") != variable("TARGET") || variable("CARGO_CFG_TARGET_ENV").as_deref() != Some("gnu") {
        return;
    }
    // Packed relocations: half a megabyte less that would be read at every start and count as memory of every command.
    if glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // The unwinder, as a part of the programs: to find and map the library that it otherwise is takes a fifth of the time of
    // `postkey token`.
    if let Some(folder) = unwinder() {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// The version of this machine's C library.
fn glibc() -> Option<(u32, u32)> {
    let text = said("getconf", "GNU_LIBC_VERSION")?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// The folder of GCC's static unwinder.
fn unwinder() -> Option<PathBuf> {
    let path = PathBuf::from(said("cc", "-print-file-name=libgcc_eh.a")?.trim());
    // GCC says the bare name of what it does not have.
    path.is_file().then(|| path.parent().map(PathBuf::from))?
}

fn said(program: &str, argument: &str) -> Option<String> {
    String::from_utf8(Command::new(program).arg(argument).output().ok()?.stdout).ok()
}
