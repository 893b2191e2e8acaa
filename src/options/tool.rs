//! What was meant by a command for a node that runs.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

use rusm_observe::protocol::{By, ROWS_MAX, RowsWanted};

use super::{address, path, single, workers};
use crate::client::PORT;
use crate::command::NodeOptions;
use crate::error::Misuse;
use crate::flags::{self, Given, ToolFlags};

/// Processes that are shown unless somebody says otherwise.
pub(crate) const ROWS_DEFAULT: usize = 50;

/// How processes are looked at.
pub(crate) struct LookOptions {
    /// Of the node there, or of the one that runs here.
    pub(crate) at: Option<String>,
    pub(crate) wanted: RowsWanted,
    pub(crate) json: bool,
    pub(crate) once: bool,
}

/// How a node is talked to.
pub(crate) struct AttachOptions {
    pub(crate) at: Option<String>,
    /// One command, instead of those that are typed.
    pub(crate) command: Option<String>,
    pub(crate) json: bool,
}

/// Where the dashboard is.
pub(crate) struct DashboardOptions {
    pub(crate) at: Option<String>,
    /// Show it in the browser.
    pub(crate) opens: bool,
}

impl TryFrom<ToolFlags> for LookOptions {
    type Error = Misuse;

    fn try_from(typed: ToolFlags) -> Result<Self, Misuse> {
        let given = &typed.given;
        let wanted = RowsWanted {
            by: single(given, &flags::BY, by)?.unwrap_or(By::Reductions),
            window: given.has(&flags::WINDOW),
            limit: single(given, &flags::LIMIT, rows)?.unwrap_or(ROWS_DEFAULT),
            filter: single(given, &flags::FILTER, text)?.unwrap_or_default(),
        };
        Ok(LookOptions {
            wanted,
            json: given.has(&flags::JSON),
            once: given.has(&flags::ONCE),
            at: place(typed.word)?,
        })
    }
}

impl TryFrom<ToolFlags> for AttachOptions {
    type Error = Misuse;

    fn try_from(typed: ToolFlags) -> Result<Self, Misuse> {
        Ok(AttachOptions {
            command: single(&typed.given, &flags::COMMAND, text)?,
            json: typed.given.has(&flags::JSON),
            at: place(typed.word)?,
        })
    }
}

impl TryFrom<ToolFlags> for DashboardOptions {
    type Error = Misuse;

    fn try_from(typed: ToolFlags) -> Result<Self, Misuse> {
        Ok(DashboardOptions {
            opens: !typed.given.has(&flags::NO_OPEN),
            at: place(typed.word)?,
        })
    }
}

impl TryFrom<ToolFlags> for NodeOptions {
    type Error = Misuse;

    fn try_from(typed: ToolFlags) -> Result<Self, Misuse> {
        let given: &Given = &typed.given;
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        Ok(NodeOptions {
            at: single(given, &flags::OBSERVE, address)?.unwrap_or(usual),
            workers: single(given, &flags::WORKERS, workers)?,
            times: !given.has(&flags::NO_TIMES),
            flight: path(given, &flags::FLIGHT)?,
            folder: typed.word.map(Into::into),
        })
    }
}

fn place(word: Option<OsString>) -> Result<Option<String>, Misuse> {
    let text = word.map(|word| word.into_string().map_err(Misuse::NotText));
    text.transpose()
}

fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

/// What processes are ranked by.
pub(crate) fn by(value: &str) -> Result<By, String> {
    match value {
        "reductions" => Ok(By::Reductions),
        "memory" => Ok(By::Memory),
        "mailbox" => Ok(By::Mailbox),
        "cpu" => Ok(By::Cpu),
        _ => Err("it is not reductions, memory, mailbox or cpu".to_owned()),
    }
}

fn rows(value: &str) -> Result<usize, String> {
    let number = value.parse().ok();
    let number = number.filter(|number| (1..=ROWS_MAX).contains(number));
    number.ok_or_else(|| format!("it is not a number from 1 to {ROWS_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Typed;

    fn typed(words: &str) -> ToolFlags {
        match flags::parse(words.split_whitespace().map(Into::into)) {
            Ok(Typed::Tool(typed)) => typed,
            _ => panic!("`{words}` is no such command"),
        }
    }

    #[test]
    fn what_is_not_said_is_as_most_people_want_it() {
        let look = LookOptions::try_from(typed("ps")).expect("it makes sense");
        assert_eq!((look.wanted.by, look.wanted.limit), (By::Reductions, 50));
        assert!(look.at.is_none() && !look.wanted.window && !look.json);
        let node = NodeOptions::try_from(typed("node start")).expect("it makes sense");
        assert_eq!(node.at.to_string(), "127.0.0.1:9460");
        assert!(node.times && node.folder.is_none());
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named_with_the_reason() {
        for (words, part) in [
            ("ps --by age", "is not reductions, memory, mailbox or cpu"),
            ("ps --limit 0", "from 1 to 1000"),
            ("top --limit 1001", "from 1 to 1000"),
        ] {
            let error = LookOptions::try_from(typed(words)).err();
            let error = error.expect(words).to_string();
            assert!(error.contains(part), "{words}: {error}");
        }
    }
}
