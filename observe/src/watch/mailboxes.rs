//! Mailboxes that grow and grow.

use std::collections::HashMap;

use rusm_actor::{By, Node, Pid, ProcessSummary};

use crate::protocol::Kind;
use crate::warnings::Finding;

/// A shorter mailbox is no trouble.
const MESSAGES_MIN: u32 = 1_000;
/// Looks in a row at which there were more.
const LOOKS: usize = 5;
/// The longest mailboxes, which are the ones that are looked at.
const LONGEST: usize = 32;

/// The length of the longest mailboxes, look by look.
#[derive(Default)]
pub(super) struct Mailboxes {
    /// Each list grows from its first number to its last.
    grew: HashMap<Pid, Vec<u32>>,
    /// Looks that are left out: a walk over all processes is to cost less than a hundredth of the time.
    leave_out: u64,
}

impl Mailboxes {
    /// Walks over all processes on a thread for blocking work.
    pub(super) async fn look(&mut self, node: &Node) -> Vec<Finding> {
        if self.leave_out > 0 {
            self.leave_out -= 1;
            return self.findings();
        }
        let node = Node::over(node.handle());
        let begun = rusm_sched::now();
        let walked = rusm_sched::blocking::run(move || node.top(LONGEST, By::Mailbox)).await;
        let lasted = rusm_sched::now() - begun;
        self.leave_out = (lasted.as_secs_f64() * 100.0) as u64;
        if let Ok(longest) = walked {
            self.note(longest);
        }
        self.findings()
    }

    fn note(&mut self, longest: Vec<ProcessSummary>) {
        let mut before = std::mem::take(&mut self.grew);
        for it in longest.iter().filter(|it| it.messages >= MESSAGES_MIN) {
            let mut lengths = before.remove(&it.pid).unwrap_or_default();
            if lengths.last().is_some_and(|last| *last >= it.messages) {
                lengths.clear();
            }
            if lengths.len() > LOOKS {
                lengths.remove(0);
            }
            lengths.push(it.messages);
            self.grew.insert(it.pid, lengths);
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let growing = self
            .grew
            .iter()
            .filter(|(_, lengths)| lengths.len() > LOOKS);
        let finding = |(pid, lengths): (&Pid, &Vec<u32>)| Finding {
            kind: Kind::Mailbox,
            subject: pid.to_string(),
            evidence: format!(
                "{} messages wait for {pid}, {} more than {LOOKS} looks ago, and more at each",
                lengths[LOOKS],
                lengths[LOOKS] - lengths[0]
            ),
        };
        growing.map(finding).collect()
    }
}
