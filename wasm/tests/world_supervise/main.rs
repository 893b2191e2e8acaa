//! Supervisors that components start over components.

#[path = "../support/mod.rs"]
mod support;

mod children;
mod ends;
mod refused;

use rusm_actor::{Context, Pid};
use rusm_wasm::grant::Profile;
use support::actor::{MOMENT, give};
use support::runtime::actor;
use support::services::{data, told_bytes};

/// A child of a component with the number 1 by its cases: restart (0 always, 1 unless it ended as
/// intended, 2 never), shutdown (0 usual, 1 after so many nanoseconds, 2 infinity, 3 kill).
#[derive(Clone, Copy)]
struct Child {
    id: &'static str,
    component: &'static str,
    restart: u8,
    shutdown: (u8, u64),
    significant: bool,
    argument: &'static str,
    profile: &'static str,
}

const CHILD: Child = Child {
    id: "one",
    component: "1",
    restart: 0,
    shutdown: (0, 0),
    significant: false,
    argument: "",
    profile: "",
};

const THREE: [Child; 3] = [
    Child {
        id: "zero",
        ..CHILD
    },
    CHILD,
    Child {
        id: "two",
        restart: 1,
        ..CHILD
    },
];

/// What a supervisor is started with: strategy, restarts in a second, with whom it ends (0 never, 1
/// any significant child, 2 all of them).
#[derive(Clone, Copy)]
struct Plan(u32, u32, u32);

const PLAN: Plan = Plan(0, 3, 0);

/// Texts lie at 3000 and on, records of children at 4096 and on.
fn described(children: &[Child]) -> String {
    let (mut more, mut at) = (String::new(), 3000_u32);
    let mut text = |text: &str| {
        let place = [at, text.len() as u32];
        more += &data(at as usize, text.as_bytes());
        at += 20;
        place
    };
    let mut record = |child: &Child| {
        let (id, component) = (text(child.id), text(child.component));
        let argument = text(child.argument);
        let profile = text(child.profile);
        let arguments = [argument[0] + 500, 1];
        let some = |text: &str| u32::from(!text.is_empty());
        let (disc, span) = child.shutdown;
        let words = [
            &id[..],
            &component,
            &[some(child.argument)],
            &arguments,
            &[some(child.profile)],
            &profile,
            &[u32::from(child.restart), 0, u32::from(disc), 0],
            &[span as u32, (span >> 32) as u32],
            &[u32::from(child.significant), 0],
        ]
        .concat();
        // The list of one argument, 500 bytes behind its text.
        (words, arguments[0] as usize, argument)
    };
    let records: Vec<_> = children.iter().map(&mut record).collect();
    let bytes = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    for (number, (words, list, argument)) in records.iter().enumerate() {
        assert_eq!(words.len(), 18, "a record of 72 bytes");
        more += &data(4096 + 72 * number, &bytes(words));
        more += &data(*list, &bytes(argument));
    }
    more + r#"(data (i32.const 2900) "one") (data (i32.const 2910) "none") (data (i32.const 2920) "late1")"#
}

/// Starts the supervisor, tells how that went, and its pid or why not; the handle is `$s`.
fn begin(plan: Plan, count: usize) -> String {
    let Plan(strategy, restarts, auto) = plan;
    format!(
        r#"(call $"supervise#start" (i32.const {strategy}) (i32.const {restarts}) (i64.const 1000000000) (i32.const {auto})
             (i32.const 4096) (i32.const {count}) (i32.const 512))
           (call $tell_result (i32.const 512))
           (if (i32.load8_u (i32.const 512)) (then (call $why (i32.const 512)) (return (i32.const 2000))))
           (local.set $s (i32.load (i32.const 520)))
           (call $tell (call $"supervise#[method]supervisor.pid" (local.get $s)))"#
    )
}

/// Does what messages with these tags ask for, of the child `one`: 2 list, 3 count, 4 terminate, 5
/// restart, 6 delete, 7 start another, 8 stop, 9 terminate a child that does not exist, 10 drop.
const OBEY: &str = r#"
  (loop $on
    (global.set $free (i32.const 16384))
    (call $next)
    (local.set $n (i32.wrap_i64 (call $tag)))
    (if (i32.eq (local.get $n) (i32.const 2)) (then
      (call $"supervise#[method]supervisor.which" (local.get $s) (i32.const 512))
      (if (i32.load8_u (i32.const 512)) (then (call $tell_result (i32.const 512)) (unreachable)))
      (local.set $t (i32.load (i32.const 520))) (local.set $n (i32.load (i32.const 524)))
      (local.set $i (i32.const 8192))
      (loop $each (if (local.get $n) (then
        (i32.store (local.get $i) (i32.load offset=4 (local.get $t)))
        (i32.store offset=4 (local.get $i) (i32.load8_u offset=8 (local.get $t)))
        (i64.store offset=8 (local.get $i) (i64.const 0))
        (if (i32.eq (i32.load8_u offset=8 (local.get $t)) (i32.const 2)) (then
          (i64.store offset=8 (local.get $i) (i64.load offset=16 (local.get $t)))))
        (memory.copy (i32.add (local.get $i) (i32.const 16)) (i32.load (local.get $t)) (i32.load offset=4 (local.get $t)))
        (local.set $i (i32.add (i32.add (local.get $i) (i32.const 16)) (i32.load offset=4 (local.get $t))))
        (local.set $t (i32.add (local.get $t) (i32.const 24))) (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $each))))
      (call $give (i32.const 8192) (i32.sub (local.get $i) (i32.const 8192)))
      (br $on)))
    (if (i32.eq (local.get $n) (i32.const 3)) (then
      (call $"supervise#[method]supervisor.count" (local.get $s) (i32.const 512)) (call $tell_result (i32.const 512))
      (call $give (i32.const 520) (i32.const 16))))
    (if (i32.eq (local.get $n) (i32.const 4)) (then
      (call $"supervise#[method]supervisor.terminate-child" (local.get $s) (i32.const 2900) (i32.const 3) (i32.const 512)) (call $tell_result (i32.const 512))))
    (if (i32.eq (local.get $n) (i32.const 5)) (then
      (call $"supervise#[method]supervisor.restart-child" (local.get $s) (i32.const 2900) (i32.const 3) (i32.const 512)) (call $tell_result (i32.const 512))
      (if (i32.eqz (i32.load8_u (i32.const 512))) (then (call $tell32 (i32.load8_u (i32.const 520))) (call $tell (i64.load (i32.const 528)))))))
    (if (i32.eq (local.get $n) (i32.const 6)) (then
      (call $"supervise#[method]supervisor.delete-child" (local.get $s) (i32.const 2900) (i32.const 3) (i32.const 512)) (call $tell_result (i32.const 512))))
    (if (i32.eq (local.get $n) (i32.const 7)) (then
      (call $"supervise#[method]supervisor.start-child" (local.get $s) (i32.const 2920) (i32.const 4) (i32.const 2924) (i32.const 1)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
      (if (i32.eqz (i32.load8_u (i32.const 512))) (then (call $tell32 (i32.load8_u (i32.const 520)))))))
    (if (i32.eq (local.get $n) (i32.const 8)) (then
      (call $"supervise#[static]supervisor.stop" (local.get $s) (i32.const 512)) (call $tell_result (i32.const 512))))
    (if (i32.eq (local.get $n) (i32.const 9)) (then
      (call $"supervise#[method]supervisor.terminate-child" (local.get $s) (i32.const 2910) (i32.const 4) (i32.const 512)) (call $tell_result (i32.const 512))))
    (if (i32.eq (local.get $n) (i32.const 10)) (then
      (call $"supervise#drop supervisor" (local.get $s)) (call $tell (i64.const 0))))
    (br $on))"#;

/// Waits for ever.
fn idle() -> Vec<u8> {
    actor("", "(loop (call $next) (br 0))")
}

fn boss(plan: Plan, children: &[Child]) -> Vec<u8> {
    let code = begin(plan, children.len()) + OBEY;
    actor(&described(children), &code)
}

fn trusted<const N: usize>(guests: [Vec<u8>; N]) -> [(Vec<u8>, Profile); N] {
    guests.map(|guest| (guest, Profile::trusted()))
}

/// The children as the boss lists them: id, state, pid.
async fn which(ctx: &mut Context, boss: Pid) -> Vec<(String, u32, u64)> {
    give(ctx, boss, 2, b"");
    let list = told_bytes(ctx, boss).await;
    let mut rest = list.bytes();
    let mut children = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let pid = u64::from(word(8)) | u64::from(word(12)) << 32;
        let end = 16 + word(0) as usize;
        let id = str::from_utf8(&rest[16..end]).unwrap().to_string();
        children.push((id, word(4), pid));
        rest = &rest[end..];
    }
    children
}

/// The pids of the children once all of them run and `done` says so.
async fn settled(ctx: &mut Context, boss: Pid, done: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let deadline = rusm_sched::now() + support::PATIENCE;
    loop {
        let children = which(ctx, boss).await;
        let pids: Vec<_> = children.iter().map(|(_, _, pid)| *pid).collect();
        if children.iter().all(|(_, state, _)| *state == 2) && done(&pids) {
            return pids;
        }
        assert!(rusm_sched::now() < deadline, "{children:?}");
        ctx.sleep(MOMENT).await;
    }
}
