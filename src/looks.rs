//! The files in which `rusm run` keeps what its author wants to look at later: a core dump, a profile.

use std::path::{Path, PathBuf};

use rusm_wasm::{Probe, Ready};

use crate::error::Failure;
use crate::options::RunOptions;

/// What is to be kept of one run, and where.
pub(crate) struct Looks {
    probe: Option<Probe>,
    coredump: Option<PathBuf>,
    profile: Option<PathBuf>,
}

impl Looks {
    pub(crate) fn new(options: &RunOptions) -> Looks {
        let (coredump, profile) = (options.coredump.clone(), options.profile.clone());
        let mut probe = Probe::new();
        if coredump.is_some() {
            probe = probe.coredump();
        }
        if profile.is_some() {
            probe = probe.profile();
        }
        let wanted = coredump.is_some() || profile.is_some();
        Looks {
            probe: wanted.then_some(probe),
            coredump,
            profile,
        }
    }

    /// The program, looked into if that is wanted.
    pub(crate) fn into(&self, ready: Ready) -> Ready {
        match &self.probe {
            Some(probe) => ready.probe(probe.clone()),
            None => ready,
        }
    }

    /// Writes what there is, once the program has ended; there is no core dump of one that did not trap.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let Some(probe) = &self.probe else {
            return Ok(());
        };
        write("core dump", self.coredump.as_deref(), probe.take_coredump())?;
        write("profile", self.profile.as_deref(), probe.take_profile())
    }
}

fn write(what: &'static str, file: Option<&Path>, bytes: Option<Vec<u8>>) -> Result<(), Failure> {
    let (Some(file), Some(bytes)) = (file, bytes) else {
        return Ok(());
    };
    std::fs::write(file, bytes).map_err(|why| Failure::Keep {
        what,
        file: file.to_owned(),
        why,
    })
}
