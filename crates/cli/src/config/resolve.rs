//! From the file's table to the account: its settings over its provider's, and every mistake with its place.

use auth::{Protocol, Provider};
use toml::Value;
use toml::value::Datetime;

use super::load::Source;
use super::model::{self, Flow};
use super::proof::Proof;
use super::{Account, base, paths, sending, server};
use crate::exit::Result;
use crate::sign_in::redirect::Redirect;

/// What signs in when the configuration names no provider.
const DEFAULT_PROVIDER: &str = "microsoft";

/// The account called `name`, of which `table` is what the file says.
pub(super) fn account(
    name: &str,
    table: &model::Account,
    file: &model::File,
    source: &Source,
) -> Result<Account> {
    let base = base(&source.path);
    let provider = provider(name, table, file, source)?;
    for (key, value) in [("user", Some(&table.user)), ("mailbox", table.mailbox.as_ref())] {
        if value.is_some_and(|v| v.is_empty() || v.chars().any(char::is_control)) {
            let advice = format!("write {key} = \"name@domain\"");
            return Err(source.mistake(&at(name, &[key]), "this is no address", advice));
        }
    }
    if table.token.is_some() && table.password.is_some() {
        return Err(source.mistake(
            &at(name, &["password"]),
            "token and password exclude each other",
            "keep the one that the mail server takes",
        ));
    }
    let at_server =
        |protocol, own: &model::Server| server::resolve(name, protocol, own, &provider, base, source);
    let Some(server) = at_server(Protocol::Imap, &table.imap)? else {
        let advice = "write host = \"imap.example.com\" under [accounts.NAME.imap]";
        return Err(source.mistake(
            &at(name, &["imap", "host"]),
            &format!("{} has no IMAP server of its own", provider.title),
            advice,
        ));
    };
    let nothing = model::Server::default();
    let pop3 = at_server(Protocol::Pop3, table.pop3.as_ref().unwrap_or(&nothing))?;
    let smtp = at_server(Protocol::Smtp, &table.smtp.as_ref().map(model::Smtp::server).unwrap_or_default())?;
    let sending = match (sending::resolve(name, table, source), &table.smtp) {
        (Ok(sending), _) => Some(sending),
        // A user that is no address is no mistake as long as nothing is sent.
        (Err(_), None) => None,
        (Err(failure), Some(_)) => return Err(failure),
    };
    let mut protocols = table.protocols.clone().unwrap_or_else(|| {
        let optional = [(Protocol::Pop3, table.pop3.is_some()), (Protocol::Smtp, table.smtp.is_some())];
        let there = optional.into_iter().filter(|(_, there)| *there).map(|(protocol, _)| protocol);
        [Protocol::Imap].into_iter().chain(there).collect()
    });
    protocols.sort_unstable();
    protocols.dedup();
    if protocols.is_empty() {
        return Err(source.mistake(
            &at(name, &["protocols"]),
            "a sign-in is for at least one protocol",
            "write protocols = [\"imap\"], or leave it out",
        ));
    }
    let proof = Proof::of(table).map_err(|(first, second)| {
        source.mistake(
            &at(name, &[second]),
            &format!("{first} and {second} exclude each other"),
            "keep the one that the registration has",
        )
    })?;
    let flow = match (table.flow, &proof) {
        (None, Proof::ServiceAccount(_)) => Some(Flow::ServiceAccount),
        (flow, _) => flow,
    };
    if let Some(missing) = flow.and_then(|flow| proof.lacks(flow)) {
        let flow = flow.map_or("", Flow::name);
        return Err(source.mistake(
            &at(name, &["flow"]),
            &format!("{flow} needs {missing}"),
            format!("write {missing} for it, or choose another flow"),
        ));
    }
    let mut account = Account {
        name: name.to_owned(),
        user: table.user.clone(),
        aliases: table.aliases.clone(),
        redirect: table.oauth.redirect.as_deref().map(Redirect::parse).transpose().map_err(|error| {
            let advice = "write it as it is registered: http://localhost, http://localhost:3017/, or the provider's page for it";
            source.mistake(&at(name, &["oauth", "redirect"]), &error, advice)
        })?,
        mailbox: table.mailbox.clone().unwrap_or_else(|| table.user.clone()),
        tenant: table.tenant.clone().unwrap_or_default(),
        client_id: match (&proof, &table.client_id) {
            // A service account's own id is in its key file; tokens are found without reading it.
            (Proof::ServiceAccount(_), _) => format!("service account for {}", table.user),
            (_, id) => id.clone().unwrap_or_default(),
        },
        sign_in_password: table.oauth.password.clone(),
        flow,
        proof,
        client_secret_expires: table.client_secret_expires.as_ref().map(day).transpose().map_err(|()| {
            let advice = "write the day as 2027-01-31";
            source.mistake(&at(name, &["client_secret_expires"]), "this is no day", advice)
        })?,
        token: table.token.clone(),
        password: table.password.clone(),
        server,
        pop3,
        smtp,
        sending,
        protocols,
        scopes: table.oauth.scopes.clone(),
        endpoints: None,
        oauth_ca: table
            .oauth
            .ca_file
            .as_ref()
            .or(provider.ca_file.as_ref())
            .map(|path| paths::from(base, path)),
        connect_timeout: table.oauth.connect_timeout,
        timeout: table.oauth.timeout,
        base: base.to_owned(),
        provider,
    };
    if account.needs_sign_in() {
        if account.client_id.is_empty() {
            let advice = format!(
                "register an application at {} and write client_id = \"…\" (or let another program give tokens: \
                 token = {{ command = \"…\" }})",
                account.provider.title
            );
            return Err(source.mistake(&at(name, &["client_id"]), "it is missing", advice));
        }
        let checked = account.provider.endpoints(&account.registration());
        let endpoints = checked.map_err(|error| {
            let key: &[&str] = match &error {
                auth::Error::Setting { setting: "tenant", .. } => &["tenant"],
                auth::Error::Setting { setting: "client id", .. } => &["client_id"],
                _ => &["oauth", "authority"],
            };
            source.mistake(
                &at(name, key),
                &error.to_string(),
                "correct it, or leave it out for the provider's own",
            )
        })?;
        account.endpoints = Some(endpoints);
    }
    Ok(account)
}

/// A key of an account, as a path from the top of the file.
pub(super) fn at<'a>(name: &'a str, keys: &[&'a str]) -> Vec<&'a str> {
    [&["accounts", name][..], keys].concat()
}

fn provider(name: &str, table: &model::Account, file: &model::File, source: &Source) -> Result<Provider> {
    let wanted = table.provider.as_deref().unwrap_or(DEFAULT_PROVIDER);
    let mut provider = super::provider::named(wanted, file, source)?.ok_or_else(|| {
        let (what, advice) = super::provider::unknown(wanted, file);
        source.mistake(&["accounts", name, "provider"], &what, advice)
    })?;
    if let Some(authority) = &table.oauth.authority {
        provider.authority = authority.trim_end_matches('/').to_owned();
    }
    Ok(provider)
}

/// The day of a TOML date, with or without an hour, also if it stands there as a text.
fn day(value: &Value) -> Result<jiff::civil::Date, ()> {
    let moment: Datetime = match value {
        Value::String(text) => text.parse().map_err(|_| ())?,
        Value::Datetime(moment) => *moment,
        _ => return Err(()),
    };
    let date = moment.date.ok_or(())?;
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(()) };
    jiff::civil::Date::new(year, month, day).map_err(|_| ())
}
