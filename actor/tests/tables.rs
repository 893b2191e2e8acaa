//! The tables that all processes of a node share, names and groups, under many threads at once:
//! what must hold whoever comes first.
//!
//! Both are maps behind one lock. What can go wrong is not in them but between them and the
//! processes: somebody ends while somebody else is about to enter it. That race is in the
//! inbox's atomic word and in the worker that settles the end, so a model checker that replaces
//! the lock alone (loom, shuttle) would not see it; hence real threads, and many short lives.
//! `RUSM_SEED` names the seed of what the processes do; the threads do what they want.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use rusm_actor::{
    Config, Context, ExitReason, GroupEvent, Node, Pid, Reference, RegisterError, Watched, kill,
    send,
};

const NAMES: usize = 4;
const MANAGERS: u64 = 6;
/// Children each of them starts, one after the other.
const CHILDREN: u64 = 3_000;

/// Other managers' children each of them watches with its own.
const OTHERS: usize = 4;

/// Repeats what it decides for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 33) as usize % end
    }

    fn name(&mut self) -> String {
        format!("name {}", self.below(NAMES))
    }
}

/// What all share: whom to meddle with, and what went wrong.
#[derive(Default)]
struct Stage {
    recent: Mutex<Vec<Pid>>,
    wrong: Mutex<Vec<String>>,
}

impl Stage {
    fn demand(&self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.wrong.lock().expect("no panic").push(otherwise());
        }
    }

    fn recent(&self, random: &mut Random) -> Option<Pid> {
        let recent = self.recent.lock().expect("no panic");
        let count = recent.len();
        (count > 0).then(|| recent[random.below(count)])
    }

    fn show(&self, pid: Pid) {
        let mut recent = self.recent.lock().expect("no panic");
        recent.push(pid);
        if recent.len() > 8 {
            recent.remove(0);
        }
    }
}

fn number(name: &str) -> u64 {
    let given = std::env::var(name).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Runs `manager` so many times at once, until all have ended; then nothing may be left.
fn under_threads<F, Fut>(workers: usize, manager: F)
where
    F: Fn(Context, Arc<Stage>, Random) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let seed = number("RUSM_SEED");
    let config = Config {
        workers,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let stage = Arc::new(Stage::default());
    let shared = stage.clone();
    let outcome = node.block_on(|mut ctx| async move {
        let observed = shared.clone();
        let (observer, _) = ctx.spawn_monitor(move |ctx| observe(ctx, observed));
        for at in 0..MANAGERS {
            let (manager, stage) = (manager.clone(), shared.clone());
            let random = Random(seed ^ at << 32);
            ctx.spawn_monitor(move |ctx| manager(ctx, stage, random));
        }
        for _ in 0..MANAGERS {
            let down = ctx.receive().await.down().expect("only monitors speak");
            assert_eq!(down.reason, ExitReason::Normal, "seed {seed}");
        }
        // All children have ended, and were heard of by the observer before this.
        send(observer, b"over");
        let down = ctx.receive().await.down().expect("only monitors speak");
        assert_eq!(down.reason, ExitReason::Normal, "seed {seed}");
    });
    assert_eq!(outcome, Ok(()));
    let wrong = stage.wrong.lock().expect("no panic").clone();
    assert_eq!(wrong, Vec::<String>::new(), "seed {seed}");
    assert_eq!(node.registered(), [], "seed {seed}");
    assert_eq!(node.groups(), Vec::<Arc<str>>::new(), "seed {seed}");
}

/// Starts children that live for a moment, one after the other; `ended` looks at what each of
/// them left when its end was told.
async fn raise<F, Fut>(
    mut ctx: Context,
    stage: Arc<Stage>,
    mut random: Random,
    child: F,
    ended: fn(&Context, &Stage, Pid, &ExitReason),
) where
    F: Fn(Context, Arc<Stage>, Random) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    for _ in 0..CHILDREN {
        let (shared, seed) = (stage.clone(), Random(random.below(usize::MAX) as u64));
        let child = child.clone();
        let (pid, reference) = ctx.spawn_monitor(move |ctx| child(ctx, shared, seed));
        stage.show(pid);
        if random.below(3) == 0 {
            ctx.reductions(random.below(2000) as u32).await;
            kill(pid);
        }
        for _ in 0..OTHERS {
            stage.recent(&mut random).map(|other| ctx.monitor(other));
        }
        let mut own = false;
        while !own {
            let down = ctx.receive().await.down().expect("only monitors speak");
            if let Watched::Pid(pid) = down.watched {
                ended(&ctx, &stage, pid, &down.reason);
            }
            own = down.reference == reference;
        }
    }
}

/// Registers itself and others, and expects to keep what it got until it gives it back.
async fn tenant(ctx: Context, stage: Arc<Stage>, mut random: Random) {
    let (node, me) = (ctx.node(), ctx.pid());
    for _ in 0..4 {
        let name = random.name();
        match ctx.register(&name) {
            Ok(()) => {
                rusm_sched::yield_now().await;
                let owner = node.whereis(&name);
                stage.demand(owner == Some(me), || {
                    format!("{name} is {owner:?}, not {me}")
                });
                let mine = node.name_of(me);
                stage.demand(mine.as_deref() == Some(&name), || {
                    format!("{me} is {mine:?}, not {name}")
                });
                if random.below(2) == 0 {
                    let owner = node.unregister(&name);
                    stage.demand(owner == Some(me), || format!("{name} was {owner:?}'s"));
                }
            }
            Err(RegisterError::Taken(owner)) => {
                stage.demand(owner != me, || format!("{me} is in its own way"));
            }
            // Somebody else named it.
            Err(RegisterError::Named(_)) => {}
            Err(error) => stage.demand(false, || format!("{me}: {error}")),
        }
        if let Some(other) = stage.recent(&mut random) {
            // It may be about to end: that is the race.
            node.register(&random.name(), other).ok();
        }
        let mut pids: Vec<_> = node.registered().iter().map(|(_, pid)| *pid).collect();
        let count = pids.len();
        pids.sort_unstable();
        pids.dedup();
        stage.demand(pids.len() == count, || "one process has two names".into());
    }
}

fn has_no_name(ctx: &Context, stage: &Stage, pid: Pid, _: &ExitReason) {
    let node = ctx.node();
    let name = node.name_of(pid);
    stage.demand(name.is_none(), || format!("{pid} has ended as {name:?}"));
    let all = node.registered();
    let listed = all.iter().any(|(_, owner)| *owner == pid);
    stage.demand(!listed, || format!("{pid} has ended and is in {all:?}"));
}

#[test]
fn names_and_pids_stay_each_others_inverse_and_the_dead_have_none() {
    for workers in [2, 4] {
        under_threads(workers, |ctx, stage, random| {
            raise(ctx, stage, random, tenant, has_no_name)
        });
    }
}

/// Joins and leaves groups, and puts others into them.
async fn member(ctx: Context, stage: Arc<Stage>, mut random: Random) {
    let (node, me) = (ctx.node(), ctx.pid());
    for _ in 0..4 {
        let group = random.name();
        let joined = node.join(&group, me);
        stage.demand(joined.is_ok(), || format!("{me} lives and cannot join"));
        rusm_sched::yield_now().await;
        let inside = node.members(&group).contains(&me);
        stage.demand(inside, || format!("{me} is not in {group}"));
        if random.below(2) == 0 {
            let left = node.leave(&group, me);
            stage.demand(left, || format!("{me} cannot leave {group}"));
        }
        if let Some(other) = stage.recent(&mut random) {
            // It may be about to end: that is the race.
            node.join(&random.name(), other).ok();
        }
    }
}

fn is_in_no_group(ctx: &Context, stage: &Stage, pid: Pid, reason: &ExitReason) {
    if *reason == ExitReason::NoProcess {
        // It was found dead, perhaps just before it is settled. Groups promise nothing then.
        return;
    }
    let node = ctx.node();
    for at in 0..NAMES {
        let inside = node.members(&format!("name {at}")).contains(&pid);
        stage.demand(!inside, || format!("{pid} has ended and is in name {at}"));
    }
}

/// Counts who is in which group by what it is told, until a message says that all is over.
async fn observe(mut ctx: Context, stage: Arc<Stage>) {
    let (node, me) = (ctx.node(), ctx.pid());
    let mut watches: BTreeMap<Reference, String> = BTreeMap::new();
    let mut members: HashMap<(String, Pid), i64> = HashMap::new();
    for at in 0..NAMES {
        let name = format!("name {at}");
        let (reference, inside) = node.watch_group(&name, me).expect("this one lives");
        for pid in inside.iter() {
            *members.entry((name.clone(), *pid)).or_default() += 1;
        }
        watches.insert(reference, name);
    }
    loop {
        let message = ctx.receive().await;
        let rusm_actor::Content::Group(event) = message.content() else {
            break;
        };
        let GroupEvent { pid, joined, .. } = *event;
        let name = watches[&event.reference].clone();
        let count = members.entry((name, pid)).or_default();
        *count += if joined { 1 } else { -1 };
        stage.demand(*count >= 0, || format!("{pid} left where it was not"));
    }
    members.retain(|_, count| *count != 0);
    stage.demand(members.is_empty(), || format!("still inside: {members:?}"));
}

#[test]
fn the_dead_are_in_no_group_and_watchers_hear_of_each_change_once() {
    for workers in [2, 4] {
        under_threads(workers, |ctx, stage, random| {
            raise(ctx, stage, random, member, is_in_no_group)
        });
    }
}
