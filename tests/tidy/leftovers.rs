//! Which words may not stay in code: leftovers, tests that hide, and the runtime we do without.
//!
//! Comments and strings may say what they like, so a test can look for a thread named after Tokio.

use super::source::{code_of, words};

const MACROS: [(&str, &str); 3] = [
    ("todo", "finish it, or leave it out"),
    ("unimplemented", "finish it, or return an error"),
    ("dbg", "take it out"),
];

/// What is left over in one file.
pub(crate) fn check(path: &str, text: &str) -> Vec<String> {
    let code = code_of(text);
    let mut wrong = Vec::new();
    for word in words(&code) {
        let after = code[word.at + word.text.len()..].trim_start();
        let before = code[..word.at].trim_end();
        let in_attribute = before.ends_with("#[") || before.ends_with("#[cfg_attr(miri,");
        let line = word.line;
        for (name, what_to_do) in MACROS {
            if word.text == name && after.starts_with('!') {
                wrong.push(format!(
                    "{path}:{line}: `{name}!` is in the code: {what_to_do}."
                ));
            }
        }
        match word.text {
            "ignore" if in_attribute => {
                wrong.push(format!(
                    "{path}:{line}: an ignored test is no test. Make it pass, or delete it."
                ));
            }
            "should_panic" => {
                wrong.push(format!("{path}:{line}: `should_panic` accepts any panic. Catch this one and look at it."));
            }
            name if name == "tokio" || (name.starts_with("tokio_") && after.starts_with("::")) => {
                wrong.push(format!(
                    "{path}:{line}: `{name}` is in the code. There is no Tokio runtime here."
                ));
            }
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leftover_is_found() {
        for bad in [
            "fn f() { todo!() }",
            "fn f() { unimplemented! (\"x\") }",
            "fn f() { dbg!(1); }",
            "#[ignore] fn f() {}",
            "#[ignore = \"slow\"] fn f() {}",
            "#[should_panic(expected = \"x\")] fn f() {}",
            "use tokio::runtime;",
            "use tokio_util::codec;",
        ] {
            assert_eq!(check("a.rs", bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn prose_and_other_words_are_left_alone() {
        let good = "// todo!() and tokio\nfn f() { ignore(\"tokio-rt-worker\", todo, debug!()); }";
        assert_eq!(check("a.rs", good), Vec::<String>::new());
    }
}
