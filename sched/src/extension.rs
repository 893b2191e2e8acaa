//! What the layer above keeps with each scheduler: one value of its own, made on first use.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use crate::handle::Handle;
use crate::homes;
use crate::seat;
use crate::shared::Shared;
use crate::task::slot::{Address, resolve};

/// The place for it.
#[derive(Default)]
pub(crate) struct Extension(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Extension {
    fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let value = self.0.get_or_init(|| Arc::new(T::default()));
        let value = value.clone().downcast();
        value.unwrap_or_else(|_| panic!("one layer above keeps values of one type here"))
    }
}

impl Handle {
    /// The value that the layer above keeps with this scheduler. All ask for the same `T`.
    pub fn extension<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.shared.extension.get()
    }
}

/// The value kept with the scheduler of the task that lives, or lived last, at `address`.
/// `None` once that scheduler has been stopped. About 10 ns for a task of the same scheduler.
pub fn extension_of<T: Default + Send + Sync + 'static>(address: Address) -> Option<Arc<T>> {
    let home = resolve(address).home();
    let here = seat::try_current(|seat| {
        let here = seat.shared.home == home;
        here.then(|| seat.shared.extension.get())
    });
    let elsewhere = |shared: Arc<Shared>| shared.extension.get();
    here.flatten().or_else(|| homes::find(home).map(elsewhere))
}
