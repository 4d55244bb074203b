//! Asks the linker to pack the program's relocations, where the C library here can unpack them (glibc 2.36): half a megabyte that would be read
//! at every start and count as memory of every command.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if own_glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library, if the program is built for this machine and that library is glibc.
fn own_glibc() -> Option<(u32, u32)> {
    let variable = |name: &str| std::env::var(name).ok();
    if variable("HOST") != variable("TARGET") || variable("CARGO_CFG_TARGET_ENV")? != "gnu" {
        return None;
    }
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
