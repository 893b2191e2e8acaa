//! Processes that wait for each other are told to those who look.

mod client;

use std::time::Duration;

use rusm_actor::{Context, Node, Pid, send};
use serde_json::Value;

use client::{Client, observed};

/// One that hears whom to call, and waits for the answer for ever.
fn caller(node: &Node) -> Pid {
    node.spawn(|mut ctx: Context| async move {
        // Others may have called it before.
        let to = ctx
            .receive_match(|message| !message.bytes().is_empty())
            .await;
        let to = u64::from_le_bytes(to.bytes().try_into().expect("eight bytes"));
        let answer = ctx
            .call_within(Duration::MAX, Pid::from_bits(to), b"?")
            .await;
        // One in the circle ends: the others have their error, and wait for nobody.
        assert!(answer.is_err());
        ctx.receive().await;
    })
}

fn call(caller: Pid, to: Pid) {
    send(caller, to.to_bits().to_le_bytes());
}

#[test]
fn who_waits_in_a_circle_is_told_and_who_waits_for_a_busy_one_is_not() {
    let (node, observer) = observed(None);
    let [a, b, c, outside, patient] = std::array::from_fn(|_| caller(&node));
    let busy = node.spawn(|_| std::future::pending::<()>());
    call(a, b);
    call(b, c);
    call(c, a);
    call(outside, a);
    call(patient, busy);
    let mut client = Client::new(&observer);
    let is = |active: bool| move |it: &Value| it["kind"] == "deadlock" && it["active"] == active;
    let warning = client.until("warning", is(true));
    let subject = a.min(b).min(c).to_string();
    assert_eq!(warning["subject"], subject);
    let evidence = warning["evidence"].as_str().expect("text");
    for (caller, asked) in [(a, b), (b, c), (c, a)] {
        let waits = format!("{caller} waits for an answer of {asked}");
        assert!(evidence.contains(&waits), "{evidence}");
    }
    for other in [outside, patient, busy] {
        assert!(!evidence.contains(&other.to_string()), "{evidence}");
    }
    node.kill(b);
    let over = client.until("warning", is(false));
    assert_eq!(over["subject"], subject);
}
