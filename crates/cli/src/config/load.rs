//! Reading the file; a mistake is answered with its place and what would be right.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::model::File;
use super::similar;
use crate::exit::{Exit, Failure, Result};

/// What can stand at the top of the file.
const TABLES: &[&str] = &["default_account", "state_dir", "store", "accounts", "providers"];

/// The file's text with its path: what errors about its content need.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Reads the file; `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let failed = |error: std::io::Error| {
            Failure::new(
                Exit::Config,
                format!("the configuration {} cannot be read: {error}", path.display()),
                "check the path and who may read it",
            )
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                not_writable_by_all(path)?;
                Ok(Some(Self { path: path.to_owned(), text }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Parses it.
    pub(crate) fn parse(&self) -> Result<File> {
        toml::from_str(&self.text).map_err(|error| {
            if let Some(failure) = self.strange_table() {
                return failure;
            }
            let span = error.span();
            let (message, advice) = self.explain(error.message(), span.clone());
            self.mistake_at(span, &message, advice)
        })
    }

    /// A table with a mistyped name would otherwise show as settings that are missing elsewhere.
    fn strange_table(&self) -> Option<Failure> {
        // What is no TOML at all the parser says better.
        let document = DeTable::parse(&self.text).ok()?.into_inner();
        let key = document.keys().map(|key| key.get_ref().as_ref()).find(|key| !TABLES.contains(key))?;
        let advice = match similar::closest(key, TABLES) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known here: {}", TABLES.join(", ")),
        };
        Some(self.mistake_at(self.locate(&[key]), &format!("there is no setting `{key}` here"), advice))
    }

    /// A mistake in the value of a key, given by its path from the top.
    pub(crate) fn mistake(&self, keys: &[&str], message: &str, advice: impl Into<String>) -> Failure {
        self.mistake_at(self.locate(keys), &format!("{}: {message}", keys.join(".")), advice)
    }

    fn mistake_at(&self, span: Option<Range<usize>>, message: &str, advice: impl Into<String>) -> Failure {
        let path = self.path.display();
        let place = match span {
            Some(span) => {
                let (line, column) = place(&self.text, span.start);
                format!("{path}:{line}:{column}")
            }
            None => path.to_string(),
        };
        let message = wire::printable(format!("{place}: {message}").as_bytes());
        Failure::new(Exit::Config, message, advice)
    }

    /// Where a key stands; where it is missing, the nearest table around it.
    fn locate(&self, keys: &[&str]) -> Option<Range<usize>> {
        let document = DeTable::parse(&self.text).ok()?;
        let mut table = document.get_ref();
        let mut found = None;
        for key in keys {
            let Some((key, value)) = table.get_key_value(*key) else { break };
            found = Some(key.span());
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        found
    }

    /// The path of the setting whose value stands at an offset, with a colon; empty where no value does.
    fn setting_at(&self, offset: usize) -> String {
        let Ok(document) = DeTable::parse(&self.text) else { return String::new() };
        path_to(document.get_ref(), offset).map_or_else(String::new, |path| format!("{path}: "))
    }

    /// The parser's message in plain words, without any value in it, and what would be right.
    fn explain(&self, message: &str, span: Option<Range<usize>>) -> (String, String) {
        if let Some(rest) = message.strip_prefix("unknown field `")
            && let Some((name, known)) = rest.split_once('`')
        {
            let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
            let table = span.map_or_else(String::new, |span| self.table_at(span.start));
            let advice = match similar::closest(name, &known) {
                Some(close) => format!("did you mean `{close}`? Known here: {}", known.join(", ")),
                None => format!("known here: {}", known.join(", ")),
            };
            return (format!("there is no setting `{name}`{table}"), advice);
        }
        if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            let table = span.map_or_else(String::new, |span| self.table_at(span.start));
            return (
                format!("the setting `{name}` is missing{table}"),
                format!("add a line: {name} = \"…\""),
            );
        }
        let setting = span.map_or_else(String::new, |span| self.setting_at(span.start));
        if let Some(rest) = message.strip_prefix("unknown variant `")
            && let Some((value, known)) = rest.split_once('`')
        {
            let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
            // The value is left out: it may be a secret in the wrong place.
            let said = format!("{setting}the value is none of `{}`", known.join("`, `"));
            let advice = similar::closest(value, &known)
                .map_or_else(|| "write one of them".into(), |close| format!("did you mean \"{close}\"?"));
            return (said, advice);
        }
        let said = in_plain_words(&without_value(message));
        (format!("{setting}{said}"), "correct that line; docs/configuration.md has each setting".into())
    }

    /// ` in [table]` for the header above an offset.
    fn table_at(&self, offset: usize) -> String {
        let end =
            self.text.get(offset..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |n| offset + n);
        let before = self.text.get(..end).unwrap_or_default();
        let header = before.lines().rev().map(str::trim).find(|line| line.starts_with('['));
        match header.and_then(|line| line.split(']').next()) {
            Some(header) => format!(" in {}]", header.trim()),
            None => " at the top of the file".into(),
        }
    }
}

/// `invalid type: string "…", expected …` without the value, which may be a secret in the wrong place.
fn without_value(message: &str) -> String {
    match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) if message.starts_with("invalid ") => {
            format!("{}{}", before.trim_end(), after)
        }
        _ => message.replace('\n', " "),
    }
}

/// The keys that lead to the value at an offset. A table's own span may be its header alone, so all are looked through.
fn path_to(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        if let DeValue::Table(inner) = value.get_ref()
            && let Some(path) = path_to(inner, offset)
        {
            return Some(format!("{}.{path}", key.get_ref()));
        }
        value.span().contains(&offset).then(|| key.get_ref().to_string())
    })
}

/// What the parser expects by the names of Rust's types, in words and ranges.
fn in_plain_words(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else { return message.to_owned() };
    let words = match expected {
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        "a sequence" => "a list: [\"…\"]",
        other => other,
    };
    format!("{before}expected {words}")
}

/// Line and column, from 1, columns in characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// Whoever can write this file can have commands run as its owner.
#[cfg(unix)]
fn not_writable_by_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let open =
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o002 != 0);
    if open {
        return Err(Failure::new(
            Exit::Config,
            format!(
                "everybody on this machine may change {}, and it can name commands to run",
                path.display()
            ),
            format!("check what stands in it, then run: chmod 600 {}", path.display()),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn not_writable_by_all(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Failure {
        Source { path: "c.toml".into(), text: text.into() }.parse().map(|_| ()).unwrap_err()
    }

    #[test]
    fn an_unknown_setting_is_named_with_its_place_and_the_likely_one() {
        let f = failure("default_account = \"w\"\n\n[accounts.w]\nuser = \"a@b\"\n  clientid = \"x\"\n");
        assert!(f.message.starts_with("c.toml:5:3: "), "{}", f.message);
        assert!(f.message.contains("`clientid` in [accounts.w]"), "{}", f.message);
        assert!(f.advice.starts_with("did you mean `client_id`?"), "{}", f.advice);
        let f = failure("[accounts.w]\nuser = \"a\"\n[accounts.w.imap]\nhots = \"x\"\n");
        assert!(f.message.contains("`hots` in [accounts.w.imap]") && f.advice.contains("`host`"), "{f:?}");
    }

    #[test]
    fn a_missing_setting_names_its_table() {
        let f = failure("[accounts.work]\nflow = \"device\"\n");
        assert!(
            f.message.contains("c.toml:1:") && f.message.contains("`user` is missing in [accounts.work]"),
            "{f:?}"
        );
        assert!(f.advice.contains("user ="));
    }

    #[test]
    fn wrong_values_are_placed_and_not_repeated() {
        let f = failure("[accounts.w]\nuser = \"a\"\n[accounts.w.imap]\nport = \"hunter2\"\n");
        assert!(f.message.starts_with("c.toml:4:8:"), "{}", f.message);
        assert!(f.message.contains("accounts.w.imap.port: "), "{}", f.message);
        assert!(f.message.contains("from 0 to 65535") && !f.message.contains("hunter2"), "{}", f.message);
        let f = failure("[accounts.w]\nuser = \"a\"\nflow = \"devcie\"\n");
        assert!(f.message.starts_with("c.toml:3:8: accounts.w.flow: "), "{}", f.message);
        assert!(f.message.contains("`device`") && f.advice == "did you mean \"device\"?", "{f:?}");
        let f = failure("[accounts.w]\nuser = \"a\"\nimap = { tls = \"hunter2\" }\n");
        assert!(f.message.contains("accounts.w.imap.tls: ") && !f.message.contains("hunter2"), "{f:?}");
        let f = failure("[accounts.w]\nuser = \"a\"\nclient_secret = {}\n");
        assert!(f.message.starts_with("c.toml:3:17: accounts.w.client_secret: "), "{}", f.message);
        let f = failure("[accounts.w]\nuser = [\"a\"]\n");
        assert!(f.message.contains("accounts.w.user: ") && f.message.contains("text in quotes"), "{f:?}");
        let f = failure("[accounts.w]\nuser = \"a\"\nclient_secret = \"hunter2\"\n");
        assert!(f.message.starts_with("c.toml:3:17:") && !f.message.contains("hunter2"), "{}", f.message);
        let f = failure("[accounts.w\nuser = \"hunter2\"\n");
        assert!(f.message.starts_with("c.toml:1:") && !f.message.contains("hunter2"), "{}", f.message);
    }

    #[test]
    fn keys_are_found_for_mistakes_of_meaning() {
        let source = Source {
            path: "c.toml".into(),
            text: "[accounts.w]\nuser = \"a\"\nimap = { host = \"h\",\n  port = 1 }\n".into(),
        };
        let at = |keys: &[&str]| source.mistake(keys, "x", "").message;
        assert!(at(&["accounts", "w", "user"]).starts_with("c.toml:2:1: accounts.w.user: x"));
        assert!(at(&["accounts", "w", "imap", "host"]).starts_with("c.toml:3:10:"));
        // A key that is not there is reported at the table that lacks it.
        assert!(
            at(&["accounts", "w", "client_id"]).starts_with("c.toml:1:"),
            "{}",
            at(&["accounts", "w", "client_id"])
        );
    }
}
