//! Whether a component has to be built again: what it was built from is kept beside it, and
//! compared. As in make, a file that has another size or time is another file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a component was built from: how, and from which files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp(String);

impl Stamp {
    /// Of these files as they are now, built like this.
    pub(crate) fn new(how: &str, files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut text = format!("{}\n", how.replace('\n', " "));
        let mut files: Vec<PathBuf> = files.into_iter().collect();
        files.sort();
        files.dedup();
        for file in files {
            // What cannot be looked at now was not there then, either, or it is a change.
            let (bytes, nanos) = fs::metadata(&file).map_or((0, 0), |data| {
                let time = data.modified().ok();
                let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                (data.len(), since.map_or(0, |since| since.as_nanos()))
            });
            text.push_str(&format!("{bytes} {nanos} {}\n", file.display()));
        }
        Self(text)
    }

    /// The files that a kept stamp names, which may be more than those of the folder.
    pub(crate) fn files_of(built: &Path) -> Vec<PathBuf> {
        let text = fs::read_to_string(path_of(built)).unwrap_or_default();
        let file = |line: &str| line.splitn(3, ' ').nth(2).map(PathBuf::from);
        text.lines().skip(1).filter_map(file).collect()
    }

    /// Whether `built` is there, and was built from this.
    pub(crate) fn is_of(&self, built: &Path) -> bool {
        built.is_file() && fs::read_to_string(path_of(built)).is_ok_and(|kept| kept == self.0)
    }

    /// Keeps it beside `built`. If that fails, the next build builds again.
    pub(crate) fn keep(&self, built: &Path) {
        let _ = fs::write(path_of(built), &self.0);
    }
}

fn path_of(built: &Path) -> PathBuf {
    built.with_extension("stamp")
}
