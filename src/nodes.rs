//! Which nodes of this user run here: each has a file with its address, locked for as long as it lives.
//!
//! A file that can be locked was left behind by a node that has ended, however it ended, and is removed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::token;

/// A longer file is none of ours.
const FILE_BYTES_MAX: u64 = 4_096;

/// A node that runs here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Here {
    pub(crate) os_pid: u32,
    pub(crate) at: SocketAddr,
    pub(crate) name: String,
}

/// Says that a node runs, until it is dropped or our process ends.
pub(crate) struct Sign {
    file: PathBuf,
    /// Holds the lock.
    _open: File,
}

impl Drop for Sign {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// The folders where signs may be; new ones are put up in the first.
fn folders(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute());
    let runtime = runtime.map(|path| path.join("rusm"));
    let config = token::folder(&variable);
    let both = runtime.into_iter().chain(config);
    both.map(|folder| folder.join("nodes")).collect()
}

/// Puts up the sign of our own node; `None`: this user has no place for it.
pub(crate) fn put_up(at: SocketAddr, name: &str) -> io::Result<Option<Sign>> {
    match folders(|name| std::env::var_os(name)).first() {
        Some(folder) => put_up_in(folder, std::process::id(), at, name).map(Some),
        None => Ok(None),
    }
}

fn put_up_in(folder: &Path, os_pid: u32, at: SocketAddr, name: &str) -> io::Result<Sign> {
    token::make_folder(folder)?;
    let (file, draft) = (
        folder.join(os_pid.to_string()),
        folder.join(format!("{os_pid}.new")),
    );
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut open = options.open(&draft)?;
    // Locked before it has the name by which it is found: nobody takes it for one left behind.
    open.lock()?;
    writeln!(open, "{at}\n{name}")?;
    fs::rename(&draft, &file)?;
    Ok(Sign { file, _open: open })
}

/// The nodes that run here, in the order of their processes' numbers.
pub(crate) fn here() -> Vec<Here> {
    let folders = folders(|name| std::env::var_os(name));
    let mut all: Vec<Here> = folders.iter().flat_map(|folder| here_in(folder)).collect();
    all.sort_by_key(|node| node.os_pid);
    all
}

fn here_in(folder: &Path) -> Vec<Here> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| read(&entry.path())).collect()
}

fn read(file: &Path) -> Option<Here> {
    let os_pid = file.file_name()?.to_str()?.parse().ok()?;
    let mut open = File::open(file).ok()?;
    if open.try_lock_shared().is_ok() {
        let _ = fs::remove_file(file);
        return None;
    }
    let mut text = String::new();
    let mut some = (&mut open).take(FILE_BYTES_MAX);
    some.read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    Some(Here {
        os_pid,
        at: lines.next()?.parse().ok()?,
        name: lines.next().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_seen_while_its_node_lives_and_one_left_behind_is_removed() {
        let folder = std::env::temp_dir().join(format!("rusm-nodes-{}", std::process::id()));
        let at: SocketAddr = "127.0.0.1:9460".parse().expect("an address");
        let sign = put_up_in(&folder, 7, at, "shop").expect("it is writable");
        fs::write(folder.join("8"), "127.0.0.1:1\nleft\n").expect("it is writable");
        fs::write(folder.join("notes"), "x").expect("it is writable");
        let shop = Here {
            os_pid: 7,
            at,
            name: "shop".into(),
        };
        assert_eq!(here_in(&folder), [shop]);
        assert!(!folder.join("8").exists() && folder.join("notes").exists());
        drop(sign);
        assert_eq!(here_in(&folder), []);
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn the_folder_of_the_session_goes_before_that_of_the_user() {
        let known = |name: &str| match name {
            "XDG_RUNTIME_DIR" => Some("/run/7".into()),
            "HOME" => Some("/h".into()),
            _ => None,
        };
        let paths = ["/run/7/rusm/nodes", "/h/.config/rusm/nodes"].map(PathBuf::from);
        assert_eq!(folders(known), paths);
        assert_eq!(folders(|_| None), [] as [PathBuf; 0]);
    }
}
