//! Who restarts the residents of an app: its supervisors, one in another as the manifest says, and
//! over all of them the app's own, which restarts nobody.

use std::collections::HashMap;
use std::time::Duration;

use rusm::manifest::{Component, Manifest, SupervisorSettings};
use rusm_actor::supervisor::{
    Action, AutoShutdown, Child, ChildState, Restart, Shutdown, Strategy, Supervisor,
    SupervisorRef, SupervisorReport,
};
use rusm_actor::{ExitReason, Node, Pid};
use rusm_wasm::Catalog;

use super::Event;

/// The supervisor of the whole app. It ends when all residents have ended that may.
pub(super) fn supervisor(manifest: &Manifest, catalog: &Catalog) -> Supervisor {
    let all = Supervisor::new(Strategy::OneForOne).intensity(0, Duration::MAX);
    let roots = || {
        manifest
            .supervisors
            .iter()
            .filter(|one| one.under.is_none())
    };
    let tree = Tree { manifest, catalog };
    let children = roots().filter_map(|root| tree.child(root));
    if roots().any(|root| tree.stays(root)) {
        return children.fold(all, Supervisor::child);
    }
    let all = all.auto_shutdown(AutoShutdown::All);
    children
        .map(Child::significant)
        .fold(all, Supervisor::child)
}

/// The app's own supervisor, and those directly under it: when one of these gives up, the app has
/// failed.
pub(super) fn roots(node: &Node, top: SupervisorRef) -> Vec<Pid> {
    let asked = node.block_on(move |mut ctx| async move { top.which_children(&mut ctx).await });
    let children = asked.ok().and_then(Result::ok).unwrap_or_default();
    let pids = children.iter().filter_map(|child| match child.state {
        ChildState::Running(pid) => Some(pid),
        _ => None,
    });
    pids.chain([top.pid()]).collect()
}

/// What the reports of supervisors mean, which know only the ids of their children.
pub(super) struct Told(HashMap<String, Owner>);

/// Whose child it is.
struct Owner {
    supervisor: String,
    /// When that gives up nobody starts it again.
    for_good: bool,
}

impl Told {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let tree = Tree {
            manifest,
            catalog: &Catalog::new(),
        };
        let mut owners = HashMap::new();
        for settings in &manifest.supervisors {
            let owner = || Owner {
                supervisor: settings.name.clone(),
                for_good: settings.under.is_some() && !tree.stays(settings),
            };
            let own = manifest
                .components
                .iter()
                .filter(|one| one.supervisor == settings.name);
            let residents = own.flat_map(|one| (1..=one.residents).map(|number| id(one, number)));
            owners.extend(residents.map(|id| (id, owner())));
            let under = |one: &&SupervisorSettings| one.under.as_deref() == Some(&*settings.name);
            let below = manifest.supervisors.iter().filter(under);
            owners.extend(below.map(|one| (one.name.clone(), owner())));
        }
        Self(owners)
    }

    /// The name of the supervisor that a child belongs to; `app` is the app's own.
    pub(super) fn supervisor_of(&self, child: &str) -> &str {
        self.0.get(child).map_or("app", |owner| &owner.supervisor)
    }

    /// What the app has to know of what a supervisor did.
    pub(super) fn event_of(&self, done: &SupervisorReport) -> Option<Event> {
        let for_good = || self.0.get(&*done.child).is_some_and(|owner| owner.for_good);
        match done.action {
            Action::GaveUp if for_good() => Some(Event::Failed),
            Action::GaveUp => Some(Event::GaveUp(done.supervisor)),
            Action::Forgotten if !done.reason.is_orderly() => Some(Event::Failed),
            _ => None,
        }
    }
}

/// What supervisors and reports call a resident.
fn id(component: &Component, number: u32) -> String {
    match component.residents {
        1 => component.name.clone(),
        // No name of a component has that sign.
        _ => format!("{}#{number}", component.name),
    }
}

struct Tree<'a> {
    manifest: &'a Manifest,
    catalog: &'a Catalog,
}

impl Tree<'_> {
    /// A supervisor with its residents and then those under it; none if there are none.
    fn child(&self, settings: &SupervisorSettings) -> Option<Child> {
        let mut children: Vec<Child> = self
            .manifest
            .components
            .iter()
            .filter(|component| component.supervisor == settings.name)
            .flat_map(|component| self.residents(component))
            .collect();
        let under = |one: &&SupervisorSettings| one.under.as_deref() == Some(&*settings.name);
        let below = self.manifest.supervisors.iter().filter(under);
        children.extend(below.filter_map(|one| self.child(one)));
        if children.is_empty() {
            return None;
        }
        let supervisor =
            Supervisor::new(settings.strategy).intensity(settings.restarts_max, settings.within);
        // Who never ends keeps its supervisor, and that the next one.
        let child = |supervisor| Child::supervisor(&*settings.name, supervisor);
        if self.stays(settings) {
            return Some(child(
                children.into_iter().fold(supervisor, Supervisor::child),
            ));
        }
        let significant = children.into_iter().map(Child::significant);
        let supervisor = supervisor.auto_shutdown(AutoShutdown::All);
        let child = child(significant.fold(supervisor, Supervisor::child));
        Some(child.restart(Restart::Transient))
    }

    /// Whether a resident of it, or of one under it, is permanent.
    fn stays(&self, settings: &SupervisorSettings) -> bool {
        let permanent = |component: &Component| {
            component.residents > 0
                && component.restart == Restart::Permanent
                && component.supervisor == settings.name
        };
        let below = |one: &SupervisorSettings| one.under.as_deref() == Some(&*settings.name);
        self.manifest.components.iter().any(permanent)
            || self
                .manifest
                .supervisors
                .iter()
                .any(|one| below(one) && self.stays(one))
    }

    fn residents(&self, component: &Component) -> Vec<Child> {
        let child = |number| {
            let (name, catalog) = (component.name.clone(), self.catalog.clone());
            let body = move |ctx| {
                // Anew for each start: its directories are opened again, and its quota is its own.
                let ready = catalog.ready(&name);
                async move {
                    match ready {
                        Ok(ready) => ready.run(ctx).await,
                        Err(why) => ExitReason::error(why.to_string()),
                    }
                }
            };
            let child = Child::worker(id(component, number), body).restart(component.restart);
            match component.stop_time_max {
                Some(time) => child.shutdown(Shutdown::After(time)),
                None => child,
            }
        };
        (1..=component.residents).map(child).collect()
    }
}
