//! What was given to a command: the flags with their values, and the words between them.

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use super::known::{
    BY, COMMAND, FILTER, FLIGHT, Flag, JSON, LIMIT, NO_OPEN, NO_TIMES, OBSERVE, ONCE, WINDOW,
    WORKERS,
};
use super::{Typed, alone, takes_no_value, unknown_flag};
use crate::error::Misuse;

/// The flags of one command line.
#[derive(Default)]
pub(crate) struct Given {
    values: Vec<(&'static str, OsString)>,
}

impl Given {
    /// The values given for a flag, in the order they were typed.
    pub(crate) fn values(&self, flag: &Flag) -> impl Iterator<Item = &OsStr> {
        self.values
            .iter()
            .filter(move |(name, _)| *name == flag.name)
            .map(|(_, value)| value.as_os_str())
    }

    /// Whether a flag without a value was given.
    pub(crate) fn has(&self, flag: &Flag) -> bool {
        self.values(flag).next().is_some()
    }

    /// All of them, in the order they were typed.
    pub(super) fn all(&self) -> &[(&'static str, OsString)] {
        &self.values
    }

    /// The parser stands behind this flag: takes it, and its value if it has one.
    pub(super) fn take(&mut self, flag: &'static Flag, parser: &mut Parser) -> Result<(), Misuse> {
        if !flag.repeats && self.has(flag) {
            return Err(Misuse::Repeated(flag));
        }
        if flag.value.is_empty() {
            if parser.optional_value().is_some() {
                return Err(takes_no_value(flag.name));
            }
            self.values.push((flag.name, OsString::new()));
            return Ok(());
        }
        let value = parser.value().map_err(|_| Misuse::NoValue(flag))?;
        self.values.push((flag.name, value));
        Ok(())
    }
}

/// A command for a node that runs: all of them take one word at most, and flags anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Ps,
    Top,
    Observe,
    Attach,
    NodeStart,
}

impl Tool {
    /// All of them.
    pub(crate) const ALL: [Tool; 5] = [
        Tool::Ps,
        Tool::Top,
        Tool::Observe,
        Tool::Attach,
        Tool::NodeStart,
    ];

    /// The command, as the help lists it.
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Tool::Ps => "ps",
            Tool::Top => "top",
            Tool::Observe => "observe",
            Tool::Attach => "attach",
            Tool::NodeStart => "node",
        }
    }

    /// As it is typed.
    fn typed(self) -> &'static str {
        match self {
            Tool::Ps => "rusm ps",
            Tool::Top => "rusm top",
            Tool::Observe => "rusm observe",
            Tool::Attach => "rusm attach",
            Tool::NodeStart => "rusm node start",
        }
    }

    /// Its flags, in the order the help lists them.
    pub(crate) fn flags(self) -> &'static [&'static Flag] {
        match self {
            Tool::Ps => &[&BY, &WINDOW, &LIMIT, &FILTER, &JSON],
            Tool::Top => &[&BY, &WINDOW, &LIMIT, &FILTER, &ONCE, &JSON],
            Tool::Observe => &[&NO_OPEN],
            Tool::Attach => &[&COMMAND, &JSON],
            Tool::NodeStart => &[&OBSERVE, &FLIGHT, &WORKERS, &NO_TIMES],
        }
    }

    fn flag(self, name: &str) -> Option<&'static Flag> {
        self.flags().iter().copied().find(|flag| flag.name == name)
    }
}

/// What stood behind such a command.
pub(crate) struct ToolFlags {
    pub(crate) tool: Tool,
    /// An address; of `node start` the folder of an app.
    pub(crate) word: Option<OsString>,
    pub(crate) given: Given,
}

/// Takes apart what stands behind the command.
pub(super) fn parse(tool: Tool, mut parser: Parser) -> Result<Typed, Misuse> {
    let mut typed = ToolFlags {
        tool,
        word: None,
        given: Given::default(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => {
                return alone(parser, Typed::Help(Some(tool.topic())));
            }
            Arg::Short('c') if tool == Tool::Attach => typed.given.take(&COMMAND, &mut parser)?,
            Arg::Long(name) if tool.flag(name).is_some() => {
                let flag = tool.flag(name).expect("the guard found it");
                typed.given.take(flag, &mut parser)?;
            }
            Arg::Value(word) if typed.word.is_none() => typed.word = Some(word),
            Arg::Value(word) => return Err(Misuse::OneWord(word)),
            flag => {
                let known: Vec<&'static str> = tool.flags().iter().map(|flag| flag.name).collect();
                return Err(unknown_flag(flag, tool.typed(), &known));
            }
        }
    }
    Ok(Typed::Tool(typed))
}
