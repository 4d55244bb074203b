//! A valid token from the store, side by side: `postkey token`, `cat` of a file that holds the same, and `mutt_oauth2.py` as Debian's mutt
//! brings it, in turns in one run. Prints Markdown.
//!
//! - [`install`]: the programs as they are installed. [`scene`]: an account that is signed in, and the same token for the others.
//!   [`turns`]: calling them.

mod install;
mod scene;
mod turns;

use std::path::PathBuf;
use std::process::ExitCode;

use postkey_benches::measured::{Verdict, machine};
use scene::Scene;
use turns::Series;

const HELP: &str = "\
bench-token [OPTIONS]
  --runs N        calls of cat and postkey; a tenth as many of mutt_oauth2.py (500)
  --program PATH  the postkey to measure as it is, instead of a copy of the one beside this program
  --dir DIR       files of the run (/dev/shm/postkey-bench-token)";

/// What postkey promises beside `cat`, and beside `mutt_oauth2.py`: shares of their medians.
const OF_CAT: f64 = 1.5;
const OF_MUTT: f64 = 0.1;

struct Options {
    runs: usize,
    /// Instead of one that is installed for the run.
    program: Option<PathBuf>,
    dir: PathBuf,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options { runs: 500, program: None, dir: "/dev/shm/postkey-bench-token".into() };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if matches!(name.as_str(), "-h" | "--help") {
            return Ok(None);
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--runs" => {
                let runs = value.parse().ok().filter(|runs| (20..=1_000_000).contains(runs));
                options.runs = runs.ok_or_else(|| format!("{value} is no number of runs; at least 20"))?;
            }
            "--program" => options.program = Some(value.into()),
            "--dir" => options.dir = value.into(),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match measure(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("the benchmark broke off: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether postkey kept within its bounds.
fn measure(options: &Options) -> Result<bool, String> {
    let program = options.program.clone().map_or_else(install::beside_this, Ok)?;
    let scene = Scene::set(&program, &options.dir)?;
    let mut all = vec![
        Series::new("cat", scene.cat(), 1),
        Series::new("postkey token", scene.postkey(&["token", "work"]), 1),
        Series::new(
            "postkey token --sasl xoauth2",
            scene.postkey(&["token", "work", "--sasl", "xoauth2"]),
            1,
        ),
    ];
    match scene.mutt() {
        Ok((plain, gpg)) => {
            all.push(Series::new("mutt_oauth2.py, token file not encrypted", plain, 10));
            all.push(Series::new("mutt_oauth2.py, gpg", gpg, 10));
        }
        Err(why) => eprintln!("without mutt_oauth2.py: {why}"),
    }
    scene.same(&all)?;
    turns::run(&mut all, options.runs)?;

    println!(
        "{} calls in turns (a tenth as many of mutt_oauth2.py), a token of {} octets. {}.\n",
        options.runs,
        scene.octets(),
        machine()
    );
    println!("| program | median | shortest | a tenth is slower than | beside cat |\n|---|--:|--:|--:|--:|");
    let cat = all.iter().find(|series| series.label == "cat").map_or(f64::NAN, Series::median);
    for series in &all {
        println!(
            "| {} | {:.2} ms | {:.2} ms | {:.2} ms | {:.2} |",
            series.label,
            series.median() * 1e3,
            series.quantile(0.0) * 1e3,
            series.quantile(0.9) * 1e3,
            series.median() / cat
        );
    }
    let median = |label: &str| all.iter().find(|series| series.label == label).map(Series::median);
    let mut verdicts = Vec::new();
    let mut bound = |other: &str, most: f64| {
        if let (Some(ours), Some(theirs)) = (median("postkey token"), median(other)) {
            let share = ours / theirs;
            let text = format!("`postkey token` takes at most {most} of the time of {other}: {share:.2}");
            verdicts.push(Verdict { text, kept: share <= most });
        }
    };
    bound("cat", OF_CAT);
    bound("mutt_oauth2.py, token file not encrypted", OF_MUTT);
    bound("mutt_oauth2.py, gpg", OF_MUTT);
    println!("\n{}", Verdict::table(&verdicts));
    Ok(verdicts.iter().all(|verdict| verdict.kept))
}
