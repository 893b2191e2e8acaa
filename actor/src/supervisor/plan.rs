//! What a supervisor is told before it starts, and whether that makes sense.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::supervisor::child::Child;
use crate::supervisor::intensity::{INTENSITY_PERIOD, INTENSITY_RESTARTS_MAX};
use crate::supervisor::strategy::{AutoShutdown, Restart, Strategy};

/// Whether the children have names and an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// They have: each id is there once.
    Listed,
    /// Any number of any kind, known by their pids, stopped together.
    Dynamic,
}

#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) strategy: Strategy,
    pub(crate) order: Order,
    pub(crate) restarts_max: u32,
    pub(crate) period: Duration,
    pub(crate) auto_shutdown: AutoShutdown,
    pub(crate) children_max: usize,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) wanted: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    pub(crate) children: Vec<Child>,
}

/// What is wrong with the description of a supervisor or of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// Two children have this id.
    DuplicateId(Arc<str>),
    /// This child is permanent and significant, so its own end could never count.
    PermanentSignificant(Arc<str>),
    /// This child is significant, and its supervisor never ends for that.
    NeverSignificant(Arc<str>),
    /// A period of zero has room for no restart.
    EmptyPeriod,
    /// There are more children than the supervisor's `children_max`.
    TooMany(usize),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::DuplicateId(id) => write!(f, "two children have the id `{id}`"),
            SpecError::PermanentSignificant(id) => write!(
                f,
                "child `{id}` is significant and permanent; make it transient or temporary"
            ),
            SpecError::NeverSignificant(id) => write!(
                f,
                "child `{id}` is significant, but its supervisor has no `auto_shutdown`"
            ),
            SpecError::EmptyPeriod => f.write_str("the period of a supervisor is zero"),
            SpecError::TooMany(children_max) => {
                write!(f, "the supervisor has {children_max} children at most")
            }
        }
    }
}

impl std::error::Error for SpecError {}

impl Plan {
    pub(crate) fn new(strategy: Strategy, order: Order) -> Self {
        Plan {
            strategy,
            order,
            restarts_max: INTENSITY_RESTARTS_MAX,
            period: INTENSITY_PERIOD,
            auto_shutdown: AutoShutdown::default(),
            children_max: usize::MAX,
            name: None,
            wanted: None,
            children: Vec::new(),
        }
    }

    /// Does it make sense?
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        if self.period.is_zero() {
            return Err(SpecError::EmptyPeriod);
        }
        if self.children.len() > self.children_max {
            return Err(SpecError::TooMany(self.children_max));
        }
        let mut ids = HashSet::new();
        for child in &self.children {
            if !ids.insert(&child.id) {
                return Err(SpecError::DuplicateId(child.id.clone()));
            }
            self.check_child(child)?;
        }
        Ok(())
    }

    /// Does it make sense to have this child?
    pub(crate) fn check_child(&self, child: &Child) -> Result<(), SpecError> {
        if !child.significant {
            return Ok(());
        }
        if self.auto_shutdown == AutoShutdown::Never {
            return Err(SpecError::NeverSignificant(child.id.clone()));
        }
        if child.restart == Restart::Permanent {
            return Err(SpecError::PermanentSignificant(child.id.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(id: &str) -> Child {
        Child::worker(id, |_| async {})
    }

    fn check(change: impl FnOnce(&mut Plan)) -> Result<(), SpecError> {
        let mut plan = Plan::new(Strategy::OneForOne, Order::Listed);
        change(&mut plan);
        plan.check()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let twice = check(|plan| plan.children = vec![child("a"), child("b"), child("a")]);
        assert_eq!(twice, Err(SpecError::DuplicateId("a".into())));
        let never = check(|plan| plan.children = vec![child("a").significant()]);
        assert_eq!(never, Err(SpecError::NeverSignificant("a".into())));
        let permanent = check(|plan| {
            plan.auto_shutdown = AutoShutdown::Any;
            plan.children = vec![child("a").significant()];
        });
        assert_eq!(permanent, Err(SpecError::PermanentSignificant("a".into())));
        let empty = check(|plan| plan.period = Duration::ZERO);
        assert_eq!(empty, Err(SpecError::EmptyPeriod));
        let many = check(|plan| {
            plan.children_max = 1;
            plan.children = vec![child("a"), child("b")];
        });
        assert_eq!(many, Err(SpecError::TooMany(1)));
        assert_eq!(check(|plan| plan.period = Duration::MAX), Ok(()));
    }
}
