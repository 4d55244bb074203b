//! Reads the providers' data once, while the crate is built: a program that prints a stored token has no time to do it at every start.

#[path = "src/provider/layers.rs"]
mod layers;

use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

const DATA: &str = "src/provider/providers.toml";

fn main() {
    println!("cargo::rerun-if-changed={DATA}");
    println!("cargo::rerun-if-changed=src/provider/layers.rs");
    let written = source().and_then(|source| {
        let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
        std::fs::write(Path::new(&folder).join("builtin.rs"), source).map_err(|error| error.to_string())
    });
    if let Err(why) = written {
        println!("cargo::error={DATA}: {why}");
    }
}

/// An array of pairs: a provider's name, and its table as JSON with everything in it that it is `like`.
fn source() -> Result<String, String> {
    let data = std::fs::read_to_string(DATA).map_err(|error| error.to_string())?;
    let tables: Table = data.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let mut source = String::from("&[\n");
    for (name, table) in &tables {
        let table = table.as_table().ok_or_else(|| format!("{name} is no table"))?;
        let whole = whole(table, &tables, 0).map_err(|why| format!("{name}: {why}"))?;
        let json = serde_json::to_string(&whole).map_err(|error| format!("{name}: {error}"))?;
        writeln!(source, "    ({name:?}, {json:?}),").map_err(|error| error.to_string())?;
    }
    source.push_str("]\n");
    Ok(source)
}

/// The table with that below it which it is `like`.
fn whole(table: &Table, tables: &Table, depth: usize) -> Result<Table, String> {
    let Some(like) = table.get("like") else { return Ok(table.clone()) };
    // A longer chain than there are tables is a circle.
    let base = like.as_str().and_then(|name| tables.get(name)).and_then(Value::as_table);
    let base = base.filter(|_| depth < tables.len()).ok_or_else(|| format!("like = {like} leads nowhere"))?;
    let mut over = table.clone();
    over.remove("like");
    Ok(layers::lay_over(whole(base, tables, depth + 1)?, &over))
}
