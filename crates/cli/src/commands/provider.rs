//! `postkey provider`

use auth::Provider;
use auth::discovery::{IssuerRule, Metadata, discover};
use auth::http::ReqwestOptions;
use auth::provider::Flow;
use serde_json::json;
use toml::{Table, Value};

use crate::args::{Discover, ProviderCommand};
use crate::config::{Config, edit, paths};
use crate::exit::{Exit, Failure, Result};
use crate::http::{LazyHttp, Settings};
use crate::output::text::safe;
use crate::output::{Out, STRONG};
use crate::signals::Stop;

/// Runs one of the commands on providers.
pub(crate) fn run(
    command: &ProviderCommand,
    config: impl FnOnce() -> Result<Config>,
    out: Out,
) -> Result<()> {
    match command {
        ProviderCommand::List => list(&config()?, out),
        ProviderCommand::Show { name } => {
            let provider = config()?.provider(name)?;
            print(name, &table(&provider)?, out)
        }
        ProviderCommand::Discover(args) => find(args, out),
    }
}

fn list(config: &Config, out: Out) -> Result<()> {
    let mut documents = Vec::new();
    for provider in config.providers()? {
        out.line(format!("{STRONG}{:<20}{STRONG:#} {}", provider.name, safe(&provider.title)))?;
        let flows: Vec<String> = Flow::ALL
            .into_iter()
            .filter(|flow| provider.allows(*flow).is_ok())
            .map(|flow| flow.to_string())
            .collect();
        documents.push(
            json!({"name": provider.name, "title": provider.title, "flows": flows, "notes": provider.notes}),
        );
    }
    out.document(&json!({ "providers": documents }))
}

fn find(args: &Discover, out: Out) -> Result<()> {
    let ca_file = args.ca_file.clone();
    let http = LazyHttp::new(Settings { options: ReqwestOptions::default(), ca_file });
    let metadata = super::block_on(async {
        let stop = Stop::listen()?;
        stop.or(async {
            discover(&http, &args.issuer, IssuerRule::Exact).await.map_err(|error| {
                let failure = Failure::from_auth(&error, "");
                let exit = failure.exit;
                failure.advise(match exit {
                    Exit::Tls => {
                        "if the provider is your own, or a TLS proxy is meant, name its CA: --ca-file FILE"
                    }
                    _ => {
                        "check the issuer's address: it is the part before /.well-known/openid-configuration"
                    }
                })
            })
        })
        .await
    })?;
    let (name, table) = described(args, &metadata)?;
    // What is printed must be what the configuration takes.
    let provider = Provider::from_table(&name, &table).map_err(|error| Failure::from_auth(&error, ""))?;
    for note in missing(&metadata) {
        out.remark(format!("note: {note}"));
    }
    print(&name, &self::table(&metadata.applied_to(&provider))?, out)
}

/// The table without the addresses that the document has.
fn described(args: &Discover, metadata: &Metadata) -> Result<(String, Table)> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Usage,
            format!("the provider cannot be described: {error}"),
            "see: postkey provider discover --help",
        )
    };
    let host = metadata.token.host_str().unwrap_or("provider").to_owned();
    let name = args.name.clone().unwrap_or_else(|| host.replace('.', "-"));
    if !edit::is_name(&name) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{name:?} is no name for a provider"),
            edit::NAME_RULE,
        ));
    }
    let offered = |scope: &str| metadata.scopes.iter().any(|known| known == scope);
    let known = |wanted: &[&str]| -> Vec<String> {
        wanted.iter().filter(|scope| offered(scope)).map(|scope| (*scope).to_owned()).collect()
    };
    let server = |host: &Option<String>, port: u16| match host {
        Some(host) => json!([{"host": host, "port": port, "tls": "implicit"}]),
        None => json!([]),
    };
    let description = json!({
        "title": host,
        "authority": metadata.token.origin().ascii_serialization(),
        "token": metadata.token.as_str(),
        "redirect_host": "127.0.0.1",
        "mechanisms": ["OAUTHBEARER", "XOAUTH2"],
        "scopes": {
            "identity": known(&["openid", "email"]),
            "offline": known(&["offline_access"]),
            "imap": args.scopes, "pop3": args.scopes, "smtp": args.scopes,
        },
        "servers": {
            "imap": server(&args.imap_host, 993), "pop3": server(&args.pop3_host, 995), "smtp": server(&args.smtp_host, 465),
        },
    });
    let mut table = Table::try_from(description).map_err(|error| unusable(&error))?;
    if let Some(file) = &args.ca_file {
        table.insert("ca_file".into(), Value::String(paths::absolute(file)?));
    }
    Ok((name, table))
}

/// What the document does not offer.
fn missing(metadata: &Metadata) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if metadata.authorize.is_none() {
        notes.push("there is no browser sign-in");
    }
    if metadata.device.is_none() {
        notes.push("there is no sign-in with a device code");
    }
    notes
}

fn table(provider: &Provider) -> Result<Table> {
    let failed = |error: toml::ser::Error| {
        Failure::new(Exit::Unexpected, format!("the provider cannot be written: {error}"), "")
    };
    let mut table = Table::try_from(provider).map_err(failed)?;
    // The table's own name says it.
    table.remove("name");
    Ok(table)
}

fn print(name: &str, table: &Table, out: Out) -> Result<()> {
    let named = |key: &str, value: Value| Value::Table([(key.to_owned(), value)].into_iter().collect());
    let whole = named("providers", named(name, Value::Table(table.clone())));
    let text = toml::to_string(&whole).map_err(|error| {
        Failure::new(Exit::Unexpected, format!("the provider cannot be written: {error}"), "")
    })?;
    out.line(text.trim_end())?;
    let table = serde_json::to_value(table).map_err(std::io::Error::from)?;
    out.document(&json!({"name": name, "provider": table}))
}
