//! What a worker's last few thousand turns say about help: whether it needs any, and whether
//! it should give some. Numbers in, verdicts out.

/// A queue that is served within this time needs no help, in nanoseconds: about what it takes
/// to wake a thread.
const QUICK: u64 = 50_000;
/// Turns shorter than this are trifles, in nanoseconds: to move a task and its letter from one cache
/// to another takes as long.
const TRIFLE: u64 = 150;
/// A queue of trifles needs no help either within this time.
const QUICK_TRIFLES: u64 = 4 * QUICK;
/// Turns shorter than this are brief, in nanoseconds: several of them fit into the time that it takes
/// to wake a thread.
const BRIEF: u64 = 2_000;
/// This many looks in a row at a queue of no more than one task, and no idle moment between
/// them, make a worker look for more.
const LONELY_MAX: u32 = 16;

/// What was counted between two looks.
pub(super) struct Period {
    /// In nanoseconds.
    pub(super) now: u64,
    /// Tasks in the queue now.
    pub(super) waiting: usize,
    /// Turns given.
    pub(super) turns: u64,
    /// Tasks taken from the queue; those that were handed over go without waiting.
    pub(super) served: u64,
    /// Tasks woken by messages.
    pub(super) receivers: u64,
    /// Letters sent, and those of them to a mailbox that is far behind.
    pub(super) sends: u64,
    pub(super) deep_sends: u64,
}

pub(super) struct Pace {
    looked_at: u64,
    lonely: u32,
    elapsed: Fading,
    turns: Fading,
    served: Fading,
    receivers: Fading,
    sends: Fading,
    deep_sends: Fading,
}

/// A sum in which what was added 32 times ago weighs a third: tasks answer in bursts.
#[derive(Default)]
struct Fading(u64);

impl Fading {
    fn add(&mut self, more: u64) {
        self.0 = self.0 - self.0 / 32 + more;
    }
}

impl Pace {
    pub(super) fn new(now: u64) -> Self {
        Pace {
            looked_at: now,
            lonely: 0,
            elapsed: Fading::default(),
            turns: Fading::default(),
            served: Fading::default(),
            receivers: Fading::default(),
            sends: Fading::default(),
            deep_sends: Fading::default(),
        }
    }

    /// Is help of no use here? Either the tasks mostly talk to each other, and those that wait
    /// will be served before another thread would be up. Or they mostly send to a mailbox that
    /// is far behind, so that its owner is what they wait for. In both cases helping only
    /// moves tasks and letters from cache to cache: with 64 producers and a consumer, two
    /// workers do half of what one does.
    pub(super) fn is_quick(&mut self, period: &Period) -> bool {
        self.elapsed.add(period.now - self.looked_at);
        self.looked_at = period.now;
        self.turns.add(period.turns);
        self.served.add(period.served);
        self.receivers.add(period.receivers);
        self.sends.add(period.sends);
        self.deep_sends.add(period.deep_sends);
        let talkative = self.receivers.0 * 2 >= self.served.0;
        let turn = self.elapsed.0 / self.served.0.max(1);
        let wait = turn * period.waiting as u64;
        let quick = if turn < TRIFLE { QUICK_TRIFLES } else { QUICK };
        let flooding = self.deep_sends.0 * 2 > self.sends.0;
        flooding || talkative && wait < quick
    }

    /// Were turns short until the last look?
    pub(super) fn is_brief(&self) -> bool {
        self.elapsed.0 < self.turns.0 * BRIEF
    }

    /// Should a busy worker take tasks of others? Idle ones do. One whose only task is always
    /// runnable is never idle, and would leave the others to themselves for ever.
    pub(super) fn is_lonely(&mut self, waiting: usize) -> bool {
        self.lonely = if waiting > 1 { 0 } else { self.lonely + 1 };
        let lonely = self.lonely >= LONELY_MAX;
        if lonely {
            self.lonely = 0;
        }
        lonely
    }

    /// The worker had nothing to do.
    pub(super) fn was_idle(&mut self) {
        self.lonely = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(now: u64) -> Period {
        Period {
            now,
            waiting: 10,
            turns: 64,
            served: 64,
            receivers: 0,
            sends: 64,
            deep_sends: 0,
        }
    }

    #[test]
    fn tasks_that_talk_and_are_soon_served_need_no_help() {
        let mut pace = Pace::new(0);
        let receivers = 60;
        assert!(pace.is_quick(&Period {
            receivers,
            ..period(6_400)
        }));
        // The same number of turns, and each takes a hundred times as long.
        assert!(!pace.is_quick(&Period {
            receivers,
            ..period(1_000_000)
        }));
    }

    #[test]
    fn many_trifles_need_no_help_where_as_many_longer_turns_do() {
        let thousand = |now| Period {
            waiting: 1000,
            receivers: 60,
            ..period(now)
        };
        assert!(Pace::new(0).is_quick(&thousand(64 * 100)));
        assert!(!Pace::new(0).is_quick(&thousand(64 * 160)));
        assert!(!Pace::new(0).is_quick(&Period {
            waiting: 10_000,
            ..thousand(64 * 100)
        }));
    }

    #[test]
    fn turns_are_brief_if_most_of_them_are_those_that_were_handed_over_too() {
        let mut pace = Pace::new(0);
        let handed_over = |now| Period {
            turns: 1000,
            served: 1,
            ..period(now)
        };
        assert!(!pace.is_brief());
        pace.is_quick(&handed_over(1_000_000));
        assert!(pace.is_brief());
        pace.is_quick(&handed_over(9_000_000));
        assert!(!pace.is_brief());
    }

    #[test]
    fn tasks_that_compute_need_help_unless_they_flood_a_mailbox() {
        let mut pace = Pace::new(0);
        assert!(!pace.is_quick(&period(6_400)));
        let flood = Period {
            sends: 640,
            deep_sends: 640,
            ..period(12_800)
        };
        assert!(pace.is_quick(&flood));
    }

    #[test]
    fn a_worker_with_one_task_that_never_rests_looks_for_more() {
        let mut pace = Pace::new(0);
        let looks = |pace: &mut Pace| (0..LONELY_MAX).filter(|_| pace.is_lonely(1)).count();
        assert_eq!(looks(&mut pace), 1);
        pace.is_lonely(1);
        pace.was_idle();
        assert_eq!((1..LONELY_MAX).filter(|_| pace.is_lonely(1)).count(), 0);
        assert!(!pace.is_lonely(2));
    }
}
