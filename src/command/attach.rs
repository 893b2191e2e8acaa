//! `rusm attach`: orders to a node and its answers, typed line by line, read from a pipe, or one alone.

mod carry;
mod line;
mod order;
mod tree;
mod watch;

use std::io::{BufRead, IsTerminal, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustyline::ExternalPrinter;
use rustyline::error::ReadlineError;
use serde_json::json;

use super::help;
use crate::door::Door;
use crate::error::{Error, Failure, LookFailure, Misuse};
use crate::options::AttachOptions;
use crate::report;
use carry::{Answer, CarryError, carry};
use line::Guide;
use order::{Order, understand};
use rusm_observe::quiet;
use watch::Wanted;

const PROMPT: &str = "rusm> ";

/// Carries out what is asked; the answer is the status of our process.
pub(super) fn run(options: &AttachOptions) -> Result<u8, Error> {
    let door = Door::find(options.at.as_deref()).map_err(Failure::from)?;
    if let Some(command) = &options.command {
        return one(&door, command, options.json);
    }
    if stdin().is_terminal() && stdout().is_terminal() {
        return Ok(typed(&door, options.json)?);
    }
    Ok(piped(&door, options.json)?)
}

/// One order from the command line.
fn one(door: &Door, line: &str, json: bool) -> Result<u8, Error> {
    let order = understand(line).map_err(Misuse::Order)?;
    match order {
        None | Some(Order::Quit) => Ok(0),
        Some(Order::Detail(_)) => Err(Misuse::Order(no_session()).into()),
        Some(order) => Ok(said(carry(door, order), json)?),
    }
}

/// Orders from a pipe: one that fails does not keep the others.
fn piped(door: &Door, json: bool) -> Result<u8, Failure> {
    let mut status = 0;
    for line in stdin().lock().lines() {
        let line = line.map_err(LookFailure::Terminal)?;
        status |= match understand(&line) {
            Ok(None) => 0,
            Ok(Some(Order::Quit)) => break,
            Ok(Some(Order::Detail(_))) => said(Err(CarryError::Said(no_session())), json)?,
            Ok(Some(order)) => said(carry(door, order), json)?,
            Err(why) => said(Err(CarryError::Said(why)), json)?,
        };
    }
    Ok(status)
}

fn no_session() -> String {
    "`detail` is for a terminal: nothing is followed here.".to_owned()
}

/// Orders as they are typed, with what the node says meanwhile.
fn typed(door: &Door, json: bool) -> Result<u8, Failure> {
    let mut client = door.look()?;
    let at = client.at().to_owned();
    let name = quiet(&client.hello().node.name);
    let known = carry::known(&mut client)?;
    drop(client);
    let (mut line, file) = line::line(Guide::new(known)).map_err(no_line)?;
    let mut printer = line.create_external_printer().map_err(no_line)?;
    let wanted = Arc::new(Wanted::default());
    watch::start(door.look()?, wanted.clone(), move |told| {
        let _ = printer.print(told + "\n");
    });
    help::print(&format!(
        "{name} at {at}. `help` lists what can be typed, Ctrl-D ends.\n"
    ))?;
    loop {
        let read = match line.readline(PROMPT) {
            Ok(read) => read,
            // A line that is given up is not the end.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(why) => return Err(no_line(why)),
        };
        let done = match understand(&read) {
            Ok(None) => continue,
            Ok(Some(Order::Quit)) => break,
            Ok(Some(Order::Detail(on))) => {
                wanted.detail.store(on, Ordering::Relaxed);
                Ok(Answer::detail(on))
            }
            Ok(Some(order)) => carry(door, order),
            Err(why) => Err(CarryError::Said(why)),
        };
        if let (Ok(answer), Some(guide)) = (&done, line.helper_mut()) {
            guide.see(&answer.text);
        }
        said(done, json)?;
        if let Some(file) = &file {
            // A history that cannot be kept is no reason to stop.
            let _ = line.save_history(file);
        }
    }
    Ok(0)
}

fn no_line(why: ReadlineError) -> Failure {
    LookFailure::Terminal(std::io::Error::other(why)).into()
}

/// Says what came of an order; 1 if nothing did.
fn said(done: Result<Answer, CarryError>, as_json: bool) -> Result<u8, Failure> {
    match done {
        Ok(answer) if as_json => help::print(&format!("{}\n", answer.json)),
        Ok(answer) => help::print(&answer.text),
        Err(why) => {
            if as_json {
                help::print(&format!("{}\n", json!({"error": why.to_string()})))?;
            } else {
                report::to_stderr(&why.to_string());
            }
            Ok(1)
        }
    }
}
