//! Running other programs: their output is passed on as it comes and kept for counting.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// What a program did.
pub(crate) struct Ran {
    pub(crate) success: bool,
    /// Standard output and standard error, line by line, each stream in its own order.
    pub(crate) lines: Vec<String>,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where this program keeps what it makes: the Python environment, the log of skipped tests.
pub(crate) fn own_dir() -> PathBuf {
    target_dir().join("xtask")
}

/// Cargo's target directory, which the caller may have moved.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A command that runs in the workspace's root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// `cargo` of the toolchain that runs this program.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Another toolchain's `cargo`: through rustup's front end, without the variables by which rustup and cargo
/// tell a child that this toolchain is meant.
pub(crate) fn cargo_of(toolchain: &str) -> Command {
    let mut command = command("cargo");
    command.arg(format!("+{toolchain}"));
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTDOC");
    command
}

/// Runs to the end, showing and keeping the output.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn run(command: &mut Command) -> io::Result<Ran> {
    run_with(command, true)
}

/// Runs to the end and shows the output only if the program failed.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn run_quietly(command: &mut Command) -> io::Result<Ran> {
    let ran = run_with(command, false)?;
    if !ran.success {
        ran.lines.iter().for_each(|line| eprintln!("{line}"));
    }
    Ok(ran)
}

fn run_with(command: &mut Command, show: bool) -> io::Result<Ran> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let out = child.stdout.take().map(|stream| thread::spawn(move || pass_on(stream, io::stdout(), show)));
    let err = child.stderr.take().map(|stream| thread::spawn(move || pass_on(stream, io::stderr(), show)));
    let status = child.wait()?;
    let mut lines = Vec::new();
    for reader in [out, err].into_iter().flatten() {
        lines.extend(reader.join().unwrap_or_default());
    }
    Ok(Ran { success: status.success(), lines })
}

fn pass_on(stream: impl Read, mut to: impl Write, show: bool) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
        if show {
            // A closed output is no reason to stop reading: the child would block.
            let _ = to.write_all(&line);
        }
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    let _ = to.flush();
    lines
}

/// Whether a program starts and ends well; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a program printed on standard output, if it ended well.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first file of that name on `PATH` or in the system directories, which an ordinary user's `PATH` lacks.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}
