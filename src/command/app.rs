//! An app: the folder of a rusm.toml.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rusm::manifest::{MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest};

use crate::error::AppFailure;

/// The app in a folder.
pub(super) fn read(folder: &Path) -> Result<Manifest, AppFailure> {
    // Paths of the current folder read better without a dot before them.
    let inside = if folder == Path::new(".") {
        Path::new("")
    } else {
        folder
    };
    let file = inside.join(MANIFEST_FILE);
    let unreadable = |why: String| AppFailure::ReadManifest {
        file: file.clone(),
        why,
    };
    let mut text = String::new();
    match File::open(&file) {
        Ok(open) => {
            let mut open = open.take(MANIFEST_BYTES_MAX + 1);
            let read = open.read_to_string(&mut text);
            read.map_err(|why| unreadable(why.to_string()))?;
        }
        Err(why) if why.kind() == ErrorKind::NotFound => {
            return Err(AppFailure::NoManifest(folder.to_owned()));
        }
        Err(why) => return Err(unreadable(why.to_string())),
    }
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        let max = MANIFEST_BYTES_MAX >> 20;
        return Err(unreadable(format!("it is larger than {max} MiB")));
    }
    Manifest::read(&text, inside).map_err(|mistakes| AppFailure::Manifest { file, mistakes })
}
