//! Which failure a message ends with, if it does.

use postkey::smtp::{Fate, Mailbox, Stage};

use super::job::Delivered;
use crate::exit::{Exit, Failure, Result, UNKNOWN};
use crate::output::text::many;

/// Success, or the failure that says most: that nobody knows comes before that it was refused.
pub(super) fn of(done: &Delivered, recipients: &[Mailbox]) -> Result<()> {
    let fates = || done.fates.iter().zip(recipients).filter_map(|(fate, to)| Some((fate.as_ref()?, to)));
    let accepted = fates().filter(|(fate, _)| matches!(fate, Fate::Accepted { .. })).count();
    let nobody_else = match accepted {
        0 => "nobody got the message".to_owned(),
        n => format!("{} got it", many(n as u64, "other")),
    };
    if let Some(cause) = fates().find_map(|(fate, _)| match fate {
        Fate::Unknown { cause } => Some(cause),
        _ => None,
    }) {
        return Err(Failure::new(
            Exit::OutcomeUnknown,
            format!("the server has all of the message and did not say what becomes of it: {cause}"),
            UNKNOWN,
        ));
    }
    if let Some(failure) = &done.failure {
        let Failure { exit, message, advice, .. } = failure;
        return Err(Failure::new(*exit, message.clone(), advice.clone()));
    }
    let rejected = fates().find_map(|(fate, to)| match fate {
        Fate::Rejected { stage, reply } => Some((*stage, reply, to)),
        _ => None,
    });
    let Some((stage, reply, to)) = rejected else { return Ok(()) };
    let about_message = matches!(stage, Stage::Data | Stage::Message)
        || (stage == Stage::Sender && reply.smtp_code() == Some(552));
    let exit = match about_message {
        _ if reply.throttle().is_some() => Exit::Throttled,
        true => Exit::MessageRefused,
        false => Exit::RecipientRefused,
    };
    let what = match stage {
        Stage::Recipients => format!("the recipient {to}"),
        Stage::Sender => "the sender".to_owned(),
        _ => "the message".to_owned(),
    };
    let advice = if reply.is_transient() {
        "run the same command again later".to_owned()
    } else if is_send_as(reply) || stage == Stage::Sender {
        "send as the mailbox that signed in (sender and from in the account's smtp table, -f, --from), or ask the \
         administrator for the right to send as the other one"
            .to_owned()
    } else if stage == Stage::Recipients && accepted == 0 && recipients.len() > 1 {
        "correct the address; or give --partial to send to the others".to_owned()
    } else {
        "the server's words say why; correct it and send again".to_owned()
    };
    Err(Failure::new(exit, format!("the server refused {what}: {reply}; {nobody_else}"), advice))
}

/// Exchange's answer to somebody else's name in From or as the envelope sender.
fn is_send_as(reply: &postkey::Reply) -> bool {
    let code = reply.enhanced().map(|code| (code.class(), code.subject(), code.detail()));
    matches!(code, Some((5, 2, 252) | (5, 7, 60))) || reply.text.contains("SendAsDenied")
}
