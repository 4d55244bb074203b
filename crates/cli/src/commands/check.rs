//! `postkey login --check`

use std::net::{IpAddr, Ipv4Addr};

use auth::{Clock as _, Protocol, SystemClock};
use postkey::{Imap, Pop3, Smtp};
use serde_json::{Value, json};
use smtp_proto::types::EhloName;

use crate::args::Which;
use crate::config::{Account, Config};
use crate::exit::{Failure, Result};
use crate::mail::Access;
use crate::output::moment::relative;
use crate::output::{FAINT, Out, STRONG};
use crate::signals::Stop;
use crate::tokens;

/// What became of one step.
struct Step {
    name: String,
    /// What can be said of a success.
    detail: String,
    failure: Option<Failure>,
}

/// Gets a token without a person and signs in everywhere the account is for. Ends with the code of the first that failed.
pub(crate) fn run(args: &Which, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.account.as_deref())?;
    let name = account.name.clone();
    let mut steps = super::block_on(async {
        let stop = Stop::listen()?;
        stop.or(async { Ok(steps(account, config).await) }).await
    })?;
    for step in &steps {
        out.line(match &step.failure {
            None => format!("{STRONG}ok{STRONG:#}      {}  {FAINT}{}{FAINT:#}", step.name, step.detail),
            Some(failure) => format!("{STRONG}failed{STRONG:#}  {}  {}", step.name, failure.message),
        })?;
    }
    let documents: Vec<Value> = steps.iter().map(document).collect();
    let failed = steps.iter_mut().find_map(|step| step.failure.take());
    out.document(&json!({"account": name, "ok": failed.is_none(), "steps": documents}))?;
    match failed {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

fn document(step: &Step) -> Value {
    let error = step.failure.as_ref().map(|failure| {
        json!({
            "kind": failure.exit.kind(),
            "exit_code": failure.exit.code(),
            "message": failure.message,
            "advice": failure.advice,
        })
    });
    json!({"step": step.name, "ok": step.failure.is_none(), "error": error})
}

async fn steps(account: Account, config: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    let step = |name: &str, done: Result<String>| {
        let (detail, failure) = match done {
            Ok(detail) => (detail, None),
            Err(failure) => (String::new(), Some(failure)),
        };
        Step { name: name.to_owned(), detail, failure }
    };
    if account.needs_sign_in() {
        let token = step("token", token(&account, config).await);
        let missing = token.failure.is_some();
        steps.push(token);
        // Without a token every server would only say the same again.
        if missing {
            return steps;
        }
    }
    for protocol in account.protocols() {
        steps.push(step(&protocol.to_string(), session(&account.name, *protocol, config).await));
    }
    steps
}

async fn token(account: &Account, config: &Config) -> Result<String> {
    let store = tokens::open(config, &account.name)?;
    let (issued, how) = match account.stored(&store)? {
        Some(issued) => (issued, "stored"),
        None => (account.renewed(&store).await?, "renewed"),
    };
    let end = relative(issued.expires_at, SystemClock.now());
    Ok(match &issued.warning {
        None => format!("{how}, ends {end}"),
        Some(warning) => format!("{how}, ends {end}; it was not renewed: {warning}"),
    })
}

/// Signs in and out, and looks at nothing but what proves that the mailbox is open.
async fn session(name: &str, protocol: Protocol, config: &Config) -> Result<String> {
    let account = config.account(Some(name))?;
    let ehlo_name = account.sending.as_ref().and_then(|sending| sending.ehlo_name.clone());
    let access = Access::prepare(account, config, protocol).await?;
    let failed = |error| access.failed(&error);
    let (server, credential) = (&access.server, &access.credential);
    let user = credential.user();
    match protocol {
        Protocol::Pop3 => {
            let pop3 = Pop3::open(server, credential).await.map_err(failed)?;
            // The mailbox is open: what the goodbye brings changes nothing.
            let _ = pop3.quit().await;
        }
        Protocol::Smtp => {
            let localhost = EhloName::address(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let name = ehlo_name.as_ref().unwrap_or(&localhost);
            Smtp::open(server, credential, name).await.map_err(failed)?.quit().await;
        }
        _ => Imap::open(server, credential).await.map_err(failed)?.logout().await,
    }
    Ok(format!("{user} at {}:{}", server.host, server.port))
}
