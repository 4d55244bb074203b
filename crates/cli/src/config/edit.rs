//! Changing the file: comments and order of what is there stay, and it is replaced whole or not at all.

use std::io::Write as _;
use std::path::Path;

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use super::base;
use crate::exit::{Exit, Failure, Result};

/// What an account may be called: it becomes part of commands and of tables' names.
pub(crate) const NAME_RULE: &str =
    "letters, digits, '-', '_' and '.', at most 64, not beginning with '-' or '.'";

/// Whether an account can be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().count() <= 64 && name.chars().all(plain) && !name.starts_with(['-', '.'])
}

/// The file, or an empty one, with `[accounts.NAME]` added; nothing is written yet.
pub(crate) fn with_account(path: &Path, name: &str, account: Table) -> Result<DocumentMut> {
    let mut document = read(path)?;
    let accounts = document.entry("accounts").or_insert_with(|| {
        let mut table = Table::new();
        // No header of its own: the accounts' headers say enough.
        table.set_implicit(true);
        Item::Table(table)
    });
    let Some(accounts) = accounts.as_table_like_mut() else {
        return Err(Failure::new(
            Exit::Config,
            format!("{}: `accounts` is no table", path.display()),
            "write accounts as tables: [accounts.NAME]",
        ));
    };
    accounts.insert(name, Item::Table(account));
    Ok(document)
}

/// The file, or an empty one, with `key` as that of `[store]`; nothing is written yet.
pub(crate) fn with_store_key(path: &Path, key: InlineTable) -> Result<DocumentMut> {
    let mut document = read(path)?;
    let store = document.entry("store").or_insert_with(|| Item::Table(Table::new()));
    let Some(store) = store.as_table_like_mut() else {
        return Err(Failure::new(
            Exit::Config,
            format!("{}: `store` is no table", path.display()),
            "write it as a table: [store]",
        ));
    };
    let mut key = Value::from(key);
    // What is remarked behind the old one stays there.
    if let Some(old) = store.get("key").and_then(Item::as_value) {
        *key.decor_mut() = old.decor().clone();
    }
    store.insert("key", Item::Value(key));
    Ok(document)
}

/// Removes `[accounts.NAME]`, and `default_account` if it names this one. Says whether it was there.
pub(crate) fn remove(path: &Path, name: &str) -> Result<bool> {
    let mut document = read(path)?;
    let accounts = document.get_mut("accounts").and_then(Item::as_table_like_mut);
    let was_there = accounts.and_then(|accounts| accounts.remove(name)).is_some();
    if was_there {
        if document.get("default_account").and_then(Item::as_str) == Some(name) {
            document.remove("default_account");
        }
        write(path, &document)?;
    }
    Ok(was_there)
}

fn read(path: &Path) -> Result<DocumentMut> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(path, "read", &error)),
    };
    text.parse().map_err(|_| {
        // `Config::load` has parsed it a moment ago and would have said where the mistake is.
        Failure::new(
            Exit::Config,
            format!("{} was changed just now", path.display()),
            "run the command again",
        )
    })
}

/// Replaces the file; it is made, with its folder, if there is none.
pub(crate) fn write(path: &Path, document: &DocumentMut) -> Result<()> {
    let failed = |what| move |error: std::io::Error| failed(path, what, &error);
    // A link stays a link: what it points at is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = base(&target);
    make_folder(folder).map_err(failed("make the folder of"))?;
    // Mode 0600 from the start; the name is random and lives in the same folder, so that the rename is one step.
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed("write"))?;
    new.write_all(document.to_string().as_bytes()).map_err(failed("write"))?;
    new.as_file().sync_all().map_err(failed("write"))?;
    new.persist(&target).map_err(|error| failed("replace")(error.error))?;
    Ok(())
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Config,
        format!("cannot {what} {}: {error}", path.display()),
        "check the path and who may write there, or name another file with --config",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(path: &Path, name: &str, account: Table) -> Result<()> {
        write(path, &with_account(path, name, account)?)
    }

    fn table(user: &str) -> Table {
        let mut table = Table::new();
        table.insert("user", toml_edit::value(user));
        table
    }

    #[test]
    fn comments_and_order_survive_an_addition_and_a_removal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/config.toml");
        add(&path, "b", table("b@x.example")).unwrap();
        let begun = std::fs::read_to_string(&path).unwrap();
        assert_eq!(begun, "[accounts.b]\nuser = \"b@x.example\"\n");
        let written = format!("# mine\ndefault_account = \"b\"   # why\n\n{begun}# the end\n");
        std::fs::write(&path, &written).unwrap();
        add(&path, "a", table("a@x.example")).unwrap();
        let now = std::fs::read_to_string(&path).unwrap();
        assert!(now.starts_with("# mine\ndefault_account = \"b\"   # why\n\n[accounts.b]\n"), "{now}");
        assert!(now.contains("[accounts.a]\nuser = \"a@x.example\"") && now.contains("# the end"), "{now}");
        assert!(remove(&path, "b").unwrap());
        assert!(!remove(&path, "b").unwrap());
        let now = std::fs::read_to_string(&path).unwrap();
        assert!(!now.contains("b@x") && !now.contains("default_account"), "{now}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("link.toml"));
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        add(&link, "a", table("a@x.example")).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_stores_key_is_replaced_wherever_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let edited = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let mut key = InlineTable::new();
            key.insert("file", "k".into());
            with_store_key(&path, key).unwrap().to_string()
        };
        let key = "key = { file = \"k\" }";
        let kept = "# mine\n[store] # here\nkind = \"files\"\n";
        assert_eq!(
            edited(&format!("{kept}key = {{ env = \"K\" }}   # why\n# end\n")),
            format!("{kept}{key}   # why\n# end\n")
        );
        assert_eq!(edited(kept), format!("{kept}{key}\n"));
        assert_eq!(edited("a = 1 # one\n"), format!("a = 1 # one\n\n[store]\n{key}\n"));
        for text in ["[store.key]\nenv = \"K\"\n", "store = { key = { env = \"K\" } }\n"] {
            let read: toml::Table = edited(text).parse().unwrap();
            assert_eq!(read["store"]["key"].to_string(), "{ file = \"k\" }", "{text}");
        }
        std::fs::write(&path, "store = 1\n").unwrap();
        assert!(with_store_key(&path, InlineTable::new()).is_err());
    }

    #[test]
    fn names_that_could_be_options_or_paths_are_refused() {
        for name in ["work", "ana.lima", "büro-2", "a_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-rf", "a b", "../x", ".x", "a/b", "a\nb", "a\"b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
