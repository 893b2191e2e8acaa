//! What is wrong with a manifest, and where: told in the order of the file.

use std::fmt;
use std::ops::Range;

/// Mistakes of one manifest that are told; more are counted.
pub const MISTAKES_MAX: usize = 50;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line it is in, from 1.
    pub line: usize,
    /// The character of that line it begins at, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

/// All mistakes of one manifest, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The first [`MISTAKES_MAX`].
    pub told: Vec<Mistake>,
    /// How many more there are.
    pub more: usize,
}

impl Mistake {
    pub(super) fn new(manifest: &str, span: Range<usize>, text: String) -> Self {
        // A span comes from a parser of others: it may lie behind the end or inside a character.
        let mut at = span.start.min(manifest.len());
        while !manifest.is_char_boundary(at) {
            at -= 1;
        }
        let before = &manifest[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text,
        }
    }
}

impl Mistakes {
    pub(super) fn new(mut all: Vec<Mistake>) -> Self {
        all.sort();
        all.dedup();
        let more = all.len().saturating_sub(MISTAKES_MAX);
        all.truncate(MISTAKES_MAX);
        Self { told: all, more }
    }

    /// A line for each, with the name of the file before it.
    pub fn with_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        struct Told<'a>(&'a Mistakes, &'a str);
        impl fmt::Display for Told<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Told(mistakes, file) = self;
                for (index, mistake) in mistakes.told.iter().enumerate() {
                    let newline = if index > 0 { "\n" } else { "" };
                    let Mistake { line, column, text } = mistake;
                    write!(f, "{newline}{file}:{line}:{column}: {text}")?;
                }
                match mistakes.more {
                    0 => Ok(()),
                    more => write!(f, "\nand {more} more"),
                }
            }
        }
        Told(self, file)
    }
}

/// Text of the manifest as a message repeats it: short, on one line, nothing a terminal obeys.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut shown: String = text.chars().take(CHARS_MAX).collect::<String>();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    let quiet = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    shown.chars().map(quiet).collect()
}
