//! `postkey store`

use std::process::ExitCode;

use auth::store::Listing;
use serde_json::{Value, json};
use toml_edit::{Array, InlineTable};

use crate::args::Rekey;
use crate::config::store::{KeyPlace, Place};
use crate::config::{Config, edit, paths};
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;
use crate::output::{Out, STRONG};
use crate::tokens;

/// Shows where everything is and what is wrong with it, which the exit code says as well; nothing is made.
pub(crate) fn show(config: &Config, out: Out) -> Result<ExitCode> {
    let place = config.store()?;
    let exists = tokens::exists(config)?;
    // Where the key cannot be had, the rest is shown all the same.
    let (listing, failure) = match tokens::list(config) {
        Ok(listing) => (Some(listing), None),
        Err(failure) => (None, Some(failure)),
    };
    let (kind, what, key) = match &place {
        Place::Files { folder, key } => ("files", folder.display().to_string(), Some(key)),
        Place::Keyring { keyring, .. } => ("keyring", keyring.name().to_owned(), None),
        Place::Memory => ("memory", String::new(), None),
    };
    let mut problems: Vec<String> = failure.iter().map(|failure| failure.message.clone()).collect();
    problems.extend(listing.iter().flat_map(|listing| &listing.problems).map(ToString::to_string));
    let mut lines = vec![("kind", kind.to_owned())];
    if !what.is_empty() {
        lines.push(("place", if exists { what.clone() } else { format!("{what} (not made yet)") }));
    }
    lines.extend(key.map(|key| ("key", key.to_string())));
    lines.extend(listing.as_ref().map(|listing| ("entries", entries(listing))));
    lines.extend(problems.iter().map(|problem| ("problem", problem.clone())));
    for (name, text) in &lines {
        out.line(format!("{STRONG}{name:<9}{STRONG:#}{}", safe(text)))?;
    }
    if let Some(failure) = failure.as_ref().filter(|failure| !failure.advice.is_empty()) {
        out.remark(format!("help: {}", failure.advice));
    }
    let documents = listing.as_ref().map(|listing| -> Vec<Value> {
        let entry = |entry: &auth::store::EntryKey| {
            json!({
                "account": entry.account, "token_endpoint": entry.authority,
                "client_id": entry.client_id, "resource": entry.resource,
            })
        };
        listing.entries.iter().map(entry).collect()
    });
    out.document(&json!({
        "kind": kind, "place": Some(&what).filter(|what| !what.is_empty()), "exists": exists,
        "key": key.map(|key| json!({"kind": key.kind(), "place": key.to_string()})),
        "entries": documents, "problems": problems,
    }))?;
    let exit = match failure {
        Some(failure) => failure.exit,
        None if problems.is_empty() => return Ok(ExitCode::SUCCESS),
        None => Exit::TokenStore,
    };
    Ok(ExitCode::from(exit.code()))
}

/// How many there are, and of which accounts.
fn entries(listing: &Listing) -> String {
    let mut accounts: Vec<&str> = listing.entries.iter().map(|entry| entry.account.as_str()).collect();
    accounts.dedup();
    match accounts.as_slice() {
        [] => "none".into(),
        accounts => format!("{} ({})", listing.entries.len(), accounts.join(", ")),
    }
}

/// Carries the key over, then names the new place in the configuration: whenever this is ended, the configuration names a
/// place where the key is.
pub(crate) fn rekey(args: &Rekey, config: &Config, out: Out) -> Result<()> {
    let Place::Files { folder, key: from } = config.store()? else {
        return Err(Failure::new(
            Exit::Usage,
            "this kind of store has no key",
            "a key belongs to kind = \"files\" under [store]; see: postkey store show",
        ));
    };
    if !folder.is_dir() {
        return Err(Failure::new(
            Exit::TokenStore,
            format!("there is no token store in {} yet, so there is no key to move", folder.display()),
            format!("write the key's place into {} before the first login", config.path().display()),
        ));
    }
    // What is to be written is read first, the way it will be read.
    let document = edit::with_store_key(config.path(), table(args)?)?;
    let wanted = Config::of_text(config.path(), document.to_string()).map_err(|failure| Failure {
        exit: Exit::Usage,
        message: format!("nothing was changed: {}", failure.message),
        ..failure
    })?;
    let Place::Files { key: to, .. } = wanted.store()? else {
        return Err(Failure::new(Exit::Config, "the configuration was changed just now", "run it again"));
    };
    let changed = to != from;
    if changed {
        wraps_anew(&to)?;
        let by_hand = |failure: Failure| match &to {
            KeyPlace::Secret(_) | KeyPlace::Credential(_) => Failure {
                message: format!("the key cannot be moved to {to} from here: {}", failure.message),
                ..failure
            }
            .advise(format!("{}; put that there yourself, then run the same command again", text_of(&from))),
            _ => failure.advise("nothing was changed; name another place, or mend what is named above"),
        };
        let source = tokens::key_source(config, from.clone(), &folder, "")?;
        let target = tokens::key_source(&wanted, to.clone(), &folder, "").map_err(by_hand)?;
        tokens::carry(&folder, &source, &target).map_err(by_hand)?;
        edit::write(config.path(), &document)?;
        out.done(format!("The key of the store is in {STRONG}{}{STRONG:#}.", safe(&to.to_string())))?;
        out.remark(format!(
            "It is in {} still: keep it as a backup, or remove it when other copies of {} no longer name it.",
            safe(&from.to_string()),
            config.path().display()
        ));
    } else {
        out.done(format!("The key of the store is in {} already.", safe(&to.to_string())))?;
    }
    out.document(&json!({
        "from": {"kind": from.kind(), "place": from.to_string()},
        "to": {"kind": to.kind(), "place": to.to_string()},
        "config": config.path().display().to_string(),
        "changed": changed,
    }))
}

/// A file that is there already was not wrapped for those who are named now, and nobody could tell.
fn wraps_anew(to: &KeyPlace) -> Result<()> {
    match to {
        KeyPlace::Age { file, recipients, .. } if !recipients.is_empty() && file.exists() => {
            Err(Failure::new(
                Exit::TokenStore,
                format!("{} is there already, and whom it was wrapped for cannot be seen", file.display()),
                "nothing was changed; name another file",
            ))
        }
        _ => Ok(()),
    }
}

/// How somebody gets at the key's text.
fn text_of(from: &KeyPlace) -> String {
    match from {
        KeyPlace::File(path) => format!("the key is the text of {}", path.display()),
        KeyPlace::Age { file, identity: Some(identity), .. } => {
            format!("the key is printed by: age --decrypt -i {} {}", identity.display(), file.display())
        }
        KeyPlace::Age { file, .. } => format!("the key is printed by: age --decrypt {}", file.display()),
        KeyPlace::Keyring(_) => "take it to a file first: postkey store rekey --file FILE".into(),
        KeyPlace::Secret(_) | KeyPlace::Credential(_) => format!("the key is what {from} gives"),
    }
}

/// `{ … }` behind `key =`. Files are named so that they are found wherever postkey is started.
fn table(args: &Rekey) -> Result<InlineTable> {
    let whole = |path: &Option<std::path::PathBuf>| path.as_deref().map(paths::absolute).transpose();
    let mut passphrase = InlineTable::new();
    let mut key = InlineTable::new();
    let words = [
        ("file", whole(&args.passphrase_file)?),
        ("env", args.passphrase_env.clone()),
        ("command", args.passphrase_command.clone()),
    ];
    let places = [
        ("file", whole(&args.file)?),
        ("age", whole(&args.age)?),
        ("keyring", args.keyring.map(|keyring| keyring.name().to_owned())),
        ("credential", args.credential.clone()),
        ("env", args.env.clone()),
        ("command", args.command.clone()),
        ("identity", whole(&args.identity)?),
    ];
    for (table, members) in [(&mut passphrase, &words[..]), (&mut key, &places[..])] {
        for (name, text) in members {
            if let Some(text) = text {
                table.insert(*name, text.as_str().into());
            }
        }
    }
    if !passphrase.is_empty() {
        key.insert("passphrase", passphrase.into());
    }
    if !args.recipients.is_empty() {
        key.insert("recipients", args.recipients.iter().collect::<Array>().into());
    }
    Ok(key)
}
