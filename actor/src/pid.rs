//! A process's identity, in memory and as text.

use std::fmt;
use std::str::FromStr;

use rusm_sched::Address;

/// Names one process for ever: slots are used again, pids are not (each slot counts its
/// tenants up to four billion). Eight bytes, `Copy`; keeping one keeps nothing alive.
///
/// As text it is `<node.index.serial>`, with node 0 for this one: `<0.42.7>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(Address);

impl Pid {
    /// Names no process, ever.
    pub(crate) const NOBODY: Pid = Pid(Address::NOBODY);

    pub(crate) fn new(address: Address) -> Self {
        Pid(address)
    }

    pub(crate) fn address(self) -> Address {
        self.0
    }

    /// The pid as a number, for hosts and wires.
    pub fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// From what `to_bits` gave. Any number is safe: most name nobody.
    pub fn from_bits(bits: u64) -> Self {
        Pid(Address::from_bits(bits))
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<0.{}.{}>", self.0.index(), self.0.generation())
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePidError(String);

impl fmt::Display for ParsePidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no pid of this node; pids look like `<0.42.7>`",
            self.0
        )
    }
}

impl std::error::Error for ParsePidError {}

impl FromStr for Pid {
    type Err = ParsePidError;

    fn from_str(text: &str) -> Result<Self, ParsePidError> {
        parse(text).ok_or_else(|| ParsePidError(text.to_string()))
    }
}

fn parse(text: &str) -> Option<Pid> {
    let inner = text.strip_prefix("<0.")?.strip_suffix('>')?;
    let (index, generation) = inner.split_once('.')?;
    let number = |digits: &str| -> Option<u32> {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse().ok() } else { None }
    };
    let bits = u64::from(number(generation)?) << 32 | u64::from(number(index)?);
    Some(Pid::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_reads_back_what_it_prints() {
        for bits in [0, 42, 7 << 32 | 42, u64::MAX] {
            let pid = Pid::from_bits(bits);
            assert_eq!(pid.to_string().parse(), Ok(pid));
        }
    }

    #[test]
    fn what_is_no_pid_is_refused_with_a_sentence() {
        for text in [
            "",
            "<0.1>",
            "<1.2.3>",
            "<0.1.2",
            "<0.+1.2>",
            "<0.1.4294967296>",
        ] {
            let error = text.parse::<Pid>().expect_err(text);
            assert!(error.to_string().contains("is no pid"), "{error}");
        }
    }
}
