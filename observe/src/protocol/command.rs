//! What a client says: a command, perhaps with a number for the answer.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::error::{Code, Refusal};
use super::frame::Section;
use super::process::By;
use super::trace::TraceOrder;

/// One frame of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The number of the answer.
    pub id: Option<u64>,
    /// What is to be done.
    pub command: Command,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// The first one: who speaks, and what it may do.
    Hello {
        /// The version that the client speaks.
        protocol: u32,
        /// Opens what is not open to everybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// How often the overview is to come.
    SetObserverDetail {
        /// Times a second; 0 is never.
        hz: u32,
    },
    /// What else is to come.
    Select(Select),
    /// Runs a scenario.
    Run(RunOrder),
    /// Ends what the laboratory is doing.
    Stop {},
    /// Runs a scenario over a grid.
    Sweep(SweepOrder),
    /// How hard runs are from now on.
    SetResourceProfile {
        /// Its name.
        profile: String,
    },
    /// Tunes the scheduler while it runs.
    SetConfig {
        /// Which field.
        field: String,
        /// To what.
        value: String,
    },
    /// Starts a process of a component.
    Spawn {
        /// Its name in the app.
        component: String,
        /// The command line of the guest.
        #[serde(default)]
        args: Vec<String>,
    },
    /// Sends a message.
    Send {
        /// A pid or a registered name.
        to: String,
        /// Its bytes.
        text: String,
    },
    /// Ends a process.
    Kill {
        /// Which.
        pid: String,
    },
    /// Traces processes.
    Trace(TraceOrder),
}

/// What is to come from now on. What is not named stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// A table of processes, or no more.
    #[serde(
        default,
        deserialize_with = "named",
        skip_serializing_if = "Option::is_none"
    )]
    pub rows: Option<Option<RowsWanted>>,
    /// One process, or no more.
    #[serde(
        default,
        deserialize_with = "named",
        skip_serializing_if = "Option::is_none"
    )]
    pub detail: Option<Option<String>>,
    /// These sections and no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<Vec<Section>>,
}

/// Keeps what was said apart from what was not: null is something.
fn named<'de, D, T>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from).map(Some)
}

/// Which processes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsWanted {
    /// Those that have most of this.
    pub by: By,
    /// Spent since the look before.
    #[serde(default)]
    pub window: bool,
    /// So many.
    pub limit: usize,
    /// With this in their pid, name, body or state.
    #[serde(default)]
    pub filter: String,
}

/// A run that somebody wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOrder {
    /// Of what.
    pub scenario: String,
    /// Choices of the scenario and fields of the configuration.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// How long.
    pub seconds: f64,
    /// For what is chosen by chance.
    #[serde(default = "seed")]
    pub seed: u64,
}

fn seed() -> u64 {
    1
}

/// A grid of runs that somebody wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepOrder {
    /// Of what.
    pub scenario: String,
    /// The values of each field.
    pub axes: BTreeMap<String, Vec<String>>,
    /// Runs of each point that count.
    pub repeats: u64,
    /// Runs of each point before those.
    #[serde(default)]
    pub warmup: u64,
    /// Of one run.
    pub seconds: f64,
    /// For the order of the runs.
    #[serde(default = "seed")]
    pub seed: u64,
}

/// Why a frame is no command, and what it wanted an answer for.
#[derive(Clone, Debug, PartialEq)]
pub struct NotACommand {
    /// The number that the answer is for.
    pub id: Option<u64>,
    /// Why.
    pub refusal: Refusal,
}

/// The types there are, as they are written.
const TYPES: [&str; 12] = [
    "hello",
    "set_observer_detail",
    "select",
    "run",
    "stop",
    "sweep",
    "set_resource_profile",
    "set_config",
    "spawn",
    "send",
    "kill",
    "trace",
];

impl Ask {
    /// Reads a frame.
    ///
    /// # Errors
    /// `bad_frame`, `unknown_type`: a sentence says what is wrong with it.
    pub fn parse(text: &str) -> Result<Ask, NotACommand> {
        let bad = |why: String| NotACommand {
            id: None,
            refusal: Refusal::new(Code::BadFrame, why),
        };
        let fields: Value =
            serde_json::from_str(text).map_err(|why| bad(format!("that is no JSON: {why}")))?;
        let Value::Object(mut fields) = fields else {
            return Err(bad("a frame is an object with a `type`".into()));
        };
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_u64().ok_or_else(|| bad(no_id(&id)))?),
        };
        command(fields)
            .map(|command| Ask { id, command })
            .map_err(|refusal| NotACommand { id, refusal })
    }

    /// As it goes over the wire.
    pub fn encode(&self) -> String {
        let mut fields = serde_json::to_value(&self.command)
            .expect("these types have nothing that JSON has not");
        if let (Some(id), Some(fields)) = (self.id, fields.as_object_mut()) {
            fields.insert("id".into(), id.into());
        }
        fields.to_string()
    }
}

fn no_id(id: &Value) -> String {
    format!("`id` is {id}; it must be a whole number that is not negative")
}

fn command(fields: Map<String, Value>) -> Result<Command, Refusal> {
    match fields.get("type").and_then(Value::as_str) {
        None => Err(Refusal::new(Code::BadFrame, "the frame has no `type`")),
        Some(name) if !TYPES.contains(&name) => Err(Refusal::new(
            Code::UnknownType,
            format!("there is no frame `{name}`; there are {}", TYPES.join(", ")),
        )),
        Some(name) => {
            let name = name.to_owned();
            read(Value::Object(fields))
                .map_err(|why| Refusal::new(Code::BadFrame, format!("`{name}`: {why}")))
        }
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Refusal {
        Ask::parse(text).expect_err("it is none").refusal
    }

    #[test]
    fn what_is_not_named_stays_and_null_is_something() {
        let ask = Ask::parse(r#"{"type": "select", "id": 4, "rows": null, "detail": "<0.1.2>"}"#);
        let select = Select {
            rows: Some(None),
            detail: Some(Some("<0.1.2>".into())),
            sections: None,
        };
        let expected = Ask {
            id: Some(4),
            command: Command::Select(select),
        };
        assert_eq!(ask, Ok(expected));
    }

    #[test]
    fn a_frame_that_is_no_command_is_refused_with_a_sentence() {
        for (text, code, says) in [
            ("", Code::BadFrame, "no JSON"),
            ("[1]", Code::BadFrame, "an object"),
            ("{}", Code::BadFrame, "no `type`"),
            (r#"{"type": "dance"}"#, Code::UnknownType, "`dance`"),
            (r#"{"type": "kill"}"#, Code::BadFrame, "`pid`"),
            (r#"{"type": "kill", "pid": 4}"#, Code::BadFrame, "string"),
            (r#"{"type": "stop", "now": true}"#, Code::BadFrame, "`now`"),
            (r#"{"type": "stop", "id": -1}"#, Code::BadFrame, "`id`"),
            (
                r#"{"type": "select", "rowz": null}"#,
                Code::BadFrame,
                "rowz",
            ),
        ] {
            let refusal = refused(text);
            assert_eq!(refusal.code, code, "{text}");
            assert!(
                refusal.message.contains(says),
                "{text}: {}",
                refusal.message
            );
        }
    }

    #[test]
    fn a_refusal_carries_the_number_of_what_it_answers() {
        let not = Ask::parse(r#"{"type": "dance", "id": 9}"#).expect_err("there is none");
        assert_eq!(not.id, Some(9));
    }

    #[test]
    fn every_type_that_is_listed_is_one() {
        for name in TYPES {
            let text = format!(r#"{{"type": "{name}"}}"#);
            let code = Ask::parse(&text).err().map(|not| not.refusal.code);
            assert_ne!(code, Some(Code::UnknownType), "{name}");
        }
    }
}
