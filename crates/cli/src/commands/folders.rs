//! `postkey folders`

use auth::Protocol;
use postkey::{Folder, Imap};
use serde_json::{Value, json};

use crate::args::Which;
use crate::config::Config;
use crate::exit::Result;
use crate::mail::Access;
use crate::output::text::safe;
use crate::output::{FAINT, Out};
use crate::signals::Stop;

/// Lists the mailbox's folders.
pub(crate) fn run(args: &Which, config: &Config, out: Out) -> Result<()> {
    let account = config.account(args.account.as_deref())?;
    let name = account.name.clone();
    let folders = super::block_on(async {
        let stop = Stop::listen()?;
        stop.or(async {
            let access = Access::prepare(account, config, Protocol::Imap).await?;
            list(&access).await
        })
        .await
    })?;
    for folder in &folders {
        out.line(line(folder))?;
    }
    let folders: Vec<Value> = folders.iter().map(document).collect();
    out.document(&json!({"account": name, "folders": folders}))
}

/// Opens a session for nothing but the list.
pub(crate) async fn list(access: &Access) -> Result<Vec<Folder>> {
    let failed = |error| access.failed(&error);
    let mut imap = Imap::open(&access.server, &access.credential).await.map_err(failed)?;
    let folders = imap.folders().await.map_err(failed)?;
    imap.logout().await;
    Ok(folders)
}

fn line(folder: &Folder) -> String {
    let name = safe(&folder.name);
    if folder.selectable { name } else { format!("{name}  {FAINT}(holds folders only){FAINT:#}") }
}

fn document(folder: &Folder) -> Value {
    let attributes: Vec<String> = folder.attributes.iter().map(ToString::to_string).collect();
    json!({
        "name": folder.name,
        "delimiter": folder.delimiter.map(String::from),
        "attributes": attributes,
        "selectable": folder.selectable,
    })
}
