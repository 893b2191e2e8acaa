//! A view as text: a lane for each worker, the legend of its letters, and a summary.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write;

use rusm_observe::quiet;
use rusm_observe::recording::{Recorded, ends, task_name};
use rusm_sched::Address;

use super::crash;
use super::view::{MS, Mark, Row, Sums, View};

/// Tasks that are listed as those that ran most.
const TOP: usize = 10;

/// Columns of a lane: from, to, and by default.
pub(super) const WIDTH_MIN: usize = 10;
pub(super) const WIDTH_MAX: usize = 1000;
pub(super) const WIDTH: usize = 100;

pub(super) fn print(view: &View, recorded: &Recorded, width: usize) -> String {
    let crash = recorded.crash.as_ref();
    let mut out = crash.map(crash::end).unwrap_or_default();
    out.push_str(&head(view, recorded, width));
    for (index, row) in view.workers.iter().enumerate() {
        let (lane, marks) = lane(view, row, width);
        out.push_str(&format!("worker {index:<3}|{lane}|\n"));
        if marks.chars().any(|mark| mark != ' ') {
            out.push_str(&format!("          |{marks}|\n"));
        }
    }
    out.push_str(
        "\na letter: the task with most of the column; *: one further down the list; #: none has half of it\n\
         .: asleep; blank: awake without a turn; ?: no longer known\n\
         below: ! a turn too long, S steal, P park, U unpark, T timers, + spawn\n\n",
    );
    out.push_str(&summary(view));
    out.push_str(&most(view, recorded));
    out.extend(crash.map(|crash| crash::last_moments(crash, recorded)));
    out
}

fn head(view: &View, recorded: &Recorded, width: usize) -> String {
    let Recorded {
        scenario,
        recording,
        ..
    } = recorded;
    let ms = |at: u64| at.saturating_sub(recording.began) as f64 / MS;
    let column = (view.to - view.from) as f64 / width as f64;
    let seed = recording.seed.map(|seed| format!(", seed {seed}"));
    format!(
        "{}: {} workers{}, {:.3} to {:.3} ms of {:.3}; a column is {}\n\n",
        quiet(scenario),
        recording.workers.len(),
        seed.unwrap_or_default(),
        ms(view.from),
        ms(view.to),
        ms(recording.taken),
        time(column),
    )
}

/// Who had each column, and what happened in it.
fn lane(view: &View, row: &Row, width: usize) -> (String, String) {
    let columns = Columns {
        from: view.from,
        span: view.to - view.from,
        width,
    };
    // Of each column: by task, asleep.
    let mut tasks: Vec<HashMap<usize, u64>> = vec![HashMap::new(); width];
    for block in &row.blocks {
        columns.each(block.begin, block.end, |column, share| {
            *tasks[column].entry(block.task).or_insert(0) += share;
        });
    }
    let mut asleep = vec![0; width];
    for (begin, end) in &row.asleep {
        columns.each(*begin, *end, |column, share| asleep[column] += share);
    }
    let known = columns.of(row.known_from.max(view.from));
    let lane = tasks.iter().zip(&asleep).enumerate();
    let lane = lane.map(|(column, (tasks, asleep))| match look(tasks, *asleep) {
        ' ' if row.known_from > view.from && column < known => '?',
        look => look,
    });
    let mut marks = vec![None; width];
    for (at, mark) in &row.marks {
        let place: &mut Option<Mark> = &mut marks[columns.of(*at)];
        *place = Some(place.map_or(*mark, |other| other.min(*mark)));
    }
    (lane.collect(), marks.into_iter().map(sign).collect())
}

/// Columns of equal time.
struct Columns {
    from: u64,
    span: u64,
    width: usize,
}

impl Columns {
    fn of(&self, at: u64) -> usize {
        let wide = u128::from(at.saturating_sub(self.from)) * self.width as u128;
        let column = usize::try_from(wide / u128::from(self.span)).unwrap_or(usize::MAX);
        column.min(self.width - 1)
    }

    fn begin(&self, column: usize) -> u64 {
        let wide = u128::from(self.span) * column as u128 / self.width as u128;
        self.from + u64::try_from(wide).unwrap_or(self.span)
    }

    /// Tells the columns that a span of time touches, and how much of it each has. One nanosecond at
    /// least, so that a short turn in an empty column is seen.
    fn each(&self, begin: u64, end: u64, mut tell: impl FnMut(usize, u64)) {
        for column in self.of(begin)..=self.of(end.max(begin + 1) - 1) {
            let until = self.begin(column + 1).min(end);
            let share = until.saturating_sub(self.begin(column).max(begin));
            tell(column, share.max(1));
        }
    }
}

fn look(tasks: &HashMap<usize, u64>, asleep: u64) -> char {
    let busy: u64 = tasks.values().sum();
    if busy == 0 && asleep == 0 {
        return ' ';
    }
    if asleep > busy {
        return '.';
    }
    // Of two halves the one that ran more all in all.
    match tasks
        .iter()
        .max_by_key(|(task, share)| (**share, Reverse(**task)))
    {
        Some((task, share)) if share * 2 >= busy => letter(*task),
        _ => '#',
    }
}

/// Letters for those that ran most.
fn letter(rank: usize) -> char {
    let letters = ('A'..='Z').chain('a'..='z');
    letters.into_iter().nth(rank).unwrap_or('*')
}

fn sign(mark: Option<Mark>) -> char {
    match mark {
        None => ' ',
        Some(Mark::Overrun { .. }) => '!',
        Some(Mark::Steal { .. }) => 'S',
        Some(Mark::Park) => 'P',
        Some(Mark::Unpark) => 'U',
        Some(Mark::Timers { .. }) => 'T',
        Some(Mark::Spawn) => '+',
    }
}

fn summary(view: &View) -> String {
    let mut out = format!(
        "{:<10}{:>10}{:>10}{:>10}{:>7}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>6}\n",
        "",
        "turns",
        "mean",
        "longest",
        "busy",
        "asleep",
        "steals",
        "stolen",
        "parks",
        "spawns",
        "timers",
        "over"
    );
    let known: Vec<u64> = view.workers.iter().map(|row| view.known(row)).collect();
    for (index, row) in view.workers.iter().enumerate() {
        out.push_str(&line(&format!("worker {index}"), &row.sums, known[index]));
    }
    let all = view.sums();
    out.push_str(&line("together", &all, known.iter().sum()));
    out.push_str("\nturns ended:");
    for (name, count) in ends().zip(&all.ends) {
        let _ = write!(out, " {name} {count}");
    }
    out.push('\n');
    out
}

fn line(name: &str, sums: &Sums, known: u64) -> String {
    let share = |ns: u64| format!("{:.1}%", ns as f64 * 100.0 / known.max(1) as f64);
    format!(
        "{name:<10}{:>10}{:>10}{:>10}{:>7}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>6}\n",
        sums.turns,
        time(sums.busy as f64 / sums.turns.max(1) as f64),
        time(sums.longest as f64),
        share(sums.busy),
        share(sums.asleep),
        sums.steals,
        sums.stolen,
        sums.parks,
        sums.spawns,
        sums.timers,
        sums.overruns,
    )
}

fn most(view: &View, recorded: &Recorded) -> String {
    let busy = view.sums().busy.max(1) as f64;
    let mut out = format!(
        "\nwho ran most, of {} tasks:\n{:<4}{:<18}{:>10}{:>10}{:>7}{:>10}{:>10}{:>12}  {}\n",
        view.tasks.len(),
        "",
        "task",
        "turns",
        "time",
        "share",
        "mean",
        "longest",
        "reductions",
        "who"
    );
    for (rank, sum) in view.tasks.iter().take(TOP).enumerate() {
        let _ = writeln!(
            out,
            "{:<4}{:<18}{:>10}{:>10}{:>6.1}%{:>10}{:>10}{:>12}  {}",
            letter(rank),
            task_name(sum.task),
            sum.turns,
            time(sum.ran as f64),
            sum.ran as f64 * 100.0 / busy,
            time(sum.ran as f64 / sum.turns.max(1) as f64),
            time(sum.longest as f64),
            sum.reductions,
            name(recorded, sum.task),
        );
    }
    out
}

/// Its name or body, if it lived when the recording was read.
fn name(recorded: &Recorded, task: Address) -> String {
    recorded.process(task).map_or(String::new(), crash::who)
}

/// A time a person can read at a glance.
fn time(ns: f64) -> String {
    if ns >= 1e9 {
        format!("{:.2} s", ns / 1e9)
    } else if ns >= MS {
        format!("{:.2} ms", ns / MS)
    } else if ns >= 1e3 {
        format!("{:.1} us", ns / 1e3)
    } else {
        format!("{ns:.0} ns")
    }
}
