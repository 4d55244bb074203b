//! `postkey login`

use auth::{Clock as _, SystemClock};
use serde_json::json;

use super::check;
use crate::args::Login;
use crate::config::model::Flow;
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::output::text::time;
use crate::output::{Out, STRONG};
use crate::sign_in::{SignIn, Wishes, default_flow};
use crate::signals::Stop;
use crate::tokens;

/// Signs in and stores the tokens.
pub(crate) fn run(args: &Login, config: &Config, out: Out) -> Result<()> {
    if args.check {
        return check::run(&args.which, config, out);
    }
    let mut account = config.account(args.which.account.as_deref())?;
    if !account.needs_sign_in() {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "account {:?} does not sign in: its {} comes from elsewhere",
                account.name,
                source(&account)
            ),
            format!("use it as it is: postkey folders {}", account.name),
        ));
    }
    let flow = args.flow.or(account.flow).unwrap_or_else(|| default_flow(&account));
    // An application's tokens are found again only if the account says that it is one.
    if flow.is_app() != account.is_app() {
        return Err(mixed(&account, flow, config));
    }
    // Before any secret is fetched.
    account.provider.allows(flow.of_provider()).map_err(|error| Failure::from_auth(&error, &account.name))?;
    account.flow = Some(flow);
    let language = args.language.clone();
    let wishes = Wishes { qr: args.qr, no_open: args.no_open, language, timeout: args.timeout };
    super::block_on(async {
        let stop = Stop::listen()?;
        stop.or(sign_in(&account, config, flow, wishes, out)).await
    })
}

fn source(account: &Account) -> &'static str {
    if account.token.is_some() { "token" } else { "password" }
}

fn mixed(account: &Account, flow: Flow, config: &Config) -> Failure {
    let has = account.flow.map_or("no flow", Flow::name);
    Failure::new(
        Exit::Usage,
        format!(
            "account {:?} has {has} in the configuration: an application's own sign-in and a person's are different accounts",
            account.name
        ),
        format!(
            "write flow = \"{}\" for it in {}, or add a second account",
            flow.name(),
            config.path().display()
        ),
    )
}

async fn sign_in(account: &Account, config: &Config, flow: Flow, wishes: Wishes, out: Out) -> Result<()> {
    // First the store: nobody should sign in for tokens that cannot be kept.
    let store = tokens::open(config, &account.name)?;
    let challenge = account.challenge(&store)?;
    let tokens = SignIn { challenge, ..SignIn::new(account, out, wishes)? }.run(flow).await?;
    let who = account.check_identity(&tokens)?;
    let life = tokens.expires_at.saturating_sub(SystemClock.now());
    let renews = tokens.refresh_token.is_some() || flow.is_app();
    let expires_at = tokens.expires_at;
    account.keep(&store, tokens).await?;

    let shown = who.clone().unwrap_or_else(|| match flow {
        Flow::ServiceAccount => format!("the {}", account.client_id),
        flow if flow.is_app() => format!("the application {}", account.client_id),
        _ => account.user.clone(),
    });
    out.done(format!("Signed in as {STRONG}{shown}{STRONG:#}; the tokens are in the store."))?;
    if renews {
        out.remark(format!("Next: postkey folders {}", account.name));
    } else {
        let life = time(std::time::Duration::from_secs(life));
        out.remark(format!("note: the provider gave no refresh token; this sign-in ends in {life}."));
    }
    out.document(&json!({
        "account": account.name,
        "flow": flow.name(),
        "user": who,
        "expires_at": expires_at,
        "renews": renews,
    }))
}
