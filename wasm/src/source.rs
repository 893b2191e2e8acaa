//! What the bytes of a file are: a core module, its text form, a component, or none of these.
//! Looks at the outside only; whether a module is valid is the compiler's business.

use std::borrow::Cow;

use crate::error::LoadError;

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";
/// The version and layer of a core module; a component differs in the layer.
const CORE: &[u8] = &[1, 0, 0, 0];
/// How much of a file that is something else is shown.
const SHOWN_BYTES_MAX: usize = 8;

/// The core module in `bytes`, translated if they are text.
pub(crate) fn core_module(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    let module = if bytes.starts_with(MAGIC) {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned(translate(bytes)?)
    };
    match module.get(MAGIC.len()..MAGIC.len() + CORE.len()) {
        None => Err(LoadError::Truncated(module.len())),
        Some(CORE) => Ok(module),
        Some([_, _, 1, 0]) => Err(LoadError::Component),
        Some(version) => Err(LoadError::Invalid(format!(
            "unknown version {version:02x?}"
        ))),
    }
}

fn translate(bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_wasm(bytes))?;
    // Text that does not even open a parenthesis is some other file, and the parser's words would
    // not help.
    let code = text
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty());
    match code {
        Some(line) if line.starts_with('(') || line.starts_with(";;") => {
            wat::parse_str(text).map_err(|error| LoadError::Text(one_line(&error.to_string())))
        }
        _ => Err(not_wasm(bytes)),
    }
}

fn not_wasm(bytes: &[u8]) -> LoadError {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    if shown.is_empty() {
        return LoadError::NotWasm("nothing, it is empty".into());
    }
    LoadError::NotWasm(format!("`{}`", shown.escape_ascii()))
}

/// The parser draws the line with an arrow below it; a sentence has room for the place and the
/// complaint.
fn one_line(drawn: &str) -> String {
    let mut lines = drawn.lines().map(str::trim);
    let complaint = lines.next().unwrap_or_default();
    let place = lines.find_map(|line| line.strip_prefix("-->"));
    match place.and_then(|place| place.trim().split_once(':')) {
        Some((_, place)) => format!("{complaint} at {place}"),
        None => complaint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_is_told_apart() {
        let cases: [(&[u8], &str); 9] = [
            (b"", "not WebAssembly: it begins with nothing"),
            (
                b"\x7fELF\x02\x01\x01\0\0\0",
                r"begins with `\x7fELF\x02\x01\x01\x00`",
            ),
            (b"#!/bin/sh\n", "not WebAssembly"),
            (b"\0as", "not WebAssembly"),
            (b"\0asm\x01\0", "ends too early, after 6 bytes"),
            (b"\0asm\x0d\0\x01\0", "components are not supported yet"),
            (b"(component)", "components are not supported yet"),
            (b"\0asm\x07\0\0\0", "unknown version [07, 00, 00, 00]"),
            (
                b"(module\n (funk))",
                "does not parse: expected valid module field at 2:3",
            ),
        ];
        for (bytes, words) in cases {
            let said = core_module(bytes).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn text_becomes_a_module_and_a_module_stays_itself() {
        let module = core_module(b"\n ;; a comment\n(module)").unwrap();
        assert_eq!(core_module(&module).unwrap(), module);
    }
}
