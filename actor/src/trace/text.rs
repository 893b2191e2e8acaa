//! What an event says of a message: what kind it is and how long, and how it begins.

use std::fmt::{self, Display, Write};

use crate::message::Message;
use crate::pid::Pid;
use crate::signal::Signal;

/// Bytes of a text.
const TEXT_BYTES_MAX: usize = 200;
/// Bytes of a message's content that are shown.
const SHOWN_BYTES_MAX: usize = 32;

/// A text that is cut when it is full.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn add(&mut self, what: impl Display) {
        // An error says that it is full.
        let _ = write!(self, "{what}");
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// Adds what a message is.
    pub(super) fn message(&mut self, signal: &Signal) {
        match signal {
            Signal::Native(_) => self.add("native value"),
            Signal::Call { message, .. } => self.inner("call, ", message),
            Signal::Reply { message, .. } => self.inner("reply, ", message),
            Signal::Timeout { message, .. } => self.inner("timeout, ", message),
            Signal::Aliased { message, .. } => self.inner("", message),
            Signal::Group(event) if event.joined => {
                self.add(format_args!("joined {}", event.group))
            }
            Signal::Group(event) => self.add(format_args!("left {}", event.group)),
            Signal::Exit { reason, .. } => self.add(format_args!("exit: {reason}")),
            Signal::Down { reason, .. } => self.add(format_args!("down: {reason}")),
            Signal::NamedDown(named) => self.add(format_args!("down of {}: {}", named.1, named.2)),
            Signal::Shed { .. } => self.add("mailbox full"),
            _ => self.bytes(signal),
        }
    }

    fn inner(&mut self, what: &str, message: &Message) {
        self.add(what);
        self.message(message.signal());
    }

    fn bytes(&mut self, signal: &Signal) {
        let Some(bytes) = signal.bytes() else { return };
        if let Signal::Tagged { tag, .. }
        | Signal::TaggedShared { tag, .. }
        | Signal::TaggedVia { tag, .. } = signal
        {
            self.add(format_args!("tag {tag}, "));
        }
        let plural = if bytes.len() == 1 { "" } else { "s" };
        self.add(format_args!("{} byte{plural}", bytes.len()));
        if !bytes.is_empty() {
            let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
            let cut = if shown.len() < bytes.len() { "..." } else { "" };
            self.add(format_args!(" \"{}\"{cut}", shown.escape_ascii()));
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = TEXT_BYTES_MAX - self.0.len();
        if more.len() <= room {
            self.0.push_str(more);
            return Ok(());
        }
        self.0.push_str(&more[..more.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

/// Who wrote a message, if it says so.
pub(super) fn writer(signal: &Signal) -> Option<Pid> {
    match signal {
        Signal::Tagged { from, .. }
        | Signal::TaggedShared { from, .. }
        | Signal::TaggedVia { from, .. }
        | Signal::Call { from, .. }
        | Signal::Down { from, .. } => Some(*from),
        Signal::Exit { from, .. } => *from,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &Message) -> String {
        let mut text = Text::default();
        text.message(message.signal());
        text.into_string()
    }

    #[test]
    fn a_message_is_told_by_its_kind_its_size_and_how_it_begins() {
        let pid = Pid::from_bits(7);
        for (message, told) in [
            (Message::from(b""), "0 bytes"),
            (Message::from(b"\n"), r#"1 byte "\n""#),
            (Message::from("to \"you\""), r#"8 bytes "to \"you\"""#),
            (Message::from(vec![255; 3]), r#"3 bytes "\xff\xff\xff""#),
            (Message::tagged(pid, 9, b"x"), r#"tag 9, 1 byte "x""#),
            (Message::native(1_u32), "native value"),
        ] {
            assert_eq!(text(&message), told);
        }
        let long = text(&Message::from(vec![0; 5_000]));
        assert_eq!(long, format!("5000 bytes \"{}\"...", r"\x00".repeat(32)));
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        let mut text = Text::default();
        text.add("a".repeat(TEXT_BYTES_MAX - 1));
        text.add("ß and more");
        assert_eq!(text.0.len(), TEXT_BYTES_MAX - 1);
        text.add("b");
        text.add("c");
        assert_eq!(text.0.len(), TEXT_BYTES_MAX);
    }
}
