//! `postkey fetch`

use std::path::Path;
use std::time::{Duration, Instant};

use archive::download::pop3::{self, Keep};
use archive::download::{self, Download, FolderReport, Plan, Report, Selection};
use archive::{Durability, Maildir, Options};
use auth::Protocol;
use serde_json::{Value, json};

use crate::args::{Fetch, Reading};
use crate::config::Config;
use crate::config::similar;
use crate::exit::{Exit, Failure, Result};
use crate::mail::Access;
use crate::output::progress::Progress;
use crate::output::text::{count, many, octets, safe, time};
use crate::output::{Out, STRONG};
use crate::signals::Stop;

/// How many missing messages of a folder are named in the text for people.
const NAMED: usize = 10;

/// Downloads what is not there yet.
pub(crate) fn run(args: &Fetch, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.which.account.as_deref())?;
    let name = account.name.clone();
    let (protocol, wanted) = match args.protocol {
        Reading::Imap => (Protocol::Imap, Wanted::Imap(imap_plan(args)?)),
        Reading::Pop3 => (Protocol::Pop3, Wanted::Pop3(pop3_plan(args)?)),
    };
    let done = super::block_on(async {
        let stop = Stop::listen()?;
        // The target first: it costs nothing to find out that it cannot be written.
        let maildir = open(&args.to, !args.no_fsync)?;
        let access = stop.or(Access::prepare(account, config, protocol)).await?;
        Ok(download(&access, wanted, &maildir, out, stop.requested()).await)
    })?;
    tell(&done, &args.to, out)?;
    out.document(&document(&done, &name, &args.to))?;
    done.verdict(&name)
}

fn imap_plan(args: &Fetch) -> Result<Plan> {
    if args.keep || args.delete_after.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "--keep and --delete-after are for POP3; nothing is ever deleted over IMAP",
            "leave it out, or give --protocol pop3",
        ));
    }
    let mut plan = Plan::default();
    if !args.folders.is_empty() {
        plan.folders = Selection::Named(args.folders.clone());
    }
    plan.since = match args.since {
        Some(day) => Some(parts(day)?),
        None => None,
    };
    Ok(plan)
}

fn pop3_plan(args: &Fetch) -> Result<pop3::Plan> {
    if !args.folders.is_empty() || args.since.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "--folder and --since are for IMAP; POP3 knows one folder and no days",
            "leave it out, or give --protocol imap",
        ));
    }
    let mut plan = pop3::Plan::default();
    plan.keep = args.delete_after.map_or(Keep::All, Keep::Days);
    Ok(plan)
}

/// What to download, by which protocol.
pub(crate) enum Wanted {
    Imap(Plan),
    Pop3(pop3::Plan),
}

fn parts(day: jiff::civil::Date) -> Result<(u16, u8, u8)> {
    match (u16::try_from(day.year()), u8::try_from(day.month()), u8::try_from(day.day())) {
        (Ok(year), Ok(month), Ok(day)) => Ok((year, month, day)),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("{day} is not a day mail can have arrived on"),
            "give a year from 1970 on",
        )),
    }
}

/// Opens the target, or makes it.
pub(crate) fn open(path: &Path, durable: bool) -> Result<Maildir> {
    let mut options = Options::default();
    options.durability = if durable { Durability::Full } else { Durability::None };
    Ok(Maildir::open(path, options)?)
}

/// What a download did, and why it stopped if it did.
pub(crate) struct Done {
    pub(crate) report: Report,
    pub(crate) took: Duration,
    failure: Option<Failure>,
}

/// Downloads until it is done, fails or is told to stop.
pub(crate) async fn download(
    access: &Access,
    wanted: Wanted,
    maildir: &Maildir,
    out: Out,
    stop: impl Future<Output = ()>,
) -> Done {
    let begun = Instant::now();
    let mut progress = Progress::new(out);
    let (server, credential) = (access.server.clone(), access.credential.clone());
    let ended = match wanted {
        Wanted::Imap(plan) => Download::new(server, credential, plan).run(maildir, &mut progress, stop).await,
        Wanted::Pop3(plan) => {
            pop3::Download::new(server, credential, plan).run(maildir, &mut progress, stop).await
        }
    };
    progress.finish();
    let failure = ended.error.map(|error| failure(error, access));
    Done { report: ended.report, took: begun.elapsed(), failure }
}

fn failure(error: download::Error, access: &Access) -> Failure {
    match error {
        download::Error::Mail(error) => access.failed(&error),
        download::Error::Archive(error) => Failure::from(error),
        download::Error::NoFolder { name, there } => no_folder(&name, &there),
        download::Error::Cancelled => Failure::interrupted().advise("run the same command again to go on"),
        error => Failure::new(Exit::Unexpected, error.to_string(), ""),
    }
}

fn no_folder(name: &str, there: &[String]) -> Failure {
    let names: Vec<&str> = there.iter().map(String::as_str).collect();
    let advice = match similar::closest(name, &names) {
        Some(close) => format!("did you mean {:?}? There are: {}", safe(close), safe(&names.join(", "))),
        None => format!("there are: {}", safe(&names.join(", "))),
    };
    let message = format!("the mailbox has no folder {:?}; nothing was downloaded", safe(name));
    Failure::new(Exit::NoSuchFolder, message, advice)
}

impl Done {
    /// Success, or the failure to end with.
    pub(crate) fn verdict(self, account: &str) -> Result<()> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.report.is_complete() {
            return Ok(());
        }
        let missing: u64 = self.report.folders.iter().map(|folder| folder.missing.len() as u64).sum();
        let failed = self.report.folders.iter().filter(|folder| folder.failed.is_some()).count() as u64;
        let mut what = Vec::new();
        if missing > 0 {
            what.push(many(missing, "message"));
        }
        if failed > 0 {
            what.push(many(failed, "folder"));
        }
        Err(Failure::new(
            Exit::Incomplete,
            format!("not everything is stored: {} missing, named above", what.join(" and ")),
            format!(
                "run the same command again; if the same are missing, look at them in another mail program (account {account})"
            ),
        ))
    }
}

/// Says what was done, for people.
pub(crate) fn tell(done: &Done, to: &Path, out: Out) -> Result<()> {
    let report = &done.report;
    for folder in &report.folders {
        if !out.quiet && has_news(folder) {
            out.line(line(folder))?;
        }
        complaints(folder, out);
    }
    if out.quiet {
        return Ok(());
    }
    let there: u64 = report.folders.iter().map(|folder| folder.already).sum();
    let fine = done.failure.is_none() && report.is_complete();
    let summary = match report.stored() {
        0 if !fine => "Nothing was stored".to_owned(),
        0 => format!("Nothing new; {} there before", many(there, "message")),
        n => format!("{} ({}) stored in {}", many(n, "message"), octets(report.octets()), to.display()),
    };
    out.line(format!("{STRONG}{summary}{STRONG:#}, {}.", time(done.took)))
}

/// The same for programs.
pub(crate) fn document(done: &Done, account: &str, to: &Path) -> Value {
    let report = &done.report;
    let folders: Vec<Value> = report.folders.iter().map(folder_document).collect();
    json!({
        "account": account,
        "target": to.display().to_string(),
        "stored": report.stored(),
        "octets": report.octets(),
        "seconds": done.took.as_secs_f64(),
        "complete": done.failure.is_none() && report.is_complete(),
        "folders": folders,
    })
}

fn has_news(folder: &FolderReport) -> bool {
    folder.stored > 0 || folder.recognised > 0 || folder.flags > 0 || folder.deleted > 0
}

fn line(folder: &FolderReport) -> String {
    let mut line = format!("{:>8} new  {}", count(folder.stored), safe(&folder.name));
    if folder.recognised > 0 {
        line.push_str(&format!(", {} recognised under new UIDs", count(folder.recognised)));
    }
    if folder.flags > 0 {
        line.push_str(&format!(", flags of {} changed", count(folder.flags)));
    }
    if folder.deleted > 0 {
        line.push_str(&format!(", {} deleted from the server", count(folder.deleted)));
    }
    line
}

/// What is missing, on standard error whatever else is switched off: an unattended run must leave a trace of it.
fn complaints(folder: &FolderReport, out: Out) {
    if out.json {
        return;
    }
    let name = safe(&folder.name);
    if let Some(why) = &folder.failed {
        out.prompt(format!("warning: {name} was not downloaded: {}", safe(&why.to_string())));
    }
    if folder.unstable {
        out.remark(format!(
            "note: the server gives {name} no valid UIDVALIDITY or unique-ids; every run must download what has none to tell what is new"
        ));
    }
    if let Some(why) = &folder.undeleted {
        out.prompt(format!(
            "warning: not everything was deleted from the server: {}; the next run tries again",
            safe(&why.to_string())
        ));
    }
    for missing in folder.missing.iter().take(NAMED) {
        let which = match missing.uid {
            0 => "a message without a unique-id".to_owned(),
            uid => format!("UID {uid}"),
        };
        out.prompt(format!("warning: {name}, {which} is missing: {}", safe(&missing.why.to_string())));
    }
    if let Some(more) = folder.missing.len().checked_sub(NAMED + 1) {
        out.prompt(format!(
            "warning: {name}: {} more are missing; --json names them all",
            count(more as u64 + 1)
        ));
    }
}

fn folder_document(folder: &FolderReport) -> Value {
    let missing: Vec<Value> = folder
        .missing
        .iter()
        .map(|missing| json!({"uid": missing.uid, "why": missing.why.to_string()}))
        .collect();
    json!({
        "name": folder.name,
        "stored": folder.stored,
        "octets": folder.octets,
        "already": folder.already,
        "recognised": folder.recognised,
        "flags": folder.flags,
        "missing": missing,
        "deleted": folder.deleted,
        "undeleted": folder.undeleted.as_ref().map(ToString::to_string),
        "failed": folder.failed.as_ref().map(ToString::to_string),
        "unstable": folder.unstable,
    })
}
