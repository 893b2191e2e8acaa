//! Applications: the parts of a node that start and stop as a whole, in the order of their
//! needs.
//!
//! Which order that is is decided here; the rest is a supervisor whose children are the roots
//! of the applications.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::call::CallError;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::node::Node;
use crate::pid::Pid;
use crate::supervisor::{
    AutoShutdown, Child, ChildState, Restart, StartError, Strategy, Supervisor, SupervisorRef,
};

/// A part of a node: a name, what it needs, and a supervisor of all its processes.
#[derive(Clone, Debug)]
#[must_use = "it starts nothing by itself"]
pub struct Application {
    name: Arc<str>,
    needs: Vec<Arc<str>>,
    permanent: bool,
    root: Supervisor,
}

/// Why a set of applications was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplicationError {
    /// Two of them have this name.
    DuplicateName(Arc<str>),
    /// One of them needs another one that is not in the set.
    Missing {
        /// Who needs it.
        application: Arc<str>,
        /// What it needs.
        needs: Arc<str>,
    },
    /// These need each other, in this order, and the last one the first.
    Circle(Vec<Arc<str>>),
    /// One of them did not start; those before it were stopped again.
    Failed {
        /// Which one.
        application: Arc<str>,
        /// Why.
        reason: ExitReason,
    },
    /// They could not even begin.
    NotBegun(StartError),
}

/// Applications that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applications(SupervisorRef);

impl Application {
    /// An application that needs no other one, and whose end is its own business.
    pub fn new(name: impl Into<Arc<str>>, root: Supervisor) -> Self {
        Application {
            name: name.into(),
            needs: Vec::new(),
            permanent: false,
            root,
        }
    }

    /// Starts after the application `name`, and stops before it.
    pub fn needs(mut self, name: impl Into<Arc<str>>) -> Self {
        self.needs.push(name.into());
        self
    }

    /// If its root ends by itself, all other applications are stopped.
    pub fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// An application is never started again by itself: its root has used up its restarts.
    fn into_child(self) -> Child {
        let child = Child::supervisor(self.name, self.root).restart(Restart::Temporary);
        if self.permanent {
            child.significant()
        } else {
            child
        }
    }
}

impl Applications {
    /// Starts applications, each after those it needs and otherwise as listed. They outlive
    /// the calling process and are stopped in reverse with the node.
    ///
    /// # Errors
    /// See [`ApplicationError`]. Then none of them runs.
    pub async fn start(
        ctx: &mut Context,
        applications: Vec<Application>,
    ) -> Result<Applications, ApplicationError> {
        let applications = in_order(applications)?;
        let all = Supervisor::new(Strategy::OneForOne).auto_shutdown(AutoShutdown::Any);
        let all = applications
            .into_iter()
            .map(Application::into_child)
            .fold(all, Supervisor::child);
        match all.start(ctx).await {
            Ok(supervisor) => Ok(Applications(supervisor)),
            Err(StartError::Child {
                id: application,
                reason,
            }) => Err(ApplicationError::Failed {
                application,
                reason,
            }),
            Err(error) => Err(ApplicationError::NotBegun(error)),
        }
    }

    /// The process that looks after them. It ends when they are stopped.
    pub fn pid(self) -> Pid {
        self.0.pid()
    }

    /// Those that run, and their root supervisors, in the order of their starts.
    ///
    /// # Errors
    /// When they have been stopped.
    pub async fn running(
        self,
        ctx: &mut Context,
    ) -> Result<Vec<(Arc<str>, SupervisorRef)>, CallError> {
        let children = self.0.which_children(ctx).await?;
        let running = children.into_iter().filter_map(|child| match child.state {
            ChildState::Running(pid) => Some((child.id?, SupervisorRef::of(pid))),
            _ => None,
        });
        Ok(running.collect())
    }

    /// Stops them all, each before those it needs.
    ///
    /// # Errors
    /// When they had been stopped before.
    pub async fn stop(self, ctx: &mut Context) -> Result<(), CallError> {
        self.0.stop(ctx).await
    }
}

impl Node {
    /// As [`Applications::start`], and blocks the calling thread until all have started. Not
    /// inside of processes.
    ///
    /// # Errors
    /// See [`ApplicationError`].
    pub fn start_applications(
        &self,
        applications: Vec<Application>,
    ) -> Result<Applications, ApplicationError> {
        let start =
            |mut ctx: Context| async move { Applications::start(&mut ctx, applications).await };
        self.block_on(start)
            .unwrap_or_else(|reason| Err(ApplicationError::NotBegun(StartError::Ended(reason))))
    }
}

/// The applications such that each comes after those it needs; as listed where that leaves a
/// choice.
fn in_order(applications: Vec<Application>) -> Result<Vec<Application>, ApplicationError> {
    let mut places = HashMap::new();
    for (at, application) in applications.iter().enumerate() {
        if places.insert(application.name.clone(), at).is_some() {
            return Err(ApplicationError::DuplicateName(application.name.clone()));
        }
    }
    let mut order = Order {
        marks: vec![Mark::New; applications.len()],
        sorted: Vec::with_capacity(applications.len()),
        applications: &applications,
        places,
    };
    for at in 0..applications.len() {
        order.place(at)?;
    }
    let sorted = order.sorted;
    let mut rest: Vec<_> = applications.into_iter().map(Some).collect();
    Ok(sorted.iter().filter_map(|at| rest[*at].take()).collect())
}

/// How far one of them is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// What it needs is being placed.
    Begun,
    Placed,
}

/// Applications on their way into an order.
struct Order<'a> {
    applications: &'a [Application],
    places: HashMap<Arc<str>, usize>,
    marks: Vec<Mark>,
    sorted: Vec<usize>,
}

impl Order<'_> {
    /// Places an application behind all it needs. Without recursion: chains may be long.
    fn place(&mut self, first: usize) -> Result<(), ApplicationError> {
        // Whose needs are looked at, and how many of them have been.
        let mut path = Vec::new();
        if self.marks[first] == Mark::New {
            self.marks[first] = Mark::Begun;
            path.push((first, 0));
        }
        while let Some((at, looked)) = path.last_mut() {
            let application = &self.applications[*at];
            let Some(name) = application.needs.get(*looked) else {
                self.marks[*at] = Mark::Placed;
                self.sorted.push(*at);
                path.pop();
                continue;
            };
            *looked += 1;
            let Some(&next) = self.places.get(name) else {
                return Err(ApplicationError::Missing {
                    application: application.name.clone(),
                    needs: name.clone(),
                });
            };
            match self.marks[next] {
                Mark::Placed => {}
                Mark::Begun => return Err(self.circle(&path, next)),
                Mark::New => {
                    self.marks[next] = Mark::Begun;
                    path.push((next, 0));
                }
            }
        }
        Ok(())
    }

    /// The end of `path` leads back to `begin`.
    fn circle(&self, path: &[(usize, usize)], begin: usize) -> ApplicationError {
        let names = path.iter().map(|(at, _)| *at).skip_while(|at| *at != begin);
        let names = names.map(|at| self.applications[at].name.clone());
        ApplicationError::Circle(names.collect())
    }
}

impl fmt::Display for ApplicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplicationError::DuplicateName(name) => {
                write!(f, "two applications are named `{name}`")
            }
            ApplicationError::Missing { application, needs } => write!(
                f,
                "application `{application}` needs `{needs}`, which is not among those to start"
            ),
            ApplicationError::Circle(names) => {
                f.write_str("applications need each other:")?;
                let first = names.first();
                for name in names.iter().chain(first) {
                    write!(f, " `{name}`")?;
                }
                Ok(())
            }
            ApplicationError::Failed {
                application,
                reason,
            } => write!(f, "application `{application}` did not start: {reason}"),
            ApplicationError::NotBegun(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for ApplicationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(name: &str, needs: &[&str]) -> Application {
        let application = Application::new(name, Supervisor::new(Strategy::OneForOne));
        needs.iter().copied().fold(application, Application::needs)
    }

    fn sorted(applications: &[(&str, &[&str])]) -> Result<Vec<String>, ApplicationError> {
        let applications = applications
            .iter()
            .map(|(name, needs)| application(name, needs));
        let sorted = in_order(applications.collect())?;
        Ok(sorted.iter().map(|one| one.name.to_string()).collect())
    }

    #[test]
    fn each_application_comes_after_those_it_needs() {
        let order = sorted(&[
            ("web", &["store", "log"]),
            ("store", &["log"]),
            ("extra", &[]),
            ("log", &[]),
        ]);
        assert_eq!(
            order,
            Ok(["log", "store", "web", "extra"].map(Into::into).into())
        );
    }

    #[test]
    fn needs_that_cannot_be_met_are_named() {
        let missing = ApplicationError::Missing {
            application: "web".into(),
            needs: "store".into(),
        };
        assert_eq!(sorted(&[("web", &["store"])]), Err(missing));
        let twice = ApplicationError::DuplicateName("web".into());
        assert_eq!(sorted(&[("web", &[]), ("web", &[])]), Err(twice));
        let circle = sorted(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])]);
        let names = ["a", "b", "c"].map(Into::into).into();
        assert_eq!(circle, Err(ApplicationError::Circle(names)));
        let alone = sorted(&[("a", &["a"])]);
        assert_eq!(alone, Err(ApplicationError::Circle(vec!["a".into()])));
    }

    #[test]
    fn a_long_chain_of_needs_is_sorted() {
        let count = 10_000;
        let names: Vec<_> = (0..=count).map(|n| n.to_string()).collect();
        let chain = (0..count).map(|n| application(&names[n], &[&names[n + 1]]));
        let last = application(&names[count], &[]);
        let sorted = in_order(chain.chain([last]).collect()).expect("an order");
        assert_eq!(&*sorted[0].name, "10000");
        assert_eq!(&*sorted[count].name, "0");
    }
}
