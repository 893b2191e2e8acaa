//! Names that processes try to register while others hold them.

use std::time::Duration;

use rusm_actor::NameConflict;

use crate::protocol::Kind;
use crate::warnings::Finding;

/// Names that are told: there are more urgent warnings, and names can be had by anybody.
const TOLD_MAX: usize = 16;
/// A refusal is told for so long.
const TOLD: Duration = Duration::from_secs(10);

pub(super) fn look(now: Duration, conflicts: Vec<NameConflict>) -> Vec<Finding> {
    let lately = conflicts
        .into_iter()
        .rev()
        .filter(|it| it.last + TOLD >= now);
    let finding = |it: NameConflict| {
        let ago = now.saturating_sub(it.last).as_secs_f64();
        let times = match it.times {
            1 => "once".into(),
            times => format!("{times} times"),
        };
        Finding {
            kind: Kind::Name,
            evidence: format!(
                "`{}` is held by {}; others tried to register it {times}, last {} {ago:.1} s ago",
                it.name, it.holder, it.refused
            ),
            subject: String::from(&*it.name),
        }
    };
    lately.take(TOLD_MAX).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusm_actor::Pid;

    #[test]
    fn a_refused_name_is_told_for_a_while() {
        let conflict = NameConflict {
            name: "orders".into(),
            holder: Pid::from_bits(1),
            refused: Pid::from_bits(2),
            times: 12,
            last: Duration::from_millis(700),
        };
        let told = |millis| look(Duration::from_millis(millis), vec![conflict.clone()]);
        let found = told(1_000);
        let expected = format!(
            "`orders` is held by {}; others tried to register it 12 times, last {} 0.3 s ago",
            conflict.holder, conflict.refused
        );
        assert_eq!(
            (&*found[0].subject, &found[0].evidence),
            ("orders", &expected)
        );
        assert_eq!(told(10_700).len(), 1);
        assert!(told(10_701).is_empty());
    }
}
