//! What the laboratory says of itself: what can be run, and how hard.

use rusm_observe::protocol::{Choice, Lab, Profile, Scenario};

use crate::machine::COMMIT;
use crate::profile::PROFILES;
use crate::scenario;

pub(super) fn about(profile: &str) -> Lab {
    let profiles = PROFILES.map(|profile| Profile {
        name: profile.name.to_string(),
        about: profile.about.to_string(),
    });
    Lab {
        commit: COMMIT.to_string(),
        profile: profile.to_string(),
        profiles: profiles.into(),
        scenarios: scenario::ALL.into_iter().map(one).collect(),
    }
}

fn one(scenario: &scenario::Scenario) -> Scenario {
    let choices = scenario.choices.iter().map(|choice| Choice {
        name: choice.name.to_string(),
        default: choice.default.to_string(),
        about: choice.about.to_string(),
    });
    Scenario {
        name: scenario.name.to_string(),
        about: scenario.about.to_string(),
        source: source(scenario.name),
        lanes: scenario.has_lanes(),
        choices: choices.collect(),
    }
}

/// Files are called like the scenarios in them.
fn source(name: &str) -> String {
    format!("bench/src/scenario/{}.rs", name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_told_with_the_file_it_is_in() {
        let about = about("max");
        assert_eq!(about.profile, "max");
        assert_eq!(about.scenarios.len(), scenario::ALL.len());
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        for scenario in &about.scenarios {
            let file = root.unwrap().join(&scenario.source);
            assert!(file.is_file(), "{}", scenario.source);
        }
        let lanes: Vec<_> = about.scenarios.iter().filter(|it| it.lanes).collect();
        assert_eq!(lanes.len(), 1);
    }
}
