//! A Lunatic program as the host sees it: something that can be started.

use std::sync::Arc;

use rusm_actor::{Context, JoinHandle, Node};

use super::code::{Code, Entry};
use super::config::Config;
use super::environment::{Environment, Member};
use super::fuel::Meter;
use super::guest::{Guest, LINKS_FORGOTTEN_MIN};
use crate::error::{LoadError, ProgramError};
use crate::guest::State;
use crate::module::Module;
use crate::program::Program;

/// What Lunatic starts a program with.
const START: &str = "_start";

/// A program that was built for the Lunatic runtime, ready to be started. Cheap to clone.
#[derive(Clone)]
pub struct Lunatic {
    code: Code,
    function: Box<str>,
}

impl Module {
    /// Links a core module that was built for the Lunatic runtime: beside WASI it finds the import
    /// modules `lunatic::*`. It starts with `entry`, or with `_start`.
    ///
    /// # Errors
    /// When it has no such function or is a component, or imports what nobody provides.
    pub fn prepare_lunatic(&self, entry: Option<&str>) -> Result<Lunatic, LoadError> {
        let function = entry.unwrap_or(START);
        self.check_core_entry(function)?;
        Ok(Lunatic {
            code: self.prepare_for_lunatic()?,
            function: function.into(),
        })
    }
}

impl Lunatic {
    /// Starts the program: a new environment, whose first process has number 1 and the arguments,
    /// variables, directories and memory of `program`. All its processes hold the same grants:
    /// these decide on the network, on modules at run time, and how many processes there may be.
    ///
    /// # Errors
    /// When the program asks for more memory than the engine gives, or needs more than it asks
    /// for.
    pub fn spawn(&self, node: &Node, program: Program) -> Result<JoinHandle, ProgramError> {
        let module = self.code.module();
        let max = module.engine().memory_bytes_max();
        let needs = module.memory_bytes();
        let granted = program.grants.as_ref().map_or(max, |grants| {
            // More than the engine has is granted to those who may have all of it.
            grants.limits().memory_bytes_max.min(max)
        });
        let asked = program.memory_bytes_max.unwrap_or(granted);
        if asked > max {
            return Err(ProgramError::AboveEngine { asked, max });
        }
        let asked = asked.min(granted);
        if needs > asked {
            return Err(ProgramError::Memory { needs, max: asked });
        }
        let instances_max = module.engine().room_for(module.kind());
        let environment = Environment::new(instances_max);
        let config = Arc::new(Config::of(program, asked));
        let (code, function) = (self.code.clone(), self.function.clone());
        Ok(node.spawn_join(move |context| {
            let entry = Entry {
                function,
                params: Vec::new(),
            };
            let id = environment.number();
            let state = state(context, id, &environment, config, &code, entry);
            code.run(state)
        }))
    }
}

/// What a new process's store begins with; from now on others find it by its number.
pub(super) fn state(
    context: Context,
    id: u64,
    environment: &Arc<Environment>,
    config: Arc<Config>,
    code: &Code,
    entry: Entry,
) -> State {
    let max = code.module().engine().memory_bytes_max();
    let pid = context.pid();
    let memory_bytes_max = config.memory_bytes_max.min(max);
    let mut state = State::granted(context, memory_bytes_max, config.grants.clone());
    let waiting = Arc::default();
    let meter = Meter::of(config.fuel);
    let member = Member {
        pid,
        waiting: Arc::clone(&waiting),
    };
    environment.join(id, member);
    state.lunatic = Some(Box::new(Guest {
        id,
        environment: environment.clone(),
        config,
        code: code.clone(),
        entry: Some(entry),
        started: false,
        waiting,
        scratch: None,
        links: Default::default(),
        links_forgotten_at: LINKS_FORGOTTEN_MIN,
        hears: false,
        meter,
        catches: 0,
        held: None,
    }));
    state
}
