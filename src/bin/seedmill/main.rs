//! The command line of seedmill: what was typed ([`args`]), what it means ([`plan`]), and what is said of it.

mod args;
mod guard;
mod hints;
mod keys;
mod paths;
mod plan;
mod progress;
mod prompt;
mod protect;
mod render;
mod report;
mod say;
mod summary;
mod tables;
mod tabular;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use seedmill::pipeline::{self, Outcome, Watch};

use crate::args::{Cli, Command};
use crate::guard::Guard;
use crate::plan::{Plan, Refusal};
use crate::render::Run;

fn main() -> ExitCode {
    guard::forbid_core_dumps();
    let guard = Guard::install();
    let command = Cli::parse().command;
    // A panic has printed its line and removed what was unfinished; a bug stops a run like any error.
    ExitCode::from(catch_unwind(AssertUnwindSafe(|| run(command, &guard))).unwrap_or(render::STOPPED))
}

fn run(command: Command, guard: &Guard) -> u8 {
    match command {
        Command::Inspect(args) => mill(plan::inspect(&args, guard), &args.common, guard),
        Command::Convert(args) => mill(plan::convert(&args, guard), &args.common, guard),
        Command::Check(args) => mill(plan::check(&args, guard), &args.common, guard),
        Command::Formats(args) => say::data(|out| if args.codes { tables::codes(out) } else { tables::formats(out) }),
        Command::Completions(args) => say::data(|out| tables::completions(args.shell, out)),
        Command::Man => say::data(tables::man),
    }
}

/// Runs a plan, and says what became of it.
fn mill(plan: Result<Plan, Refusal>, common: &args::Common, guard: &Guard) -> u8 {
    let began = Instant::now();
    let (mut outcome, run) = match plan {
        Ok(Plan { job, keyring, progress, run }) => {
            let watch = Watch::default();
            let outcome = progress.show(&watch, || pipeline::run(job, keyring, &watch));
            (outcome, run)
        }
        Err(Refusal::Usage(usage)) => return say::usage(&usage),
        Err(Refusal::Stopped(error)) => (Outcome { stopped: Some(error), ..Outcome::default() }, Run::default()),
    };
    render::outcome(&mut outcome, run, common, began.elapsed(), guard)
}
