//! `postkey account`

use std::path::Path;

use serde_json::json;
use toml_edit::{InlineTable, Item, Table, value};

use crate::args::{AccountAdd, AccountCommand, Purpose};
use crate::config::{Account, Config, MailServer, edit, model, paths};
use crate::exit::{Exit, Failure, Result};
use crate::output::{Out, STRONG, with};
use crate::sign_in::redirect::Redirect;
use crate::tokens;

/// Runs one of the commands on accounts.
pub(crate) fn run(command: &AccountCommand, path: Option<&Path>, out: Out) -> Result<()> {
    match command {
        AccountCommand::Add(args) => add(args, path, out),
        AccountCommand::List => list(&Config::load(path)?, out),
        AccountCommand::Show(which) => {
            let config = Config::load(path)?;
            show(&config.account(which.account.as_deref())?, &config, out)
        }
        AccountCommand::Remove { name } => remove(name, &Config::load(path)?, out),
    }
}

fn add(args: &AccountAdd, path: Option<&Path>, out: Out) -> Result<()> {
    let path = path.map_or_else(paths::config_file, |path| Ok(path.to_owned()))?;
    if !edit::is_name(&args.name) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{:?} is no name for an account", args.name),
            edit::NAME_RULE,
        ));
    }
    // The file may not be there yet; if it is, it must be right before it is changed.
    if path.exists() && Config::load(Some(&path))?.names().any(|name| name == args.name) {
        return Err(Failure::new(
            Exit::Usage,
            format!("there is an account {:?} already in {}", args.name, path.display()),
            format!("choose another name, change the file, or run: postkey account remove {}", args.name),
        ));
    }
    // What is to be written is read first, the way it will be read.
    let document = edit::with_account(&path, &args.name, table(args)?)?;
    let account = Config::of_text(&path, document.to_string())
        .and_then(|config| config.account(Some(&args.name)))
        .map_err(|failure| Failure {
            exit: Exit::Usage,
            message: format!("the account was not added: {}", failure.message),
            ..failure
        })?;
    edit::write(&path, &document)?;
    out.done(format!("Account {STRONG}{}{STRONG:#} is in {}.", args.name, path.display()))?;
    out.remark(format!("Next: postkey login {}", args.name));
    out.document(&json!({"account": account.name, "config": path.display().to_string()}))
}

fn table(args: &AccountAdd) -> Result<Table> {
    let mut table = Table::new();
    table.insert("provider", value(&args.provider));
    table.insert("user", value(&args.user));
    if !args.aliases.is_empty() {
        table.insert("aliases", value(args.aliases.iter().collect::<toml_edit::Array>()));
    }
    let authority = args.authority.as_deref().map(split_authority);
    let tenant = args.tenant.clone().or_else(|| authority.as_ref().and_then(|(_, tenant)| tenant.clone()));
    for (key, text) in [("mailbox", &args.mailbox), ("tenant", &tenant), ("client_id", &args.client_id)] {
        if let Some(text) = text {
            table.insert(key, value(text));
        }
    }
    let file = args.client_secret_file.as_deref().map(paths::absolute).transpose()?;
    for (kind, place) in
        [("env", &args.client_secret_env), ("file", &file), ("command", &args.client_secret_command)]
    {
        if let Some(place) = place {
            let mut reference = InlineTable::new();
            reference.insert(kind, place.into());
            table.insert("client_secret", value(reference));
        }
    }
    proof(args, &mut table)?;
    if let Some(flow) = args.flow {
        table.insert("flow", value(flow.name()));
    }
    if !args.protocols.is_empty() {
        let names: toml_edit::Array = args.protocols.iter().map(|p| p.protocol().to_string()).collect();
        table.insert("protocols", value(names));
    }
    let ca_file = args.ca_file.as_deref().map(paths::absolute).transpose()?;
    let mut imap = server(args.imap_host.as_deref(), args.imap_port, args.imap_tls);
    let mut pop3 = server(args.pop3_host.as_deref(), args.pop3_port, args.pop3_tls);
    let mut smtp = server(args.smtp_host.as_deref(), args.smtp_port, args.smtp_tls);
    let mut oauth = Table::new();
    if let Some((authority, _)) = authority {
        oauth.insert("authority", value(authority));
    }
    if let Some(file) = &args.sign_in_password_file {
        let mut reference = InlineTable::new();
        reference.insert("file", paths::absolute(file)?.into());
        oauth.insert("password", value(reference));
    }
    if let Some(redirect) = &args.redirect {
        oauth.insert("redirect", value(redirect));
    }
    if let Some(ca) = ca_file {
        imap.insert("ca_file", value(&ca));
        // Tables that would hold nothing else would say that the sign-in is for their protocol.
        for (protocol, table) in [(Purpose::Pop3, &mut pop3), (Purpose::Smtp, &mut smtp)] {
            if args.protocols.contains(&protocol) || !table.is_empty() {
                table.insert("ca_file", value(&ca));
            }
        }
        oauth.insert("ca_file", value(ca));
    }
    for (key, inner) in [("imap", imap), ("pop3", pop3), ("smtp", smtp), ("oauth", oauth)] {
        if !inner.is_empty() {
            table.insert(key, Item::Table(inner));
        }
    }
    Ok(table)
}

/// What proves the application besides a secret.
fn proof(args: &AccountAdd, table: &mut Table) -> Result<()> {
    if let Some(file) = &args.certificate {
        let mut certificate = InlineTable::new();
        certificate.insert("file", paths::absolute(file)?.into());
        if let Some(key) = &args.certificate_key {
            certificate.insert("key", paths::absolute(key)?.into());
        }
        if let Some(passphrase) = &args.certificate_passphrase_file {
            let mut reference = InlineTable::new();
            reference.insert("file", paths::absolute(passphrase)?.into());
            certificate.insert("passphrase", reference.into());
        }
        if let Some(algorithm) = args.certificate_algorithm {
            certificate.insert("algorithm", algorithm.0.name().into());
        }
        table.insert("certificate", value(certificate));
    }
    let mut inline = |key: &str, members: &[(&str, Option<String>)]| {
        let mut reference = InlineTable::new();
        for (name, text) in members {
            if let Some(text) = text {
                reference.insert(*name, text.as_str().into());
            }
        }
        table.insert(key, value(reference));
    };
    if let Some(file) = &args.assertion_file {
        inline("assertion", &[("file", Some(paths::absolute(file)?))]);
    }
    if let Some(command) = &args.assertion_command {
        inline("assertion", &[("command", Some(command.clone()))]);
    }
    for (kind, value) in [
        ("github-actions", &args.assertion_github_actions),
        ("managed-identity", &args.assertion_managed_identity),
    ] {
        if value.is_some() {
            inline("assertion", &[(kind, value.clone())]);
        }
    }
    if let Some(file) = &args.service_account {
        table.insert("service_account", value(paths::absolute(file)?));
    }
    Ok(())
}

fn server(host: Option<&str>, port: Option<u16>, tls: Option<model::Tls>) -> Table {
    let mut table = Table::new();
    if let Some(host) = host {
        table.insert("host", value(host));
    }
    if let Some(port) = port {
        table.insert("port", value(i64::from(port)));
    }
    if let Some(tls) = tls {
        table.insert("tls", value(tls.name()));
    }
    table
}

/// `https://login.example/TENANT`, as many guides write it, in its two parts.
fn split_authority(authority: &str) -> (String, Option<String>) {
    let Ok(url) = url::Url::parse(authority) else { return (authority.to_owned(), None) };
    let tenant = url.path().trim_matches('/').trim_end_matches("/v2.0").to_owned();
    let plain = url.query().is_none() && url.fragment().is_none() && !tenant.contains('/');
    if tenant.is_empty() || !plain {
        return (authority.to_owned(), None);
    }
    (url.origin().ascii_serialization(), Some(tenant))
}

fn list(config: &Config, out: Out) -> Result<()> {
    let default = config.default_account();
    let mut documents = Vec::new();
    for name in config.names() {
        // An account with a mistake is listed all the same: its name is what the reader came for.
        match config.account(Some(name)) {
            Ok(account) => {
                let mark = if default == Some(name) { "*" } else { " " };
                out.line(format!(
                    "{mark} {STRONG}{name}{STRONG:#}  {}  {}",
                    account.mailbox, account.provider.title
                ))?;
                documents.push(summary(&account));
            }
            Err(failure) => {
                out.line(format!("! {STRONG}{name}{STRONG:#}  {}", failure.message))?;
                documents.push(json!({"name": name, "mistake": failure.message}));
            }
        }
    }
    if documents.is_empty() {
        out.line(format!("There is no account in {} yet.", config.path().display()))?;
        out.remark("Add one: postkey account add NAME --user ADDRESS --client-id ID");
    }
    out.document(&json!({
        "config": config.path().display().to_string(),
        "default": default,
        "accounts": documents,
    }))
}

fn summary(account: &Account) -> serde_json::Value {
    json!({
        "name": account.name,
        "provider": account.provider.name,
        "user": account.user,
        "mailbox": account.mailbox,
        "protocols": account.protocols(),
        "server": place(&account.server),
    })
}

fn place(server: &MailServer) -> serde_json::Value {
    json!({"host": server.host, "port": server.port, "tls": server.tls.name()})
}

fn show(account: &Account, config: &Config, out: Out) -> Result<()> {
    let mut lines: Vec<(&str, String)> = vec![
        ("account", account.name.clone()),
        ("provider", format!("{} ({})", account.provider.name, account.provider.title)),
        ("user", account.user.clone()),
    ];
    if !account.aliases.is_empty() {
        lines.push(("aliases", account.aliases.join(" ")));
    }
    if account.mailbox != account.user {
        lines.push(("mailbox", account.mailbox.clone()));
    }
    let server = &account.server;
    lines.push(("imap server", format!("{}:{} ({})", server.host, server.port, server.tls.name())));
    if let Some(ca) = &server.ca_file {
        lines.push(("imap ca file", ca.display().to_string()));
    }
    let mut document = with(summary(account), json!({"aliases": account.aliases}));
    for (protocol, server) in [("pop3", &account.pop3), ("smtp", &account.smtp)] {
        if let Some(server) =
            server.as_ref().filter(|_| account.protocols().iter().any(|p| p.to_string() == protocol))
        {
            let text = format!("{}:{} ({})", server.host, server.port, server.tls.name());
            lines.push((if protocol == "pop3" { "pop3 server" } else { "smtp server" }, text));
            document = with(document, json!({ protocol: place(server) }));
        }
    }
    if let (true, Some(sending)) = (document.get("smtp").is_some(), &account.sending) {
        lines.push(("smtp user", sending.user.clone()));
        lines.push(("sender", sending.sender.to_string()));
        lines.push(("from", sending.from.to_string()));
        let sending = json!({
            "user": sending.user,
            "sender": sending.sender.to_string(),
            "from": sending.from.to_string(),
        });
        document = with(document, json!({ "sending": sending }));
    }
    if let Some(reference) = account.token.as_ref().or(account.password.as_ref()) {
        let what = if account.token.is_some() { "token" } else { "password" };
        lines.push((what, format!("from {reference}")));
        document = with(document, json!({ "signs_in_with": what }));
    } else {
        let endpoints = account.endpoints()?;
        let scopes = account.scopes()?;
        lines.push(("tenant", endpoints.tenant.clone()));
        lines.push(("client id", account.client_id.clone()));
        lines.extend(account.proof.describe());
        lines.push(("flow", account.flow.map_or("chosen at login", model::Flow::name).to_owned()));
        if let Some(redirect) = &account.redirect {
            lines.push(("redirect", redirect.text().to_owned()));
        }
        lines.push(("token endpoint", endpoints.token.to_string()));
        lines.push(("scopes", scopes.join(" ")));
        if let Some(ca) = account.oauth_ca() {
            lines.push(("sign-in ca file", ca.display().to_string()));
        }
        let stored = stored(account, config)?;
        lines.push((
            "tokens",
            if stored { "stored".into() } else { format!("none; run: postkey login {}", account.name) },
        ));
        let more = json!({
            "signs_in_with": "oauth",
            "tenant": endpoints.tenant,
            "client_id": account.client_id,
            "flow": account.flow.map(model::Flow::name),
            "redirect": account.redirect.as_ref().map(Redirect::text),
            "token_endpoint": endpoints.token.as_str(),
            "scopes": scopes,
            "signed_in": stored,
        });
        document = with(document, more);
    }
    lines.push(("configuration", config.path().display().to_string()));
    for (name, text) in &lines {
        out.line(format!("{STRONG}{name:<16}{STRONG:#}{}", wire::printable(text.as_bytes())))?;
    }
    out.document(&document)
}

/// Whether the store holds tokens, good or not.
fn stored(account: &Account, config: &Config) -> Result<bool> {
    if !tokens::exists(config)? {
        return Ok(false);
    }
    account.has_tokens(&tokens::open(config, &account.name)?)
}

fn remove(name: &str, config: &Config, out: Out) -> Result<()> {
    // An account with a mistake in it can be removed as well; its tokens cannot be found then.
    let account = config.account(Some(name));
    let account = match account {
        Err(failure) if failure.exit == Exit::UnknownAccount => return Err(failure),
        account => account.ok(),
    };
    let stored = tokens::exists(config)?;
    if let Some(account) = account.filter(|account| account.needs_sign_in() && stored) {
        let store = tokens::open(config, name)?;
        super::block_on(account.forget(&store))?;
    }
    edit::remove(config.path(), name)?;
    out.done(format!(
        "Account {STRONG}{name}{STRONG:#} and its tokens are removed. Downloaded mail stays where it is."
    ))?;
    out.document(&json!({"account": name, "removed": true}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_may_be_written_with_its_tenant() {
        let split = |text: &str| split_authority(text);
        assert_eq!(
            split("https://login.example/contoso.com/"),
            ("https://login.example".into(), Some("contoso.com".into()))
        );
        assert_eq!(
            split("https://localhost:8443/T/v2.0"),
            ("https://localhost:8443".into(), Some("T".into()))
        );
        assert_eq!(split("https://login.example"), ("https://login.example".into(), None));
        // What cannot be meant is left to be refused with a reason.
        assert_eq!(split("https://login.example/a/b").1, None);
        assert_eq!(split("nonsense").1, None);
    }
}
