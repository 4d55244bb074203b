//! `postkey token export` and `postkey token import`: tokens for a machine where nobody can sign in.

use std::io::{Read as _, Write as _};
use std::path::Path;

use auth::store::age::{Identity, Recipient};
use auth::store::{self, EntryKey, Record, StoreError};
use serde_json::json;
use wire::Secret;

use crate::args::{Export, Import};
use crate::config::secret::SecretRef;
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Out, STRONG};
use crate::tokens;

/// Most that is read of sealed tokens, in octets.
const LONGEST: u64 = 1024 * 1024;

pub(super) fn export(args: &Export, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.which.account.as_deref())?;
    let name = &account.name;
    let recipients = match &args.passphrase_file {
        Some(file) => vec![Recipient::passphrase(&passphrase(file)?)],
        None => {
            let parsed =
                args.recipients.iter().map(|text| text.parse::<Recipient>().map_err(|error| usage(&error)));
            parsed.collect::<Result<Vec<_>>>()?
        }
    };
    let nothing = || {
        let message = format!("account {name:?} has no stored tokens to hand over");
        Failure::new(Exit::SignInNeeded, message, format!("run: postkey login {name}"))
    };
    if !account.needs_sign_in() || !tokens::exists(config)? {
        return Err(nothing());
    }
    let store = tokens::open(config, name)?;
    let sealed = account.export(&store, &recipients)?.ok_or_else(nothing)?;
    if out.json {
        out.document(&json!({"account": name, "sealed": sealed, "moved": args.forget}))?;
    } else {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(sealed.as_bytes())?;
        stdout.flush()?;
    }
    // Only after they have been written.
    if args.forget {
        super::block_on(account.forget(&store))?;
        out.remark(format!("The tokens of {name:?} are sealed and removed from this machine."));
    }
    Ok(())
}

pub(super) fn import(args: &Import, config: &Config, out: Out) -> Result<()> {
    let passphrase = args.passphrase_file.as_deref().map(passphrase).transpose()?;
    let identity = match &args.identity {
        Some(file) => Identity::file(file, passphrase.as_ref()).map_err(|error| usage(&error))?,
        None => Identity::passphrase(&passphrase.unwrap_or_default()),
    };
    let records = store::import(&read(&args.file)?, &[identity]).map_err(|error| usage(&error))?;
    if args.account.is_some() && records.len() != 1 {
        let message =
            format!("the file holds the tokens of {} accounts: one name is not enough", records.len());
        return Err(Failure::new(Exit::Usage, message, "leave --account away"));
    }
    // All or nothing as far as the configuration goes.
    let mut taken = Vec::new();
    for (key, record) in &records {
        taken.push((meant(args, config, key)?, record));
    }
    let mut names = Vec::new();
    for (account, record) in taken {
        take_over(&account, record, args.overwrite, config)?;
        out.done(format!("The tokens of {STRONG}{}{STRONG:#} are in the store.", account.name))?;
        names.push(account.name);
    }
    out.document(&json!({"accounts": names}))
}

fn take_over(account: &Account, record: &Record, overwrite: bool, config: &Config) -> Result<()> {
    let store = tokens::open(config, &account.name)?;
    let restored = super::block_on(account.restore(&store, record, overwrite));
    restored.map_err(|failure| match overwrite {
        true => failure,
        false => {
            failure.advise("if the tokens here are the ones that do not work, run it again with --overwrite")
        }
    })
}

/// The account of this machine that the tokens are for.
fn meant(args: &Import, config: &Config, key: &EntryKey) -> Result<Account> {
    let account = config.account(Some(args.account.as_deref().unwrap_or(&key.account)))?;
    let own = account.entry()?;
    let differs = [
        ("token endpoint", &own.authority, &key.authority),
        ("client id", &own.client_id, &key.client_id),
        ("permissions", &own.resource, &key.resource),
    ];
    match differs.into_iter().find(|(_, own, theirs)| own != theirs) {
        None => Ok(account),
        Some((what, own, theirs)) => Err(Failure::new(
            Exit::Config,
            format!(
                "the tokens are not for account {:?} as it is configured here: {what} {} there, {} here",
                account.name,
                wire::printable(theirs.as_bytes()),
                wire::printable(own.as_bytes())
            ),
            "configure it alike on both machines: provider, tenant, client_id, protocols; then import again",
        )),
    }
}

fn passphrase(file: &Path) -> Result<Secret> {
    SecretRef::File(file.to_owned()).fetch("the passphrase", Path::new(""))
}

fn read(file: &Path) -> Result<String> {
    let wrong =
        |what: String| Failure::new(Exit::Usage, what, "name the file that postkey token export wrote");
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(file);
        opened.and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
    };
    read.map_err(|error| wrong(format!("{} cannot be read: {error}", file.display())))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("{} has more than {LONGEST} octets", file.display())));
    }
    Ok(text)
}

fn usage(error: &StoreError) -> Failure {
    let message = match error {
        // It is the key of the sealed tokens here; the store's is not in question.
        StoreError::KeyUnavailable { reason } => format!("the sealed tokens have no key: {reason}."),
        error => error.to_string(),
    };
    Failure::new(Exit::TokenStore, message, "")
}
