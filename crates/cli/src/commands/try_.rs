//! `postkey try`
use crate::args::Try;
use crate::exit::Result;
use crate::output::Out;

pub(crate) fn run(_args: &Try, _out: Out) -> Result<()> {
    Ok(())
}
