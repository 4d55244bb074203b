//! `postkey exit-codes`

use serde_json::{Value, json};

use crate::exit::{Result, TABLE};
use crate::output::Out;

/// Lists the exit codes.
pub(crate) fn run(out: Out) -> Result<()> {
    out.line("  0  done")?;
    for (exit, _, meaning) in TABLE {
        out.line(format!("{:>3}  {meaning}", exit.code()))?;
    }
    let codes: Vec<Value> = TABLE
        .iter()
        .map(|(exit, kind, meaning)| json!({"code": exit.code(), "kind": kind, "meaning": meaning}))
        .collect();
    out.document(&json!({ "exit_codes": codes }))
}
