//! `lunatic::registry`: names of processes, as Lunatic has them: many for one process, given and
//! taken by anybody of the program, and not freed by a death.

use std::collections::HashMap;

use wasmtime::{Linker, Result, ensure};

use super::Call;
use super::environment::{NAMES_MAX, Named};
use super::guest::guest;
use super::memory::{parts, put_u64, text};
use crate::guest::State;

const MODULE: &str = "lunatic::registry";
const PUT: &str = "lunatic::registry::put";
const GET: &str = "lunatic::registry::get";
const REMOVE: &str = "lunatic::registry::remove";

/// Bytes a name may have.
const NAME_BYTES_MAX: usize = 4096;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "put", put)?;
    linker.func_wrap(MODULE, "get", get)?;
    linker.func_wrap(MODULE, "remove", remove)?;
    Ok(())
}

/// Gives a name, also one that somebody has.
pub(super) fn insert(
    names: &mut HashMap<Box<str>, Named>,
    call: &str,
    name: Box<str>,
    named: Named,
) -> Result<()> {
    ensure!(
        name.len() <= NAME_BYTES_MAX,
        "`{call}`: the name has {} bytes, and may have {NAME_BYTES_MAX}",
        name.len()
    );
    ensure!(
        names.len() < NAMES_MAX || names.contains_key(&name),
        "`{call}`: too many names: a program may use {NAMES_MAX}"
    );
    names.insert(name, named);
    Ok(())
}

fn put(mut caller: Call<'_>, at: u32, len: u32, node: u64, process: u64) -> Result<()> {
    rusm_sched::spend(1);
    let (memory, state) = parts(&mut caller)?;
    let name = text(PUT, memory, at, len)?;
    let mut names = guest(state)?.environment.names();
    insert(&mut names, PUT, name.into(), (node, process))
}

/// 0 if somebody has the name, 1 if nobody has.
fn get(mut caller: Call<'_>, at: u32, len: u32, node_at: u32, process_at: u32) -> Result<u32> {
    rusm_sched::spend(1);
    let (memory, state) = parts(&mut caller)?;
    let name = text(GET, memory, at, len)?;
    let found = guest(state)?.environment.names().get(name).copied();
    let Some((node, process)) = found else {
        return Ok(1);
    };
    put_u64(GET, memory, node_at, node)?;
    put_u64(GET, memory, process_at, process)?;
    Ok(0)
}

fn remove(mut caller: Call<'_>, at: u32, len: u32) -> Result<()> {
    rusm_sched::spend(1);
    let (memory, state) = parts(&mut caller)?;
    let name = text(REMOVE, memory, at, len)?;
    guest(state)?.environment.names().remove(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length_and_a_number() {
        let mut names = HashMap::new();
        insert(&mut names, "f", "a".into(), (0, 1)).unwrap();
        insert(&mut names, "f", "a".into(), (0, 2)).unwrap();
        assert_eq!(names["a"], (0, 2));
        let long = "x".repeat(NAME_BYTES_MAX + 1).into();
        assert!(insert(&mut names, "f", long, (0, 1)).is_err());
        for number in 1..NAMES_MAX {
            names.insert(number.to_string().into(), (0, 1));
        }
        let error = insert(&mut names, "f", "b".into(), (0, 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`f`: too many names: a program may use 100000"
        );
        insert(&mut names, "f", "a".into(), (0, 3)).unwrap();
    }
}
