//! Sends each command to the file that carries it out.

mod app;
mod attach;
mod build;
mod dashboard;
mod detail;
mod help;
mod inspect;
mod node;
mod ps;
mod rows;
mod run;
mod shown;
mod top;

use std::path::Path;

use crate::error::{Error, Misuse};
use crate::flags::{Tool, ToolFlags, Typed};
use crate::options::RunOptions;

use app::AppOptions;
pub(crate) use node::NodeOptions;

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
            Ok(app::run(&AppOptions {
                folder: &options.program,
                workers: options.workers,
                observe: options.observe,
                flight: options.flight.as_deref(),
                times: true,
            })?)
        }
        Typed::Run(flags) => Ok(run::run(flags.try_into()?)?),
        Typed::Build(folder) => Ok(build::run(&folder.unwrap_or_else(|| ".".into()))?),
        Typed::Inspect { file, json } => Ok(inspect::run(&file, json)?),
        Typed::Tool(typed) => use_tool(typed),
    }
}

fn use_tool(typed: ToolFlags) -> Result<u8, Error> {
    Ok(match typed.tool {
        Tool::Ps => ps::run(&typed.try_into()?)?,
        Tool::Top => top::run(typed.try_into()?)?,
        Tool::Observe => dashboard::run(typed.try_into()?)?,
        Tool::Attach => attach::run(&typed.try_into()?)?,
        Tool::NodeStart => node::start(&typed.try_into()?)?,
    })
}
