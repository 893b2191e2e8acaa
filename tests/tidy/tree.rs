//! Which files the house rules look at: everything below the root but build output and hidden folders.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file, named by its path from the root with `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files whose names end in `suffix`, in a stable order.
pub(crate) fn files(suffix: &str) -> Vec<File> {
    let mut paths = Vec::new();
    collect(root(), suffix, &mut paths);
    paths.sort();
    paths.into_iter().map(|path| read(&path)).collect()
}

fn collect(folder: &Path, suffix: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the tree is readable") {
        let path = entry.expect("the tree is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || name.starts_with("target") || name == "node_modules";
        if path.is_dir() && !skipped {
            collect(&path, suffix, into);
        } else if path.is_file() && name.ends_with(suffix) {
            into.push(path);
        }
    }
}

fn read(path: &Path) -> File {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("`{}`: {why}", path.display()));
    let path = path
        .strip_prefix(root())
        .expect("it was found below the root");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    File {
        path: parts.join("/"),
        text,
    }
}
