//! Lists of the manual that could drift from the program: exit codes, settings, members of JSON documents.

use std::collections::BTreeSet;

use sandbox::ANA;
use serde_json::Value;

use crate::support::*;

const CODES: &str = include_str!("../../../../docs/exit-codes.md");
const SETTINGS: &str = include_str!("../../../../docs/configuration.md");
const DOCUMENTS: &str = include_str!("../../../../docs/cli-json.md");

/// What stands in backquotes, outside of blocks of code.
fn quoted(text: &str) -> BTreeSet<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    prose.iter().flat_map(|part| part.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_page_of_exit_codes_has_what_the_program_lists_and_no_more() {
    let listed = Home::new().run(&["exit-codes", "--json"]).code(0).json();
    let listed: Vec<(String, String)> = listed["exit_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["code"].to_string(), row["kind"].as_str().unwrap().to_owned()))
        .collect();
    let written: Vec<(String, String)> = CODES
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let (code, kind) = (cells.next()?, cells.next()?);
            code.parse::<u8>().ok().filter(|code| *code != 0)?;
            Some((code.to_owned(), kind.trim().trim_matches('`').to_owned()))
        })
        .collect();
    assert_eq!(written, listed);
}

/// What the program says is known in a table, for a setting that nothing is called.
fn known(before: &str) -> Vec<String> {
    let home = Home::new();
    home.configure(&format!("{before}\nqqqqqqqqqq = 1\n"));
    let ran = home.run(&["account", "show", "--json"]).code(10);
    let failure: Value = serde_json::from_str(&ran.stderr).unwrap();
    let advice = failure["error"]["advice"].as_str().unwrap();
    let names = advice.split_once("known here: ").unwrap_or_else(|| panic!("{before}: {advice}")).1;
    names.split(", ").map(str::to_owned).collect()
}

/// Every setting stands in the example, in the table it belongs to, or inline behind its name.
#[test]
fn every_setting_that_the_program_knows_is_on_the_page() {
    let example = SETTINGS.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let example: toml::Table = example.parse().unwrap();
    let accounts: Vec<&toml::Table> =
        example["accounts"].as_table().unwrap().values().map(|account| account.as_table().unwrap()).collect();
    let account = "[accounts.w]\nuser = \"a@x\"\nclient_id = \"c\"\n";
    let of_accounts = |names: &[&str]| -> BTreeSet<String> {
        let inner = accounts.iter().filter_map(|account| {
            names.iter().try_fold(*account, |table, name| table.get(*name)?.as_table())
        });
        inner.flat_map(|table| table.keys().cloned()).collect()
    };
    let inline = quoted(SETTINGS);
    for (header, written) in [
        ("", example.keys().cloned().collect()),
        ("[store]", example["store"].as_table().unwrap().keys().cloned().collect()),
        (account, of_accounts(&[])),
        (&format!("{account}[accounts.w.imap]"), of_accounts(&["imap"])),
        // "The same settings", and more.
        (&format!("{account}[accounts.w.smtp]"), &of_accounts(&["smtp"]) | &of_accounts(&["imap"])),
        (&format!("{account}[accounts.w.pop3]"), of_accounts(&["imap"])),
        (&format!("{account}[accounts.w.oauth]"), of_accounts(&["oauth"])),
        (&format!("{account}[accounts.w.certificate]\nfile = \"f\""), of_accounts(&["certificate"])),
    ] {
        let written: BTreeSet<String> = written;
        for name in known(header) {
            let explained = written.contains(&name)
                || inline.iter().any(|text| text == &name || text.starts_with(&format!("{name} = ")));
            assert!(explained, "{name}, below {header:?}, is missing in docs/configuration.md");
        }
    }
}

/// The names of all members, at any depth.
fn members(document: &Value, found: &mut BTreeSet<String>) {
    match document {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                // What a token or a provider's table has in it is none of ours.
                if !["claims", "header", "provider"].contains(&name.as_str()) {
                    members(value, found);
                }
            }
        }
        Value::Array(array) => array.iter().for_each(|value| members(value, found)),
        _ => {}
    }
}

/// The section of the page under a heading that names the command.
fn section(command: &str) -> &'static str {
    let name = format!("`{command}`");
    let mut sections = DOCUMENTS.split("\n### ").skip(1);
    sections
        .find(|section| section.lines().next().is_some_and(|heading| heading.contains(&name)))
        .unwrap_or_else(|| panic!("{command} is missing in docs/cli-json.md"))
}

/// Every member is on the page, in the section of the command or in one that it refers to, and every row of the
/// section's tables is in the document.
#[track_caller]
fn described(command: &str, like: &[&str], document: &Value) {
    let mut said: BTreeSet<String> = quoted(section(command));
    said.extend(like.iter().flat_map(|command| quoted(section(command))));
    // The form of every failure.
    said.extend(["error", "kind", "message", "advice", "exit_code"].map(str::to_owned));
    let mut found = BTreeSet::new();
    members(document, &mut found);
    let unsaid: Vec<&String> = found.difference(&said).collect();
    assert!(unsaid.is_empty(), "{command}: {unsaid:?} missing in docs/cli-json.md; {document}");
    for row in section(command).lines().filter(|line| line.starts_with("| `")) {
        for name in quoted(row.split(" | ").next().unwrap()) {
            assert!(found.contains(&name), "{command}: docs/cli-json.md has {name}, not so {document}");
        }
    }
}

#[test]
fn every_member_of_every_document_is_on_the_page() {
    let world = World::new();
    world.everywhere();
    let run = |args: &[&str], code: i32| {
        let ran = world.run(&[args, &["--json"]].concat()).code(code);
        ran.json()
    };
    let added = ["account", "add", "x", "--user", "x@contoso.example", "--client-id", "c"];
    described("account add", &[], &run(&added, 0));
    described("account list", &["account show"], &run(&["account", "list"], 0));
    described("account show", &["account list"], &run(&["account", "show", "ana"], 0));
    described("account remove", &[], &run(&["account", "remove", "x"], 0));
    described("provider list", &[], &run(&["provider", "list"], 0));
    described("provider show", &[], &run(&["provider", "show", "microsoft"], 0));
    described("login --check", &[], &run(&["login", "ana", "--check"], 24));
    described("login", &[], &run(&["login", "daemon"], 0));
    world.sign_in("ana");
    described("login --check", &[], &run(&["login", "ana", "--check"], 0));
    described("status", &[], &run(&["status", "ana"], 0));
    described("token", &[], &run(&["token", "ana"], 0));
    described("token", &[], &run(&["token", "ana", "--sasl", "xoauth2"], 0));
    described("token inspect", &[], &run(&["token", "inspect", "ana"], 0));
    described("folders", &[], &run(&["folders", "ana"], 0));
    described("fetch", &[], &run(&["fetch", "ana", "--to", "maildir:Mail"], 0));
    described("fetch", &[], &run(&["fetch", "ana", "--protocol", "pop3", "--to", "maildir:Pop"], 0));
    described("send", &[], &run(&["send", "-a", "ana", "--to", ANA, "--body", "b"], 0));
    described("send", &[], &run(&["send", "-a", "ana", "--to", "no@contoso.example", "--body", "b"], 60));
    let scope = "https://outlook.office.com/IMAP.AccessAsUser.All";
    described("token", &[], &run(&["token", "ana", "--scope", scope], 0));
    described("store show", &[], &run(&["store", "show"], 0));
    let moved = world.home.path("other.key").display().to_string();
    described("store rekey", &["account add"], &run(&["store", "rekey", "--file", &moved], 0));
    described("exit-codes", &[], &run(&["exit-codes"], 0));
    let age = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    described("token export", &[], &run(&["token", "export", "ana", "--to", age], 0));
    described("logout", &[], &run(&["logout", "ana"], 0));
    described("try", &["fetch"], &run(&["try", "--messages", "20"], 0));
}

#[test]
fn every_member_of_the_sandboxs_document_is_on_the_page() {
    use std::io::{BufRead as _, BufReader};

    let home = Home::new();
    let mut command = home.command(&["sandbox", "--messages", "1", "--json"]);
    // It is killed, and leaves its files behind.
    let mut child = command.env("TMPDIR", home.dir.path()).spawn().unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    child.kill().unwrap();
    child.wait().unwrap();
    read.unwrap();
    described("sandbox", &[], &serde_json::from_str(&line).unwrap());
}
