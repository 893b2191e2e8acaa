//! The line that is typed at `rusm attach`: what completes it, and where earlier ones are kept.

use std::ffi::OsString;
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::config::Config;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Context, Editor, Helper};

use super::carry::Known;
use super::order::VERBS;
use crate::token;

/// Lines that are kept.
const HISTORY_MAX: usize = 1_000;
/// Pids that are offered, the latest ones.
const PIDS_MAX: usize = 200;

/// Knows what may come next.
pub(super) struct Guide {
    pub(super) known: Known,
    /// Pids that were on the screen.
    pids: Vec<String>,
}

pub(super) type Line = Editor<Guide, FileHistory>;

impl Guide {
    pub(super) fn new(known: Known) -> Guide {
        Guide {
            known,
            pids: Vec::new(),
        }
    }

    /// Remembers the pids in a text that was shown.
    pub(super) fn see(&mut self, text: &str) {
        for piece in text.split('<').skip(1) {
            let Some((inside, _)) = piece.split_once('>') else {
                continue;
            };
            let is_pid = inside
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            let pid = format!("<{inside}>");
            if is_pid && !inside.is_empty() {
                self.pids.retain(|known| *known != pid);
                self.pids.push(pid);
            }
        }
        let old = self.pids.len().saturating_sub(PIDS_MAX);
        self.pids.drain(..old);
    }

    /// What the word that begins so may be, and where it begins.
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let (before, begun) = line.split_at(start);
        let words: Vec<&str> = before.split_whitespace().collect();
        let texts = |texts: &[String]| -> Vec<String> { texts.to_vec() };
        let all: Vec<String> = match words[..] {
            [] => VERBS.iter().map(|verb| verb.name.to_owned()).collect(),
            ["info" | "send" | "kill"] => {
                self.known.who.iter().chain(&self.pids).cloned().collect()
            }
            ["spawn"] => texts(&self.known.components),
            ["config"] => texts(&self.known.fields),
            ["run"] => texts(&self.known.scenarios),
            ["detail"] => ["on", "off"].map(String::from).to_vec(),
            ["ps"] => ["reductions", "memory", "mailbox", "cpu"]
                .map(String::from)
                .to_vec(),
            _ => Vec::new(),
        };
        // Names are others' words: what a terminal would obey is not offered.
        let fits = |word: &String| word.starts_with(begun) && !word.contains(char::is_control);
        (start, all.into_iter().filter(fits).collect())
    }
}

impl Completer for Guide {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(&line[..at]))
    }
}

impl Hinter for Guide {
    type Hint = String;
}

impl Highlighter for Guide {}
impl Validator for Guide {}
impl Helper for Guide {}

/// A line with its history, if this user has a place for one.
pub(super) fn line(guide: Guide) -> rustyline::Result<(Line, Option<PathBuf>)> {
    let config = Config::builder()
        .max_history_size(HISTORY_MAX)?
        .auto_add_history(true)
        .completion_type(CompletionType::List)
        .build();
    let mut line: Line = Editor::with_config(config)?;
    line.set_helper(Some(guide));
    let file = history(|name| std::env::var_os(name));
    if let Some(file) = &file {
        let _ = file.parent().map(token::make_folder);
        // None yet, the first time.
        let _ = line.load_history(file);
    }
    Ok((line, file))
}

/// `$XDG_STATE_HOME/rusm/attach-history`, or below `~/.local/state`.
fn history(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| {
        let path = variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME");
    let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")));
    state.map(|state| state.join("rusm/attach-history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_next_is_offered() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut guide = Guide::new(Known {
            who: texts(&["till", "evil\u{1b}"]),
            fields: texts(&["budget", "tick"]),
            components: texts(&["oven"]),
            scenarios: Vec::new(),
        });
        guide.see("<0.1.2>  a <b> <0.3.4>");
        for (line, start, expected) in [
            ("t", 0, vec!["top", "tree"]),
            ("kill ", 5, vec!["till", "<0.1.2>", "<0.3.4>"]),
            ("info <0.3", 5, vec!["<0.3.4>"]),
            ("config bu", 7, vec!["budget"]),
            ("spawn ", 6, vec!["oven"]),
            ("detail o", 7, vec!["on", "off"]),
            ("send till ", 10, vec![]),
        ] {
            let (from, found) = guide.candidates(line);
            assert_eq!((from, found), (start, texts(&expected)), "{line}");
        }
    }
}
