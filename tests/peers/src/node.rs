//! Scripts for Node.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Program;
use crate::program::node_packages;

/// A script of `tests/peers/node`, to be run with further arguments (`process.argv` from 1 on). It may import every package of
/// `tests/peers/node/package.json`; `None` when they or Node are not here ([`Program::Node`]).
///
/// # Panics
/// When there is no such script.
#[must_use]
pub fn node(script: &str) -> Option<Command> {
    let (program, packages) = (Program::Node.find()?, node_packages()?);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("node").join(script);
    let code = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    // Node looks for packages in the folders above a script; of one that is given as text, in those above where it runs.
    let mut command = Command::new(program);
    command.current_dir(packages).args(["--input-type=module", "--eval", &code, "--"]);
    Some(command)
}
