//! Whether the tests that SECURITY.md names are there: a table of promises must not outlive them.

/// What is wrong with one document; `text_of` gives a file of the repository.
pub(crate) fn check(
    path: &str,
    text: &str,
    text_of: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        // Names between backticks: a file, and then the tests in it.
        let mut file: Option<(&str, Option<String>)> = None;
        for name in line.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                file = Some((name, text_of(name)));
                continue;
            }
            let is_test = name.contains('_') && !name.contains([' ', '/', '.']);
            match &file {
                Some((file, None)) => wrong.push(format!("{path}: there is no file `{file}`.")),
                Some((file, Some(text))) if is_test && !text.contains(&format!("fn {name}(")) => {
                    wrong.push(format!("{path}: there is no test `{name}` in {file}."));
                }
                _ => {}
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_is_found_and_one_that_is_there_passes() {
        let text_of = |path: &str| (path == "a.rs").then(|| "fn it_holds() {}".to_owned());
        assert_eq!(
            check("S", "| x | `a.rs` `it_holds` |", text_of),
            Vec::<String>::new()
        );
        assert_eq!(check("S", "| x | `a.rs` `it_held` |", text_of).len(), 1);
        assert_eq!(check("S", "| x | `b.rs` `it_holds` |", text_of).len(), 1);
        assert_eq!(
            check("S", "prose about `b.rs` `it_holds`", text_of),
            Vec::<String>::new()
        );
    }
}
