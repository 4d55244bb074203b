//! What every one of our packages must say of itself: licence, edition, minimum Rust version, no unsafe code;
//! and what the crates without I/O must say in their first lines.

use std::fs;

use cargo_metadata::{Metadata, Package};

use crate::command::root;
use crate::report::Outcome;

const LICENCE: &str = "MIT OR Apache-2.0";
const EDITION: &str = "2024";
const RUST_VERSION: &str = "1.88";

/// The crates that must build without the standard library and must not panic on input.
const WITHOUT_STD: &[&str] =
    &["postkey-wire", "postkey-sasl", "postkey-imap-proto", "postkey-pop3-proto", "postkey-smtp-proto"];
const MUST_DENY: &[&str] =
    &["clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "clippy::indexing_slicing"];

/// Looks at every package of the workspace and at the workspace itself.
pub(crate) fn step(metadata: &Metadata) -> Outcome {
    let mut findings = Vec::new();
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    if !section_has(&workspace, "[workspace.lints.rust]", "unsafe_code", "\"forbid\"") {
        findings.push("Cargo.toml does not forbid unsafe code for the workspace".to_owned());
    }
    for package in metadata.workspace_packages() {
        findings.extend(declared(package));
        let manifest = fs::read_to_string(&package.manifest_path).unwrap_or_default();
        if !section_has(&manifest, "[lints]", "workspace", "true") {
            findings.push(format!(
                "{}: no `workspace = true` under [lints]: unsafe code is not forbidden",
                package.name
            ));
        }
        if WITHOUT_STD.contains(&package.name.as_str()) {
            findings.extend(without_std(package));
        }
    }
    Outcome::from_findings(findings)
}

fn declared(package: &Package) -> impl Iterator<Item = String> {
    let name = &package.name;
    let rust = package.rust_version.as_ref().map(ToString::to_string).unwrap_or_default();
    let rust_is_right = rust == RUST_VERSION || rust == format!("{RUST_VERSION}.0");
    [
        (package.license.as_deref() != Some(LICENCE))
            .then(|| format!("{name}: the licence is {:?}, not {LICENCE}", package.license)),
        (package.edition.as_str() != EDITION)
            .then(|| format!("{name}: the edition is {}, not {EDITION}", package.edition)),
        (!rust_is_right).then(|| format!("{name}: rust-version is {rust:?}, not {RUST_VERSION}")),
    ]
    .into_iter()
    .flatten()
}

fn without_std(package: &Package) -> Vec<String> {
    let root = package.targets.iter().find(|target| target.is_lib()).map(|target| &target.src_path);
    let source = root.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    missing_attributes(&source)
        .into_iter()
        .map(|what| format!("{}: lib.rs lacks {what}", package.name))
        .collect()
}

fn missing_attributes(source: &str) -> Vec<String> {
    let attributes: String = inner_attributes(source).chars().filter(|c| !c.is_whitespace()).collect();
    let mut missing = Vec::new();
    if !attributes.contains("#![no_std]") {
        missing.push("`#![no_std]`".to_owned());
    }
    let denied = attributes.split("deny(").nth(1).unwrap_or_default();
    missing.extend(
        MUST_DENY
            .iter()
            .filter(|lint| !denied.contains(**lint))
            .map(|lint| format!("`deny({lint})` outside tests")),
    );
    missing
}

/// The file without its comments, up to its first item: lines of documentation may quote attributes.
fn inner_attributes(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a TOML table holds `key = value`; enough of TOML for manifests written by hand.
fn section_has(manifest: &str, header: &str, key: &str, value: &str) -> bool {
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .any(|(k, v)| k.trim() == key && v.trim() == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_end_where_the_next_begins() {
        let manifest = "[package]\nworkspace = true\n\n[lints]\n\n[dependencies]\nworkspace = true\n";
        assert!(!section_has(manifest, "[lints]", "workspace", "true"));
        assert!(section_has("[lints]\nworkspace = true\n", "[lints]", "workspace", "true"));
        assert!(!section_has("[lints]\nworkspace = false\n", "[lints]", "workspace", "true"));
    }

    #[test]
    fn attributes_in_comments_do_not_count() {
        let good = "//! Doc.\n#![no_std]\n#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used,\n    \
            clippy::panic, clippy::indexing_slicing))]\nextern crate alloc;\n";
        assert_eq!(missing_attributes(good), Vec::<String>::new());
        assert_eq!(missing_attributes(&good.replace("#![no", "//! #![no")), ["`#![no_std]`"]);
        assert_eq!(missing_attributes("").len(), 1 + MUST_DENY.len());
        assert_eq!(missing_attributes(&good.replace("clippy::panic,", "")).len(), 1);
    }
}
