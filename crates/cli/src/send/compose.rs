//! A message written from the command line.

use std::path::Path;

use mail_builder::MessageBuilder;
use mail_builder::headers::address::{Address as Named, EmailAddress};
use mail_builder::mime::{BodyPart, MimePart};

use super::address::{self, Address};
use crate::args::Compose;
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;

/// Largest attachment, in octets: it is held in memory, and no server takes a larger one.
const LARGEST: u64 = 256 * 1024 * 1024;

impl Compose {
    /// Whether a message is to be written here.
    pub(crate) fn is_wanted(&self) -> bool {
        self.subject.is_some()
            || self.body.is_some()
            || !self.attach.is_empty()
            || [&self.to, &self.cc, &self.bcc].iter().any(|list| !list.is_empty())
    }

    /// Everybody it is for.
    pub(crate) fn recipients(&self) -> Result<Vec<Address>> {
        let mut all = Vec::new();
        for (option, values) in [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc)] {
            all.extend(addresses(option, values)?);
        }
        Ok(all)
    }

    /// The author, if one is named.
    pub(crate) fn author(&self) -> Result<Option<Address>> {
        let author = self.from.as_deref().map(address::one).transpose();
        author.map_err(|error| wrong("from", &error.to_string()))
    }

    /// The message in full, without Date and Message-ID.
    pub(crate) fn write(
        &self,
        from: &Address,
        body: String,
        date: &str,
        message_id: &str,
    ) -> Result<Vec<u8>> {
        if let Some(subject) = &self.subject
            && subject.chars().any(char::is_control)
        {
            return Err(wrong("subject", "it holds a control character, and a subject is one line"));
        }
        let mut builder = MessageBuilder::new()
            .header("Date", mail_builder::headers::raw::Raw::new(date.to_owned()))
            .header("Message-ID", mail_builder::headers::raw::Raw::new(message_id.to_owned()))
            .header("From", list(std::slice::from_ref(from)));
        for (option, name, values) in [("to", "To", &self.to), ("cc", "Cc", &self.cc)] {
            let all = addresses(option, values)?;
            if !all.is_empty() {
                builder = builder.header(name, list(&all));
            }
        }
        if let Some(subject) = &self.subject {
            builder = builder.subject(subject.clone());
        }
        let text = MimePart::new("text/plain; charset=utf-8", BodyPart::Text(body.into()));
        let part = if self.attach.is_empty() {
            text
        } else {
            let mut parts = vec![text];
            for path in &self.attach {
                parts.push(attachment(path)?);
            }
            MimePart::new("multipart/mixed", parts)
        };
        builder.body(part).write_to_vec().map_err(|error| {
            Failure::new(Exit::Unexpected, format!("the message cannot be written: {error}"), "")
        })
    }
}

fn list(addresses: &[Address]) -> Named<'static> {
    let named = |address: &Address| {
        let name = (!address.name.is_empty()).then(|| address.name.clone().into());
        Named::Address(EmailAddress { name, email: address.mailbox.to_string().into() })
    };
    match addresses {
        [only] => named(only),
        all => Named::List(all.iter().map(named).collect()),
    }
}

fn addresses(option: &str, values: &[String]) -> Result<Vec<Address>> {
    let mut all = Vec::new();
    for value in values {
        let found = address::list(value).map_err(|error| wrong(option, &error.to_string()))?;
        if found.is_empty() {
            return Err(wrong(option, "there is no address"));
        }
        all.extend(found);
    }
    Ok(all)
}

fn attachment(path: &Path) -> Result<MimePart<'static>> {
    let shown = safe(&path.display().to_string());
    let name =
        path.file_name().and_then(|name| name.to_str()).filter(|name| !name.chars().any(char::is_control));
    let Some(name) = name else {
        return Err(wrong("attach", &format!("{shown} has a name that cannot be sent")));
    };
    let failed = |error: std::io::Error| wrong("attach", &format!("{shown} cannot be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.len() > LARGEST {
        return Err(wrong("attach", &format!("{shown} is larger than {LARGEST} octets")));
    }
    let octets = std::fs::read(path).map_err(failed)?;
    Ok(MimePart::new(kind(name), BodyPart::Binary(octets.into())).attachment(name.to_owned()))
}

/// The media type, by the ending of the name; the usual ones only, the receiver's program knows the rest itself.
fn kind(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "ics" => "text/calendar",
        _ => "application/octet-stream",
    }
}

fn wrong(option: &str, what: &str) -> Failure {
    Failure::new(Exit::Usage, format!("--{option}: {}", safe(what)), "see: postkey send --help")
}
