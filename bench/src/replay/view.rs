//! What a recording comes to within a range of time: blocks, sleep and marks of each worker, and sums. Decides
//! nothing about how they look.

use std::collections::HashMap;

use rusm_observe::recording::{end_number, ends};
use rusm_sched::{Address, Event, Lane, Recording, TurnEnd, What};

/// Nanoseconds in a millisecond.
pub(super) const MS: f64 = 1e6;

/// A part of a recording, in nanoseconds on its scheduler's clock.
pub(super) struct View {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) workers: Vec<Row>,
    /// Those that had most time first.
    pub(super) tasks: Vec<TaskSum>,
}

/// One worker.
#[derive(Default)]
pub(super) struct Row {
    /// What was before is not known.
    pub(super) known_from: u64,
    /// In the order of time.
    pub(super) blocks: Vec<Block>,
    pub(super) asleep: Vec<(u64, u64)>,
    pub(super) marks: Vec<(u64, Mark)>,
    pub(super) sums: Sums,
}

/// A turn, or what was seen of it.
pub(super) struct Block {
    pub(super) begin: u64,
    pub(super) end: u64,
    /// In `View::tasks`.
    pub(super) task: usize,
    /// `None`: it had not ended, or not on this worker.
    pub(super) why: Option<TurnEnd>,
    pub(super) reductions: u32,
}

/// Something without a length. The more telling ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Overrun { rescued: bool },
    Steal { from: usize, tasks: u32 },
    Park,
    Unpark,
    Timers { fired: u32 },
    Spawn,
}

/// Of a worker, or of all.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) turns: u64,
    /// In nanoseconds, as the next two.
    pub(super) busy: u64,
    pub(super) longest: u64,
    pub(super) asleep: u64,
    pub(super) reductions: u64,
    pub(super) steals: u64,
    pub(super) stolen: u64,
    pub(super) parks: u64,
    pub(super) spawns: u64,
    pub(super) timers: u64,
    pub(super) overruns: u64,
    /// Turns by how they ended, as `recording::ends` has them.
    pub(super) ends: Vec<u64>,
}

/// One task.
pub(super) struct TaskSum {
    pub(super) task: Address,
    pub(super) turns: u64,
    /// In nanoseconds, as the next.
    pub(super) ran: u64,
    pub(super) longest: u64,
    pub(super) reductions: u64,
}

impl View {
    /// The part from `from` to `to`, in milliseconds since recording began; without them all of which
    /// every worker's part is still there.
    pub(super) fn new(
        recording: &Recording,
        from: Option<f64>,
        to: Option<f64>,
    ) -> Result<View, String> {
        let (from, to) = range(recording, from, to)?;
        let mut view = View {
            from,
            to,
            workers: Vec::new(),
            tasks: Vec::new(),
        };
        let mut numbers = HashMap::new();
        for (index, lane) in recording.workers.iter().enumerate() {
            let overruns = overruns(recording, index);
            let row = view.row(recording, lane, &overruns, &mut numbers);
            view.workers.push(row);
        }
        view.rank();
        Ok(view)
    }

    fn row(
        &mut self,
        recording: &Recording,
        lane: &Lane,
        overruns: &[Event],
        numbers: &mut HashMap<u64, usize>,
    ) -> Row {
        let mut row = Row {
            known_from: known_from(recording, lane),
            ..Row::default()
        };
        row.sums.ends = vec![0; ends().count()];
        // Those that did not end here go in where they began.
        let mut events: Vec<&Event> = lane.events.iter().chain(overruns).collect();
        events.sort_by_key(|event| event.at);
        let mut dozing = None;
        let mut first_unpark = true;
        for event in events {
            self.add_turn(&mut row, event, numbers);
            match event.what {
                What::Park => dozing = Some(event.at),
                What::Unpark => {
                    let since = dozing.take().or(first_unpark.then_some(row.known_from));
                    row.add_sleep(self, since.unwrap_or(event.at), event.at);
                    first_unpark = false;
                }
                _ => {}
            }
            if (self.from..self.to).contains(&event.at) {
                row.add_mark(event);
            }
        }
        if let Some(since) = dozing {
            row.add_sleep(self, since, recording.taken);
        } else if let Some((task, since)) = lane.running {
            let ended = row.blocks.last().map_or(0, |block| block.end);
            let begin = since.max(ended);
            let lasted = recording.taken.saturating_sub(begin);
            self.add_block(&mut row, task, (begin, lasted), None, 0, numbers);
        }
        row.sums.asleep = row.asleep.iter().map(|(begin, end)| end - begin).sum();
        row
    }

    fn add_turn(&mut self, row: &mut Row, event: &Event, numbers: &mut HashMap<u64, usize>) {
        match event.what {
            What::Turn {
                task,
                lasted,
                end,
                reductions,
            } => {
                let span = (event.at, lasted);
                self.add_block(row, task, span, Some(end), reductions, numbers);
            }
            What::Overrun {
                task,
                lasted,
                rescued: true,
                ..
            } => {
                let span = (event.at.saturating_sub(lasted), lasted);
                self.add_block(row, task, span, None, 0, numbers);
            }
            _ => {}
        }
    }

    fn add_block(
        &mut self,
        row: &mut Row,
        task: Address,
        (at, lasted): (u64, u64),
        why: Option<TurnEnd>,
        reductions: u32,
        numbers: &mut HashMap<u64, usize>,
    ) {
        let over = at.saturating_add(lasted);
        if over < self.from || at >= self.to {
            return;
        }
        let (begin, end) = (at.max(self.from), over.min(self.to));
        let number = *numbers.entry(task.to_bits()).or_insert_with(|| {
            self.tasks.push(TaskSum {
                task,
                turns: 0,
                ran: 0,
                longest: 0,
                reductions: 0,
            });
            self.tasks.len() - 1
        });
        let sum = &mut self.tasks[number];
        sum.turns += 1;
        sum.ran += end - begin;
        sum.longest = sum.longest.max(lasted);
        sum.reductions += u64::from(reductions);
        let sums = &mut row.sums;
        sums.turns += 1;
        sums.busy += end - begin;
        sums.longest = sums.longest.max(lasted);
        sums.reductions += u64::from(reductions);
        if let Some(why) = why {
            sums.ends[end_number(why)] += 1;
        }
        row.blocks.push(Block {
            begin,
            end,
            task: number,
            why,
            reductions,
        });
    }

    /// Numbers the tasks by the time they had.
    fn rank(&mut self) {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse((self.tasks[at].ran, self.tasks[at].turns)));
        let mut rank = vec![0; order.len()];
        for (place, &at) in order.iter().enumerate() {
            rank[at] = place;
        }
        let blocks = self.workers.iter_mut().flat_map(|row| &mut row.blocks);
        blocks.for_each(|block| block.task = rank[block.task]);
        self.tasks
            .sort_by_key(|sum| std::cmp::Reverse((sum.ran, sum.turns)));
    }

    /// All workers together.
    pub(super) fn sums(&self) -> Sums {
        let mut all = Sums {
            ends: vec![0; ends().count()],
            ..Sums::default()
        };
        for sums in self.workers.iter().map(|row| &row.sums) {
            all.turns += sums.turns;
            all.busy += sums.busy;
            all.longest = all.longest.max(sums.longest);
            all.asleep += sums.asleep;
            all.reductions += sums.reductions;
            all.steals += sums.steals;
            all.stolen += sums.stolen;
            all.parks += sums.parks;
            all.spawns += sums.spawns;
            all.timers += sums.timers;
            all.overruns += sums.overruns;
            for (sum, more) in all.ends.iter_mut().zip(&sums.ends) {
                *sum += more;
            }
        }
        all
    }

    /// Nanoseconds of the range in which it is known what a worker did.
    pub(super) fn known(&self, row: &Row) -> u64 {
        self.to - row.known_from.clamp(self.from, self.to)
    }
}

impl Row {
    fn add_sleep(&mut self, view: &View, begin: u64, end: u64) {
        let (begin, end) = (begin.max(view.from), end.min(view.to));
        if begin < end {
            self.asleep.push((begin, end));
        }
    }

    fn add_mark(&mut self, event: &Event) {
        let sums = &mut self.sums;
        let mark = match event.what {
            What::Turn { .. } => return,
            What::Steal { from, tasks } => {
                sums.steals += 1;
                sums.stolen += u64::from(tasks);
                Mark::Steal { from, tasks }
            }
            What::Park => {
                sums.parks += 1;
                Mark::Park
            }
            What::Unpark => Mark::Unpark,
            What::Spawn { .. } => {
                sums.spawns += 1;
                Mark::Spawn
            }
            What::Timers { fired } => {
                sums.timers += u64::from(fired);
                Mark::Timers { fired }
            }
            What::Overrun { rescued, .. } => {
                sums.overruns += 1;
                Mark::Overrun { rescued }
            }
        };
        self.marks.push((event.at, mark));
    }
}

/// Since when it is known what a worker did: what was noted before may be written over.
fn known_from(recording: &Recording, lane: &Lane) -> u64 {
    match lane.events.first() {
        Some(first) if lane.missed > 0 => first.at,
        _ if lane.missed > 0 => recording.taken,
        _ => recording.began,
    }
}

/// The overlong turns on one worker.
fn overruns(recording: &Recording, index: usize) -> Vec<Event> {
    let events = recording.ticker.events.iter();
    let on = |event: &&Event| matches!(event.what, What::Overrun { worker, .. } if worker == index);
    events.filter(on).copied().collect()
}

fn range(recording: &Recording, from: Option<f64>, to: Option<f64>) -> Result<(u64, u64), String> {
    let (began, taken) = (recording.began, recording.taken);
    let on_clock = |ms: f64| began.saturating_add((ms * MS) as u64);
    let known = recording
        .workers
        .iter()
        .map(|lane| known_from(recording, lane));
    let begin = from.map_or(known.max().unwrap_or(began), on_clock);
    let end = to.map_or(taken, on_clock).min(taken);
    let whole = (taken - began) as f64 / MS;
    // Under a simulation nothing may take any time.
    if begin == end && from.is_none() && to.is_none() {
        // A file may say that it was the last nanosecond there is.
        return Ok((begin.min(u64::MAX - 1), end.saturating_add(1)));
    }
    if begin >= end {
        let shown = |ns: u64| ns.saturating_sub(began) as f64 / MS;
        return Err(format!(
            "there is nothing from {:.3} to {:.3} ms: the recording lasts {whole:.3} ms. Choose `from` and `to` within it",
            shown(begin),
            shown(end)
        ));
    }
    Ok((begin, end))
}
