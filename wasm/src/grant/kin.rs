//! Who is whose child: told by who started whom, as long as they live.

use rusm_actor::{Pid, info};

/// How many parents up somebody is looked for; beyond that one is a stranger. Each costs about
/// 200 ns.
pub const GENERATIONS_MAX: usize = 64;

/// What another process is to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is that process.
    Itself,
    /// It started it.
    Child,
    /// It started one that started it, or further down, and all between are alive.
    Descendant,
    /// None of these, or it has ended.
    Stranger,
}

impl Relation {
    /// What `other` is to `me`.
    pub fn between(me: Pid, other: Pid) -> Self {
        if me == other {
            return Self::Itself;
        }
        let mut at = other;
        for generation in 0..GENERATIONS_MAX {
            match info(at).and_then(|summary| summary.parent) {
                Some(parent) if parent == me && generation == 0 => return Self::Child,
                Some(parent) if parent == me => return Self::Descendant,
                Some(parent) => at = parent,
                None => return Self::Stranger,
            }
        }
        Self::Stranger
    }
}
