//! What a guest is told that asked for something it was not granted: what, whose profile says so,
//! and the line of rusm.toml that would grant it.

use std::fmt;
use std::sync::Arc;

use super::profile::{Origin, Profile};

/// Characters of a guest's text that are repeated to whoever reads.
const SHOWN_CHARS_MAX: usize = 200;

/// What grants the same to a program that is run by hand.
const FLAGS: [(&str, &str); 4] = [
    ("connect", "--connect"),
    ("listen", "--listen"),
    ("env", "--env"),
    ("processes", "--max-processes"),
];

/// Something was not granted. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    what: String,
    profile: Arc<str>,
    origin: Origin,
    key: &'static str,
    line: String,
}

impl Refusal {
    /// `what` follows on "may not"; `key` of the profile would have to be `value`, in TOML.
    pub(super) fn new(profile: &Profile, what: String, key: &'static str, value: &str) -> Self {
        Self {
            what,
            profile: profile.name.clone(),
            origin: profile.origin,
            key,
            line: format!("{key} = {value}"),
        }
    }

    /// As `new`, with one more entry for the list under `key`.
    pub(super) fn entry(
        profile: &Profile,
        what: String,
        key: &'static str,
        listed: impl IntoIterator<Item = String>,
        missing: String,
    ) -> Self {
        let mut entries: Vec<String> = listed.into_iter().collect();
        entries.push(missing);
        let value = format!("[{}]", entries.join(", "));
        Self::new(profile, what, key, &value)
    }

    /// The key of `[capabilities]` that is missing or too narrow, for example `connect`.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The profile that does not grant it.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The line of the profile in rusm.toml that would grant it, with what it grants already.
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            profile,
            line,
            ..
        } = self;
        write!(f, "the profile `{profile}` may not {what}. ")?;
        match self.origin {
            Origin::Manifest => write!(
                f,
                "To allow it, write `{line}` under [capabilities.{profile}] in rusm.toml."
            ),
            Origin::BuiltIn => write!(
                f,
                "To allow it, give the component a profile of its own in rusm.toml: \
                 [capabilities.NAME] with `extends = \"{profile}\"` and `{line}`."
            ),
            Origin::Flags => {
                write!(f, "To allow it, ")?;
                if let Some((_, flag)) = FLAGS.iter().find(|(key, _)| *key == self.key) {
                    write!(f, "give it `{flag}`, or ")?;
                }
                write!(
                    f,
                    "run it from a folder with a rusm.toml whose component has a profile with \
                     `{line}`."
                )
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// A text of a guest as a string of TOML: cut where it is endless, and with nothing in it that a
/// terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().take(SHOWN_CHARS_MAX) {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || is_invisible(c) => {
                quoted.push_str(&format!("\\U{:08X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        quoted.push('…');
    }
    quoted + "\""
}

/// Characters that change how others are shown: directions, joiners, and those without a shape.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_text_cannot_play_tricks_on_the_reader() {
        for (text, shown) in [
            ("a", r#""a""#),
            ("a\"b\\", r#""a\"b\\""#),
            ("\x1b[2J", r#""\U0000001B[2J""#),
            ("a\u{202e}b", r#""a\U0000202Eb""#),
        ] {
            assert_eq!(quoted(text), shown);
        }
        assert_eq!(
            quoted(&"x".repeat(1000)).chars().count(),
            SHOWN_CHARS_MAX + 3
        );
    }
}
