//! Keys of a terminal, from the bytes that it sends.

/// A key that somebody pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Up,
    Down,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C, also as a byte: in this mode it is no signal.
    Interrupt,
}

/// The keys in what was read at once. A sequence nobody knows is no key, and so is half of one: terminals write
/// them whole.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    let mut keys = Vec::new();
    while let Some(c) = rest.chars().next() {
        if let Some(sequence) = ["\x1b[", "\x1bO"]
            .iter()
            .find_map(|it| rest.strip_prefix(it))
        {
            let end = sequence.find(|c: char| c.is_ascii_alphabetic() || c == '~');
            let end = end.map_or(sequence.len(), |end| end + 1);
            match &sequence[..end] {
                "A" => keys.push(Key::Up),
                "B" => keys.push(Key::Down),
                _ => {}
            }
            rest = &sequence[end..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' | '\n' => keys.push(Key::Enter),
            '\x1b' => keys.push(Key::Escape),
            '\x7f' | '\x08' => keys.push(Key::Backspace),
            '\x03' => keys.push(Key::Interrupt),
            c if c.is_control() => {}
            c => keys.push(Key::Char(c)),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_keys_and_what_nobody_knows_is_none() {
        for (bytes, expected) in [
            (&b"qK"[..], vec![Key::Char('q'), Key::Char('K')]),
            (b"\x1b[A\x1bOBj", vec![Key::Up, Key::Down, Key::Char('j')]),
            (b"\x1b", vec![Key::Escape]),
            (b"\x1b[15~\x1b[1;5C\rx", vec![Key::Enter, Key::Char('x')]),
            (b"\x7f\x03\x01", vec![Key::Backspace, Key::Interrupt]),
            ("é".as_bytes(), vec![Key::Char('é')]),
            (b"\x1b[", vec![]),
        ] {
            assert_eq!(keys(bytes), expected, "{bytes:?}");
        }
    }
}
