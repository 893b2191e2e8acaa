//! Every scenario once, briefly and small: shows that all of them run and stop, says nothing about speed.

use std::process::ExitCode;

use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;
use crate::scenario::{self, Scenario};

const SECONDS: &str = "0.2";

pub(crate) fn command() -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for scenario in scenario::ALL {
        match Failure::contain(|| once(scenario)) {
            Ok(report) => {
                passed += 1;
                println!("ok      {}", report.human_line(scenario.name));
            }
            Err(failure) => {
                failed += 1;
                println!("FAILED  {}: {failure}", scenario.name);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn once(scenario: &'static Scenario) -> Result<Report, Failure> {
    let settings: Vec<_> = [("secs", SECONDS)]
        .iter()
        .chain(scenario.small)
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let report = (scenario.run)(&Env::new(scenario, &settings)?)?;
    if report.value > 0.0 {
        Ok(report)
    } else {
        Err(Failure::Nothing)
    }
}
