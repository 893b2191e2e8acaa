//! A child under a supervisor; a driver kills each child as soon as it has said hello. Latency: from the kill to the
//! hello of the successor.

use std::time::Duration;

use rusm_actor::supervisor::{Child, Strategy, Supervisor};

use super::Scenario;
use super::fault_monitor::{UNIT, child, recover};
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fault-recovery",
    workload: "fault_recovery",
    about: "kill a supervised child, hear from the one its supervisor starts instead",
    choices: &[],
    small: &[],
    run,
};

/// More restarts than any machine makes in a millisecond.
const RESTARTS_MAX: u32 = 1_000_000;

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, progress) = (env.span, env.progress(UNIT));
    env.drive(move |mut ctx| async move {
        let driver = ctx.pid();
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .intensity(RESTARTS_MAX, Duration::from_millis(1))
            .child(Child::worker("child", move |ctx| child(ctx, driver)));
        let started = supervisor.start_link(&mut ctx).await;
        started.expect("one plain child starts");
        recover(&mut ctx, span, progress).await
    })
}
