//! Recorded schedules: saving what the scheduler decided in a run, and showing a saved one lane by lane.

mod crash;
mod html;
mod text;
mod view;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rusm_actor::Node;
use rusm_observe::recording::Recorded;

use crate::args::{self, Args, Setting};
use crate::failure::Failure;
use view::View;

/// Events that are kept of each worker unless something else is asked for: 2 MiB.
const EVENTS: usize = 65_536;

/// Where a run saves its schedule, and how much of it: `record` and `record_events`.
#[derive(Default)]
pub(crate) struct Saving {
    file: Option<PathBuf>,
    events: Option<usize>,
    begun: AtomicBool,
}

impl Saving {
    /// Takes a setting that is about it; false for others.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, Failure> {
        match key {
            "record" => self.file = Some(value.into()),
            "record_events" => {
                let events = args::number(value).and_then(|it| usize::try_from(it).ok());
                self.events = Some(events.ok_or_else(|| {
                    Failure::Usage(format!("`record_events={value}` is not a whole number."))
                })?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Begins to record a node, if that was asked for. The file is made first: nobody is to wait for a
    /// run that cannot be saved.
    pub(crate) fn begin(&self, node: &Node) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        File::create(file).map_err(|error| cannot("write", file, &error))?;
        let events = self.events.unwrap_or(EVENTS);
        let begun = node.handle().record(events);
        begun.map_err(|why| Failure::Usage(format!("`record_events` does not fit: {why}.")))?;
        self.begun.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses to have been asked for nothing, after a run.
    pub(crate) fn check(&self, scenario: &str) -> Result<(), Failure> {
        if self.file.is_none() || self.begun.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "`record` saved nothing: `{scenario}` has no node of its own that could be recorded."
        )))
    }

    /// Saves what was recorded; of several nodes of a run the last one's stays.
    pub(crate) fn end(&self, node: &Node, scenario: &str) -> Result<(), Failure> {
        let recording = node.handle().stop_recording();
        let (Some(file), Some(recording)) = (&self.file, recording) else {
            return Ok(());
        };
        let save = move || {
            let mut out = BufWriter::new(File::create(file)?);
            Recorded::new(recording, scenario).write(&mut out)?;
            out.flush()
        };
        save().map_err(|error| cannot("write", file, &error))
    }
}

/// `replay FILE [from=MS] [to=MS] [width=100] [html=FILE]`.
pub(crate) fn command(file: &str, settings: Vec<Setting>) -> Result<String, Failure> {
    let (path, words) = (PathBuf::from(file), Vec::new());
    let mut args = Args { words, settings };
    let from = take_ms(&mut args, "from")?;
    let to = take_ms(&mut args, "to")?;
    let width = take_width(&mut args)?;
    let page = args.take("html").map(PathBuf::from);
    if let Some((key, _)) = args.settings.first() {
        return Err(Failure::Usage(format!(
            "`{key}` means nothing to `replay`. It knows from, to, width and html."
        )));
    }
    let recorded = load(&path)?;
    let refused = |why: String| Failure::Usage(format!("cannot replay `{file}`: {why}."));
    let view = View::new(&recorded.recording, from, to).map_err(refused)?;
    if let Some(page) = page {
        let text = html::page(&view, &recorded).map_err(refused)?;
        std::fs::write(&page, text).map_err(|error| cannot("write", &page, &error))?;
    }
    Ok(text::print(&view, &recorded, width))
}

fn load(path: &PathBuf) -> Result<Recorded, Failure> {
    let file = File::open(path).map_err(|error| cannot("read", path, &error))?;
    let read = Recorded::read(BufReader::new(file));
    read.map_err(|why| Failure::Usage(format!("cannot replay `{}`: {why}.", path.display())))
}

fn cannot(what: &str, path: &std::path::Path, why: &impl Display) -> Failure {
    Failure::Usage(format!("cannot {what} `{}`: {why}.", path.display()))
}

/// Milliseconds since recording began.
fn take_ms(args: &mut Args, key: &str) -> Result<Option<f64>, Failure> {
    let Some(text) = args.take(key) else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(ms) if ms.is_finite() && ms >= 0.0 => Ok(Some(ms)),
        _ => Err(Failure::Usage(format!(
            "`{key}={text}` is no time: give milliseconds since recording began."
        ))),
    }
}

fn take_width(args: &mut Args) -> Result<usize, Failure> {
    let Some(text) = args.take("width") else {
        return Ok(text::WIDTH);
    };
    let width = args::number(&text).and_then(|it| usize::try_from(it).ok());
    width
        .filter(|it| (text::WIDTH_MIN..=text::WIDTH_MAX).contains(it))
        .ok_or_else(|| {
            Failure::Usage(format!(
                "`width={text}` is no width: give {} to {} columns.",
                text::WIDTH_MIN,
                text::WIDTH_MAX
            ))
        })
}

#[cfg(test)]
mod tests;
