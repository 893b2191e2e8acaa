//! How long a file and a function may be, and how a file has to begin.

use super::source::{code_of, words};

pub(crate) const FILE_LINES_MAX: usize = 400;
pub(crate) const FUNCTION_LINES_MAX: usize = 60;

/// What is wrong with the size and the first line of one file.
pub(crate) fn check(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        wrong.push(format!(
            "{path}: {lines} lines, {FILE_LINES_MAX} are the limit. It holds two ideas: split it."
        ));
    }
    if !text.starts_with("//! ") {
        wrong.push(format!(
            "{path}: its first line must be `//!` and say what the file decides."
        ));
    }
    for (name, line, length) in functions(&code_of(text)) {
        if length > FUNCTION_LINES_MAX {
            wrong.push(format!(
                "{path}:{line}: `{name}` has {length} lines, {FUNCTION_LINES_MAX} are the limit."
            ));
        }
    }
    wrong
}

/// Name, first line and length in lines of each function that has a body.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let all = words(code);
    let mut found = Vec::new();
    for pair in all.windows(2) {
        let (keyword, name) = (pair[0], pair[1]);
        let named = code[keyword.at + keyword.text.len()..name.at]
            .trim()
            .is_empty();
        if keyword.text == "fn" && named {
            let body = &code[name.at..];
            if let Some(end) = body_end(body) {
                found.push((
                    name.text,
                    keyword.line,
                    body[..end].matches('\n').count() + 1,
                ));
            }
        }
    }
    found
}

/// Where the body that follows a function's name closes; `None` for a declaration.
fn body_end(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_a_long_function_and_a_missing_head_are_found() {
        let long_file = format!("//! A file.\n{}", "// x\n".repeat(FILE_LINES_MAX));
        let long_function = format!(
            "//! A file.\nfn f(a: [u8; 2]) {{\n{}}}\n",
            "    g();\n".repeat(FUNCTION_LINES_MAX - 1)
        );
        assert_eq!(check("a.rs", &long_file).len(), 1);
        assert_eq!(check("a.rs", &long_function).len(), 1);
        assert_eq!(check("a.rs", "use std::fs;\n").len(), 1);
    }

    #[test]
    fn what_fits_passes() {
        let text = format!(
            "//! A file.\ntrait T {{ fn d(&self); }}\nfn f() {{\n{}}}\n",
            "    g('{', \"}\");\n".repeat(FUNCTION_LINES_MAX - 2)
        );
        assert_eq!(check("a.rs", &text), Vec::<String>::new());
        assert_eq!(functions(&code_of(&text)), [("f", 3, FUNCTION_LINES_MAX)]);
    }
}
