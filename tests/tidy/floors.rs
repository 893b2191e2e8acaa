//! Which crate may know which: arrows between the workspace's crates only point down.

/// The floor of each crate. Crates on one floor are strangers.
const FLOORS: [(&str, u32); 13] = [
    ("rusm-sched", 0),
    ("rusm-actor", 1),
    ("rusm-io", 1),
    ("rusm-net", 2),
    ("rusm-wasm", 3),
    ("rusm-cluster", 3),
    ("rusm-observe", 4),
    // Files, and nothing else.
    ("rusm-dashboard", 0),
    ("rusm-bench", 5),
    ("rusm", 5),
    ("rusm-wasm-fuzz", 6),
    ("rusm-fuzz", 6),
    // A peer: it may know none of us.
    ("default-embedding", 0),
];

/// What is wrong with the dependencies of one manifest.
pub(crate) fn check(path: &str, manifest: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = lines_of(manifest);
    if lines.iter().any(|(_, line)| names_tokio(line)) {
        wrong.push(format!("{path}: it names tokio. No crate of ours may."));
    }
    let Some(package) = package_of(&lines) else {
        return wrong;
    };
    let Some(floor) = floor_of(package) else {
        wrong.push(format!(
            "{path}: `{package}` has no floor yet. Give it one in tests/tidy/floors.rs."
        ));
        return wrong;
    };
    for (_, line) in lines.iter().filter(|(section, _)| {
        section.ends_with("dependencies") && *section != "workspace.dependencies"
    }) {
        for dependency in rusm_crates(line) {
            if floor_of(dependency).is_none_or(|below| below >= floor) {
                wrong.push(format!(
                    "{path}: `{package}` may not depend on `{dependency}`, which is not below it."
                ));
            }
        }
    }
    wrong
}

/// The lines that say something, each with the section it stands in.
fn lines_of(manifest: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            // `[dependencies.rusm-io]` is the long way to write a line of `[dependencies]`.
            let (parent, child) = name.rsplit_once('.').unwrap_or((name, ""));
            section = if parent.ends_with("dependencies") {
                parent
            } else {
                name
            };
            if section == parent && !child.is_empty() {
                lines.push((section, child));
            }
        } else if !line.is_empty() {
            lines.push((section, line));
        }
    }
    lines
}

fn package_of<'a>(lines: &[(&str, &'a str)]) -> Option<&'a str> {
    lines
        .iter()
        .filter(|(section, _)| *section == "package")
        .find_map(|(_, line)| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "name").then(|| value.trim().trim_matches('"'))
        })
}

/// The crates of ours a line of a dependency table names, also behind `package = "..."`.
fn rusm_crates(line: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.split(move |c| !inside(c))
        .filter(|word| *word == "rusm" || word.starts_with("rusm-"))
}

fn floor_of(package: &str) -> Option<u32> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == package)
        .map(|(_, floor)| *floor)
}

fn names_tokio(line: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.split(|c| !inside(c))
        .any(|word| word == "tokio" || word.starts_with("tokio-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(package: &str, rest: &str) -> Vec<String> {
        check(
            "x/Cargo.toml",
            &format!("[package]\nname = \"{package}\"\n{rest}\n"),
        )
    }

    #[test]
    fn an_arrow_up_or_sideways_is_found() {
        for (package, rest) in [
            ("rusm-sched", "[dependencies]\nrusm-actor.workspace = true"),
            (
                "rusm-actor",
                "[dependencies]\nrusm-io = { path = \"../io\" }",
            ),
            ("rusm-io", "[dev-dependencies]\nrusm-actor.workspace = true"),
            (
                "rusm-wasm",
                "[target.'cfg(unix)'.dependencies]\nrusm.workspace = true",
            ),
            ("rusm-io", "[dependencies.rusm-wasm]\nworkspace = true"),
            (
                "rusm-io",
                "[dependencies]\nguests = { package = \"rusm-wasm\", path = \"../wasm\" }",
            ),
            ("rusm-attic", "[dependencies]\n"),
        ] {
            assert_eq!(manifest(package, rest).len(), 1, "{package}: {rest}");
        }
    }

    #[test]
    fn tokio_in_a_manifest_is_found() {
        for line in [
            "tokio = \"1\"",
            "tokio-util = \"0.7\"",
            "x = { version = \"1\", features = [\"tokio\"] }",
        ] {
            assert_eq!(
                manifest("rusm-io", &format!("[dependencies]\n{line}")).len(),
                1,
                "{line}"
            );
        }
        assert_eq!(
            check("Cargo.toml", "[workspace.dependencies]\ntokio = \"1\"").len(),
            1
        );
    }

    #[test]
    fn arrows_down_pass() {
        let rest = "[dependencies] # not tokio\nrusm-sched.workspace = true\nrusm-io.workspace = true\n[workspace.dependencies]\nrusm-wasm = \"1\"";
        assert_eq!(manifest("rusm-wasm", rest), Vec::<String>::new());
    }
}
