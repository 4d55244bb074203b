//! `postkey token inspect`

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use auth::{Clock as _, Protocol, SystemClock};
use serde_json::{Value, json};
use wire::{Secret, SecretBytes};

use crate::args::Inspect;
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::inspect::{Form, LONGEST, Severity, Verdict, explain, judge, token_in};
use crate::output::text::safe;
use crate::output::{FAINT, Out, STRONG};
use crate::tokens;

pub(super) use crate::inspect::like_token;

/// A token and where it was found.
struct Found {
    token: Secret,
    /// In words, for people.
    origin: String,
    /// Who is configured to sign in.
    user: Option<String>,
}

/// Shows what is in a token.
pub(crate) fn run(args: &Inspect, config: impl FnOnce() -> Result<Config>, out: Out) -> Result<()> {
    let found = find(args, config)?;
    let now = SystemClock.now();
    let octets = found.token.len();
    let form = Form::of(found.token.expose());
    let (mail, findings) = judge(&form, octets, found.user.as_deref(), now);

    let (kind, what) = match &form {
        Form::Jwt(jwt) => {
            let alg =
                jwt.header.get("alg").and_then(Value::as_str).map_or("an unnamed algorithm".into(), safe);
            ("jwt", format!("a JWT of {octets} octets, signed with {alg}; the signature was not checked"))
        }
        Form::Encrypted => {
            ("encrypted", format!("an encrypted JWT of {octets} octets: only whom it is for can read it"))
        }
        Form::Opaque(Some(what)) => ("opaque", format!("opaque, {octets} octets; by its beginning {what}")),
        Form::Opaque(None) => {
            ("opaque", format!("opaque, {octets} octets: whoever issued it can read it, nobody else"))
        }
    };
    out.line(format!("{STRONG}{}{STRONG:#}: {what}.", safe(&found.origin)))?;
    let lines = match &form {
        Form::Jwt(jwt) => explain(jwt, now),
        _ => Vec::new(),
    };
    let width = lines.iter().map(|line| line.claim.chars().count()).max().unwrap_or_default().min(24);
    for line in &lines {
        let mut text = format!("  {:width$}  {}", line.claim, line.value);
        if !line.meaning.is_empty() {
            let _ = write!(text, "  {FAINT}{}{FAINT:#}", line.meaning);
        }
        out.line(text)?;
    }
    out.line("For mail:")?;
    let protocols = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp];
    let verdicts: Vec<String> = protocols
        .iter()
        .map(|protocol| {
            let verdict = match mail.of(*protocol) {
                Verdict::Yes => "yes",
                Verdict::No => "no",
                Verdict::Unknown => "it does not say",
            };
            format!("{}: {verdict}", protocol.to_string().to_uppercase())
        })
        .collect();
    out.line(format!("  {}", verdicts.join("; ")))?;
    for finding in &findings {
        let mark = if finding.severity == Severity::Problem { "problem" } else { "note" };
        out.line(format!("  {STRONG}{mark}{STRONG:#} ({}): {}", finding.kind, finding.text))?;
    }
    let (header, claims) = match &form {
        Form::Jwt(jwt) => (Some(&jwt.header), Some(&jwt.claims)),
        _ => (None, None),
    };
    let explained: Vec<Value> = lines
        .iter()
        .map(|line| json!({"claim": line.claim, "value": line.value, "meaning": line.meaning}))
        .collect();
    out.document(&json!({
        "origin": found.origin,
        "kind": kind,
        "octets": octets,
        "header": header,
        "claims": claims,
        "explained": explained,
        "mail": mail,
        "findings": findings,
    }))
}

fn find(args: &Inspect, config: impl FnOnce() -> Result<Config>) -> Result<Found> {
    let Some(what) = &args.what else { return stored(&config()?, None) };
    if what == "-" {
        return read(std::io::stdin().lock(), "standard input");
    }
    let path = Path::new(what);
    let name = what.to_str();
    if let Some(name) = name {
        if !path.exists() && like_token(name) {
            return Err(exposed(name.len()));
        }
        // A path with a folder in it is no account; anything else is one if the configuration knows it.
        if !name.contains(std::path::MAIN_SEPARATOR) {
            let config = config()?;
            if config.names().any(|known| known == name) || !path.exists() {
                return stored(&config, Some(name));
            }
        }
    }
    let shown = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| {
        let advice = "name a file that can be read, an account, or - for standard input";
        Failure::new(Exit::Usage, format!("{shown} cannot be read: {error}"), advice)
    })?;
    read(file, &shown)
}

/// What is said when a token stands in the command line.
pub(super) fn exposed(octets: usize) -> Failure {
    Failure::new(
        Exit::Usage,
        format!(
            "an argument of {octets} octets looks like a token: every process of this machine can read arguments, and the shell may \
             keep them in its history"
        ),
        "give it on standard input (… | postkey token inspect -) or in a file; and take this one for lost: sign out where it is from",
    )
}

fn stored(config: &Config, name: Option<&str>) -> Result<Found> {
    let account = config.account(name)?;
    let found = |token, origin: String| Found { token, origin, user: Some(account.user.clone()) };
    if let Some(reference) = &account.token {
        return Ok(found(
            account.fetch(reference, "token")?,
            format!("The token of account {:?}", account.name),
        ));
    }
    let none = |what: &str| {
        Failure::new(
            Exit::SignInNeeded,
            format!("account {:?} has no stored token{what}", account.name),
            format!("run: postkey login {}", account.name),
        )
    };
    if account.password.is_some() {
        return Err(Failure {
            exit: Exit::Usage,
            advice: "name another account, a file, or - for standard input".into(),
            ..none(": it signs in with a password")
        });
    }
    if !tokens::exists(config)? {
        return Err(none(""));
    }
    let store = tokens::open(config, &account.name)?;
    // Also one that has ended: that may be what the reader wants to see.
    let record = account.record(&store)?.and_then(|record| record.tokens).ok_or_else(|| none(""))?;
    Ok(found(record.access_token, format!("The stored access token of account {:?}", account.name)))
}

fn read(from: impl Read, origin: &str) -> Result<Found> {
    let wrong = |what: &str| {
        let advice = "give a token alone, or the JSON answer with its access_token";
        Failure::new(Exit::Usage, format!("{origin} {what}"), advice)
    };
    let mut octets = Vec::new();
    let ended = from.take(LONGEST as u64 + 1).read_to_end(&mut octets);
    let octets = SecretBytes::new(octets);
    ended.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if octets.len() > LONGEST {
        return Err(wrong(&format!("is longer than {LONGEST} octets, and no token is")));
    }
    let text = std::str::from_utf8(octets.expose()).map_err(|_| wrong("is not text"))?;
    let token = token_in(text).ok_or_else(|| wrong("holds no token"))?;
    Ok(Found { token: Secret::from(token), origin: origin.to_owned(), user: None })
}
