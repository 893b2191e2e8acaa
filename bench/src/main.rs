//! `rusm-bench`: runs a workload once, all of them briefly, one of them over a grid of configurations, or one in
//! the form that a comparison with other runtimes expects. What is measured is decided in `scenario`.

#![forbid(unsafe_code)]

mod args;
mod beside;
mod compare;
mod env;
mod failure;
mod gather;
mod lab;
mod lanes;
mod latency;
mod lunatic;
mod machine;
mod profile;
mod replay;
mod report;
mod scenario;
mod smoke;
mod start;
mod sweep;
mod ticker;
mod watch;

use std::process::ExitCode;

use args::Args;
use env::Env;
use failure::Failure;

const USAGE: &str = "\
usage: rusm-bench COMMAND

  list                                      the scenarios, and what they let you choose
  run SCENARIO [SECONDS] [key=value ...]    one run, for people; record=FILE [record_events=65536]
                                            saves the latest events of each worker
  replay FILE [from=MS] [to=MS] [width=100] [html=FILE]
                                            shows a saved schedule, lane by lane
  peer WORKLOAD [key=value ...]             one run, as the JSON line that a comparison reads
  sweep SCENARIO field=a,b,c [field=..] [repeats=3] [warmup=1] [seconds=1] [seed=1]
                 [figure=NAME] [csv=FILE] [json=FILE] [html=FILE] [svg=PREFIX]
                                            a grid of runs, shuffled by the seed; svg: a file for each plot
  compare [peers=a,b] [only=workloads] [reps=3] [secs=1] [dir=FOLDER] [key=value ...]
                                            other runtimes' programs and ours, run in turn
  lunatic [seconds=2] [rounds=3] [parked=10000] [hogs=8] [only=a,b] [lunatic=PATH]
                                            the same Lunatic modules on a `lunatic` binary and on RUSM
  start [listen=127.0.0.1:9460] [workers=1] a node that runs scenarios for those who look at it
  smoke                                     every scenario for a fifth of a second

A key is one of the scenario's own choices, a field of the scheduler's configuration, or `secs`.";

fn main() -> ExitCode {
    let outcome = command(Args::parse(std::env::args().skip(1)));
    outcome.unwrap_or_else(|failure| {
        eprintln!("rusm-bench: {failure}");
        ExitCode::from(failure.exit_code())
    })
}

fn command(args: Args) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => print!("{}", listing()),
        ["run", name] => println!("{}", run(name, None, &args)?),
        ["run", name, seconds] => println!("{}", run(name, Some(seconds), &args)?),
        ["peer", workload] => println!("{}", peer(workload, &args)?),
        ["sweep", name] => return sweep::command(name, args.settings),
        ["compare"] => compare::command(args)?,
        ["replay", file] => print!("{}", replay::command(file, args.settings)?),
        ["lunatic"] => print!("{}", lunatic::command(args)?),
        // How `lunatic` starts this program for each run.
        ["lunatic-guest", module] => lunatic::guest(module)?,
        ["start"] => start::command(args)?,
        ["smoke"] => return Ok(smoke::command()),
        ["help" | "--help" | "-h"] => println!("{USAGE}"),
        _ => return Err(Failure::Usage(format!("that is no command.\n\n{USAGE}"))),
    }
    Ok(ExitCode::SUCCESS)
}

fn run(name: &str, seconds: Option<&str>, args: &Args) -> Result<String, Failure> {
    let scenario = scenario::find(name)?;
    let mut env = Env::new(scenario, &args.settings)?;
    if let Some(seconds) = seconds {
        env.span = env::seconds(seconds)?;
    }
    let report = (scenario.run)(&env)?;
    env.saving.check(scenario.name)?;
    Ok(report.human_line(scenario.name))
}

fn peer(workload: &str, args: &Args) -> Result<String, Failure> {
    let scenario = scenario::find_workload(workload)?;
    let env = Env::new(scenario, &args.settings)?;
    Ok((scenario.run)(&env)?.json_line(workload))
}

fn listing() -> String {
    let mut out = String::new();
    for scenario in scenario::ALL {
        out.push_str(&format!("{:<18}{}\n", scenario.name, scenario.about));
        for choice in scenario.choices {
            let setting = format!("{}={}", choice.name, choice.default);
            out.push_str(&format!("    {setting:<18}{}\n", choice.about));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> Failure {
        let args = Args::parse(line.split_whitespace().map(String::from));
        command(args).map(|_| ()).unwrap_err()
    }

    #[test]
    fn misuse_and_workloads_that_we_lack_exit_with_2() {
        for line in [
            "",
            "walk",
            "run",
            "run nothing",
            "run ring 1 2",
            "run ring 0",
            "peer http_hello",
            "peer http_hello secs=1",
            "peer ring pace=3",
            "sweep nothing budget=1",
            "start listen=nowhere",
            "compare reps=0",
            "lunatic only=walk",
            "lunatic pace=3",
            "lunatic rounds=0",
            "lunatic lunatic=/nowhere/at/all",
        ] {
            assert_eq!(refused(line).exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn the_list_names_every_scenario_and_choice() {
        let listing = listing();
        for scenario in scenario::ALL {
            assert!(listing.contains(scenario.name));
            for choice in scenario.choices {
                assert!(listing.contains(&format!("    {}=", choice.name)));
            }
        }
    }
}
