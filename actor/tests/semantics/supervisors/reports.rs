//! What supervisors report.

use std::sync::{Arc, Mutex};

use rusm_actor::supervisor::{Action, Strategy, Supervisor, SupervisorReport, set_supervisor_sink};
use rusm_actor::{Config, ExitReason, Node};

use super::kit::{boom, child, end, ended, started};

#[test]
fn each_restart_is_reported_even_to_a_sink_that_panics() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let told = reports.clone();
    set_supervisor_sink(move |report: &SupervisorReport| {
        // Other tests restart children as well.
        if &*report.child == "reported" {
            told.lock().expect("no panic").push(report.clone());
            panic!("this is not the supervisor's fault");
        }
    });
    let node = Node::start(Config::default()).expect("a node starts");
    let outcome = node.block_on(|mut ctx| async move {
        ctx.trap_exit(true);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(child("reported", ctx.pid()));
        let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
        let first = started(&mut ctx, "reported").await;
        end(first, boom());
        let second = started(&mut ctx, "reported").await;
        end(second, ExitReason::Normal);
        ended(&mut ctx, supervisor).await;
        (supervisor.pid(), first, second)
    });
    let (supervisor, first, second) = outcome.expect("it returns");
    let reports = reports.lock().expect("no panic");
    let [restarted, gave_up] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert_eq!(restarted.supervisor, supervisor);
    assert_eq!((restarted.pid, &restarted.reason), (Some(first), &boom()));
    let (action, restarts) = (Action::Restarted(second), 1);
    assert_eq!((restarted.action, restarted.restarts), (action, restarts));
    assert_eq!(gave_up.pid, Some(second));
    assert_eq!((gave_up.action, gave_up.restarts), (Action::GaveUp, 1));
}
