//! `postkey send`

use std::time::Duration;

use postkey::smtp::{Fate, Mailbox};
use serde_json::{Value, json};

use crate::args::Send;
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::mail::Access;
use crate::output::text::many;
use crate::output::{FAINT, Out};
use crate::send::deliver::{Delivery, Manner, Supply};
use crate::send::job::{Finished, Job, reply};
use crate::send::message::Message;
use crate::send::plan::{Origin, Plan};
use crate::signals::Stop;

/// Sends what is asked for, over one connection.
pub(crate) fn run(args: &Send, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.account.as_deref())?;
    let name = account.name.clone();
    let plan = Plan::new(args, account.sending()?)?;
    let lines = super::block_on(all(args, &plan, account, config, out))?;
    for line in &lines {
        tell(line, args.as_sendmail, out)?;
    }
    out.document(&document(&lines, &plan, &name))?;
    verdict(&lines, plan.messages.len())
}

async fn all(args: &Send, plan: &Plan, account: Account, config: &Config, out: Out) -> Result<Vec<Finished>> {
    let stop = Stop::listen()?;
    let sending = account.sending()?;
    let manner = Manner {
        ehlo_name: sending.ehlo_name.clone(),
        sender: plan.sender.clone(),
        partial: args.partial,
        raw: args.raw,
        chunking: sending.chunking,
        tries: args.tries,
        wait: Duration::from_secs(args.wait),
    };
    let mut messages = Messages { args, plan, manner: &manner, at: 0, early: None };
    // What cannot be sent is found before anybody is asked for a token, and what has to be waited for is there before anybody else waits.
    if let [only] = plan.messages.as_slice() {
        messages.early = Some((0, Ok(plan.prepare(only, args)?)));
    } else if let Some(at) = plan.messages.iter().position(|origin| matches!(origin, Origin::Stdin)) {
        messages.early = Some((at, plan.prepare(&Origin::Stdin, args)));
    }
    let access = stop.or(Access::prepare(account, config, auth::Protocol::Smtp)).await?;
    Ok(Delivery::new(&access, &manner, &stop, out).send(&mut messages).await)
}

/// A message that is ready, and whom it is for.
type Prepared = Result<(Message, Vec<Mailbox>)>;

/// The messages of the command line, each prepared when it is its turn.
struct Messages<'a> {
    args: &'a Send,
    plan: &'a Plan,
    manner: &'a Manner,
    /// The place of the next one.
    at: usize,
    /// One that was prepared before its turn, with its place.
    early: Option<(usize, Prepared)>,
}

impl Supply for Messages<'_> {
    fn next(&mut self, is_busy: bool) -> Option<std::result::Result<Job, Finished>> {
        let (origin, place) = (self.plan.messages.get(self.at)?, self.at);
        let prepared = match self.early.take_if(|(at, _)| *at == place) {
            Some((_, prepared)) => prepared,
            None if is_busy && !origin.is_at_hand() => return None,
            None => self.plan.prepare(origin, self.args),
        };
        self.at = self.at.saturating_add(1);
        Some(match prepared {
            Ok((message, recipients)) => Ok(Job::new(place, message, recipients, self.manner)),
            Err(failure) => Err(Finished::not_prepared(place, label(origin), failure)),
        })
    }
}

fn label(origin: &Origin) -> String {
    match origin {
        Origin::File(path) => crate::output::text::safe(&path.display().to_string()),
        Origin::Stdin => "standard input".into(),
        Origin::Composed => "the message".into(),
    }
}

/// Says what became of a message: what was sent on standard output, who did not get it on standard error.
fn tell(line: &Finished, as_sendmail: bool, out: Out) -> Result<()> {
    let got = line.done.fates.iter().flatten().filter(|fate| matches!(fate, Fate::Accepted { .. }));
    let replies: Vec<String> = got.filter_map(reply).map(ToString::to_string).collect();
    if let Some(last) = replies.last().filter(|_| !as_sendmail && !out.quiet) {
        let to = many(replies.len() as u64, "recipient");
        out.line(format!("{} sent to {to}  {FAINT}{last}{FAINT:#}", line.label))?;
    }
    if out.json {
        return Ok(());
    }
    for (fate, to) in line.done.fates.iter().zip(&line.recipients) {
        let Some(Fate::Rejected { reply, .. }) = fate else { continue };
        out.prompt(format!("warning: {}: not sent to {to}: {reply}", line.label));
    }
    Ok(())
}

fn document(lines: &[Finished], plan: &Plan, account: &str) -> Value {
    let messages: Vec<Value> = lines.iter().map(message).collect();
    let sent = lines.iter().filter(|line| line.verdict().is_ok()).count();
    json!({
        "account": account,
        "sender": plan.sender.mailbox().map(ToString::to_string),
        "sent": sent,
        "not_tried": plan.messages.len().saturating_sub(lines.len()),
        "messages": messages,
    })
}

fn message(line: &Finished) -> Value {
    let Finished { label, message_id, octets, recipients, done, .. } = line;
    let people: Vec<Value> = recipients
        .iter()
        .enumerate()
        .map(|(at, to)| person(to, done.fates.get(at).and_then(Option::as_ref)))
        .collect();
    let error = line.verdict().err().map(|failure| {
        json!({"kind": failure.exit.kind(), "exit_code": failure.exit.code(), "message": failure.message})
    });
    json!({
        "message": label,
        "message_id": message_id,
        "octets": octets,
        "tries": done.tries,
        "recipients": people,
        "error": error,
    })
}

fn person(to: &Mailbox, fate: Option<&Fate>) -> Value {
    let outcome = match fate {
        Some(Fate::Accepted { .. }) => "accepted",
        Some(Fate::Rejected { .. }) => "refused",
        Some(Fate::Unknown { .. }) => "unknown",
        Some(Fate::Withheld) => "withheld",
        _ => "not-tried",
    };
    let reply = fate.and_then(reply);
    json!({
        "address": to.to_string(),
        "outcome": outcome,
        "code": reply.and_then(postkey::Reply::smtp_code),
        "enhanced": reply.and_then(postkey::Reply::enhanced).map(|code| code.to_string()),
        "reply": reply.map(|reply| reply.text.clone()),
    })
}

/// The failure of the one message, or of the worst of many: an unknown outcome is what must not be overlooked.
fn verdict(lines: &[Finished], all: usize) -> Result<()> {
    let failures = || lines.iter().filter_map(|line| Some((line, line.verdict().err()?)));
    let unknown = failures().find(|(_, failure)| failure.exit == Exit::OutcomeUnknown);
    let Some((line, failure)) = unknown.or_else(|| failures().next()) else { return Ok(()) };
    if all == 1 {
        return Err(failure);
    }
    let sent = lines.len().saturating_sub(failures().count());
    let message =
        format!("{sent} of {} sent; {}: {}", many(all as u64, "message"), line.label, failure.message);
    Err(Failure::new(failure.exit, message, failure.advice))
}
