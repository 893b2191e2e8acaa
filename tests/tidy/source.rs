//! Rust text as the checks see it: comments and the insides of literals blanked, and words to walk over.
//!
//! This is no parser. It knows where code ends and prose begins, which is all the checks ask.

/// The code of `text`, byte for byte in its place; comments and literals are spaces, lines stay lines.
pub(crate) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = at + blank_length(&bytes[at..], at.checked_sub(1).map(|before| bytes[before]));
        if end == at {
            let byte = bytes[at];
            code.push(if byte.is_ascii() { byte as char } else { ' ' });
            at += 1;
        }
        while at < end {
            code.push(if bytes[at] == b'\n' { '\n' } else { ' ' });
            at += 1;
        }
    }
    code
}

/// A word of code and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    /// Byte offset in the code.
    pub(crate) at: usize,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// The identifiers and keywords of `code`, in order.
pub(crate) fn words(code: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let start = line.as_ptr() as usize - code.as_ptr() as usize;
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut rest = 0;
        for piece in line.split(|c| !inside(c)) {
            if !piece.is_empty() {
                found.push(Word {
                    text: piece,
                    at: start + rest,
                    line: index + 1,
                });
            }
            rest += piece.len() + 1;
        }
    }
    found
}

/// How many bytes from here on are a comment or a literal; zero when code goes on.
fn blank_length(rest: &[u8], before: Option<u8>) -> usize {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => find(rest, b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, 0),
        [b'b' | b'c', b'"', ..] if !in_word => quoted(rest, 1),
        [b'b', b'\'', ..] if !in_word => 1 + character(&rest[1..]),
        [b'r', b'"' | b'#', ..] if !in_word => raw(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw(rest, 2),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], prefix: usize) -> usize {
    let mut at = prefix + 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0; // a raw identifier: `r#type`
    }
    let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let start = prefix + hashes + 1;
    find(&rest[start..], &closing).map_or(rest.len(), |at| start + at + closing.len())
}

/// A character literal, or nothing when the quote opens a lifetime.
fn character(rest: &[u8]) -> usize {
    match rest {
        [b'\'', b'\\', _, tail @ ..] => find(tail, b"'").map_or(rest.len(), |at| at + 4),
        [b'\'', first, tail @ ..] => {
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            if tail.get(width - 1) == Some(&b'\'') {
                width + 2
            } else {
                0
            }
        }
        _ => 0,
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_the_rest_stays_in_its_place() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x\\\"y\") g", "f(      ) g"),
            ("r#\"a \" b\"# c", "           c"),
            ("r#type b\"x\" c", "r#type      c"),
            ("'a' '\\'' '\\n' 'ä' x", "                   x"),
            ("fn f<'a>(b: &'a str)", "fn f<'a>(b: &'a str)"),
            ("b'{' for\"{\"", "     for   "),
            ("\"no end", "       "),
        ] {
            assert_eq!(code_of(text), code, "{text}");
        }
    }

    #[test]
    fn words_know_their_lines() {
        let found = words("fn a_1(b)\n  -> c");
        let texts: Vec<_> = found
            .iter()
            .map(|word| (word.text, word.at, word.line))
            .collect();
        assert_eq!(
            texts,
            [("fn", 0, 1), ("a_1", 3, 1), ("b", 7, 1), ("c", 15, 2)]
        );
    }
}
