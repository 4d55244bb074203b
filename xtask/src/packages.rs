//! Installing what the tests with real programs need: Debian packages when we may, a Python environment with
//! the pinned packages of `tests/peers/python/requirements.txt`, and the pinned packages for Node of `tests/peers/node`.
//!
//! Nothing here may start a service: the tests run their own private servers.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::command::{command, find_program, output, own_dir, root, run, succeeds};
use crate::report::{Counts, Outcome};

/// A Debian package and the program by which we see that it is there, on whatever system: its name, or a path for one that is not
/// on any `PATH`.
struct Package {
    name: &'static str,
    program: &'static str,
    used_for: &'static str,
}

const PACKAGES: &[Package] = &[
    Package { name: "dovecot-imapd", program: "dovecot", used_for: "the tests against a real IMAP server" },
    Package {
        name: "dovecot-pop3d",
        program: "/usr/lib/dovecot/pop3",
        used_for: "the tests against a real POP3 server",
    },
    Package {
        name: "dovecot-submissiond",
        program: "/usr/lib/dovecot/submission",
        used_for: "the tests against a real submission server",
    },
    Package {
        name: "dovecot-lmtpd",
        program: "/usr/lib/dovecot/lmtp",
        used_for: "the way of a message from Postfix to Dovecot",
    },
    Package { name: "postfix", program: "postfix", used_for: "the tests against a real mail transfer agent" },
    Package { name: "curl", program: "curl", used_for: "reading and sending mail with curl at the sandbox" },
    Package { name: "msmtp", program: "msmtp", used_for: "sending mail with msmtp at the sandbox" },
    Package { name: "mpop", program: "mpop", used_for: "reading mail with mpop from the sandbox" },
    Package { name: "python3-venv", program: "python3", used_for: "imaplib and MSAL against the sandbox" },
    Package {
        name: "nodejs",
        program: "node",
        used_for: "nodemailer, MSAL, openid-client and oidc-provider",
    },
    Package { name: "npm", program: "npm", used_for: "installing the packages for Node" },
    Package {
        name: "chromium",
        program: "chromium",
        used_for: "signing in at the sandbox with a real browser",
    },
    Package {
        name: "chromium-driver",
        program: "chromedriver",
        used_for: "signing in at the sandbox with a real browser",
    },
    Package { name: "g++", program: "g++", used_for: "the fuzz targets (libFuzzer is C++)" },
    Package { name: "mutt", program: "mutt", used_for: "mutt with `postkey token`" },
    Package { name: "isync", program: "mbsync", used_for: "mbsync with `postkey token`" },
    Package {
        name: "libsasl2-modules-kdexoauth2",
        program: "/usr/lib/x86_64-linux-gnu/sasl2/libkdexoauth2.so",
        used_for: "mbsync with `postkey token`",
    },
    Package { name: "offlineimap3", program: "offlineimap", used_for: "offlineimap with `postkey token`" },
    Package {
        name: "git-email",
        program: "/usr/lib/git-core/git-send-email",
        used_for: "git send-email with `postkey token`",
    },
    Package {
        name: "libmailtools-perl",
        program: "/usr/share/perl5/Mail/Address.pm",
        used_for: "git send-email, which does not start without it",
    },
    Package {
        name: "libauthen-sasl-perl",
        program: "/usr/share/perl5/Authen/SASL.pm",
        used_for: "git send-email, to see whether it can use a token itself",
    },
    Package { name: "age", program: "age", used_for: "sealed tokens and the store's key with age itself" },
    Package {
        name: "gnome-keyring",
        program: "gnome-keyring-daemon",
        used_for: "the store's key in a real Secret Service",
    },
    Package {
        name: "dbus",
        program: "dbus-run-session",
        used_for: "a session bus of its own for GNOME Keyring",
    },
    Package { name: "libsecret-tools", program: "secret-tool", used_for: "asking GNOME Keyring for the key" },
    // Before the server, which would bring another kind of database along.
    Package { name: "dbconfig-sqlite3", program: "sqlite3", used_for: "the database of Glewlwyd" },
    Package {
        name: "glewlwyd",
        program: "glewlwyd",
        used_for: "the tests against a second authorisation server",
    },
];

/// Installs what is missing and says what could not be had.
pub(crate) fn step() -> Outcome {
    let mut missing = missing_packages();
    let mut notes = Vec::new();
    if !missing.is_empty() {
        match install(&missing) {
            Ok(()) => missing = missing_packages(),
            Err(why) => notes.push(format!("not installed: {why}")),
        }
    }
    let mut counts = Counts { passed: PACKAGES.len() - missing.len(), failed: 0, skipped: missing.len() };
    notes.extend(missing.iter().map(|p| format!("{} is missing; it is needed for {}", p.name, p.used_for)));
    match python_environment() {
        Ok(()) => counts.passed += 1,
        Err(why) => {
            counts.skipped += 1;
            notes.push(format!("no Python environment, so no test with MSAL: {why}"));
        }
    }
    match node_environment() {
        Ok(()) => counts.passed += 1,
        Err(why) => {
            counts.skipped += 1;
            notes.push(format!("no packages for Node, so no test with nodemailer, MSAL for Node, openid-client, oidc-provider and Glewlwyd: {why}"));
        }
    }
    Outcome { counts, notes }
}

fn missing_packages() -> Vec<&'static Package> {
    PACKAGES.iter().filter(|package| !is_there(package)).collect()
}

/// Debian's word where there is one: `python3` is on every system, the module that makes environments is not.
fn is_there(package: &Package) -> bool {
    let status = output(command("dpkg-query").args(["-W", "-f=${db:Status-Status}", package.name]));
    match status.as_deref() {
        Some("installed") => true,
        // A program from elsewhere serves as well.
        _ if package.name == "python3-venv" => {
            succeeds(command("python3").args(["-c", "import ensurepip, venv"]))
        }
        _ => find_program(package.program).is_some(),
    }
}

fn install(missing: &[&Package]) -> Result<(), String> {
    if find_program("apt-get").is_none() {
        return Err("there is no apt-get here; install the packages in this system's own way".into());
    }
    if !is_root() {
        let names: Vec<_> = missing.iter().map(|p| p.name).collect();
        return Err(format!(
            "only root may install; run `sudo apt-get install --no-install-recommends {}`",
            names.join(" ")
        ));
    }
    let _no_services = NoServices::set().map_err(|e| format!("cannot keep services from starting: {e}"))?;
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", "-o", "DPkg::Lock::Timeout=300"]);
        apt.args(arguments);
        match run(&mut apt) {
            Ok(ran) if ran.success => Ok(()),
            Ok(_) => Err(format!("apt-get {} failed, its output is above", arguments.join(" "))),
            Err(e) => Err(format!("apt-get does not start: {e}")),
        }
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend(missing.iter().map(|p| p.name));
    apt(&arguments)
}

/// The owner of our own process, as the owner of its entry in /proc.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// Debian's way of installing a daemon without starting it: a `policy-rc.d` that says no. Ours is removed again;
/// one that was there before is left alone.
struct NoServices {
    ours: Option<PathBuf>,
}

impl NoServices {
    fn set() -> io::Result<Self> {
        let path = PathBuf::from("/usr/sbin/policy-rc.d");
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path) {
            Ok(mut file) => {
                let guard = Self { ours: Some(path) };
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Ok(guard)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Self { ours: None }),
            Err(e) => Err(e),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.ours {
            let _ = fs::remove_file(path);
        }
    }
}

/// The interpreter of the environment that [`python_environment`] makes.
pub(crate) fn python() -> PathBuf {
    own_dir().join("venv/bin/python")
}

/// Makes the environment, unless the one that is there was made from the same requirements.
fn python_environment() -> Result<(), String> {
    let requirements = root().join("tests/peers/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).map_err(|e| format!("{}: {e}", requirements.display()))?;
    let stamp = own_dir().join("venv/requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    fs::create_dir_all(own_dir()).map_err(|e| e.to_string())?;
    let made = run(command("python3").args(["-m", "venv", "--clear"]).arg(own_dir().join("venv")));
    if !made.is_ok_and(|ran| ran.success) {
        return Err("`python3 -m venv` failed".into());
    }
    let pip = run(command(python())
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--timeout", "20", "--retries", "2", "--requirement"])
        .arg(&requirements));
    if !pip.is_ok_and(|ran| ran.success) {
        return Err("pip could not install the requirements; is there a network?".into());
    }
    fs::write(&stamp, wanted).map_err(|e| e.to_string())
}

/// Where [`node_environment`] installs: a folder with a `node_modules`.
pub(crate) fn node() -> PathBuf {
    own_dir().join("node")
}

/// Installs exactly what the lock file says, unless what is there was made from the same one. Nothing that a package would like to run
/// while it is installed is run, and a Node that is too old for one of them gets none.
fn node_environment() -> Result<(), String> {
    let source = root().join("tests/peers/node");
    let read = |file: &Path| fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()));
    let files = ["package.json", "package-lock.json"];
    let wanted = files.iter().map(|name| read(&source.join(name))).collect::<Result<String, _>>()?;
    let stamp = node().join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    for program in ["node", "npm"] {
        if find_program(program).is_none() {
            return Err(format!("there is no {program} here"));
        }
    }
    let _ = fs::remove_file(&stamp);
    fs::create_dir_all(node()).map_err(|e| e.to_string())?;
    for name in files {
        fs::copy(source.join(name), node().join(name)).map_err(|e| e.to_string())?;
    }
    // What is there already, it removes.
    let installed = run(command("npm")
        .args([
            "ci",
            "--engine-strict",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=2",
            "--fetch-timeout=20000",
        ])
        .current_dir(node()));
    if !installed.is_ok_and(|ran| ran.success) {
        return Err("npm could not install them; is there a network, and is this Node 20.19 or newer?".into());
    }
    fs::write(&stamp, wanted).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock file made behind a mirror names the mirror, and then nobody else can install from it.
    #[test]
    fn the_lock_file_for_node_names_no_machine() {
        let lock = fs::read_to_string(root().join("tests/peers/node/package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 1);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            // Left out, it is the registry that npm is set to use.
            let resolved = package["resolved"].as_str();
            assert!(
                resolved.is_none_or(|url| url.starts_with("https://registry.npmjs.org/")),
                "{name}: {resolved:?}"
            );
            assert!(package["integrity"].as_str().is_some_and(|sum| sum.starts_with("sha512-")), "{name}");
        }
    }

    #[test]
    fn packages_for_node_are_pinned() {
        let package = fs::read_to_string(root().join("tests/peers/node/package.json")).unwrap();
        let package: serde_json::Value = serde_json::from_str(&package).unwrap();
        for (name, version) in package["dependencies"].as_object().unwrap() {
            let version = version.as_str().unwrap();
            assert!(version.bytes().all(|c| c.is_ascii_digit() || c == b'.'), "{name}: {version}");
        }
    }
}
