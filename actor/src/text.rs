//! The text of a reason. Most are literals of a program, which cost nothing to make, to copy and
//! to let go; a counted text takes two locked exchanges for each copy.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A text that is a literal or shared. Equal to any other with the same characters.
#[derive(Clone)]
pub struct Text(Kept);

#[derive(Clone)]
enum Kept {
    Literal(&'static str),
    Shared(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Kept::Literal(text) => text,
            Kept::Shared(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<&'static str> for Text {
    fn from(literal: &'static str) -> Self {
        Text(Kept::Literal(literal))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(Kept::Shared(text.into()))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Text(Kept::Shared(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_and_a_shared_text_of_the_same_characters_are_the_same() {
        let (literal, shared) = (Text::from("no room"), Text::from(String::from("no room")));
        assert_eq!(literal, shared);
        assert_eq!(literal, Text::from(Arc::<str>::from("no room")));
        assert_ne!(literal, Text::from("room"));
        assert_eq!(format!("{literal} {shared:?}"), "no room \"no room\"");
    }
}
