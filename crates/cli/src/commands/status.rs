//! `postkey status`

use std::io::Write as _;
use std::process::ExitCode;

use auth::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::args::Status;
use crate::config::Config;
use crate::exit::{Exit, Result};
use crate::output::moment::{local, relative};
use crate::output::{FAINT, Out, STRONG};
use crate::status::{Account, End, Problem, State, nagios, prometheus, survey};

/// Days to seconds.
const DAY: u64 = 24 * 60 * 60;

/// Reports on the accounts. The exit code is part of the report.
pub(crate) fn run(args: &Status, config: impl FnOnce() -> Result<Config>, out: Out) -> Result<ExitCode> {
    let (now, within) = (SystemClock.now(), u64::from(args.within) * DAY);
    let looked = config().and_then(|config| look(args, &config, now, within));
    if args.nagios {
        // Whoever calls a plugin reads its one line and its code, and nothing else.
        let (line, code) = match &looked {
            Ok(accounts) => nagios::line(accounts, now, within),
            Err(failure) => (nagios::unknown(&failure.message), nagios::UNKNOWN),
        };
        writeln!(std::io::stdout().lock(), "{line}")?;
        return Ok(ExitCode::from(code));
    }
    let accounts = looked?;
    if args.prometheus {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(prometheus::metrics(&accounts, now).as_bytes())?;
        stdout.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    for account in &accounts {
        show(account, now, out)?;
    }
    if accounts.is_empty() {
        out.line("There is no account yet.")?;
        out.remark("Add one: postkey account add NAME --user ADDRESS --client-id ID");
    }
    let state = accounts.iter().map(Account::state).max().unwrap_or(State::Fine);
    let documents: Vec<Value> = accounts.iter().map(document).collect();
    out.document(&json!({"state": state, "now": now, "within": within, "accounts": documents}))?;
    let exit = accounts.iter().filter(|account| account.state() != State::Fine).find_map(Account::exit);
    Ok(exit.map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit.code())))
}

fn look(args: &Status, config: &Config, now: u64, within: u64) -> Result<Vec<Account>> {
    let names: Vec<&str> = match args.accounts.as_slice() {
        [] => config.names().collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    // A name that is not there is a mistake of the command line, not the state of an account.
    for name in &names {
        match config.account(Some(name)) {
            Err(failure) if failure.exit == Exit::UnknownAccount => return Err(failure),
            _ => {}
        }
    }
    Ok(names.into_iter().map(|name| survey(config, name, now, within)).collect())
}

fn show(account: &Account, now: u64, out: Out) -> Result<()> {
    let word = match account.state() {
        State::Fine => "fine",
        State::Ending => "ends soon",
        State::Ended => "ended",
        State::Unknown => "unknown",
    };
    out.line(format!("{STRONG}{}{STRONG:#}: {word}", account.name))?;
    if let Some(problem) = &account.problem {
        out.line(format!("  {}", problem.message))?;
        if !problem.advice.is_empty() {
            out.line(format!("  help: {}", problem.advice))?;
        }
    }
    for item in &account.items {
        let end = match item.end {
            End::At(end) => format!("{}, {}", local(end), relative(end, now)),
            End::AtTheLatest(end) => format!("at the latest {}, {}", local(end), relative(end, now)),
            End::Unknown => "end unknown".into(),
            End::Never => "no end".into(),
        };
        out.line(format!("  {:13}  {end}  {FAINT}{}{FAINT:#}", item.what.title(), item.then))?;
    }
    Ok(())
}

fn document(account: &Account) -> Value {
    let items: Vec<Value> = account
        .items
        .iter()
        .map(|item| {
            json!({
                "credential": item.what,
                "ends_at": item.end.moment(),
                "bound": item.end.bound(),
                "state": item.state,
                "then": item.then,
            })
        })
        .collect();
    let problem = account.problem.as_ref().map(|Problem { exit, message, advice, .. }| {
        json!({"kind": exit.kind(), "exit_code": exit.code(), "message": message, "advice": advice})
    });
    json!({"name": account.name, "state": account.state(), "credentials": items, "problem": problem})
}
