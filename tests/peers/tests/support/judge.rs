//! What all judges share: postkey's configuration for a server as that server's own document describes it.
#![allow(dead_code, reason = "not every test uses all of it")]

use auth::Provider;
use auth::discovery::{IssuerRule, Metadata, discover};
use auth::http::{ReqwestHttp, ReqwestOptions};

use postkey_peers::home::Home;

pub(crate) fn http() -> ReqwestHttp {
    ReqwestHttp::new(&ReqwestOptions::default()).unwrap()
}

pub(crate) fn metadata(runtime: &tokio::runtime::Runtime, issuer: &str) -> Metadata {
    runtime.block_on(discover(&http(), issuer, IssuerRule::Exact)).unwrap()
}

/// Writes the account `ana`, whose table begins with `lines`; its provider is `table` with the addresses of the document.
pub(crate) fn configure(home: &Home, metadata: &Metadata, table: &str, lines: &str) {
    let provider = Provider::from_table("judge", &table.parse().unwrap()).unwrap();
    let provider = toml::Value::try_from(metadata.applied_to(&provider)).unwrap();
    let named = |name: &str, value| toml::Value::Table([(name.to_owned(), value)].into_iter().collect());
    let providers = toml::to_string(&named("providers", named("judge", provider))).unwrap();
    home.configure(&format!("[accounts.ana]\nprovider = \"judge\"\n{lines}\n{providers}"));
}
