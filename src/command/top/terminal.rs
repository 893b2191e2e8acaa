//! The terminal while `rusm top` has it: keys come one by one, and the screen is ours.
//!
//! Whatever happens, it is given back as it was: when this is dropped, and before a panic is told.

use std::io::{self, Write};
use std::panic;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};

/// Another screen than the one with the user's shell, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// Where a terminal does not tell its size.
const SIZE_DEFAULT: (usize, usize) = (80, 24);

/// How the terminal was, while it is ours.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal, ours until this is dropped.
pub(super) struct Terminal(());

impl Terminal {
    /// Takes it.
    pub(super) fn enter() -> io::Result<Terminal> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.input_modes
            .remove(InputModes::IXON | InputModes::ICRNL | InputModes::INLCR);
        // A read takes what is there, and waits for one byte at least.
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        *lock() = Some(before);
        let terminal = Terminal(());
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            leave();
            hook(info);
        }));
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        print(ENTER)?;
        Ok(terminal)
    }

    /// Shows these lines, and nothing else.
    pub(super) fn show(&self, lines: &[String]) -> io::Result<()> {
        let mut all = String::from("\x1b[H");
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                all.push_str("\r\n");
            }
            all.push_str(line);
            all.push_str("\x1b[K");
        }
        all.push_str("\x1b[J");
        print(&all)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Columns and lines.
pub(super) fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => SIZE_DEFAULT,
    }
}

/// The line as the head of a table.
pub(super) fn inverse(line: &str, width: usize) -> String {
    format!("\x1b[7m{line:width$}\x1b[0m")
}

fn leave() {
    // Once, whoever is first.
    if let Some(before) = lock().take() {
        let _ = print(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

fn lock() -> std::sync::MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
