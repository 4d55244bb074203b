//! Every dependency's licence must be one that lets a user ship a program built from it.

use cargo_metadata::Metadata;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::report::Outcome;

/// Permissive licences, by SPDX identifier. A dependency passes when its expression can be satisfied by these.
///
/// - CDLA-Permissive-2.0: the root certificates of webpki-roots, which are data.
/// - OpenSSL: parts of aws-lc-sys, from before its own licence.
/// - MPL-2.0 is not in the list: it is copyleft for the files it covers.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Looks at every package of the lock file that is not ours, for every platform.
pub(crate) fn step(metadata: &Metadata) -> Outcome {
    let findings = metadata
        .packages
        .iter()
        .filter(|package| !metadata.workspace_members.contains(&package.id))
        .filter_map(|package| {
            let why = objection(package.license.as_deref())?;
            Some(format!("{} {}: {why}", package.name, package.version))
        })
        .collect();
    Outcome::from_findings(findings)
}

/// What is wrong with a manifest's licence, or `None`.
fn objection(licence: Option<&str>) -> Option<String> {
    let Some(licence) = licence else {
        return Some("names no licence in its manifest; look at its files and decide".into());
    };
    // Old manifests write `MIT/Apache-2.0`, which the lax mode reads as OR.
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Ok(expression) if expression.evaluate(allowed) => None,
        Ok(_) => Some(format!("`{licence}` is not satisfied by the licences of xtask/src/licences.rs")),
        Err(e) => Some(format!("`{licence}` is not an SPDX expression: {}", e.reason)),
    }
}

fn allowed(required: &LicenseReq) -> bool {
    required.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissive_expressions_pass() {
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "ISC AND (Apache-2.0 OR ISC) AND OpenSSL",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0-only OR MIT",
        ] {
            assert_eq!(objection(Some(licence)), None, "{licence}");
        }
    }

    #[test]
    fn others_are_reported() {
        for licence in
            ["GPL-3.0-only", "MIT AND LGPL-2.1-or-later", "MPL-2.0", "LicenseRef-Proprietary", "free as beer"]
        {
            assert!(objection(Some(licence)).is_some(), "{licence}");
        }
        assert!(objection(None).is_some());
    }
}
