//! `postkey token`

use std::io::Write as _;

use auth::store::Issued;
use serde_json::json;
use wire::Secret;

use crate::args::Token;
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::output::Out;
use crate::signals::Stop;
use crate::tokens;

/// Prints one access token. One from the store costs no runtime, no TLS roots and no network.
pub(crate) fn run(args: &Token, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.which.account.as_deref())?;
    account.allows(args.purpose.protocol())?;
    if let Some(reference) = &account.token {
        return print(&account, &account.fetch(reference, "token")?, None, out);
    }
    if account.password.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            format!("account {:?} signs in with a password and has no tokens", account.name),
            "use it with postkey folders and postkey fetch",
        ));
    }
    let store = tokens::open(config, &account.name)?;
    let issued = match account.stored(&store)? {
        Some(issued) => issued,
        None => super::block_on(async {
            let stop = Stop::listen()?;
            stop.or(account.renewed(&store)).await
        })?,
    };
    let Issued { token, expires_at, warning, .. } = issued;
    if let Some(warning) = warning {
        out.remark(format!("note: the token was not renewed: {warning}"));
    }
    print(&account, &token, Some(expires_at), out)
}

fn print(account: &Account, token: &Secret, expires_at: Option<u64>, out: Out) -> Result<()> {
    if out.json {
        return out.document(&json!({
            "account": account.name,
            "access_token": token.expose(),
            "expires_at": expires_at,
        }));
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", token.expose())?;
    Ok(stdout.flush()?)
}
