//! What the bytes of a file are: a core module, its text form, a component, or none of these.
//! Looks at the outside only; whether a module is valid is the compiler's business.

use std::borrow::Cow;

use crate::error::LoadError;

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";
/// The version and layer of a core module.
const CORE: &[u8] = &[1, 0, 0, 0];
/// The version and layer of a component.
const COMPONENT: &[u8] = &[13, 0, 1, 0];
/// How much of a file that is something else is shown.
const SHOWN_BYTES_MAX: usize = 8;

/// The two things that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A module with functions on numbers and one memory.
    Core,
    /// Modules behind interfaces with strings, lists and resources.
    Component,
}

/// The WebAssembly in `bytes`, translated if they are text, and what it is.
pub(crate) fn wasm(bytes: &[u8]) -> Result<(Cow<'_, [u8]>, Form), LoadError> {
    let wasm = if bytes.starts_with(MAGIC) {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned(translate(bytes)?)
    };
    match wasm.get(MAGIC.len()..MAGIC.len() + CORE.len()) {
        None => Err(LoadError::Truncated(wasm.len())),
        Some(CORE) => Ok((wasm, Form::Core)),
        Some(COMPONENT) => Ok((wasm, Form::Component)),
        Some([major, minor, 1, 0]) => Err(LoadError::Invalid(format!(
            "it is a component of another version of the format, {:#x}",
            u16::from_le_bytes([*major, *minor])
        ))),
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
        let cases: [(&[u8], &str); 8] = [
            (b"", "not WebAssembly: it begins with nothing"),
            (
                b"\x7fELF\x02\x01\x01\0\0\0",
                r"begins with `\x7fELF\x02\x01\x01\x00`",
            ),
            (b"#!/bin/sh\n", "not WebAssembly"),
            (b"\0as", "not WebAssembly"),
            (b"\0asm\x01\0", "ends too early, after 6 bytes"),
            (
                b"\0asm\x0c\0\x01\0",
                "a component of another version of the format, 0xc",
            ),
            (b"\0asm\x07\0\0\0", "unknown version [07, 00, 00, 00]"),
            (
                b"(module\n (funk))",
                "does not parse: expected valid module field at 2:3",
            ),
        ];
        for (bytes, words) in cases {
            let said = wasm(bytes).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn text_becomes_a_module_and_a_module_stays_itself() {
        let (module, form) = wasm(b"\n ;; a comment\n(module)").unwrap();
        assert_eq!(form, Form::Core);
        assert_eq!(wasm(&module).unwrap(), (Cow::Borrowed(&*module), form));
    }

    #[test]
    fn text_becomes_a_component_and_a_component_stays_itself() {
        let (component, form) = wasm(b"(component)").unwrap();
        assert_eq!(form, Form::Component);
        assert_eq!(
            wasm(&component).unwrap(),
            (Cow::Borrowed(&*component), form)
        );
    }
}
