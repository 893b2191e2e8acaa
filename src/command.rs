//! Sends each command to the file that carries it out.

mod app;
mod build;
mod help;
mod inspect;
mod run;

use std::path::Path;

use crate::error::{Error, Misuse};
use crate::flags::Typed;
use crate::options::RunOptions;

/// Does what was typed; the answer is the status of our process.
pub(crate) fn execute(typed: Typed) -> Result<u8, Error> {
    match typed {
        Typed::Version => Ok(help::version()?),
        Typed::Help(topic) => Ok(help::explain(topic)?),
        Typed::Run(flags) if Path::new(&flags.program).is_dir() => {
            if let Some(word) = flags.for_a_program() {
                return Err(Misuse::NotOfAnApp(word).into());
            }
            let options = RunOptions::try_from(flags)?;
            Ok(app::run(
                &options.program,
                options.workers,
                options.observe,
            )?)
        }
        Typed::Run(flags) => Ok(run::run(flags.try_into()?)?),
        Typed::Build(folder) => Ok(build::run(&folder.unwrap_or_else(|| ".".into()))?),
        Typed::Inspect { file, json } => Ok(inspect::run(&file, json)?),
    }
}
