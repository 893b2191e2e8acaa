//! Applications: in the order of their needs.

use std::time::Duration;

use rusm_actor::application::{Application, ApplicationError, Applications};
use rusm_actor::supervisor::{Child, Strategy, Supervisor};
use rusm_actor::{CallError, Config, ExitReason, Node, Pid};

use super::kit::{all_started, all_stopped, boom, child, down, end, no_more};
use crate::semantics::everywhere::everywhere;

fn application(name: &'static str, to: Pid) -> Application {
    let root = Supervisor::new(Strategy::OneForOne).intensity(0, Duration::MAX);
    Application::new(name, root.child(child(name, to)))
}

#[test]
fn applications_start_after_what_they_need_and_stop_before_it() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let applications = vec![
            application("web", me).needs("store").needs("log"),
            application("store", me).needs("log"),
            application("log", me),
        ];
        let running = Applications::start(&mut ctx, applications).await;
        let running = running.expect("they start");
        all_started(&mut ctx, ["log", "store", "web"]).await;
        let roots = running.running(&mut ctx).await.expect("they run");
        let names: Vec<_> = roots.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["log", "store", "web"]);
        assert_eq!(running.stop(&mut ctx).await, Ok(()));
        all_stopped(&mut ctx, ["web", "store", "log"]).await;
        assert_eq!(running.stop(&mut ctx).await, Err(CallError::NoProcess));
    });
}

#[test]
fn an_application_that_does_not_start_stops_those_before_it() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let failing = Child::starting("x", |_, starter| async move { starter.failed(boom()) });
        let root = Supervisor::new(Strategy::OneForOne).child(failing);
        let applications = vec![
            application("log", me),
            Application::new("web", root).needs("log"),
        ];
        match Applications::start(&mut ctx, applications).await {
            Err(ApplicationError::Failed {
                application,
                reason,
            }) => {
                assert_eq!(&*application, "web");
                assert!(reason.to_string().contains("x: boom"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        all_started(&mut ctx, ["log"]).await;
        all_stopped(&mut ctx, ["log"]).await;
    });
}

#[test]
fn the_end_of_an_application_concerns_others_only_if_it_is_permanent() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let applications = vec![
            application("log", me),
            application("extra", me),
            application("web", me).permanent(),
        ];
        let running = Applications::start(&mut ctx, applications).await;
        let running = running.expect("they start");
        let [_, extra, web] = all_started(&mut ctx, ["log", "extra", "web"]).await;
        let roots = running.running(&mut ctx).await.expect("they run");
        let monitor = ctx.monitor(roots[1].1.pid());
        end(extra, boom());
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Shutdown);
        let roots = running.running(&mut ctx).await.expect("they run");
        assert_eq!(roots.len(), 2);
        no_more(&mut ctx).await;
        let monitor = ctx.monitor(running.pid());
        end(web, boom());
        all_stopped(&mut ctx, ["log"]).await;
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_node_stops_its_applications() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let applications = vec![application("web", me).needs("log"), application("log", me)];
        Applications::start(&mut ctx, applications)
            .await
            .expect("they start");
        all_started(&mut ctx, ["log", "web"]).await;
        let report = ctx.stop_supervisors(Duration::from_secs(60)).await;
        assert_eq!(report.killed, []);
        all_stopped(&mut ctx, ["web", "log"]).await;
    });
}

#[test]
fn applications_are_started_from_outside() {
    let node = Node::start(Config::default()).expect("a node starts");
    let root = || Supervisor::new(Strategy::OneForOne);
    let applications = vec![Application::new("a", root()), Application::new("b", root())];
    let running = node.start_applications(applications).expect("they start");
    assert!(node.is_alive(running.pid()));
    let missing = vec![Application::new("a", root()).needs("c")];
    let error = node.start_applications(missing).err();
    assert!(matches!(error, Some(ApplicationError::Missing { .. })));
    assert_eq!(node.stop(Duration::from_secs(60)).threads, Ok(()));
    assert!(!node.is_alive(running.pid()));
}
