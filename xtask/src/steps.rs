//! The steps of `cargo xtask test`, in the order in which they run: cheap ones first.

use std::time::Instant;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::command::{cargo, root, run};
use crate::report::{Finished, Outcome};
use crate::{fuzz, layers, licences, manifests, msrv, packages, suites};

/// A step's name on the command line, what it does, and how.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    action: fn() -> Outcome,
}

/// Every step.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "packages",
        about: "install the Debian, Python and Node packages that the tests use (Debian's as root only)",
        action: packages::step,
    },
    Step { name: "fmt", about: "formatting", action: || cargo_check(&["fmt", "--all", "--check"], &[]) },
    Step { name: "layers", about: "who may depend on whom", action: || with_metadata(layers::step) },
    Step {
        name: "licences",
        about: "the licence of every dependency",
        action: || with_metadata(licences::step),
    },
    Step {
        name: "manifests",
        about: "licence, edition, Rust version, no unsafe code, no_std of our packages",
        action: || with_metadata(manifests::step),
    },
    Step { name: "clippy", about: "clippy without warnings", action: || cargo_check(CLIPPY, &[]) },
    Step {
        name: "doc",
        about: "rustdoc without warnings",
        action: || cargo_check(DOC, &[("RUSTDOCFLAGS", "-D warnings")]),
    },
    Step {
        name: "msrv",
        about: "the oldest Rust that is promised builds it",
        action: || with_metadata(msrv::step),
    },
    Step { name: "tests", about: "unit, property and end-to-end tests", action: suites::step },
    Step { name: "doctests", about: "the examples in the documentation", action: suites::doc },
    Step {
        name: "peers",
        about: "tests with real programs: Dovecot, Postfix, curl, msmtp, mpop, Python, MSAL, nodemailer, Chromium, oidc-provider, Glewlwyd, age, GNOME Keyring",
        action: suites::peers,
    },
    Step {
        name: "fuzz",
        about: "each fuzz target for 10 seconds (nightly)",
        action: || fuzz::step(fuzz::SECONDS, &[]),
    },
];

const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
const DOC: &[&str] = &["doc", "--workspace", "--no-deps", "--locked"];

/// The step of that name.
pub(crate) fn find(name: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.name == name)
}

impl Step {
    /// Runs the step; whatever goes wrong is in the outcome, so that the next one runs too.
    pub(crate) fn run(&self) -> Finished {
        println!("== {}: {}", self.name, self.about);
        let start = Instant::now();
        let outcome = (self.action)();
        Finished { name: self.name, took: start.elapsed(), outcome }
    }
}

fn cargo_check(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let what = format!("`cargo {}`", arguments.join(" "));
    match run(cargo().args(arguments).envs(environment.iter().copied())) {
        Ok(ran) if ran.success => Outcome::passed(),
        Ok(_) => Outcome::failed(format!("{what} found something; its output is above")),
        Err(e) => Outcome::failed(format!("{what} does not start: {e}")),
    }
}

fn with_metadata(check: fn(&Metadata) -> Outcome) -> Outcome {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec!["--locked".into()])
        .exec();
    match metadata {
        Ok(metadata) => check(&metadata),
        Err(e) => Outcome::failed(format!("cargo metadata failed: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for step in STEPS {
            assert_eq!(STEPS.iter().filter(|other| other.name == step.name).count(), 1, "{}", step.name);
        }
        assert!(find("no-such-step").is_none());
    }
}
