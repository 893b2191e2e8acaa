//! Random programs: a handful of processes, and what each of them does, step by step.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

/// Names, and as many groups.
pub(crate) const NAMES: u8 = 3;
/// Processes a program starts at most; further spawns are left out.
pub(crate) const PROCESSES_MAX: usize = 12;
/// Processes, timers and the like that a step chooses among at most.
const NTH_MAX: Nth = 8;
/// Milliseconds a timer or a sleep takes at most.
const DELAY_MAX: u64 = 20;

/// A program, and the order of its turns.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The simulation's; further orders have the seeds that follow.
    pub(crate) seed: u64,
    pub(crate) scripts: Vec<Script>,
}

/// What one process does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) ending: Ending,
    /// Its turn may end after each step, and not only where it waits.
    pub(crate) breaks: bool,
}

/// What it does after its steps.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Receives whatever comes, until it is told to leave.
    Stay,
    Return(Why),
    Panic,
}

/// A reason as the model knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Normal,
    Shutdown,
    Kill,
    Killed,
    NoProcess,
    Error(u8),
    Panic,
    /// None of the above.
    Strange(String),
}

/// Which process, timer, alias or monitor, of those there are: its number modulo their count.
pub(crate) type Nth = u8;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Spawn {
        link: bool,
        monitor: bool,
        child: Script,
    },
    Send(Nth),
    SendToName(u8),
    SendToAlias(Nth),
    Receive,
    Yield,
    Sleep(u64),
    Link(Nth),
    Unlink(Nth),
    IsLinked(Nth),
    Monitor(Nth),
    MonitorName(u8),
    MonitorWithAlias(Nth, Once),
    Demonitor(Nth),
    DemonitorAndFlush(Nth),
    TrapExits(bool),
    Exit(Nth, Why),
    ExitSelf(Why),
    Kill(Nth),
    Register(u8, Nth),
    Unregister(u8),
    Whereis(u8),
    Alias(Once),
    Unalias(Nth),
    Arm(u64, To, Kind),
    Cancel(Nth),
    Remaining(Nth),
    Join(u8, Nth),
    Leave(u8, Nth),
    Members(u8),
    IsAlive(Nth),
}

/// Does an alias take one message only?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    Yes,
    No,
}

/// Whom a timer is for.
#[derive(Clone, Debug)]
pub(crate) enum To {
    Process(Nth),
    Name(u8),
}

/// What a timer brings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Message,
    Timeout,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the program:")?;
        for script in &self.scripts {
            script.write(f, 1)?;
        }
        Ok(())
    }
}

impl Script {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let (indent, breaks) = ("  ".repeat(depth), self.breaks);
        writeln!(f, "{indent}a process, breaks: {breaks}")?;
        for step in &self.steps {
            if let Step::Spawn {
                link,
                monitor,
                child,
            } = step
            {
                writeln!(f, "{indent}  Spawn, link: {link}, monitor: {monitor}")?;
                child.write(f, depth + 2)?;
            } else {
                writeln!(f, "{indent}  {step:?}")?;
            }
        }
        writeln!(f, "{indent}  {:?}", self.ending)
    }
}

/// Any program.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    (any::<u64>().no_shrink(), vec(script(2, 32), 1..6))
        .prop_map(|(seed, scripts)| Program { seed, scripts })
}

/// A script whose children have `depth` generations of their own.
fn script(depth: u32, steps_max: usize) -> BoxedStrategy<Script> {
    let endings = prop_oneof![
        6 => Just(Ending::Stay),
        3 => why().prop_map(Ending::Return),
        1 => Just(Ending::Panic),
    ];
    let parts = (vec(step(depth), 0..steps_max), endings, any::<bool>());
    parts
        .prop_map(|(steps, ending, breaks)| Script {
            steps,
            ending,
            breaks,
        })
        .boxed()
}

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![
        3 => Just(Why::Normal),
        1 => Just(Why::Shutdown),
        1 => Just(Why::Kill),
        1 => Just(Why::Killed),
        3 => any::<u8>().prop_map(Why::Error),
    ]
}

fn once() -> impl Strategy<Value = Once> {
    prop_oneof![Just(Once::No), Just(Once::Yes)]
}

fn step(depth: u32) -> Union<BoxedStrategy<Step>> {
    let mut steps = mail();
    steps.extend(ties());
    steps.extend(places());
    if depth > 0 {
        let child = script(depth - 1, 10);
        let spawn =
            (any::<bool>(), any::<bool>(), child).prop_map(|(link, monitor, child)| Step::Spawn {
                link,
                monitor,
                child,
            });
        steps.push((6, spawn.boxed()));
    }
    Union::new_weighted(steps)
}

type Weighted = Vec<(u32, BoxedStrategy<Step>)>;

/// Messages, time, aliases.
fn mail() -> Weighted {
    let nth = || 0..NTH_MAX;
    let to = prop_oneof![
        3 => nth().prop_map(To::Process),
        1 => (0..NAMES).prop_map(To::Name),
    ];
    let kind = prop_oneof![Just(Kind::Message), Just(Kind::Timeout)];
    let arm = (0..DELAY_MAX, to, kind).prop_map(|(delay, to, kind)| Step::Arm(delay, to, kind));
    vec![
        (8, nth().prop_map(Step::Send).boxed()),
        (10, Just(Step::Receive).boxed()),
        (8, Just(Step::Yield).boxed()),
        (3, (1..DELAY_MAX).prop_map(Step::Sleep).boxed()),
        (3, arm.boxed()),
        (2, nth().prop_map(Step::Cancel).boxed()),
        (1, nth().prop_map(Step::Remaining).boxed()),
        (3, once().prop_map(Step::Alias).boxed()),
        (2, nth().prop_map(Step::Unalias).boxed()),
        (4, nth().prop_map(Step::SendToAlias).boxed()),
    ]
}

/// Links, monitors, exits.
fn ties() -> Weighted {
    let nth = || 0..NTH_MAX;
    let with_alias = (nth(), once()).prop_map(|(to, once)| Step::MonitorWithAlias(to, once));
    let exit = (nth(), why()).prop_map(|(to, why)| Step::Exit(to, why));
    vec![
        (6, nth().prop_map(Step::Link).boxed()),
        (4, nth().prop_map(Step::Unlink).boxed()),
        (2, nth().prop_map(Step::IsLinked).boxed()),
        (7, nth().prop_map(Step::Monitor).boxed()),
        (2, (0..NAMES).prop_map(Step::MonitorName).boxed()),
        (3, with_alias.boxed()),
        (3, nth().prop_map(Step::Demonitor).boxed()),
        (3, nth().prop_map(Step::DemonitorAndFlush).boxed()),
        (2, Just(Step::TrapExits(false)).boxed()),
        (5, Just(Step::TrapExits(true)).boxed()),
        (3, exit.boxed()),
        (1, why().prop_map(Step::ExitSelf).boxed()),
        (1, nth().prop_map(Step::Kill).boxed()),
        (1, nth().prop_map(Step::IsAlive).boxed()),
    ]
}

/// Names and groups.
fn places() -> Weighted {
    let nth = || 0..NTH_MAX;
    let register = (0..NAMES, nth()).prop_map(|(name, who)| Step::Register(name, who));
    let join = (0..NAMES, nth()).prop_map(|(group, who)| Step::Join(group, who));
    let leave = (0..NAMES, nth()).prop_map(|(group, who)| Step::Leave(group, who));
    vec![
        (4, register.boxed()),
        (2, (0..NAMES).prop_map(Step::Unregister).boxed()),
        (2, (0..NAMES).prop_map(Step::Whereis).boxed()),
        (3, (0..NAMES).prop_map(Step::SendToName).boxed()),
        (2, join.boxed()),
        (1, leave.boxed()),
        (1, (0..NAMES).prop_map(Step::Members).boxed()),
    ]
}
