//! Where a sweep is written to, as the command line says.

use std::path::PathBuf;

use super::{Sweep, table};
use crate::args::Args;
use crate::failure::Failure;

/// What can be written, each as a whole.
type Form = fn(&Sweep) -> String;

/// The files that are wanted.
pub(super) struct Files(Vec<(PathBuf, Form)>);

impl Files {
    /// Takes what is about files out of the settings.
    pub(super) fn of(args: &mut Args) -> Self {
        let forms: [(&str, Form); 2] = [("csv", table::csv), ("json", table::json)];
        let wanted = forms.map(|(key, form)| Some((PathBuf::from(args.take(key)?), form)));
        Files(wanted.into_iter().flatten().collect())
    }

    /// A file that cannot be written is better found out now than after the last run.
    pub(super) fn touch(&self) -> Result<(), Failure> {
        for (path, _) in &self.0 {
            std::fs::write(path, "")?;
        }
        Ok(())
    }

    pub(super) fn write(&self, sweep: &Sweep) -> Result<(), Failure> {
        for (path, form) in &self.0 {
            std::fs::write(path, form(sweep))?;
        }
        Ok(())
    }
}
