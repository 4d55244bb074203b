//! What the program says, and where: results to standard output, everything else to standard error.

mod failure;
pub(crate) mod moment;
pub(crate) mod progress;
pub(crate) mod qr;
pub(crate) mod text;

pub(crate) use failure::report;

use std::io::{IsTerminal as _, Write as _};

use anstyle::Style;
use serde_json::Value;

use crate::args::{Color, Global};
use crate::exit::Result;

/// For what matters most in a line.
pub(crate) const STRONG: Style = Style::new().bold();
/// For what matters least.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// How to talk, as the command line wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    /// One JSON document, and nothing for people.
    pub(crate) json: bool,
    /// No remarks and no progress.
    pub(crate) quiet: bool,
    /// The log goes to standard error, so nothing may be redrawn there.
    logging: bool,
}

impl Out {
    /// From the command line; sets the use of colours for the whole program.
    pub(crate) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self { json: global.json, quiet: global.quiet, logging: global.verbose > 0 }
    }

    /// A line of the result, for people; nothing if the result is JSON.
    pub(crate) fn line(self, line: impl AsRef<str>) -> Result<()> {
        if !self.json {
            writeln!(anstream::stdout().lock(), "{}", line.as_ref())?;
        }
        Ok(())
    }

    /// What was done, for people; nothing if quiet. The exit code says that it was done.
    pub(crate) fn done(self, line: impl AsRef<str>) -> Result<()> {
        if self.quiet { Ok(()) } else { self.line(line) }
    }

    /// The result as JSON; nothing if it is for people.
    pub(crate) fn document(self, document: &Value) -> Result<()> {
        if self.json {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer(&mut out, document).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// A remark beside the result.
    pub(crate) fn remark(self, line: impl AsRef<str>) {
        if !self.quiet && !self.json {
            // Standard error may be closed; that is no reason to stop.
            let _ = writeln!(anstream::stderr().lock(), "{}", line.as_ref());
        }
    }

    /// What the person must see for the command to go on; also if quiet.
    pub(crate) fn prompt(self, lines: impl AsRef<str>) {
        let _ = writeln!(anstream::stderr().lock(), "{}", lines.as_ref());
    }

    /// Whether progress can be drawn.
    pub(crate) fn draws(self) -> bool {
        !self.json && !self.quiet && !self.logging && std::io::stderr().is_terminal()
    }
}

/// A JSON object with the members of another.
pub(crate) fn with(mut document: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut document, more) {
        members.extend(more);
    }
    document
}
