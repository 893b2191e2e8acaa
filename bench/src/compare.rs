//! Our workloads beside other runtimes': their harness programs and ours in turn, each run a program of its own, round
//! after round, so that a machine that drifts is unfair to all alike.

mod peer;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use crate::args::{Args, Setting, number};
use crate::env::seconds;
use crate::failure::Failure;
use crate::machine::{COMMIT, Machine};

use peer::{Peer, Said};
use table::Row;

/// What is compared unless something else is asked for: what the peers have as well.
const WORKLOADS: [&str; 11] = [
    "spawn_storm",
    "ping_pong",
    "ring",
    "fan_in",
    "broadcast",
    "fault_recovery",
    "fault_monitor",
    "timers",
    "fairness",
    "tcp_conn_storm",
    "tcp_echo",
];
/// Rounds of one comparison.
const REPS_MAX: u64 = 100;
/// What a program may take beyond three times what it was asked to run for: some measure several things, and have to
/// start up.
const EXTRA_MAX: Duration = Duration::from_secs(60);

/// Who is compared in what.
struct Plan {
    peers: Vec<Peer>,
    workloads: Vec<String>,
    reps: u64,
    span: Duration,
    /// For every program.
    settings: Vec<Setting>,
}

/// Runs all of it; tables are printed as they come, and what goes wrong is told.
pub(crate) fn command(args: Args) -> Result<(), Failure> {
    let plan = Plan::of(args, |said| eprintln!("rusm-bench: {said}"))?;
    if cfg!(debug_assertions) {
        eprintln!(
            "rusm-bench: this program is built without optimisation: build it with --release to compare"
        );
    }
    let machine = Machine::look();
    println!(
        "{}, {} CPUs, kernel {}, {}; commit {COMMIT}; {} rounds of {} s",
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.rustc,
        plan.reps,
        plan.span.as_secs_f64(),
    );
    for workload in &plan.workloads {
        let rows = plan.measure(workload, |said| eprintln!("rusm-bench: {said}"));
        print!("\n{}", table::print(workload, &rows));
    }
    Ok(())
}

impl Plan {
    fn of(mut args: Args, tell: impl Fn(String)) -> Result<Self, Failure> {
        let list = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            let names = text.split(',').filter(|name| !name.is_empty());
            names.map(String::from).collect()
        };
        let reps = args.take("reps").unwrap_or_else(|| "3".into());
        let reps = number(&reps).filter(|reps| (1..=REPS_MAX).contains(reps));
        let reps =
            reps.ok_or_else(|| Failure::Usage(format!("`reps` must be from 1 to {REPS_MAX}.")))?;
        let secs = args.take("secs").unwrap_or_else(|| "1".into());
        let span = seconds(&secs)?;
        if number(&secs).is_none() {
            return Err(Failure::Usage(format!(
                "`secs={secs}`: the peers know whole seconds only."
            )));
        }
        let dir = args.take("dir").map(PathBuf::from);
        let mut workloads = list(args.take("only"));
        if workloads.is_empty() {
            workloads = WORKLOADS.map(String::from).into();
        }
        let mut peers = vec![Peer::ourselves()?];
        for name in list(args.take("peers")) {
            match Peer::find(&name, dir.as_deref()) {
                Ok(peer) => peers.push(peer),
                Err(why) => tell(why),
            }
        }
        Ok(Plan {
            peers,
            workloads,
            reps,
            span,
            settings: args.settings,
        })
    }

    /// A program that fails once is not asked for this workload again.
    fn measure(&self, workload: &str, tell: impl Fn(String)) -> Vec<Row> {
        let limit = self.span * 3 + EXTRA_MAX;
        let mut words = vec![workload.to_string()];
        let settings = self.settings.iter();
        words.extend(settings.map(|(key, value)| format!("{key}={value}")));
        words.push(format!("secs={}", self.span.as_secs_f64()));
        let mut rows: Vec<(&Peer, Result<Vec<Said>, ()>)> = self
            .peers
            .iter()
            .map(|peer| (peer, Ok(Vec::new())))
            .collect();
        for _ in 0..self.reps {
            for (peer, row) in &mut rows {
                let Ok(all) = row else { continue };
                match peer.run(&words, limit) {
                    Ok(said) => all.push(said),
                    Err(why) => {
                        tell(format!("{workload}: {}: {why}", peer.name));
                        *row = Err(());
                    }
                }
            }
        }
        let rows = rows.into_iter();
        rows.filter_map(|(peer, row)| Row::of(&peer.name, row.ok()?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let name = format!("rusm-bench-compare-{name}-{}", std::process::id());
            let dir = std::env::temp_dir().join(name);
            fs::create_dir_all(&dir).unwrap();
            Dir(dir)
        }

        /// A peer that is a few lines of shell.
        fn peer(&self, name: &str, script: &str) {
            let path = self.0.join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Without ourselves: the program of a test is no `rusm-bench`.
    fn plan(dir: &Path, line: &str, told: &RefCell<Vec<String>>) -> Plan {
        let line = format!("{line} dir={}", dir.display());
        let args = Args::parse(line.split_whitespace().map(String::from));
        let mut plan = Plan::of(args, |said| told.borrow_mut().push(said)).unwrap();
        plan.peers.remove(0);
        plan
    }

    #[test]
    fn peers_run_in_turn_with_the_settings_and_their_values_stand_side_by_side() {
        let dir = Dir::new("turns");
        let log = dir.0.join("log");
        let say = |value: &str| {
            format!(
                "echo \"$0 $*\" >> {}; echo noise; echo '{{\"value\": {value}, \"unit\": \"msgs/s\", \"p99_us\": 3}}'",
                log.display()
            )
        };
        dir.peer("peer-one", &say("100"));
        dir.peer("two", &say("50"));
        let told = RefCell::default();
        let plan = plan(&dir.0, "peers=one,two,three reps=2 pairs=4", &told);
        assert_eq!(told.borrow().len(), 1);
        assert!(told.borrow()[0].contains("`three`"), "{:?}", told.borrow());
        let rows = plan.measure("ping_pong", |said| panic!("{said}"));
        let text = table::print("ping_pong", &rows);
        assert!(text.contains("0.50x"), "{text}");
        let log = fs::read_to_string(log).unwrap();
        let order: Vec<&str> = log
            .lines()
            .map(|line| line.rsplit('/').next().unwrap())
            .collect();
        let (one, two) = (
            "peer-one ping_pong pairs=4 secs=1",
            "two ping_pong pairs=4 secs=1",
        );
        assert_eq!(order, [one, two, one, two]);
    }

    #[test]
    fn a_peer_that_fails_or_prints_junk_is_told_and_costs_the_others_nothing() {
        let dir = Dir::new("junk");
        dir.peer("lacks", "echo no such workload >&2; exit 2");
        dir.peer("junk", "echo hello");
        dir.peer("nothing", "echo '{\"value\": null, \"unit\": \"x\"}'");
        dir.peer("floods", "yes '{}' | head -c 9000000");
        dir.peer("good", "echo '{\"value\": 1.5, \"unit\": \"x\"}'");
        let told = RefCell::default();
        let names = "peers=lacks,junk,nothing,floods,good reps=2";
        let plan = plan(&dir.0, names, &told);
        let rows = plan.measure("ring", |said| told.borrow_mut().push(said));
        assert_eq!(rows.len(), 1);
        let told = told.into_inner();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(
            told[0].contains("lacks") && told[0].contains("2"),
            "{told:?}"
        );
    }

    #[test]
    fn a_peer_that_hangs_is_ended() {
        let dir = Dir::new("hangs");
        dir.peer("hangs", "exec sleep 600");
        let told = RefCell::default();
        let plan = plan(&dir.0, "peers=hangs", &told);
        let outcome = plan.peers[0].run(&["ring".into()], Duration::from_millis(50));
        assert!(outcome.unwrap_err().contains("50ms"));
    }

    #[test]
    fn misuse_is_refused_before_anything_runs() {
        for line in ["reps=0", "reps=many", "secs=0", "secs=0.5"] {
            let args = Args::parse([line.to_string()]);
            let failure = Plan::of(args, |said| panic!("{said}")).err().unwrap();
            assert_eq!(failure.exit_code(), 2, "{line}");
        }
    }
}
