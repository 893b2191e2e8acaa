//! Why a process ended, as guests say and hear it: a number, a detail, and bytes.

use rusm_actor::{ExitReason, Term};

use crate::host::Refusal;

/// Bytes that a guest may say about an end, its own or one it asks for.
pub(crate) const REASON_BYTES_MAX: usize = 64 << 10;

pub(crate) const NORMAL: u32 = 0;
pub(crate) const SHUTDOWN: u32 = 1;
pub(crate) const SHUTDOWN_WITH: u32 = 2;
pub(crate) const KILLED: u32 = 3;
pub(crate) const KILL: u32 = 4;
pub(crate) const NO_PROCESS: u32 = 5;
pub(crate) const NO_CONNECTION: u32 = 6;
pub(crate) const TIMEOUT: u32 = 7;
pub(crate) const ERROR: u32 = 8;
pub(crate) const TERM: u32 = 9;
pub(crate) const STATUS: u32 = 10;
pub(crate) const PANIC: u32 = 11;
pub(crate) const TRAP: u32 = 12;
/// A reason that is younger than this list.
pub(crate) const OTHER: u32 = 13;

/// A reason taken apart.
pub(crate) struct Parts {
    pub(crate) code: u32,
    /// A status; or the length of the first of two texts.
    pub(crate) detail: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Takes a reason apart: `status` has its number in `detail`, whatever has a tag or a backtrace has
/// two texts in `bytes`, the first one `detail` bytes long.
pub(crate) fn parts(reason: &ExitReason) -> Parts {
    let plain = |code| Parts {
        code,
        detail: 0,
        bytes: Vec::new(),
    };
    let two = |code, first: &str, second: &[u8]| Parts {
        code,
        detail: u32::try_from(first.len()).unwrap_or(u32::MAX),
        bytes: [first.as_bytes(), second].concat(),
    };
    match reason {
        ExitReason::Normal => plain(NORMAL),
        ExitReason::Shutdown => plain(SHUTDOWN),
        ExitReason::ShutdownWith(term) => two(SHUTDOWN_WITH, &term.tag, &term.bytes),
        ExitReason::Killed => plain(KILLED),
        ExitReason::Kill => plain(KILL),
        ExitReason::NoProcess => plain(NO_PROCESS),
        ExitReason::NoConnection => plain(NO_CONNECTION),
        ExitReason::Timeout => plain(TIMEOUT),
        ExitReason::Error(text) => two(ERROR, text, &[]),
        ExitReason::Term(term) => two(TERM, &term.tag, &term.bytes),
        ExitReason::Status(status) => Parts {
            detail: status.cast_unsigned(),
            ..plain(STATUS)
        },
        ExitReason::Panic(fault) => two(PANIC, &fault.text, fault.backtrace.as_bytes()),
        ExitReason::Trap(fault) => two(TRAP, &fault.text, fault.backtrace.as_bytes()),
        other => two(OTHER, &other.to_string(), &[]),
    }
}

/// The reason a guest says. A panic or a trap is what the host has seen: nobody can claim one.
pub(crate) fn reason(code: u32, detail: u32, bytes: &[u8]) -> Result<ExitReason, Refusal> {
    if bytes.len() > REASON_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a reason",
            len: bytes.len(),
            max: REASON_BYTES_MAX,
        });
    }
    let term = || {
        let cut = bytes.split_at_checked(detail as usize);
        let (tag, content) = cut.ok_or_else(|| {
            Refusal::Invalid("the tag of the reason is longer than the reason".into())
        })?;
        let tag = str::from_utf8(tag).map_err(|_| Refusal::NotText("the tag of a reason"))?;
        Ok::<_, Refusal>(Term::new(tag, content))
    };
    Ok(match code {
        NORMAL => ExitReason::Normal,
        SHUTDOWN => ExitReason::Shutdown,
        SHUTDOWN_WITH => ExitReason::ShutdownWith(term()?.into()),
        KILLED => ExitReason::Killed,
        KILL => ExitReason::Kill,
        NO_PROCESS => ExitReason::NoProcess,
        NO_CONNECTION => ExitReason::NoConnection,
        TIMEOUT => ExitReason::Timeout,
        ERROR => ExitReason::error(
            str::from_utf8(bytes)
                .map_err(|_| Refusal::NotText("the text of a reason"))?
                .to_owned(),
        ),
        TERM => ExitReason::Term(term()?.into()),
        STATUS if detail == 0 => ExitReason::Normal,
        STATUS => ExitReason::Status(detail.cast_signed()),
        PANIC | TRAP => {
            return Err(Refusal::Invalid(
                "a panic or a trap is for the host to say; use an error instead".into(),
            ));
        }
        _ => return Err(Refusal::Invalid(format!("there is no reason {code}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_a_guest_may_say_reads_back_as_it_was() {
        let reasons = [
            ExitReason::Normal,
            ExitReason::Shutdown,
            ExitReason::shutdown_with("drain", *b"\xff\x00"),
            ExitReason::Killed,
            ExitReason::Kill,
            ExitReason::NoProcess,
            ExitReason::NoConnection,
            ExitReason::Timeout,
            ExitReason::error("out of \u{1f9c8}"),
            ExitReason::term("", *b"content"),
            ExitReason::Status(-7),
        ];
        for said in reasons {
            let Parts {
                code,
                detail,
                bytes,
            } = parts(&said);
            assert_eq!(reason(code, detail, &bytes), Ok(said));
        }
    }

    #[test]
    fn what_is_no_reason_is_refused() {
        for (code, detail, bytes) in [
            (PANIC, 0, &b""[..]),
            (TRAP, 0, b""),
            (OTHER, 0, b""),
            (u32::MAX, 0, b""),
            (ERROR, 0, b"\xff"),
            (TERM, 2, b"\xff\xff"),
            (TERM, 3, b"ab"),
            (TERM, u32::MAX, b"ab"),
            (ERROR, 0, &[b'a'; REASON_BYTES_MAX + 1]),
        ] {
            assert!(reason(code, detail, bytes).is_err(), "{code} {detail}");
        }
    }
}
