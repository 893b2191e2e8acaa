//! Text of others, made harmless for a terminal.

/// The text without what a terminal obeys: control characters, and signs that turn the direction of what
/// follows or are not to be seen.
pub fn quiet(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let quiet = |c: char| if steers(c) { '\u{fffd}' } else { c };
    text.chars().map(quiet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        let text = "a\x1b[2Jb\u{9b}c\u{202e}d\ne";
        assert_eq!(quiet(text), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e");
        assert_eq!(quiet("plain é 漢"), "plain é 漢");
    }
}
