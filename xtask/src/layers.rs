//! Who may import whom: the arrows of ARCHITECTURE.md, checked against what cargo knows.
//!
//! Normal and build dependencies must be in the table. Development dependencies are free, but for the protocol
//! crates: one that tests itself with another would no longer stand alone.

use cargo_metadata::{DependencyKind, Metadata};

use crate::report::Outcome;

/// One of our packages and what it may depend on.
struct Layer {
    package: &'static str,
    /// Our own packages.
    ours: &'static [&'static str],
    /// For a crate without I/O the other packages too: each was looked at for touching a clock, a socket, a
    /// file, a thread or a random source. `None` where the runtime is allowed.
    others: Option<&'static [&'static str]>,
}

const WIRE: &str = "postkey-wire";
const SASL: &str = "postkey-sasl";
const IMAP: &str = "postkey-imap-proto";
const POP3: &str = "postkey-pop3-proto";
const SMTP: &str = "postkey-smtp-proto";
const AUTH: &str = "postkey-auth";
const DRIVER: &str = "postkey-driver";
const CLIENT: &str = "postkey";
const ARCHIVE: &str = "postkey-archive";
const SANDBOX: &str = "postkey-sandbox";
const CLI: &str = "postkey-cli";

const LAYERS: &[Layer] = &[
    Layer { package: WIRE, ours: &[], others: Some(&["memchr", "zeroize"]) },
    Layer { package: SASL, ours: &[WIRE], others: Some(&["base64ct"]) },
    Layer { package: IMAP, ours: &[SASL, WIRE], others: Some(&["memchr"]) },
    Layer { package: POP3, ours: &[SASL, WIRE], others: Some(&["memchr"]) },
    Layer { package: SMTP, ours: &[SASL, WIRE], others: Some(&["memchr"]) },
    Layer { package: AUTH, ours: &[WIRE], others: None },
    Layer { package: DRIVER, ours: &[WIRE], others: None },
    Layer { package: CLIENT, ours: &[AUTH, DRIVER, IMAP, POP3, SMTP, SASL, WIRE], others: None },
    Layer { package: ARCHIVE, ours: &[CLIENT, IMAP, WIRE], others: None },
    Layer { package: SANDBOX, ours: &[CLIENT, AUTH, DRIVER, IMAP, POP3, SMTP, SASL, WIRE], others: None },
    Layer {
        package: CLI,
        ours: &[SANDBOX, ARCHIVE, CLIENT, AUTH, DRIVER, IMAP, POP3, SMTP, SASL, WIRE],
        others: None,
    },
];

/// What only a `testkit` feature may bring in, so it must be optional.
const TESTKIT_ONLY: &[&str] = &["proptest"];

/// The packages that are not part of the product: they may import anything, nothing may import them.
const TOOLS: &[&str] = &["postkey-benches", "postkey-peers", "xtask"];

/// One dependency of one of our packages, as its manifest declares it.
#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    kind: DependencyKind,
    optional: bool,
}

/// Compares every declared dependency with the table.
pub(crate) fn step(metadata: &Metadata) -> Outcome {
    let packages = metadata.workspace_packages();
    let names: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let edges = packages.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.as_str(),
            to: dependency.name.as_str(),
            kind: dependency.kind,
            optional: dependency.optional,
        })
    });
    let mut findings: Vec<String> = edges.filter_map(|edge| forbidden(edge, &names)).collect();
    findings.extend(names.iter().filter(|name| !TOOLS.contains(name) && layer(name).is_none()).map(|name| {
        format!(
            "{name} has no place in the table of layers; add it to xtask/src/layers.rs and ARCHITECTURE.md"
        )
    }));
    Outcome::from_findings(findings)
}

fn layer(package: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.package == package)
}

/// Why an edge may not be, or `None` if it may.
fn forbidden(edge: Edge<'_>, ours: &[&str]) -> Option<String> {
    let Edge { from, to, kind, optional } = edge;
    let layer = layer(from)?; // a tool, or reported by name
    let is_ours = ours.contains(&to);
    if kind == DependencyKind::Development {
        let stands_alone = layer.others.is_none() || !is_ours || from == to || layer.ours.contains(&to);
        return (!stands_alone).then(|| {
            format!("{from} has the development dependency {to}; a protocol crate tests itself alone")
        });
    }
    if is_ours {
        return (!layer.ours.contains(&to)).then(|| {
            let may = if layer.ours.is_empty() { "none of ours".into() } else { layer.ours.join(", ") };
            format!("{from} depends on {to}; it may depend on {may}")
        });
    }
    let allowed = layer.others?;
    if TESTKIT_ONLY.contains(&to) {
        return (!optional)
            .then(|| format!("{from} depends on {to}; outside the testkit feature it may not"));
    }
    (!allowed.contains(&to)).then(|| {
        format!(
            "{from} depends on {to}; a crate without I/O may only use what xtask/src/layers.rs lists for it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[&str] = &[
        WIRE,
        SASL,
        IMAP,
        POP3,
        SMTP,
        AUTH,
        DRIVER,
        CLIENT,
        ARCHIVE,
        SANDBOX,
        CLI,
        "xtask",
        "postkey-peers",
    ];

    fn judge(from: &str, to: &str, kind: DependencyKind) -> Option<String> {
        forbidden(Edge { from, to, kind, optional: false }, OURS)
    }

    #[test]
    fn arrows_go_down_only() {
        use DependencyKind::{Build, Normal};
        let down = [
            (SASL, WIRE),
            (IMAP, SASL),
            (CLIENT, AUTH),
            (CLI, SANDBOX),
            (SANDBOX, CLIENT),
            (ARCHIVE, CLIENT),
        ];
        for (from, to) in down.into_iter().chain([(POP3, SASL), (SMTP, WIRE), (CLIENT, SMTP), (CLI, POP3)]) {
            assert_eq!(judge(from, to, Normal), None, "{from} -> {to}");
        }
        let up = [(WIRE, SASL), (SASL, IMAP), (AUTH, SASL), (AUTH, DRIVER), (DRIVER, IMAP), (DRIVER, AUTH)];
        let across = [(POP3, IMAP), (SMTP, POP3), (IMAP, SMTP), (DRIVER, SMTP), (ARCHIVE, POP3)];
        let tools =
            [(CLI, "xtask"), (CLIENT, "postkey-peers"), (CLIENT, CLI), (CLIENT, ARCHIVE), (SANDBOX, CLI)];
        for (from, to) in up.into_iter().chain(across).chain(tools) {
            for kind in [Normal, Build] {
                let finding = judge(from, to, kind).unwrap_or_else(|| panic!("{from} -> {to} passed"));
                assert!(finding.contains(from) && finding.contains(to), "{finding}");
            }
        }
    }

    #[test]
    fn crates_without_io_have_a_list() {
        assert_eq!(judge(WIRE, "memchr", DependencyKind::Normal), None);
        for (from, to) in [(WIRE, "tokio"), (SASL, "getrandom"), (IMAP, "rustls"), (IMAP, "proptest")] {
            assert!(judge(from, to, DependencyKind::Normal).is_some(), "{from} -> {to}");
        }
        assert_eq!(judge(DRIVER, "tokio", DependencyKind::Normal), None);
        let edge = Edge { from: IMAP, to: "proptest", kind: DependencyKind::Normal, optional: true };
        assert_eq!(forbidden(edge, OURS), None);
    }

    #[test]
    fn development_dependencies_are_free_but_for_protocol_crates() {
        use DependencyKind::Development;
        assert_eq!(judge(CLI, "postkey-peers", Development), None);
        assert_eq!(judge(AUTH, SANDBOX, Development), None);
        assert_eq!(judge(IMAP, IMAP, Development), None, "its own testkit");
        assert_eq!(judge(IMAP, "proptest", Development), None);
        assert!(judge(SASL, IMAP, Development).is_some());
        assert!(judge(WIRE, SASL, Development).is_some());
        assert!(judge(IMAP, DRIVER, Development).is_some());
    }
}
