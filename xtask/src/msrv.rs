//! Whether the workspace builds with the oldest Rust that it promises. Clippy only knows when something came into the standard library; what a
//! dependency needs, and what the language allowed, is known to that compiler alone.

use cargo_metadata::Metadata;

use crate::command::{cargo_of, command, find_program, run, succeeds};
use crate::report::Outcome;

/// Checks everything but tests with the `rust-version` of the manifests, which are held to one by `manifests`.
pub(crate) fn step(metadata: &Metadata) -> Outcome {
    let versions =
        metadata.workspace_packages().into_iter().filter_map(|package| package.rust_version.as_ref());
    let Some(oldest) = versions.max() else {
        return Outcome::failed("no package of the workspace has a rust-version");
    };
    let toolchain = oldest.to_string();
    if !there(&toolchain) && !install(&toolchain) {
        return Outcome::skipped(
            1,
            format!("it needs that toolchain: `rustup toolchain install {toolchain} --profile minimal`"),
        );
    }
    match run(cargo_of(&toolchain).args(["check", "--workspace", "--locked"])) {
        Ok(ran) if ran.success => Outcome::passed(),
        Ok(_) => Outcome::failed(format!("it does not build with Rust {toolchain}; the output is above")),
        Err(e) => Outcome::failed(format!("cargo does not start: {e}")),
    }
}

fn there(toolchain: &str) -> bool {
    succeeds(cargo_of(toolchain).arg("--version"))
}

fn install(toolchain: &str) -> bool {
    find_program("rustup").is_some()
        && run(command("rustup").args([
            "toolchain",
            "install",
            toolchain,
            "--profile",
            "minimal",
            "--no-self-update",
        ]))
        .is_ok_and(|ran| ran.success)
        && there(toolchain)
}
