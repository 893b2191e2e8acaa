//! The durable store of a node: one file, opened before any guest runs.
//!
//! It is closed by dropping what [`open`] gave, on our own thread and after the node has stopped, so
//! that guests may write until they end. A store that was not closed loses nothing, but is read as
//! a whole when it is opened next.

use std::panic;
use std::path::Path;

use rusm_actor::Node;
use rusm_io::kv::{KvError, Store, StoreConfig};

use crate::error::Failure;

/// Opens the store, if there is to be one.
pub(crate) fn open(node: &Node, file: Option<&Path>) -> Result<Option<Store>, Failure> {
    let Some(file) = file else {
        return Ok(None);
    };
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let (file, folder) = (file.to_owned(), folder.to_owned());
        return Err(Failure::StoreFolder { file, folder });
    }
    let path = file.to_owned();
    // redb panics on some damaged files, which becomes our error; nothing else runs yet.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let opened = node.block_on(|_| Store::open(path, StoreConfig::default()));
    panic::set_hook(hook);
    let disk = |why: String| KvError::Disk {
        path: file.into(),
        why,
    };
    // Nobody but us knows that process, and nobody ends it.
    let opened = opened.unwrap_or_else(|reason| Err(disk(reason.to_string())));
    Ok(Some(opened.map_err(Failure::Store)?))
}
