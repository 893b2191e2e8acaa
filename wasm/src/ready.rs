//! A guest that is about to start: all that can fail before there is a process is done.

use std::future::Future;
use std::sync::Arc;

use rusm_actor::{Context, ExitReason};

use crate::catalog::Standing;
use crate::error::ProgramError;
use crate::grant::{Grants, Quota};
use crate::guest::{Prepared, State};
use crate::probe::{Active, Probe};
use crate::program::Program;
use crate::wasi::Wasi;

/// See [`Prepared::ready`].
#[must_use = "it starts nothing by itself"]
pub struct Ready {
    guest: Prepared,
    memory_bytes_max: u64,
    /// Made now if it has directories, which may be missing, or belongs to no component; else at
    /// its first use, for many guests never use it.
    wasi: Option<Box<Wasi>>,
    grants: Option<Grants>,
    seat: Option<Quota>,
    standing: Option<Arc<Standing>>,
    probe: Option<Probe>,
    /// Without the program's name.
    args: Vec<String>,
}

impl Ready {
    /// Of a program that is nobody's component.
    pub(crate) fn alone(guest: &Prepared, program: Program) -> Result<Self, ProgramError> {
        let grants = program.grants.clone();
        let memory_bytes_max = guest.memory_for(program.memory_bytes_max, grants.as_ref())?;
        let args = program.args.iter().skip(1).cloned().collect();
        Ok(Self {
            guest: guest.clone(),
            memory_bytes_max,
            wasi: Some(Box::new(Wasi::new(program, memory_bytes_max)?)),
            grants,
            seat: None,
            standing: None,
            probe: None,
            args,
        })
    }

    /// Of a component, with these arguments or its own.
    pub(crate) fn component(
        standing: Arc<Standing>,
        args: Option<Vec<String>>,
    ) -> Result<Self, ProgramError> {
        let (guest, grants) = (&standing.component.guest, &standing.grants);
        let program = &standing.component.program;
        let memory_bytes_max = guest.memory_for(program.memory_bytes_max, Some(grants))?;
        let own = || program.args.iter().skip(1).cloned();
        let args = args.unwrap_or_else(|| own().collect());
        let wasi = match program.dirs.is_empty() && grants.dirs().is_empty() {
            true => None,
            false => {
                let program = program.with(&args, grants);
                Some(Box::new(Wasi::new(program, memory_bytes_max)?))
            }
        };
        Ok(Self {
            guest: guest.clone(),
            memory_bytes_max,
            wasi,
            grants: Some(grants.clone()),
            seat: None,
            args,
            standing: Some(standing),
            probe: None,
        })
    }

    /// The process counts for a quota: it has this seat until it ends.
    pub fn seat(mut self, seat: Quota) -> Self {
        self.seat = Some(seat);
        self
    }

    /// The process is looked into.
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// The body of its process.
    pub fn run(self, context: Context) -> impl Future<Output = ExitReason> + Send + use<> {
        let mut state = State::granted(context, self.memory_bytes_max, self.grants);
        state.wasi = self.wasi;
        state.seat = self.seat;
        state.alive = self.standing.as_ref().map(|standing| standing.enter());
        state.standing = self.standing;
        state.probe = self.probe.map(Active::new);
        if !self.args.is_empty() {
            state.actor().args = self.args;
        }
        self.guest.run(state)
    }
}
