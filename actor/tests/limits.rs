//! Mailboxes with a limit: each policy, whether the receiver runs or not.

#[path = "semantics/everywhere.rs"]
mod everywhere;
#[path = "limits/floods.rs"]
mod floods;
#[path = "limits/policies.rs"]
mod policies;
#[path = "limits/signals.rs"]
mod signals;

use std::time::Duration;

use rusm_actor::{Context, MailboxInfo, MailboxLimit, MailboxPolicy, Message, Pid, Spawn, send};

const ALL: [MailboxPolicy; 4] = [
    MailboxPolicy::ShedNewest,
    MailboxPolicy::ShedOldest,
    MailboxPolicy::Refuse,
    MailboxPolicy::Kill,
];
/// Long enough for whatever was sent to be heard; the simulation does not wait for it.
const MOMENT: Duration = Duration::from_millis(2);

fn limit(messages_max: usize, policy: MailboxPolicy) -> MailboxLimit {
    MailboxLimit {
        messages_max,
        policy,
    }
}

fn number(message: &Message) -> u64 {
    u64::from_le_bytes(message.bytes().try_into().expect("eight bytes"))
}

fn info(ctx: &Context, pid: Pid) -> MailboxInfo {
    ctx.node().mailbox(pid).expect("it has a limit and lives")
}

/// A process that reads nothing until it is asked to by a timeout, which no limit sheds; then
/// it sends all numbers in its mailbox to who started it, and 999 behind them.
fn sleeper(ctx: &mut Context, limit: MailboxLimit) -> Pid {
    let to = ctx.pid();
    let how = Spawn::new().mailbox(limit);
    let body = move |mut ctx: Context| async move {
        ctx.receive_match(|message| message.timeout().is_some())
            .await;
        while let Some(message) = ctx.try_receive() {
            send(to, number(&message).to_le_bytes());
        }
        send(to, 999_u64.to_le_bytes());
        ctx.receive_match(|_| false).await;
    };
    ctx.spawn_with(how, body).0
}

async fn drain(ctx: &mut Context, sleeper: Pid) -> Vec<u64> {
    ctx.start_timer(Duration::ZERO, sleeper, b"");
    let mut all = Vec::new();
    loop {
        match number(&ctx.receive().await) {
            999 => return all,
            number => all.push(number),
        }
    }
}
