//! Whether the links of the documents lead somewhere inside the repository.

/// What is wrong with the links of one document; `exists` is asked for paths from the root.
pub(crate) fn check(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut wrong = Vec::new();
    for target in targets(text) {
        let file = target.split('#').next().unwrap_or_default();
        let elsewhere = ["http://", "https://", "mailto:"]
            .iter()
            .any(|scheme| target.starts_with(scheme));
        if elsewhere || file.is_empty() {
            continue;
        }
        if !resolve(folder, file).is_some_and(|found| exists(&found)) {
            wrong.push(format!(
                "{path}: the link `{target}` leads nowhere in the repository."
            ));
        }
    }
    wrong
}

/// The targets of `[text](target)` outside of code.
fn targets(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // What stands between backticks is code: every second piece.
        let prose: String = line.split('`').step_by(2).collect();
        for piece in prose.split("](").skip(1) {
            if let Some((target, _)) = piece.split_once(')') {
                found.push(
                    target
                        .split_whitespace()
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
        }
    }
    found
}

/// `file` as seen from `folder`, from the root; `None` when it leaves the repository.
fn resolve(folder: &str, file: &str) -> Option<String> {
    if file.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_in_docs(text: &str) -> Vec<String> {
        check("docs/a.md", text, |path| {
            ["docs/b.md", "README.md"].contains(&path)
        })
    }

    #[test]
    fn a_link_to_nowhere_or_out_of_the_repository_is_found() {
        for bad in [
            "[x](c.md)",
            "[x](../c.md#part)",
            "[x](../../README.md)",
            "[x](/etc/passwd)",
            "a [`f`](gone.rs) b",
        ] {
            assert_eq!(check_in_docs(bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let good = "[x](b.md) [y](../README.md#start) [z](#here) [w](https://example.org/x)\n`[v](gone.md)`\n```\n[u](gone.md)\n```\n";
        assert_eq!(check_in_docs(good), Vec::<String>::new());
    }
}
