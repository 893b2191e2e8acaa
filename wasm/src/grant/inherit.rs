//! How profiles are made from those they extend: what a profile says replaces what it inherits, key
//! by key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::profile::{BUILT_IN, DEFAULT_PROFILE, Profile, ProfileChanges};

/// All profiles of a node, each made.
#[derive(Clone, Debug)]
pub struct Profiles(BTreeMap<String, Arc<Profile>>);

/// Why profiles cannot be made; each names the profile it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileError {
    /// It has the name of one that is built in.
    BuiltIn(String),
    /// It extends one that nobody wrote.
    Missing {
        /// Which profile.
        profile: String,
        /// What it extends.
        extends: String,
    },
    /// These extend each other, each the next one and the last the first.
    Cycle(Vec<String>),
}

impl Profiles {
    /// Makes every profile from the one it extends.
    ///
    /// # Errors
    /// All that are wrong, not only the first.
    pub fn new(written: &BTreeMap<String, ProfileChanges>) -> Result<Self, Vec<ProfileError>> {
        let mut made: BTreeMap<String, Arc<Profile>> = BTreeMap::new();
        for name in BUILT_IN {
            let profile = Profile::built_in(name).expect("each of the list is built in");
            made.insert(name.into(), Arc::new(profile));
        }
        let taken = written.keys().filter(|name| made.contains_key(*name));
        let mut wrong: Vec<_> = taken.cloned().map(ProfileError::BuiltIn).collect();
        for name in written
            .keys()
            .filter(|name| !BUILT_IN.contains(&name.as_str()))
        {
            if let Err(error) = make(name, written, &mut made)
                && !wrong.contains(&error)
            {
                wrong.push(error);
            }
        }
        if wrong.is_empty() {
            Ok(Self(made))
        } else {
            Err(wrong)
        }
    }

    /// The profile of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.0.get(name)
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Default for Profiles {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).expect("those that are built in are right")
    }
}

/// Makes `name` and, before it, all it rests on. Walks instead of calling itself: a manifest may
/// have as many profiles in a row as it likes.
fn make(
    name: &str,
    written: &BTreeMap<String, ProfileChanges>,
    made: &mut BTreeMap<String, Arc<Profile>>,
) -> Result<(), ProfileError> {
    let mut chain = vec![name];
    while let Some(changes) = written.get(*chain.last().expect("it begins with one"))
        && !made.contains_key(*chain.last().expect("it begins with one"))
    {
        let base = changes.extends.as_deref().unwrap_or(DEFAULT_PROFILE);
        if let Some(at) = chain.iter().position(|seen| *seen == base) {
            let mut cycle: Vec<String> = chain[at..].iter().map(|name| name.to_string()).collect();
            // The same circle is the same error, wherever it was entered.
            let first = (0..cycle.len()).min_by_key(|at| &cycle[*at]).unwrap_or(0);
            cycle.rotate_left(first);
            return Err(ProfileError::Cycle(cycle));
        }
        if !written.contains_key(base) && !made.contains_key(base) {
            return Err(ProfileError::Missing {
                profile: chain.last().expect("it begins with one").to_string(),
                extends: base.to_string(),
            });
        }
        chain.push(base);
    }
    let mut base = made[*chain.last().expect("it begins with one")].clone();
    for name in chain.iter().rev().skip(1) {
        base = Arc::new(written[*name].apply(name, &base));
        made.insert(name.to_string(), base.clone());
    }
    Ok(())
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(name) => write!(
                f,
                "the profile `{name}` is built in. Choose another name, and extend it."
            ),
            Self::Missing { profile, extends } => write!(
                f,
                "the profile `{profile}` extends `{extends}`, which is not there. Write \
                 [capabilities.{extends}], or extend one of `{}`.",
                BUILT_IN.join("`, `")
            ),
            Self::Cycle(names) => write!(
                f,
                "the profiles `{}` extend each other in a circle. Let one of them extend `{}`.",
                names.join("`, `"),
                DEFAULT_PROFILE
            ),
        }
    }
}

impl std::error::Error for ProfileError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(written: &[(&str, Option<&str>)]) -> Result<Profiles, Vec<ProfileError>> {
        let written = written.iter().map(|(name, extends)| {
            let changes = ProfileChanges {
                extends: extends.map(str::to_string),
                processes_max: name.strip_prefix('p').and_then(|n| n.parse().ok()),
                ..ProfileChanges::default()
            };
            (name.to_string(), changes)
        });
        Profiles::new(&written.collect())
    }

    #[test]
    fn what_is_not_said_is_inherited_and_the_default_is_the_sandbox() {
        let made = profiles(&[("p5", None), ("a", Some("p5")), ("t", Some("trusted"))]).unwrap();
        let (a, t) = (made.get("a").unwrap(), made.get("t").unwrap());
        assert_eq!(a.limits.processes_max, 5);
        assert_eq!(
            a.limits.memory_bytes_max,
            Profile::sandboxed().limits.memory_bytes_max
        );
        assert_eq!((&*a.name, a.modules), ("a", false));
        assert!(t.modules);
        assert!(
            Profiles::default()
                .get("network-client")
                .unwrap()
                .connect
                .len()
                == 1
        );
    }

    #[test]
    fn circles_missing_ones_and_taken_names_are_all_told() {
        let cycle =
            |names: &[&str]| ProfileError::Cycle(names.iter().map(|n| n.to_string()).collect());
        let wrong = profiles(&[
            ("c", Some("a")),
            ("b", Some("c")),
            ("a", Some("b")),
            ("d", Some("a")),
            ("me", Some("me")),
            ("x", Some("gone")),
            ("trusted", None),
        ]);
        let missing = ProfileError::Missing {
            profile: "x".into(),
            extends: "gone".into(),
        };
        let taken = ProfileError::BuiltIn("trusted".into());
        assert_eq!(
            wrong.unwrap_err(),
            [taken, cycle(&["a", "b", "c"]), cycle(&["me"]), missing]
        );
    }

    #[test]
    fn a_long_row_of_profiles_is_made() {
        let names: Vec<String> = (0..20_000).map(|n| format!("n{n:05}")).collect();
        let mut row: Vec<(&str, Option<&str>)> = Vec::new();
        row.push((&names[0], None));
        row.extend(names.windows(2).map(|pair| (&*pair[1], Some(&*pair[0]))));
        assert!(profiles(&row).is_ok());
    }
}
