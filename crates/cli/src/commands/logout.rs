//! `postkey logout`

use serde_json::json;

use crate::args::Which;
use crate::config::Config;
use crate::exit::Result;
use crate::output::Out;
use crate::tokens;

/// Forgets an account's tokens. That there were none is no failure: afterwards there are none either way.
pub(crate) fn run(args: &Which, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.account.as_deref())?;
    let removed = if account.needs_sign_in() && tokens::exists(config)? {
        let store = tokens::open(config, &account.name)?;
        super::block_on(account.forget(&store))?
    } else {
        false
    };
    out.done(match removed {
        true => format!("Signed out: the tokens of {:?} are removed from this machine.", account.name),
        false => format!("There were no tokens of {:?}.", account.name),
    })?;
    if removed && account.provider.name.starts_with("microsoft") {
        out.remark("To end the sign-in everywhere, revoke the sessions at https://myaccount.microsoft.com/");
    }
    out.document(&json!({"account": account.name, "removed": removed}))
}
