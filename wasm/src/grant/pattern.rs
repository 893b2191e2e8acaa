//! Which names a list of a profile means: text in which `*` stands for any run of characters.

use std::fmt;
use std::sync::Arc;

/// Bytes a pattern may have.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Names that begin with this belong to the node; only a pattern that begins so itself means them.
pub const RESERVED_PREFIX: &str = "rusm.";

/// Text in which each `*` stands for any number of characters, none included. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is empty, which no name is.
    Empty,
    /// It has more than [`PATTERN_BYTES_MAX`] bytes.
    TooLong,
}

impl Pattern {
    /// The pattern that a text writes down.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        match text.len() {
            0 => Err(PatternError::Empty),
            1..=PATTERN_BYTES_MAX => Ok(Self(text.into())),
            _ => Err(PatternError::TooLong),
        }
    }

    /// The pattern that means every name but the reserved ones.
    pub fn any() -> Self {
        Self("*".into())
    }

    /// Whether it means this name. Time grows with the product of both lengths at worst; a name
    /// longer than a pattern may be is looked at once per star.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            // No star at all.
            return rest.is_empty();
        };
        for piece in pieces {
            // The earliest place leaves most for the pieces that follow.
            let Some(at) = rest.find(piece) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last)
    }

    /// As [`Pattern::matches`], but a reserved name must be meant by its beginning: `*` is not
    /// enough.
    pub fn matches_unreserved(&self, name: &str) -> bool {
        let reserved = name.starts_with(RESERVED_PREFIX);
        (!reserved || self.0.starts_with(RESERVED_PREFIX)) && self.matches(name)
    }

    /// The text it was made of.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty. Write a name, or `*` for all"),
            Self::TooLong => write!(
                f,
                "it has more than {PATTERN_BYTES_MAX} bytes. Write a shorter one with `*`"
            ),
        }
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name, means) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "", false),
            ("*", "", true),
            ("*", "anything", true),
            ("app.*", "app.x", true),
            ("app.*", "app", false),
            ("*.log", "a.log", true),
            ("*.log", "a.logs", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
            ("*a*", "bab", true),
            ("*a*", "bbb", false),
            ("ä*ß", "äöß", true),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(pattern.matches(name), means, "{pattern} {name}");
        }
    }

    #[test]
    fn reserved_names_are_meant_by_their_beginning_only() {
        let means = |pattern, name| Pattern::new(pattern).unwrap().matches_unreserved(name);
        assert!(!means("*", "rusm.observer"));
        assert!(!means("*.observer", "rusm.observer"));
        assert!(means("rusm.*", "rusm.observer"));
        assert!(means("*", "rusmx"));
    }

    #[test]
    fn a_pattern_is_neither_empty_nor_endless() {
        assert_eq!(Pattern::new(""), Err(PatternError::Empty));
        assert!(Pattern::new(&"x".repeat(PATTERN_BYTES_MAX)).is_ok());
        let long = "x".repeat(PATTERN_BYTES_MAX + 1);
        assert_eq!(Pattern::new(&long), Err(PatternError::TooLong));
    }
}
