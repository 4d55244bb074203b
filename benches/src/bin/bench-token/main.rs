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

use clap::Parser;
use postkey_benches::measured::{Verdict, machine};
use postkey_benches::program::{self, at_least};
use scene::Scene;
use turns::Series;

/// What postkey promises beside `cat`, and beside `mutt_oauth2.py`: shares of their medians.
const OF_CAT: f64 = 1.5;
const OF_MUTT: f64 = 0.1;

/// A valid token from the store, side by side.
#[derive(Parser)]
#[command(name = "bench-token")]
struct Options {
    /// Calls of cat and postkey; a tenth as many of mutt_oauth2.py
    #[arg(long, value_name = "N", default_value = "500", value_parser = at_least::<usize>(20))]
    runs: usize,
    /// The postkey to measure as it is, instead of a copy of the one beside this program
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Files of the run
    #[arg(long, value_name = "DIR", default_value = "/dev/shm/postkey-bench-token")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    program::run(measure)
}

/// Whether postkey kept within its bounds.
fn measure(options: Options) -> Result<bool, String> {
    let program = options.program.map_or_else(install::beside_this, Ok)?;
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
