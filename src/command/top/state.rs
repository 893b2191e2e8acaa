//! What the keys of `rusm top` do. It knows no terminal and no node: it says what is to be done.

use rusm_observe::protocol::{By, RowsWanted};

use super::keys::Key;

/// Refreshes a second that can be chosen.
const RATES: [u32; 5] = [1, 2, 5, 10, 20];
/// Characters of a filter.
const FILTER_MAX: usize = 200;

/// What the user sees and does.
pub(super) struct State {
    pub(super) wanted: RowsWanted,
    /// Which line of the table is chosen.
    pub(super) chosen: usize,
    pub(super) mode: Mode,
    pub(super) is_paused: bool,
    rate: usize,
    /// What came of the latest thing that was done.
    pub(super) said: String,
}

/// What keys are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Table,
    /// A filter is being typed.
    Filter(String),
    /// One process is looked at.
    Detail(String),
    /// Shall this process be killed?
    Kill(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Do {
    /// Show it.
    Show,
    /// Something else is to be selected.
    Select,
    /// Another rate.
    Rate,
    Kill(String),
    Quit,
}

impl State {
    pub(super) fn new(wanted: RowsWanted) -> State {
        State {
            wanted,
            chosen: 0,
            mode: Mode::Table,
            is_paused: false,
            rate: 0,
            said: String::new(),
        }
    }

    /// Refreshes a second.
    pub(super) fn hz(&self) -> u32 {
        RATES[self.rate]
    }

    /// The process that is looked at.
    pub(super) fn detail(&self) -> Option<String> {
        match &self.mode {
            Mode::Detail(pid) => Some(pid.clone()),
            _ => None,
        }
    }

    /// A key was pressed while these processes were in the table.
    pub(super) fn press(&mut self, key: Key, pids: &[String]) -> Do {
        self.said.clear();
        if key == Key::Interrupt {
            return Do::Quit;
        }
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Table => self.in_table(key, pids),
            Mode::Filter(text) => self.in_filter(key, text),
            Mode::Kill(pid) => match key {
                Key::Char('y') => Do::Kill(pid),
                _ => Do::Show,
            },
            Mode::Detail(pid) => match key {
                Key::Escape | Key::Enter | Key::Backspace | Key::Char('q') => Do::Select,
                Key::Char('K') => {
                    self.mode = Mode::Kill(pid);
                    Do::Select
                }
                _ => {
                    self.mode = Mode::Detail(pid);
                    Do::Show
                }
            },
        }
    }

    fn in_table(&mut self, key: Key, pids: &[String]) -> Do {
        let last = pids.len().saturating_sub(1);
        self.chosen = self.chosen.min(last);
        let chosen = pids.get(self.chosen).cloned();
        match (key, chosen) {
            (Key::Char('q'), _) => return Do::Quit,
            (Key::Char('r'), _) => return self.rank(By::Reductions),
            (Key::Char('m'), _) => return self.rank(By::Memory),
            (Key::Char('b'), _) => return self.rank(By::Mailbox),
            (Key::Char('c'), _) => return self.rank(By::Cpu),
            (Key::Char('w'), _) => {
                self.wanted.window = !self.wanted.window;
                return Do::Select;
            }
            (Key::Char('/'), _) => self.mode = Mode::Filter(self.wanted.filter.clone()),
            (Key::Char(' '), _) => self.is_paused = !self.is_paused,
            (Key::Char('+'), _) => return self.set_rate((self.rate + 1).min(RATES.len() - 1)),
            (Key::Char('-'), _) => return self.set_rate(self.rate.saturating_sub(1)),
            (Key::Char('j') | Key::Down, _) => self.chosen = (self.chosen + 1).min(last),
            (Key::Char('k') | Key::Up, _) => self.chosen = self.chosen.saturating_sub(1),
            (Key::Enter, Some(pid)) => {
                self.mode = Mode::Detail(pid);
                return Do::Select;
            }
            (Key::Char('K'), Some(pid)) => self.mode = Mode::Kill(pid),
            _ => {}
        }
        Do::Show
    }

    fn rank(&mut self, by: By) -> Do {
        self.wanted.by = by;
        self.chosen = 0;
        Do::Select
    }

    fn set_rate(&mut self, rate: usize) -> Do {
        self.rate = rate;
        Do::Rate
    }

    fn in_filter(&mut self, key: Key, mut text: String) -> Do {
        match key {
            Key::Enter => {
                self.wanted.filter = text;
                self.chosen = 0;
                return Do::Select;
            }
            Key::Escape => return Do::Show,
            Key::Backspace => drop(text.pop()),
            Key::Char(c) if text.chars().count() < FILTER_MAX => text.push(c),
            _ => {}
        }
        self.mode = Mode::Filter(text);
        Do::Show
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new(RowsWanted {
            by: By::Reductions,
            window: false,
            limit: 50,
            filter: String::new(),
        })
    }

    fn press(state: &mut State, keys: &str) -> Do {
        let pids = ["<0.1.0>".to_owned(), "<0.2.0>".to_owned()];
        let mut done = Do::Show;
        for key in super::super::keys::keys(keys.as_bytes()) {
            done = state.press(key, &pids);
        }
        done
    }

    #[test]
    fn keys_choose_what_is_ranked_and_which_process() {
        let mut state = state();
        assert_eq!(press(&mut state, "m"), Do::Select);
        assert_eq!(state.wanted.by, By::Memory);
        assert_eq!(press(&mut state, "w"), Do::Select);
        assert!(state.wanted.window);
        assert_eq!(press(&mut state, "jjjk\x1b[B\r"), Do::Select);
        assert_eq!(state.detail().as_deref(), Some("<0.2.0>"));
        assert_eq!(press(&mut state, "q"), Do::Select);
        assert_eq!(state.mode, Mode::Table);
        assert_eq!(press(&mut state, "q"), Do::Quit);
    }

    #[test]
    fn a_filter_is_typed_to_its_end_and_given_up_with_escape() {
        let mut state = state();
        assert_eq!(press(&mut state, "/qxy\x7f\r"), Do::Select);
        assert_eq!(state.wanted.filter, "qx");
        assert_eq!(press(&mut state, "/z\x1b"), Do::Show);
        assert_eq!(state.wanted.filter, "qx");
        assert_eq!(press(&mut state, "/\x03"), Do::Quit);
    }

    #[test]
    fn a_process_is_killed_only_with_a_yes() {
        let mut state = state();
        assert_eq!(press(&mut state, "Kn"), Do::Show);
        assert_eq!(press(&mut state, "Ky"), Do::Kill("<0.1.0>".into()));
        assert_eq!(state.mode, Mode::Table);
    }

    #[test]
    fn the_rate_stays_in_its_limits() {
        let mut state = state();
        assert_eq!(press(&mut state, "-"), Do::Rate);
        assert_eq!(state.hz(), 1);
        let _ = press(&mut state, "+++++++++");
        assert_eq!(state.hz(), 20);
        let _ = press(&mut state, " ");
        assert!(state.is_paused);
    }
}
