//! What hogs and bystanders do. All of it ends by a flag that hogs look at between slices: no scheduler is asked to
//! stop them.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rusm_actor::{Context, ExitReason, Node, Priority, Spawn};
use rusm_wasm::Prepared;

use super::Side;
use crate::env::Env;
use crate::failure::Failure;
use crate::latency::Latency;
use crate::scenario::fairness_wasm::looping;
use crate::scenario::guest::{engine, prepare};

/// Loop turns of a native hog between two looks at the flag.
const SPIN_TURNS: u64 = 10_000;
/// Reductions that a hog spends at once.
const SPEND_TURNS: u32 = 100;
/// Loop turns of a guest before it begins anew: some ms, several ticks of ours.
const GUEST_TURNS: u64 = 5_000_000;
/// Time for the bystanders to fall asleep before the hogs come.
const AHEAD: Duration = Duration::from_millis(20);
/// Hogs, and bystanders: each of them is shown, many times a second.
const LANES_MAX: u64 = 100;
/// The longest sleep of a bystander: a run ends within one.
const SLEEP_US_MAX: u64 = 1_000_000;

/// Who does what.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) hogs: u64,
    pub(super) bystanders: u64,
    pub(super) sleep: Duration,
    kind: Kind,
    priority: Priority,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Native,
    Guest,
    Reductions,
}

impl Work {
    pub(super) fn from(env: &Env) -> Result<Self, Failure> {
        let kind = match env.text("kind") {
            "native" => Kind::Native,
            "guest" => Kind::Guest,
            "reductions" => Kind::Reductions,
            other => {
                return Err(Failure::Usage(format!(
                    "there are no hogs of kind `{other}`: `native`, `guest` and `reductions` there are."
                )));
            }
        };
        let priority = match env.text("priority") {
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            other => {
                return Err(Failure::Usage(format!(
                    "`priority={other}` is none: `high`, `normal` and `low` are."
                )));
            }
        };
        let sleep = env.positive("sleep_us")?;
        if sleep > SLEEP_US_MAX {
            return Err(Failure::Usage(format!(
                "`sleep_us={sleep}` is too long for a bystander: give {SLEEP_US_MAX} at most."
            )));
        }
        Ok(Work {
            hogs: few(env, "hogs")?,
            bystanders: few(env, "bystanders")?,
            sleep: Duration::from_micros(sleep),
            kind,
            priority,
        })
    }

    /// What the hogs of `node` run, if they are guests.
    pub(super) fn guest(&self, node: &Node) -> Result<Option<Prepared>, Failure> {
        match self.kind {
            Kind::Guest => prepare(&engine(node, self.hogs)?, &looping(GUEST_TURNS)).map(Some),
            Kind::Native | Kind::Reductions => Ok(None),
        }
    }
}

fn few(env: &Env, key: &str) -> Result<u64, Failure> {
    match env.positive(key)? {
        many if many > LANES_MAX => Err(Failure::Usage(format!(
            "`{key}={many}` is more than can be shown one by one: give {LANES_MAX} at most."
        ))),
        few => Ok(few),
    }
}

/// Starts the bystanders of a side, and its hogs a little later.
pub(super) async fn start(mut ctx: Context, side: Arc<Side>, work: Work, guest: Option<Prepared>) {
    let priority = match side.ours {
        true => work.priority,
        false => Priority::Normal,
    };
    for index in 0..work.bystanders as usize {
        let (side, sleep) = (side.clone(), work.sleep);
        let how = Spawn::new().priority(priority);
        ctx.spawn_with(how, move |_| stand_by(side, index, sleep));
    }
    ctx.sleep(AHEAD).await;
    for index in 0..work.hogs as usize {
        let side = side.clone();
        match (&guest, work.kind) {
            (Some(guest), _) => {
                let guest = guest.clone();
                ctx.spawn(move |ctx| run_guests(ctx, side, index, guest))
            }
            (None, Kind::Reductions) if side.ours => ctx.spawn(move |ctx| spend(ctx, side, index)),
            (None, _) => ctx.spawn(move |_| spin(side, index)),
        };
    }
}

async fn stand_by(side: Arc<Side>, index: usize, sleep: Duration) {
    let (mut late, mine) = (Latency::new(), &side.lanes.bystanders[index]);
    while !side.over.load(Relaxed) {
        let due = Instant::now() + sleep;
        side.lanes.sleeps(mine, due);
        rusm_sched::sleep(sleep).await;
        let lateness = due.elapsed();
        late.note(lateness);
        mine.woke(lateness);
    }
    side.ledger.close(mine.done(), &late);
}

async fn spin(side: Arc<Side>, index: usize) {
    let mut random = index as u64;
    while !side.over.load(Relaxed) {
        random = work_for(random, SPIN_TURNS);
        side.lanes.hogs[index].did(SPIN_TURNS);
    }
}

async fn spend(ctx: Context, side: Arc<Side>, index: usize) {
    let mut random = index as u64;
    while !side.over.load(Relaxed) {
        random = work_for(random, SPEND_TURNS.into());
        side.lanes.hogs[index].did(SPEND_TURNS.into());
        ctx.reductions(SPEND_TURNS).await;
    }
}

/// Each guest that has ended goes to the end of the queue as the next one.
async fn run_guests(ctx: Context, side: Arc<Side>, index: usize, guest: Prepared) -> ExitReason {
    while !side.over.load(Relaxed) {
        match guest.run_pure(ctx.another()).await {
            ExitReason::Normal => side.lanes.hogs[index].did(GUEST_TURNS),
            other => return other,
        }
        rusm_sched::yield_now().await;
    }
    ExitReason::Normal
}

/// Work that no compiler can leave out.
fn work_for(random: u64, turns: u64) -> u64 {
    (0..turns).fold(random, |random, _| {
        black_box(random.wrapping_mul(6364136223846793005).wrapping_add(1))
    })
}
