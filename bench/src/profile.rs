//! How hard a spawn storm drives a node: the three profiles, from a node that mostly does something else to one
//! that does nothing but start processes.

/// What a profile sets; any of it can still be given by hand.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Spawners on a node of this many workers.
    pub(crate) spawners: fn(u64) -> u64,
    /// Processes started between two yields of a spawner.
    pub(crate) batch: u64,
    /// Bytes that every process carries with it and touches.
    pub(crate) state: u64,
}

/// `balanced` is what the peers are measured with: bodies that carry nothing, 16 between yields.
/// `light` leaves most of the node free. `max` oversubscribes it: two spawners a worker, and
/// bodies of a connection handler's size, so that the population outgrows the nearest caches.
pub(crate) const PROFILES: [Profile; 3] = [
    Profile {
        name: "light",
        about: "one spawner, so that most of the node is free",
        spawners: |_| 1,
        batch: 4,
        state: 0,
    },
    Profile {
        name: "balanced",
        about: "a spawner for each worker, as the peers are measured",
        spawners: |workers| workers,
        batch: 16,
        state: 0,
    },
    Profile {
        name: "max",
        about: "two spawners for each worker, and bodies of 256 bytes",
        spawners: |workers| workers * 2,
        batch: 64,
        state: 256,
    },
];

impl Profile {
    pub(crate) fn find(name: &str) -> Option<Self> {
        PROFILES.into_iter().find(|profile| profile.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_asks_for_more_than_the_one_before() {
        for pair in PROFILES.windows(2) {
            let load = |profile: &Profile| (profile.spawners)(4) * profile.batch;
            assert!(load(&pair[0]) < load(&pair[1]), "{}", pair[1].name);
        }
    }

    #[test]
    fn an_unknown_profile_is_not_found() {
        assert!(Profile::find("max").is_some());
        assert!(Profile::find("huge").is_none());
    }
}
