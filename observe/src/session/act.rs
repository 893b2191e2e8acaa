//! What a client may have done, one command at a time.

use rusm_actor::{Pid, is_alive, kill, send};
use serde_json::{Value, json};

use super::Session;
use super::produce::What;
use crate::lab::Laboratory;
use crate::protocol::{Code, Command, HZ_MAX, ROWS_MAX, Refusal, RowsWanted, Select};

/// Characters of a filter.
const FILTER_MAX: usize = 200;

pub(super) type Outcome = Result<Value, Refusal>;

impl Session {
    pub(super) fn act(&mut self, command: Command) -> Outcome {
        let looks = matches!(
            command,
            Command::Hello { .. } | Command::SetObserverDetail { .. } | Command::Select(_)
        );
        if !looks && !self.acts {
            let text = "this client may look and not act: it needs the control token";
            return Err(Refusal::new(Code::NotAllowed, text));
        }
        match command {
            Command::Hello { .. } => {
                let text = "`hello` is the first frame and no other";
                Err(Refusal::new(Code::BadFrame, text))
            }
            Command::SetObserverDetail { hz } => self.set_hz(hz),
            Command::Select(select) => self.select(select),
            Command::Run(order) => Ok(json!({"run": self.lab()?.run(order)?})),
            Command::Sweep(order) => Ok(json!({"sweep": self.lab()?.sweep(order)?})),
            Command::Stop {} => {
                self.lab()?.stop();
                Ok(Value::Null)
            }
            Command::SetResourceProfile { profile } => {
                self.lab()?.set_profile(&profile)?;
                Ok(Value::Null)
            }
            Command::SetConfig { field, value } => self.set_config(&field, &value),
            Command::Spawn { component, args } => self.spawn(&component, &args),
            Command::Send { to, text } => self.send(&to, text),
            Command::Kill { pid } => {
                kill(living(&pid)?);
                Ok(Value::Null)
            }
            Command::Trace(order) => self.trace(&order),
        }
    }

    fn lab(&self) -> Result<&dyn Laboratory, Refusal> {
        self.shared.lab.as_deref().ok_or_else(|| {
            let text = "this node has no scenarios; `rusm-bench start` starts one that does";
            Refusal::new(Code::NoLab, text)
        })
    }

    fn set_hz(&mut self, hz: u32) -> Outcome {
        if hz > HZ_MAX {
            let text = format!("`hz` is {hz}; it may be {HZ_MAX} at most");
            return Err(Refusal::new(Code::BadValue, text));
        }
        self.hz = hz;
        self.next_tick = rusm_sched::now();
        Ok(Value::Null)
    }

    /// All of it or nothing.
    fn select(&mut self, select: Select) -> Outcome {
        if let Some(Some(wanted)) = &select.rows {
            check_rows(wanted)?;
        }
        let detail = match &select.detail {
            Some(Some(pid)) => Some(Some(parsed(pid)?)),
            Some(None) => Some(None),
            None => None,
        };
        if let Some(rows) = select.rows {
            self.rows = rows;
            if let Some(wanted) = self.rows.clone() {
                self.want(What::Rows(wanted));
            }
        }
        if let Some(detail) = detail {
            self.detail = detail;
            if let Some(pid) = detail {
                self.want(What::Detail(pid));
            }
        }
        if let Some(sections) = select.sections {
            self.sections = sections;
            for section in self.sections.clone() {
                self.want(What::Section(section));
            }
        }
        let due = std::mem::take(&mut self.due).into_iter();
        self.due = due.filter(|(what, _)| self.wants(what)).collect();
        Ok(Value::Null)
    }

    fn set_config(&self, field: &str, value: &str) -> Outcome {
        let target = self.shared.target();
        let set = target.node.handle().set_live(field, value);
        set.map_err(|why| Refusal::new(Code::BadValue, why))?;
        Ok(Value::Null)
    }

    fn spawn(&self, component: &str, args: &[String]) -> Outcome {
        let Some(app) = &self.shared.app else {
            let text = format!("this node runs no app, so there is no component `{component}`");
            return Err(Refusal::new(Code::UnknownComponent, text));
        };
        let pid = app.spawn(component, args)?;
        Ok(json!({"pid": pid.to_string()}))
    }

    fn send(&self, to: &str, text: String) -> Outcome {
        let node = self.shared.target().node;
        let pid = match to.starts_with('<') {
            true => living(to)?,
            false => node.whereis(to).ok_or_else(|| {
                let text = format!("no process has the name `{to}`");
                Refusal::new(Code::UnknownProcess, text)
            })?,
        };
        send(pid, text.into_bytes());
        Ok(Value::Null)
    }
}

fn check_rows(wanted: &RowsWanted) -> Result<(), Refusal> {
    if wanted.limit > ROWS_MAX {
        let text = format!("`limit` is {}; it may be {ROWS_MAX} at most", wanted.limit);
        return Err(Refusal::new(Code::BadValue, text));
    }
    if wanted.filter.chars().count() > FILTER_MAX {
        let text = format!("`filter` may have {FILTER_MAX} characters");
        return Err(Refusal::new(Code::BadValue, text));
    }
    Ok(())
}

fn parsed(text: &str) -> Result<Pid, Refusal> {
    text.parse::<Pid>()
        .map_err(|why| Refusal::new(Code::BadValue, why.to_string()))
}

pub(super) fn living(text: &str) -> Result<Pid, Refusal> {
    let pid = parsed(text)?;
    match is_alive(pid) {
        true => Ok(pid),
        false => Err(Refusal::new(
            Code::UnknownProcess,
            format!("there is no process {pid}: it has ended, or never was"),
        )),
    }
}
