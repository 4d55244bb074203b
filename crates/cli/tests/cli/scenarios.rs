//! The pages of `docs/scenarios`, followed to the letter: what they say to write gives the configuration they show, and what they say to
//! try is run by a shell beside `postkey sandbox`, with a person who reads the terminal and does what it asks for.
//!
//! A page is found by being there. What the test needs of it:
//!
//! * "What to write": every block of TOML is what the console block before it writes into an empty configuration;
//! * "Try it against the sandbox", the last section: the first console block starts the sandbox, in a terminal of its own; the last one is the
//!   reader's. A line behind `$ ` is a command, lines behind a `\` go on with it, all other lines are what it prints. `…` stands for
//!   what differs from run to run, on a line of its own for any number of lines.

mod page;
mod terminal;
mod web_application;

use std::path::{Path, PathBuf};

use page::{Page, Step};
use terminal::Terminal;

use crate::support::*;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios")
}

/// All pages but the index.
fn pages() -> Vec<Page> {
    let names = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = names
        .filter(|path| path.extension().is_some_and(|e| e == "md") && !path.ends_with("README.md"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "{paths:?}");
    paths.iter().map(|path| Page::read(path)).collect()
}

/// Runs `test` for each page, several at a time, and names the pages that failed.
fn each(test: impl Fn(&Page) + Sync) {
    let pages = pages();
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| (page, scope.spawn(|| test(page)))).collect();
        let ended = running.into_iter().map(|(page, thread)| (page, thread.join()));
        ended.filter(|(_, result)| result.is_err()).map(|(page, _)| page.name.as_str()).collect()
    });
    assert!(failed.is_empty(), "these pages do not hold what they promise, see above: {failed:?}");
}

#[test]
fn every_page_works_as_it_stands() {
    each(|page| {
        let (start, steps) = page.trial();
        let home = Home::new();
        let terminal = Terminal::beside(&home, &start);
        terminal.follow(&page.name, &steps);
    });
}

#[test]
fn what_a_page_says_to_write_is_what_it_shows() {
    each(|page| {
        let written = page.written();
        assert!(!written.is_empty(), "{}: nothing to write", page.name);
        for (steps, shown) in written {
            let home = Home::new();
            for step in &steps {
                let ran = terminal::shell(&home, &step.command);
                assert_eq!(ran.code, 0, "{}: {}\n{}", page.name, step.command, ran.stderr);
            }
            let text = std::fs::read_to_string(home.config()).unwrap();
            // The reader's home is Ana's.
            let text = text.replace(home.dir.path().to_str().unwrap(), "/home/ana");
            let (written, shown): (toml::Table, toml::Table) =
                (text.parse().unwrap(), shown.parse().unwrap());
            assert_eq!(written, shown, "{}", page.name);
        }
    });
}

#[test]
fn scripts_of_the_set_up_run_and_commands_are_understood() {
    let mut made = 0;
    for page in pages() {
        let home = Home::new();
        for script in page.scripts() {
            let ran = terminal::shell(&home, &format!("set -e\n{script}"));
            assert_eq!(ran.code, 0, "{}: {script}\n{}", page.name, ran.stderr);
            made += 1;
        }
        let commands = page.commands();
        assert!(commands.len() >= 3, "{}: {commands:?}", page.name);
        for command in commands {
            assert!(command.starts_with("postkey "), "{}: {command}", page.name);
            // It would run until somebody ends it.
            assert!(!command.starts_with("postkey sandbox"), "{}: {command}", page.name);
            // There may be no such account, but there is such a command.
            let ran = terminal::shell(&Home::new(), &command);
            assert!(ran.code != 2 && ran.code < 64, "{}: {command}\n{}", page.name, ran.stderr);
        }
    }
    assert!(made >= 5, "{made} scripts");
}

#[test]
fn the_certificate_that_a_page_makes_is_one_that_can_be_used() {
    let page = pages().into_iter().find(|page| page.name == "daemon-certificate.md").unwrap();
    let home = Home::new();
    for script in page.scripts() {
        terminal::shell(&home, &script).code(0);
    }
    let add =
        "postkey account add a --user a@contoso.com --tenant contoso.com --client-id x --flow certificate";
    let unreachable = "--authority https://127.0.0.1:9";
    for files in
        ["--certificate intake.pem", "--certificate intake.pfx --certificate-passphrase-file intake.pass"]
    {
        terminal::shell(&home, &format!("{add} {files} {unreachable}")).code(0);
        // The files are read before anything is asked of anybody.
        terminal::shell(&home, "postkey login a").code(27);
        terminal::shell(&home, "postkey account remove a").code(0);
    }
    terminal::shell(&home, &format!("{add} --certificate intake.crt {unreachable}")).code(0);
    terminal::shell(&home, "postkey login a").code(10).says(&["key"]);
}

#[test]
fn the_indexes_link_every_page_and_links_lead_somewhere() {
    let (index, readme) = (docs().join("README.md"), docs().join("../../README.md"));
    for (file, prefix) in [(&index, ""), (&readme, "docs/scenarios/")] {
        let text = std::fs::read_to_string(file).unwrap();
        for page in pages() {
            let link = format!("]({prefix}{})", page.name);
            assert!(text.contains(&link), "{} does not link {}", file.display(), page.name);
        }
    }
    let all = pages().into_iter().map(|page| docs().join(page.name)).chain([index, readme]);
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                let path = file.parent().unwrap().join(target);
                assert!(path.exists(), "{}: {link} leads nowhere", file.display());
            }
        }
    }
}

#[test]
fn what_usually_goes_wrong_is_what_the_program_knows() {
    let listed = Home::new().run(&["exit-codes", "--json"]).code(0).stdout;
    for page in pages() {
        let section = page.section("What usually goes wrong").0;
        // Without the head and the line below it.
        let rows = section.lines().filter(|line| line.starts_with('|')).skip(2).count();
        assert!((3..=6).contains(&rows), "{}: {rows} rows", page.name);
        for rest in section.split("AADSTS").skip(1) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            assert!(auth::Code::find(number.parse().unwrap()).is_some(), "{}: AADSTS{number}", page.name);
        }
        for rest in section.split("exit code ").skip(1) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            assert!(listed.contains(&format!("\"code\":{number},")), "{}: exit code {number}", page.name);
        }
    }
}

#[test]
fn no_page_names_a_bare_scope_or_one_of_graph() {
    for page in pages() {
        assert!(!page.text.contains("graph.microsoft.com"), "{}", page.name);
        for line in page.text.lines().filter(|line| line.contains("scope")) {
            for permission in ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"] {
                for (at, _) in line.match_indices(permission) {
                    assert!(
                        line[..at].ends_with("https://outlook.office.com/"),
                        "{}: a scope has its resource's address before it: {line}",
                        page.name
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_shown_has_to_be_printed() {
    let step = |shown: &str| Step { command: "x".into(), shown: shown.lines().map(str::to_owned).collect() };
    for (shown, printed, matches) in [
        ("a\nb", "a\nb\n", true),
        ("a", "a\nb\n", false),
        ("a\nb", "a\n", false),
        ("", "a\n", false),
        ("a…c", "abbc\n", true),
        ("a…c", "abbd\n", false),
        ("a\n…\nd", "a\nb\nc\nd\n", true),
        ("a\n…\nd", "a\nd\n", true),
        ("a\n…\nd", "a\nb\n", false),
        ("…", "", true),
        ("a", "b\n", false),
    ] {
        assert_eq!(step(shown).matches(printed), matches, "{shown:?} against {printed:?}");
    }
}
