//! `postkey sandbox`
use crate::args::Sandbox;
use crate::exit::Result;
use crate::output::Out;

pub(crate) fn run(_args: &Sandbox, _out: Out) -> Result<()> {
    super::block_on_threads(async { Ok(()) })
}
