//! `postkey token`

use std::io::{IsTerminal as _, Write as _};

use auth::store::{Issued, Source};
use auth::{Clock as _, Protocol, SystemClock};
use sasl::{ClientMechanism as _, oauthbearer, xoauth2};
use serde_json::{Value, json};
use wire::{Secret, SecretBytes};

use super::{inspect, transfer};
use crate::args::{Sasl, Token, TokenCommand};
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Out, with};
use crate::signals::Stop;
use crate::tokens;

/// Prints one access token, or runs a command on tokens.
pub(crate) fn run(args: &Token, config: impl FnOnce() -> Result<Config>, out: Out) -> Result<()> {
    match &args.command {
        None => print(args, &config()?, out),
        Some(TokenCommand::Inspect(args)) => inspect::run(args, config, out),
        Some(TokenCommand::Export(args)) => transfer::export(args, &config()?, out),
        Some(TokenCommand::Import(args)) => transfer::import(args, &config()?, out),
    }
}

/// One from the store, if that alone answers: no runtime, no TLS roots, no network, no other program. What is wrong, or what
/// takes more, is for [`run`] to find out again.
pub(crate) fn stored(args: &Token, config: &Config, out: Out) -> Result<bool> {
    let (account, protocol) = wanted(args, config)?;
    if !account.needs_sign_in() {
        return Ok(false);
    }
    let Some((issued, scopes)) = account.peeked(config)? else { return Ok(false) };
    let (token, scopes, protocol) = (&issued.token, Some(scopes), Some(protocol));
    Answer { account: &account, protocol, token, issued: Some(&issued), scopes }.write(args.sasl, out)?;
    Ok(true)
}

/// The account that is meant, and the protocol.
fn wanted(args: &Token, config: &Config) -> Result<(Account, Protocol)> {
    let account = config.account(args.which.account.as_deref())?;
    let protocol = args.purpose.protocol();
    account.allows(protocol)?;
    Ok((account, protocol))
}

fn print(args: &Token, config: &Config, out: Out) -> Result<()> {
    if let Some(name) = args.which.account.as_deref().filter(|name| inspect::like_token(name)) {
        return Err(inspect::exposed(name.len()));
    }
    if !args.scopes.is_empty() {
        return other(args, config, out);
    }
    let (account, protocol) = wanted(args, config)?;
    let protocol = Some(protocol);
    if let Some(reference) = &account.token {
        let token = account.fetch(reference, "token")?;
        let answer = Answer { account: &account, protocol, token: &token, issued: None, scopes: None };
        return answer.write(args.sasl, out);
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
    warn(&issued, out);
    // Only the document tells them, and to look means to open the entry again.
    let scopes = if out.json { account.granted(&store)? } else { None };
    let token = &issued.token;
    Answer { account: &account, protocol, token, issued: Some(&issued), scopes }.write(args.sasl, out)
}

/// A token for another resource.
fn other(args: &Token, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.which.account.as_deref())?;
    let other = account.other_resource(&args.scopes)?;
    let store = tokens::open(config, &account.name)?;
    let issued = match account.stored_for(&store, &other)? {
        Some(issued) => issued,
        None => super::block_on(async {
            let stop = Stop::listen()?;
            stop.or(account.renewed_for(&store, &other)).await
        })?,
    };
    warn(&issued, out);
    let scopes = if out.json { account.granted_for(&store, &other)? } else { None };
    let token = &issued.token;
    Answer { account: &account, protocol: None, token, issued: Some(&issued), scopes }.write(None, out)
}

/// A program that takes a password from us shows what else we say to nobody, or in the middle of its own screen.
fn warn(issued: &Issued, out: Out) {
    if let Some(warning) = &issued.warning
        && std::io::stdout().is_terminal()
    {
        out.remark(format!("note: the token was not renewed: {warning}"));
    }
}

/// A token and what is known of it.
struct Answer<'a> {
    account: &'a Account,
    /// None for another resource than mail.
    protocol: Option<Protocol>,
    token: &'a Secret,
    issued: Option<&'a Issued>,
    scopes: Option<Vec<String>>,
}

impl Answer<'_> {
    fn write(&self, sasl: Option<Sasl>, out: Out) -> Result<()> {
        let response = sasl.zip(self.protocol).map(|(sasl, protocol)| self.response(sasl, protocol));
        let response = response.transpose()?;
        if out.json {
            return out.document(&self.document(sasl.zip(response.as_ref()))?);
        }
        let answer = response.as_ref().map_or(self.token.expose().as_bytes(), |response| response.expose());
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(answer)?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// The mechanism's first message in base64.
    fn response(&self, sasl: Sasl, protocol: Protocol) -> Result<SecretBytes> {
        let Self { account, token, .. } = *self;
        let user = account.sasl_user(protocol)?;
        let failed = |error: sasl::Error| {
            let advice = format!("see what is configured: postkey account show {}", account.name);
            Failure::new(Exit::Config, error.to_string(), advice)
        };
        let message = match sasl {
            Sasl::XOAuth2 => xoauth2::Client::new(user, token.clone()).map_err(failed)?.initial_response(),
            Sasl::OAuthBearer => {
                let server = account.server_of(protocol)?;
                let place = Some((server.host.as_str(), server.port));
                oauthbearer::Client::new(Some(user), token.clone(), place).map_err(failed)?.initial_response()
            }
        };
        let message = message.map_err(failed)?.unwrap_or_default();
        Ok(sasl::base64::encode_secret(message.expose()))
    }

    fn document(&self, response: Option<(Sasl, &SecretBytes)>) -> Result<Value> {
        let Self { account, protocol, token, issued, ref scopes } = *self;
        let end = issued.map(|issued| issued.expires_at);
        let document = json!({
            "account": account.name,
            "protocol": protocol,
            "access_token": token.expose(),
            "expires_at": end,
            "expires_in": end.map(|end| end.saturating_sub(SystemClock.now())),
            "source": match issued.map(|issued| issued.source) {
                None => "configuration",
                Some(Source::Stored) => "store",
                Some(_) => "provider",
            },
            "scopes": scopes,
            "warning": issued.and_then(|issued| issued.warning.as_ref()).map(ToString::to_string),
        });
        let Some(((sasl, response), protocol)) = response.zip(protocol) else { return Ok(document) };
        let mechanism = match sasl {
            Sasl::XOAuth2 => xoauth2::NAME,
            Sasl::OAuthBearer => oauthbearer::NAME,
        };
        let response = String::from_utf8_lossy(response.expose());
        Ok(with(
            document,
            json!({"mechanism": mechanism, "user": account.sasl_user(protocol)?, "response": response}),
        ))
    }
}
