//! Where `unsafe` may stand, and what has to be argued beside it.

use super::source::{code_of, words};

/// How far above an `unsafe` block or impl its `SAFETY:` note may begin, in lines.
const NOTE_DISTANCE_LINES_MAX: usize = 16;

/// What is wrong with the unsafe code of one file; `listed` are the files that may have some.
pub(crate) fn check(path: &str, text: &str, listed: &[&str]) -> Vec<String> {
    let code = code_of(text);
    let sites: Vec<_> = words(&code)
        .into_iter()
        .filter(|word| word.text == "unsafe")
        .collect();
    let mut wrong = Vec::new();
    if !listed.contains(&path) {
        if let Some(first) = sites.first() {
            wrong.push(format!(
                "{path}:{}: `unsafe` in a file that is not on the list. Write it safely, or argue for it and list it in tests/tidy.rs.",
                first.line
            ));
        }
        return wrong;
    }
    if sites.is_empty() {
        wrong.push(format!(
            "{path}: it has no unsafe code any more. Take it off the list in tests/tidy.rs."
        ));
    } else if !text.contains("JUSTIFICATION:") {
        wrong.push(format!(
            "{path}: no `JUSTIFICATION:` says why it is unsafe, with a number."
        ));
    }
    for site in sites {
        let after = code[site.at + "unsafe".len()..].trim_start();
        let argued = after.starts_with('{') || after.starts_with("impl");
        if argued && !has_note(text, site.line) {
            wrong.push(format!(
                "{path}:{}: no `SAFETY:` note above this `unsafe`.",
                site.line
            ));
        }
    }
    wrong
}

/// Whether a comment with `SAFETY:` ends at the statement of this line (counted from 1).
fn has_note(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let first = line.saturating_sub(NOTE_DISTANCE_LINES_MAX + 1);
    for above in lines[first..line].iter().rev() {
        if above.contains("// SAFETY:") || above.contains("/* SAFETY:") {
            return true;
        }
        let closes = above.trim_start().starts_with('}') || above.trim_end().ends_with("};");
        if closes && !above.contains("unsafe") {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTED: &str =
        "// JUSTIFICATION: 3 ns.\nfn f() {\n    // SAFETY: it is ours.\n    unsafe { g() }\n}\n";

    #[test]
    fn unsafe_code_off_the_list_is_found() {
        assert_eq!(check("a.rs", NOTED, &["b.rs"]).len(), 1);
        assert_eq!(check("a.rs", "unsafe impl Send for A {}", &[]).len(), 1);
    }

    #[test]
    fn unsafe_code_without_its_notes_is_found() {
        let unnoted =
            "// JUSTIFICATION: 3 ns.\nfn f() {\n    unsafe { g() }\n}\nunsafe impl Send for A {}\n";
        assert_eq!(check("a.rs", unnoted, &["a.rs"]).len(), 2);
        assert_eq!(
            check(
                "a.rs",
                &NOTED.replace("JUSTIFICATION", "Because"),
                &["a.rs"]
            )
            .len(),
            1
        );
        let borrowed = format!("{NOTED}fn h() {{\n    unsafe {{ g() }}\n}}\n");
        assert_eq!(
            check("a.rs", &borrowed, &["a.rs"]).len(),
            1,
            "a note serves one block"
        );
    }

    #[test]
    fn a_listed_file_without_unsafe_code_is_found() {
        assert_eq!(
            check("a.rs", "//! It forbids unsafe code.\n", &["a.rs"]).len(),
            1
        );
    }

    #[test]
    fn argued_unsafe_code_passes() {
        assert_eq!(check("a.rs", NOTED, &["a.rs"]), Vec::<String>::new());
        assert_eq!(
            check("b.rs", "#![forbid(unsafe_code)] // unsafe\n", &[]),
            Vec::<String>::new()
        );
    }
}
