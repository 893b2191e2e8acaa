//! Head to head with Lunatic: the same core modules on a `lunatic` binary and on RUSM's Lunatic layer, in
//! turn, each run in an operating-system process of its own, and one table of medians.

mod guests;
mod run;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::{Args, number};
use crate::env::seconds;
use crate::failure::Failure;

use guests::{Sizes, WORKLOADS, Workload};
use run::Runtime;
use table::Row;

pub(crate) use run::guest;

/// What is said when there is nobody to compare with.
const MISSING: &str = "\
No `lunatic` was found on the PATH, so RUSM ran alone. To compare, install it from crates.io and run again, or
name it with `lunatic=PATH`. Its locked dependencies no longer compile, so leave `--locked` out:

    cargo install lunatic-runtime --version 0.13.2";

/// Who runs the modules, and how often.
struct Plan {
    lunatic: Option<PathBuf>,
    sizes: Sizes,
    rounds: usize,
    only: Vec<String>,
}

/// Runs all of it; the table is what is to be printed.
pub(crate) fn command(mut args: Args) -> Result<String, Failure> {
    let plan = Plan::of(&mut args)?;
    if let Some((key, _)) = args.settings.first() {
        return Err(Failure::Usage(format!(
            "`{key}` is nothing to choose here; {CHOICES} are"
        )));
    }
    let scratch = Scratch::new()?;
    let mut rows = Vec::new();
    for workload in plan.chosen() {
        let runs = plan.measure(workload, &scratch.0)?;
        rows.extend((workload.rows)(&plan.sizes, &runs));
    }
    let mut out = table::print(&rows, plan.lunatic.as_deref(), plan.rounds);
    if plan.lunatic.is_none() {
        out.push_str(&format!("\n{MISSING}\n"));
    }
    Ok(out)
}

const CHOICES: &str = "`seconds`, `rounds`, `parked`, `hogs`, `only` and `lunatic`";

impl Plan {
    fn of(args: &mut Args) -> Result<Self, Failure> {
        let mut sizes = Sizes::default();
        if let Some(text) = args.take("seconds") {
            sizes.span = seconds(&text)?;
        }
        let mut count = |key: &str, default: u64, max: u64| match args.take(key) {
            None => Ok(default),
            Some(text) => number(&text)
                .filter(|number| (1..=max).contains(number))
                .ok_or_else(|| Failure::Usage(format!("`{key}={text}` is not from 1 to {max}"))),
        };
        sizes.parked = count("parked", sizes.parked, 1_000_000)?;
        sizes.hogs = count("hogs", sizes.hogs, 10_000)?;
        let rounds = count("rounds", 3, 100)? as usize;
        let only = args.take("only").unwrap_or_default();
        let only: Vec<String> = only
            .split(',')
            .filter(|name| !name.is_empty())
            .map(String::from)
            .collect();
        let names = || WORKLOADS.iter().map(|workload| workload.name);
        if let Some(name) = only
            .iter()
            .find(|name| !names().any(|known| known == **name))
        {
            let names: Vec<&str> = names().collect();
            return Err(Failure::Usage(format!(
                "`{name}` is no workload; {} are",
                names.join(", ")
            )));
        }
        Ok(Plan {
            lunatic: lunatic(args.take("lunatic"))?,
            sizes,
            rounds,
            only,
        })
    }

    fn chosen(&self) -> impl Iterator<Item = &'static Workload> {
        WORKLOADS.iter().filter(|workload| {
            self.only.is_empty() || self.only.iter().any(|name| name == workload.name)
        })
    }

    /// The runs of both, round by round: a machine that drifts is unfair to both alike.
    fn measure(&self, workload: &Workload, scratch: &Path) -> Result<Runs, Failure> {
        let module = workload.assemble(&self.sizes, scratch)?;
        let rusm = Runtime::rusm()?;
        let lunatic = self.lunatic.as_deref().map(Runtime::lunatic);
        let limit = self.sizes.span * 3 + Duration::from_secs(60);
        let mut runs = Runs {
            theirs: lunatic.is_some().then(Vec::new),
            ours: Vec::new(),
        };
        for _ in 0..self.rounds {
            if let (Some(lunatic), Some(theirs)) = (&lunatic, &mut runs.theirs) {
                theirs.push(lunatic.run(&module, workload.lines, limit)?);
            }
            runs.ours.push(rusm.run(&module, workload.lines, limit)?);
        }
        Ok(runs)
    }
}

/// The binary that was named, or the first one on the PATH.
fn lunatic(named: Option<String>) -> Result<Option<PathBuf>, Failure> {
    if let Some(named) = named {
        let path = PathBuf::from(&named);
        return match path.is_file() {
            true => Ok(Some(path)),
            false => Err(Failure::Usage(format!("`lunatic={named}` is no file"))),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("lunatic"));
    Ok(found.into_iter().find(|path| path.is_file()))
}

/// A folder for the assembled modules, gone with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("rusm-bench-lunatic-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Scratch(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The runs of both; theirs if there is a `lunatic`.
struct Runs {
    theirs: Option<Vec<run::Outcome>>,
    ours: Vec<run::Outcome>,
}

/// The table's rows of one workload.
type Rows = fn(&Sizes, &Runs) -> Vec<Row>;
