//! `rusm top` on a terminal: waits for keys and for the node, and shows what is there.

use std::io::{Read, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rusm_observe::protocol::{By, Command, Detail, Frame, RowsWanted, Select};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::keys::keys;
use super::state::{Do, Mode, State};
use super::terminal::{self, Terminal};
use super::view::View;
use crate::client::{Client, ClientError};
use crate::command::detail;
use crate::door::{Door, DoorError};
use crate::error::{Failure, LookFailure};
use crate::text::cut;
use rusm_observe::quiet;

/// The size of the terminal and signals are looked at this often.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};
/// What a shell adds to the number of a signal to get a status.
const SIGNALLED: usize = 128;
/// Under the table. The first is the one that people look for.
const KEYS: &str =
    "q quit  r m b c rank  w lately  / filter  Enter look  K kill  space pause  + - rate";
/// Lines under the table.
const FOOT: usize = 2;

struct Live<'a> {
    door: &'a Door,
    client: Client,
    view: View,
    state: State,
    detail: Option<Box<Detail>>,
    /// The process that is looked at has ended.
    has_ended: bool,
}

/// Shows the node until the user has seen enough; the answer is the status of our process.
pub(super) fn run(door: &Door, client: Client, wanted: RowsWanted) -> Result<u8, Failure> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGINT, SIGTERM, SIGHUP] {
        let value = usize::try_from(number).expect("signals are small numbers");
        signal_hook::flag::register_usize(number, signal.clone(), value)
            .map_err(Failure::Signals)?;
    }
    let mut live = Live {
        door,
        view: View::new(client.hello().node.clone(), client.at().to_owned()),
        client,
        state: State::new(wanted),
        detail: None,
        has_ended: false,
    };
    live.set_rate()?;
    live.select()?;
    let terminal = Terminal::enter().map_err(LookFailure::Terminal)?;
    // Our error is told when the terminal is the user's again.
    let ended = live.run(&terminal, &signal);
    drop(terminal);
    ended?;
    match signal.load(Ordering::Relaxed) {
        0 => Ok(0),
        number => Ok(u8::try_from(SIGNALLED + number).unwrap_or(u8::MAX)),
    }
}

impl Live<'_> {
    fn run(&mut self, terminal: &Terminal, signal: &AtomicUsize) -> Result<(), Failure> {
        let mut shown = Vec::new();
        while signal.load(Ordering::Relaxed) == 0 {
            let lines = self.lines(terminal::size());
            if lines != shown {
                terminal.show(&lines).map_err(LookFailure::Terminal)?;
                shown = lines;
            }
            let (typed, said) = self.wait()?;
            if said {
                self.hear()?;
            }
            if typed && self.type_keys()? {
                break;
            }
        }
        Ok(())
    }

    /// Waits for keys, the node, or some time.
    fn wait(&self) -> Result<(bool, bool), Failure> {
        let stdin = stdin();
        let mut both = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(self.client.stream(), PollFlags::IN),
        ];
        match poll(&mut both, Some(&LOOK)) {
            Ok(_) => Ok((!both[0].revents().is_empty(), !both[1].revents().is_empty())),
            // A signal: the loop looks which.
            Err(rustix::io::Errno::INTR) => Ok((false, false)),
            Err(why) => Err(LookFailure::Terminal(why.into()).into()),
        }
    }

    /// All that the node has said.
    fn hear(&mut self) -> Result<(), ClientError> {
        while let Some(frame) = self.client.next(Instant::now())? {
            self.take(frame);
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Detail { pid, process, .. } if self.state.detail().as_ref() == Some(&pid) => {
                self.has_ended = process.is_none();
                self.detail = process.or(self.detail.take());
            }
            Frame::Warning(warning) if warning.active => {
                self.state.said = format!("warning: {}", quiet(&warning.evidence));
            }
            frame if !self.state.is_paused => {
                self.view.hear(frame);
            }
            _ => {}
        }
    }

    /// True: the user has seen enough.
    fn type_keys(&mut self) -> Result<bool, Failure> {
        let mut bytes = [0; 256];
        let read = stdin().lock().read(&mut bytes);
        let read = read.map_err(LookFailure::Terminal)?;
        if read == 0 {
            // The terminal is gone.
            return Ok(true);
        }
        for key in keys(&bytes[..read]) {
            let pids: Vec<String> = self.view.rows.iter().map(|row| row.pid.clone()).collect();
            match self.state.press(key, &pids) {
                Do::Show => {}
                Do::Select => self.select()?,
                Do::Rate => self.set_rate()?,
                Do::Kill(pid) => self.kill(&pid),
                Do::Quit => return Ok(true),
            }
        }
        Ok(false)
    }

    fn set_rate(&mut self) -> Result<(), ClientError> {
        let hz = self.state.hz();
        self.client.ask(Command::SetObserverDetail { hz }).map(drop)
    }

    fn select(&mut self) -> Result<(), ClientError> {
        self.detail = None;
        self.has_ended = false;
        self.client.select(Select {
            rows: Some(Some(self.state.wanted.clone())),
            detail: Some(self.state.detail()),
            ..Select::default()
        })
    }

    /// Over a connection of its own, which may act: this one only looks.
    fn kill(&mut self, pid: &str) {
        let kill = || -> Result<(), DoorError> {
            let pid = pid.to_owned();
            self.door.act()?.ask(Command::Kill { pid })?;
            Ok(())
        };
        self.state.said = match kill() {
            Ok(()) => format!("{} is killed", quiet(pid)),
            Err(why) => why.to_string(),
        };
    }

    fn lines(&mut self, (width, height): (usize, usize)) -> Vec<String> {
        let mut lines = self.view.head(width);
        lines.truncate(height.saturating_sub(FOOT + 2));
        let room = height.saturating_sub(lines.len() + FOOT);
        match &self.state.mode {
            Mode::Detail(pid) => lines.extend(self.look_at(pid, width, room)),
            _ => lines.extend(self.table(width, room)),
        }
        lines.resize(height.saturating_sub(FOOT), String::new());
        lines.extend([cut(&self.foot(), width), cut(self.keys(), width)]);
        lines
    }

    fn table(&mut self, width: usize, room: usize) -> Vec<String> {
        let last = self.view.rows.len().saturating_sub(1);
        self.state.chosen = self.state.chosen.min(last);
        let all = self.view.table(width, usize::MAX);
        let (head, rows) = all.split_first().expect("a table has a head");
        let mut lines = vec![terminal::inverse(head, width)];
        let room = room.saturating_sub(1);
        // The chosen line is always to be seen.
        let first = (self.state.chosen + 1).saturating_sub(room);
        for (number, row) in rows.iter().enumerate().skip(first).take(room) {
            lines.push(match number == self.state.chosen {
                true => terminal::inverse(row, width),
                false => row.clone(),
            });
        }
        lines
    }

    fn look_at(&self, pid: &str, width: usize, room: usize) -> Vec<String> {
        let ended = match self.has_ended {
            true => "  it has ended",
            false => "",
        };
        let head = format!("process {}{ended}", quiet(pid));
        let mut lines = vec![terminal::inverse(&cut(&head, width), width)];
        if let Some(process) = &self.detail {
            lines.extend(detail::lines(process).iter().map(|line| cut(line, width)));
        }
        lines.truncate(room);
        lines
    }

    fn keys(&self) -> &'static str {
        match &self.state.mode {
            Mode::Table => KEYS,
            Mode::Detail(_) => "q or Enter back  K kill",
            Mode::Filter(_) => "Enter takes it, Escape does not",
            Mode::Kill(_) => "y kills it, any other key does not",
        }
    }

    /// A question, what came of something, or how things are.
    fn foot(&self) -> String {
        let state = &self.state;
        match &state.mode {
            Mode::Filter(text) => return format!("filter: {text}_"),
            Mode::Kill(pid) => return format!("kill {}? y/n", quiet(pid)),
            _ if !state.said.is_empty() => return state.said.clone(),
            _ => {}
        }
        let by = match state.wanted.by {
            By::Reductions => "reductions",
            By::Memory => "memory",
            By::Mailbox => "mailbox",
            By::Cpu => "cpu",
        };
        let mut all = format!("{}, by {by}", self.view.summary());
        if state.wanted.window {
            all.push_str(", lately");
        }
        if !state.wanted.filter.is_empty() {
            all.push_str(&format!(", with `{}`", state.wanted.filter));
        }
        if state.is_paused {
            all.push_str(", paused");
        }
        all
    }
}
