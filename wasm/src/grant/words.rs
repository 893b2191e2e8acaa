//! The words that rusm.toml has for what a profile can say, and back: refusals quote them.

use std::fmt;

use rusm_actor::MailboxPolicy;

use super::limits::CpuPolicy;
use super::pattern::{Pattern, PatternError};
use super::profile::{Access, LogLevel, Reach};

macro_rules! words {
    ($($type:ident: $($value:ident = $word:literal),+;)+) => {$(
        impl Word for $type {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, $type::$value)),+];
        }
    )+};
}

/// A value that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// Every word with what it means.
    const ALL: &'static [(&'static str, Self)];

    /// What a word means.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, value)| *value)
    }

    /// The word for it.
    fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, value)| *value == self);
        found.expect("every value has a word").0
    }
}

words! {
    Access: Read = "read", ReadWrite = "read-write";
    LogLevel: Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace";
    CpuPolicy: Throttle = "throttle", Kill = "kill";
    MailboxPolicy: ShedNewest = "shed-newest", ShedOldest = "shed-oldest", Refuse = "refuse", Kill = "kill";
}

/// What stands before the pattern of a [`Reach::Named`].
const NAMED: &str = "name:";

impl Reach {
    /// What `children`, `descendants`, `all` and `name:PATTERN` mean; `Ok(None)` for other words.
    ///
    /// # Errors
    /// If the pattern is none.
    pub fn from_text(text: &str) -> Result<Option<Self>, PatternError> {
        Ok(match text {
            "children" => Some(Self::Children),
            "descendants" => Some(Self::Descendants),
            "all" => Some(Self::All),
            _ => match text.strip_prefix(NAMED) {
                Some(pattern) => Some(Self::Named(Pattern::new(pattern)?)),
                None => None,
            },
        })
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Children => f.write_str("children"),
            Self::Descendants => f.write_str("descendants"),
            Self::All => f.write_str("all"),
            Self::Named(pattern) => write!(f, "{NAMED}{pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Word + fmt::Debug>() {
        for (word, value) in T::ALL {
            assert_eq!(T::from_word(word), Some(*value));
            assert_eq!(value.word(), *word);
        }
        assert_eq!(T::from_word("Kill "), None);
    }

    #[test]
    fn every_word_means_something_and_back() {
        check::<Access>();
        check::<LogLevel>();
        check::<CpuPolicy>();
        check::<MailboxPolicy>();
        for text in ["children", "descendants", "all", "name:a.*"] {
            assert_eq!(Reach::from_text(text).unwrap().unwrap().to_string(), text);
        }
        assert_eq!(Reach::from_text("child"), Ok(None));
        assert_eq!(Reach::from_text("name:"), Err(PatternError::Empty));
    }
}
