//! The app or program for those who look at its node: its components and how to start one more process of them, its store,
//! and the streams between its processes.

use std::sync::{Mutex, PoisonError};

use rusm_actor::{Node, Pid, StreamView};
use rusm_io::kv::Store;
use rusm_observe::App;
use rusm_observe::protocol::{Code, Refusal};
use rusm_wasm::{Catalog, ProgramError};

use crate::report;

/// Shown from before its components are loaded until its residents have ended.
pub(super) struct ShownApp {
    /// Not held: it is told by one of its own processes.
    node: Node,
    catalog: Mutex<Option<Catalog>>,
}

impl ShownApp {
    pub(super) fn new(node: &Node) -> Self {
        ShownApp {
            node: Node::over(node.handle()),
            catalog: Mutex::new(None),
        }
    }

    /// What can be started from now on: nothing more, once the app ends.
    pub(super) fn set(&self, catalog: Option<Catalog>) {
        let mut place = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, catalog);
        drop(place);
        drop(before);
    }

    fn catalog(&self) -> Option<Catalog> {
        let place = self.catalog.lock();
        place.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl App for ShownApp {
    fn components(&self) -> Vec<(String, u64)> {
        let catalog = self.catalog();
        catalog.map_or(Vec::new(), |catalog| catalog.living())
    }

    fn spawn(&self, component: &str, args: &[String]) -> Result<Pid, Refusal> {
        let not_now = || Refusal::new(Code::Failed, "it is being started, or has ended");
        let catalog = self.catalog().ok_or_else(not_now)?;
        // No arguments are the component's own.
        let args = (!args.is_empty()).then(|| args.to_vec());
        let ready = catalog
            .ready_with(component, args)
            .map_err(|why| match why {
                ProgramError::NoComponent(_) => {
                    let names = catalog.names().join("`, `");
                    let text = format!("there is no component `{component}`; there are `{names}`");
                    Refusal::new(Code::UnknownComponent, text)
                }
                why => Refusal::new(Code::Failed, why.to_string()),
            })?;
        let name = component.to_owned();
        Ok(self.node.spawn(move |ctx| async move {
            let pid = ctx.pid();
            let reason = ready.run(ctx).await;
            // Nobody supervises it, so nobody else would tell.
            if !reason.is_orderly() {
                report::event(&format!("error {name} {pid} ended reason={reason}"));
            }
            reason
        }))
    }

    fn store(&self) -> Option<Store> {
        self.catalog()?.store()
    }

    fn streams(&self) -> Vec<StreamView> {
        self.catalog()
            .map_or(Vec::new(), |catalog| catalog.streams())
    }
}
