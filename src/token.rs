//! The control token: the secret that whoever acts on a node of this user must know, as Erlang's cookie.
//!
//! It lies in a file that nobody else may read, made when a node first needs it; a variable goes before.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The variable that goes before the file.
pub(crate) const CONTROL_VARIABLE: &str = "RUSM_CONTROL_TOKEN";
const FILE: &str = "control-token";
const SECRET_BYTES: usize = 32;
/// A longer file is none of ours.
const FILE_BYTES_MAX: u64 = 4_096;
/// Bits of a mode that let others in.
const OTHERS: u32 = 0o077;

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// Others may read it, or write it.
    Open {
        file: PathBuf,
        mode: u32,
    },
    Unusable {
        file: PathBuf,
        why: io::Error,
    },
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::Open { file, mode } => {
                let file = file.display();
                write!(
                    f,
                    "the control token in `{file}` is no secret: others may read the file (mode {mode:04o}). \
                     Delete it, and a new one is made; or run `chmod 600 {file}` if nobody has read it."
                )
            }
            TokenError::Unusable { file, why } => write!(
                f,
                "cannot use the control token in `{}`: {why}. Set {CONTROL_VARIABLE} instead.",
                file.display()
            ),
        }
    }
}

/// The folder for what belongs to this user alone: `$XDG_CONFIG_HOME/rusm` or `~/.config/rusm`.
pub(crate) fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| {
        let path = variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    config.map(|config| config.join("rusm"))
}

/// The token in the variable.
pub(crate) fn said() -> Option<String> {
    let token = std::env::var(CONTROL_VARIABLE).ok();
    token.filter(|token| !token.is_empty())
}

/// The token in the file, if there is one.
pub(crate) fn kept() -> Result<Option<String>, TokenError> {
    match folder(|name| std::env::var_os(name)) {
        Some(folder) => read(&folder.join(FILE)),
        None => Ok(None),
    }
}

/// The token in the variable or in the file, which is made if there is none; `None`: this user has no
/// place for a file.
pub(crate) fn made() -> Result<Option<String>, TokenError> {
    if let Some(token) = said() {
        return Ok(Some(token));
    }
    let Some(folder) = folder(|name| std::env::var_os(name)) else {
        return Ok(None);
    };
    let file = folder.join(FILE);
    if let Some(token) = read(&file)? {
        return Ok(Some(token));
    }
    make(&folder, &file).map_err(|why| TokenError::Unusable {
        file: file.clone(),
        why,
    })?;
    // Somebody else's, if they were faster.
    read(&file)
}

/// Makes a folder that nobody else may look into, unless it is there.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

fn read(file: &Path) -> Result<Option<String>, TokenError> {
    let unusable = |why| TokenError::Unusable {
        file: file.to_owned(),
        why,
    };
    let open = match File::open(file) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(unusable)?,
    };
    let mode = open.metadata().map_err(unusable)?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        let file = file.to_owned();
        return Err(TokenError::Open { file, mode });
    }
    let mut text = String::new();
    let mut open = open.take(FILE_BYTES_MAX);
    open.read_to_string(&mut text).map_err(unusable)?;
    Ok(Some(text.trim().to_owned()))
}

/// Written aside first: the file is there as a whole or not at all, also if two nodes make it at once.
fn make(folder: &Path, file: &Path) -> io::Result<()> {
    make_folder(folder)?;
    let draft = folder.join(format!("{FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut open = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    let written = secret().and_then(|secret| writeln!(open, "{secret}"));
    let linked = written.and_then(|()| fs::hard_link(&draft, file));
    let _ = fs::remove_file(&draft);
    match linked {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Bytes that nobody can guess, in hex.
fn secret() -> io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
