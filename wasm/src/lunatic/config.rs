//! What a process of a Lunatic program may do, and what it is started with. A guest makes
//! configurations freely; when it spawns with one, the child gets nothing that its parent has
//! not.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use wasmtime::{Result, bail};

use crate::grant::Grants;
use crate::program::{Mount, Program, Stdio};
use crate::wasi::Wasi;

/// Bytes of arguments, variables and names of directories in one configuration.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Arguments, variables and directories in one configuration.
const TEXTS_MAX: usize = 16 << 10;
/// What Lunatic says of a configuration without a limit: all that 32-bit code can have.
const MEMORY_UNLIMITED: u64 = u32::MAX as u64;

#[derive(Clone)]
pub(super) struct Config {
    pub(super) memory_bytes_max: u64,
    /// In units of 100,000 instructions; 0 is no limit.
    pub(super) fuel: u64,
    pub(super) compiles: bool,
    pub(super) configures: bool,
    pub(super) spawns: bool,
    args: Vec<String>,
    env: Vec<(String, String)>,
    dirs: Vec<Dir>,
    stdio: Stdio,
    /// The whole program's.
    pub(super) grants: Option<Grants>,
    texts: usize,
    text_bytes: usize,
}

/// A directory and the name the guest knows it by.
#[derive(Clone)]
pub(super) struct Dir {
    host: PathBuf,
    guest: String,
    /// Keeps a directory that was found inside another one what it is, whatever becomes of its
    /// name.
    _open: Option<Arc<File>>,
}

impl Config {
    /// Of a program's first process, which may do everything.
    pub(super) fn of(program: Program, memory_bytes_max: u64) -> Self {
        let dirs = program.dirs.into_iter().map(|Mount { host, guest }| Dir {
            host,
            guest,
            _open: None,
        });
        Self {
            memory_bytes_max,
            fuel: 0,
            compiles: true,
            configures: true,
            spawns: true,
            args: program.args,
            env: program.env,
            dirs: dirs.collect(),
            stdio: program.stdio,
            grants: program.grants,
            texts: 0,
            text_bytes: 0,
        }
    }

    /// A new one: nothing is allowed, nothing given. Output goes where its maker's goes.
    pub(super) fn denied(&self) -> Self {
        Self {
            memory_bytes_max: MEMORY_UNLIMITED,
            fuel: 0,
            compiles: false,
            configures: false,
            spawns: false,
            args: Vec::new(),
            env: Vec::new(),
            dirs: Vec::new(),
            stdio: self.stdio.clone(),
            grants: self.grants.clone(),
            texts: 0,
            text_bytes: 0,
        }
    }

    /// What a child gets for whom its parent, which has `self`, asks for `wanted`. Directories
    /// were checked when they were asked for.
    pub(super) fn narrowed(&self, wanted: &Self) -> Self {
        Self {
            memory_bytes_max: wanted.memory_bytes_max.min(self.memory_bytes_max),
            fuel: match (wanted.fuel, self.fuel) {
                (0, limit) | (limit, 0) => limit,
                (wanted, own) => wanted.min(own),
            },
            compiles: wanted.compiles && self.compiles,
            configures: wanted.configures && self.configures,
            spawns: wanted.spawns && self.spawns,
            ..wanted.clone()
        }
    }

    pub(super) fn push_arg(&mut self, arg: &str) -> Result<()> {
        self.count(arg.len())?;
        self.args.push(arg.to_string());
        Ok(())
    }

    pub(super) fn push_env(&mut self, key: &str, value: &str) -> Result<()> {
        self.count(key.len().saturating_add(value.len()))?;
        self.env.push((key.to_string(), value.to_string()));
        Ok(())
    }

    pub(super) fn push_dir(&mut self, dir: Dir) -> Result<()> {
        self.count(dir.guest.len())?;
        self.dirs.push(dir);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.texts += 1;
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        if self.texts > TEXTS_MAX || self.text_bytes > TEXT_BYTES_MAX {
            bail!(
                "a configuration has at most {TEXTS_MAX} arguments, variables and directories, \
                 of {TEXT_BYTES_MAX} bytes together"
            );
        }
        Ok(())
    }

    /// The directory that a process with this configuration knows as `name`, for another
    /// configuration. Blocks.
    pub(super) fn dir(&self, name: &str) -> Result<Dir> {
        let wanted = plain(name);
        for dir in &self.dirs {
            let Some(rest) = within(&plain(&dir.guest), &wanted) else {
                continue;
            };
            if rest.as_os_str().is_empty() {
                return Ok(Dir {
                    guest: name.to_string(),
                    ..dir.clone()
                });
            }
            return match inside(&dir.host, &rest) {
                Ok((host, open)) => Ok(Dir {
                    host,
                    guest: name.to_string(),
                    _open: Some(Arc::new(open)),
                }),
                Err(error) => bail!("cannot open the directory `{name}`: {error}"),
            };
        }
        bail!(
            "the process has no directory `{name}` to give away. Start the program with \
             `--dir DIRECTORY::{name}`"
        )
    }

    /// What WASI gives to a process with this configuration. A directory that has gone since is
    /// not there.
    pub(super) fn wasi(&self, memory_bytes_max: u64) -> Option<Wasi> {
        let there = self.dirs.iter().filter(|dir| dir.host.is_dir());
        let mounts = there.map(|dir| Mount {
            host: dir.host.clone(),
            guest: dir.guest.clone(),
        });
        let program = Program {
            args: self.args.clone(),
            env: self.env.clone(),
            dirs: mounts.collect(),
            stdio: self.stdio.clone(),
            memory_bytes_max: None,
            grants: self.grants.clone(),
        };
        Wasi::new(program, memory_bytes_max).ok()
    }
}

/// A guest's path without what means nothing; `.` is empty.
fn plain(name: &str) -> PathBuf {
    let parts = Path::new(name).components();
    parts.filter(|part| *part != Component::CurDir).collect()
}

/// What is left of `wanted` inside of `dir`.
fn within(dir: &Path, wanted: &Path) -> Option<PathBuf> {
    let rest = wanted.strip_prefix(dir).ok()?;
    let goes_down = |part| matches!(part, Component::Normal(_));
    rest.components().all(goes_down).then(|| rest.to_path_buf())
}

/// Opens the directory `rest` inside of `base`, wherever links lead on the way, and refuses it if
/// it lies outside. The path that comes back names what was opened and nothing else.
fn inside(base: &Path, rest: &Path) -> io::Result<(PathBuf, File)> {
    let base = base.canonicalize()?;
    let mut options = OpenOptions::new();
    let open = options
        .read(true)
        .custom_flags(libc::O_DIRECTORY)
        .open(base.join(rest))?;
    let host = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
    // Where there is no such file system nothing inside can be given away, only the whole.
    let real = std::fs::read_link(&host)?;
    if !real.starts_with(&base) {
        let text = "a link leads out of the directory it lies in";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok((host, open))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dirs: &[(&Path, &str)]) -> Config {
        let mounts = dirs.iter().map(|(host, guest)| Mount {
            host: host.to_path_buf(),
            guest: (*guest).to_string(),
        });
        let program = Program {
            dirs: mounts.collect(),
            ..Program::default()
        };
        Config::of(program, 1 << 20)
    }

    #[test]
    fn a_child_gets_nothing_that_its_parent_has_not() {
        let mut parent = config(&[]);
        parent.spawns = false;
        parent.fuel = 7;
        let mut wanted = parent.denied();
        wanted.memory_bytes_max = 64 << 20;
        wanted.compiles = true;
        wanted.spawns = true;
        let child = parent.narrowed(&wanted);
        assert_eq!((child.memory_bytes_max, child.fuel), (1 << 20, 7));
        assert_eq!((child.compiles, child.spawns), (true, false));
    }

    #[test]
    fn a_directory_is_given_away_as_a_whole_or_in_part() {
        let root = std::env::temp_dir().join(format!("rusm-lunatic-dirs-{}", std::process::id()));
        std::fs::create_dir_all(root.join("data/deep")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("out")).unwrap();
        let config = config(&[(&root, ".")]);
        for name in [".", "./", "data", "./data/deep"] {
            let given = config.dir(name).expect(name);
            assert_eq!(given.guest, name);
            let real = given.host.canonicalize().unwrap();
            assert_eq!(real, root.join(name).canonicalize().unwrap());
        }
        for name in [
            "..",
            "data/../..",
            "/",
            "/etc",
            "out",
            "file",
            "none",
            "",
            "data/..",
        ] {
            if name.is_empty() {
                continue;
            }
            assert!(config.dir(name).is_err(), "{name}");
        }
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_configuration_is_full_at_some_point() {
        let mut config = config(&[]);
        let large = "x".repeat(TEXT_BYTES_MAX);
        config.push_arg(&large).unwrap();
        let error = config.push_env("A", "").unwrap_err().to_string();
        assert!(error.contains("1048576 bytes together"), "{error}");
    }
}
