//! Metrics in Prometheus's text format, for the textfile collector of node_exporter.

use std::fmt::Write as _;

use super::{Account, State};

/// All metrics, ending with a line end as the format wants it.
pub(crate) fn metrics(accounts: &[Account], now: u64) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "postkey_credential_expiry_timestamp_seconds",
        "When it ends; bound=\"latest\": it may end earlier.",
    );
    for account in accounts {
        for item in &account.items {
            if let Some(end) = item.end.moment() {
                let _ = writeln!(
                    text,
                    "postkey_credential_expiry_timestamp_seconds{{account=\"{}\",credential=\"{}\",bound=\"{}\"}} {end}",
                    label(&account.name),
                    item.what.name(),
                    item.end.bound(),
                );
            }
        }
    }
    head(
        &mut text,
        "postkey_account_state",
        "0 fine, 1 something ends soon, 2 something has ended, 3 unknown.",
    );
    for account in accounts {
        let state = match account.state() {
            State::Fine => 0,
            State::Ending => 1,
            State::Ended => 2,
            State::Unknown => 3,
        };
        let _ = writeln!(text, "postkey_account_state{{account=\"{}\"}} {state}", label(&account.name));
    }
    head(&mut text, "postkey_status_timestamp_seconds", "When these metrics were written.");
    let _ = writeln!(text, "postkey_status_timestamp_seconds {now}");
    text
}

fn head(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}");
    let _ = writeln!(text, "# TYPE {name} gauge");
}

/// The value of a label: backslash, quotation mark and line end are escaped.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{End, Item, What};

    #[test]
    fn the_format() {
        let item = |what, end, state| Item { what, end, state, then: String::new() };
        let items = vec![
            item(What::AccessToken, End::At(1_790_000_000), State::Fine),
            item(What::RefreshToken, End::AtTheLatest(1_797_000_000), State::Ending),
            item(What::ClientSecret, End::Unknown, State::Fine),
        ];
        let accounts = [Account { name: "wo\"rk\\".into(), items, problem: None }];
        let text = metrics(&accounts, 7);
        let wanted = r#"# HELP postkey_credential_expiry_timestamp_seconds When it ends; bound="latest": it may end earlier.
# TYPE postkey_credential_expiry_timestamp_seconds gauge
postkey_credential_expiry_timestamp_seconds{account="wo\"rk\\",credential="access_token",bound="exact"} 1790000000
postkey_credential_expiry_timestamp_seconds{account="wo\"rk\\",credential="refresh_token",bound="latest"} 1797000000
# HELP postkey_account_state 0 fine, 1 something ends soon, 2 something has ended, 3 unknown.
# TYPE postkey_account_state gauge
postkey_account_state{account="wo\"rk\\"} 1
# HELP postkey_status_timestamp_seconds When these metrics were written.
# TYPE postkey_status_timestamp_seconds gauge
postkey_status_timestamp_seconds 7
"#;
        assert_eq!(text, wanted);
    }
}
