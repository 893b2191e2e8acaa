//! Components that live as processes: each function of `rusm:runtime` is called by one, and does what
//! the flat functions do (`abi_*.rs`).

mod support;

use rusm_actor::{ExitReason, Pid, info, send};
use rusm_wasm::grant::Profile;
use support::actor::{beside_components, ended, give, said, start, told};
use support::runtime::actor;

#[test]
fn messages_come_with_sender_tag_and_bytes_and_requests_are_answered() {
    let echo = actor(
        "",
        r#"(call $next) (call $send_back)
           (call $next) (call $tell32 (call $has_sender)) (call $send_back)
           (call $next) (call $tell32 (call $event))"#,
    );
    beside_components(
        &[(echo, Profile::trusted())],
        |mut ctx, guests| async move {
            let (guest, _) = start(&mut ctx, &guests[0]);
            give(&ctx, guest, 7, b"content");
            let echo = said(&mut ctx).await;
            assert_eq!(
                (echo.bytes(), echo.envelope().unwrap().tag),
                (&b"content"[..], 7)
            );
            send(guest, b"plain");
            assert_eq!(told(&mut ctx).await, 0);
            let echo = said(&mut ctx).await;
            assert_eq!(
                (echo.bytes(), echo.envelope().unwrap().tag),
                (&b"plain"[..], 0)
            );
            send(guest, rusm_actor::Message::native(1_u8));
            assert_eq!(told(&mut ctx).await, 6, "opaque");
        },
    );
}

#[test]
fn a_receive_takes_what_it_wants_and_gives_up_in_time() {
    let choosy = actor(
        "",
        r#"(call $want (i32.const 1) (i64.const 5) (i64.const -1)) (call $tell (call $tag))
           (call $want (i32.const 0) (i64.const 0) (i64.const -1)) (call $tell (call $tag))
           (call $want (i32.const 1) (i64.const 9) (i64.const 1000000)) (call $tell32 (i32.load8_u (i32.const 0)))
           (call $want (i32.const 0) (i64.const 0) (i64.const 0)) (call $tell32 (i32.load8_u (i32.const 0)))"#,
    );
    beside_components(
        &[(choosy, Profile::trusted())],
        |mut ctx, guests| async move {
            let (guest, _) = start(&mut ctx, &guests[0]);
            give(&ctx, guest, 3, b"");
            give(&ctx, guest, 5, b"");
            for expected in [5, 3, 0, 0] {
                assert_eq!(told(&mut ctx).await, expected);
            }
        },
    );
}

#[test]
fn a_call_of_a_native_process_is_answered_and_an_alias_brings_what_others_cannot_forge() {
    let server = actor(
        r#"(data (i32.const 3000) "answer")"#,
        r#"(call $next) (call $tell32 (call $event))
           (call $"process#reply" (i64.load (i32.const 40)) (i64.const 8) (i32.const 3000) (i32.const 6) (i32.const 512))
           (call $tell_result (i32.const 512))
           (call $"process#reply" (i64.load (i32.const 40)) (i64.const 8) (i32.const 3000) (i32.const 6) (i32.const 512))
           (call $tell_result (i32.const 512))
           (call $"process#make-alias" (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#send-alias" (i64.load (i32.const 520)) (i64.load (i32.const 528)) (i64.load (i32.const 536))
             (i64.const 4) (i32.const 3000) (i32.const 3) (i32.const 560)) (call $tell_result (i32.const 560))
           (call $"process#send-alias" (i64.load (i32.const 520)) (i64.load (i32.const 528)) (i64.const 1)
             (i64.const 4) (i32.const 3000) (i32.const 3) (i32.const 560)) (call $tell_result (i32.const 560))
           (call $want (i32.const 2) (i64.load (i32.const 528)) (i64.const -1))
           (call $tell (call $tag)) (call $tell (i64.sub (i64.load (i32.const 48)) (i64.load (i32.const 528))))
           (call $tell32 (call $"process#unalias" (i64.load (i32.const 528))))
           (call $tell32 (call $"process#unalias" (i64.load (i32.const 528))))"#,
    );
    beside_components(
        &[(server, Profile::trusted())],
        |mut ctx, guests| async move {
            let (guest, _) = start(&mut ctx, &guests[0]);
            let answer = ctx.call(guest, b"?").await.unwrap();
            assert_eq!(
                (answer.bytes(), answer.envelope().unwrap().tag),
                (&b"answer"[..], 8)
            );
            // A request; answered; not twice; made; sent; refused; the tag; by the alias; on; off.
            for expected in [5, 0, -5, 0, 0, -5, 4, 0, 1, 0] {
                assert_eq!(told(&mut ctx).await, expected);
            }
        },
    );
}

#[test]
fn a_component_starts_links_watches_and_ends_others() {
    let data = r#"(data (i32.const 3000) "1") (data (i32.const 3008) "one") (data (i32.const 3016) "\c0\0b\00\00\03\00\00\00") (data (i32.const 3024) "none")"#;
    // 3008 as the only argument: its list of one text is at 3016, which points to 3008.
    let starter = actor(
        data,
        r#"(call $"process#spawn-monitor" (i32.const 3024) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#spawn-monitor" (i32.const 3000) (i32.const 1) (i32.const 3016) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $send_to (i64.load (i32.const 520)))
           (call $want (i32.const 1) (i64.const 77) (i64.const -1)) (call $send_back)
           (call $want (i32.const 2) (i64.load (i32.const 536)) (i64.const -1))
           (call $tell32 (call $event)) (call $tell (i64.sub (i64.load (i32.const 16)) (i64.load (i32.const 536))))
           (call $tell32 (i32.load8_u (i32.const 24))) (call $tell (i64.sub (i64.load (i32.const 32)) (i64.load (i32.const 520))))
           (call $tell32 (i32.load8_u (i32.const 40))) (call $tell32 (i32.load (i32.const 44)))
           ;; Linked, and killed: it traps exits and reads of it.
           (call $tell32 (call $"process#trap-exit" (i32.const 1))) (call $tell32 (call $"process#trap-exit" (i32.const 1)))
           (call $"process#spawn-link" (i32.const 3000) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#kill" (i64.load (i32.const 520)) (i32.const 560)) (call $tell_result (i32.const 560))
           (call $next) (call $tell32 (call $event)) (call $tell (i64.sub (i64.load (i32.const 24)) (i64.load (i32.const 520))))
           (call $tell32 (i32.load8_u (i32.const 32)))
           (call $tell32 (call $"process#is-alive" (i64.load (i32.const 520))))
           (call $"process#link" (i64.load (i32.const 520)) (i32.const 560)) (call $tell_result (i32.const 560))
           (call $"process#unlink" (i64.load (i32.const 520)))"#,
    );
    let started = actor(
        "",
        r#"(call $"process#arguments" (i32.const 512))
           (call $"process#send" (global.get $parent) (i64.const 77) (i32.load (i32.load (i32.const 512))) (i32.load offset=4 (i32.load (i32.const 512))) (i32.const 2048))
           (call $"process#exit" (i32.const 10) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512))"#,
    );
    let guests = [(starter, Profile::trusted()), (started, Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, -2, "there is no such component");
        assert_eq!(told(&mut ctx).await, 0);
        let argument = said(&mut ctx).await;
        assert_eq!(
            (argument.bytes(), argument.envelope().unwrap().tag),
            (&b"one"[..], 77)
        );
        // Down, by its monitor, a pid, that one, with a status, of three.
        for expected in [2, 0, 0, 0, 10, 3] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        // Trapped; started, killed: an exit of that one, killed; dead; linked to the dead.
        for expected in [0, 1, 0, 0, 1, 0, 3, 0, 0] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_component_starts_another_one_with_options() {
    let starter = actor(
        r#"(data (i32.const 3000) "1")"#,
        r#"(drop (call $"process#trap-exit" (i32.const 1)))
           ;; With options, as a record at 1024: linked, watched, low.
           (i32.store (i32.const 1024) (i32.const 3000)) (i32.store (i32.const 1028) (i32.const 1))
           (i32.store (i32.const 1032) (i32.const 0x02010101))
           (call $"process#spawn" (i32.const 1024) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $tell (i64.load (i32.const 520)))
           (call $"process#exit-process" (i64.load (i32.const 520)) (i32.const 10) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 560)) (call $tell_result (i32.const 560))
           (call $next) (call $tell32 (call $event)) (call $next) (call $tell32 (call $event))"#,
    );
    let waits = actor("", "");
    let guests = [(starter, Profile::trusted()), (waits, Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let child = Pid::from_bits(told(&mut ctx).await as u64);
        assert_eq!(told(&mut ctx).await, 0, "asked to end");
        let mut both = [told(&mut ctx).await, told(&mut ctx).await];
        both.sort_unstable();
        assert_eq!(both, [1, 2], "of {child}, by link and by monitor");
    });
}

#[test]
fn a_component_watches_names_looks_at_processes_and_lists_them() {
    let data = r#"(data (i32.const 3000) "cashier") (data (i32.const 3008) "a label")"#;
    let looking = actor(
        data,
        r#"(call $"process#monitor-name" (i32.const 3000) (i32.const 7) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $next) (call $tell32 (call $event)) (call $tell32 (i32.load8_u (i32.const 24)))
           (call $"process#send" (global.get $parent) (i64.const 0) (i32.load (i32.const 32)) (i32.load (i32.const 36)) (i32.const 2048))
           (call $"process#monitor" (global.get $parent) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $tell32 (call $"process#demonitor" (i64.load (i32.const 520)) (i32.const 1)))
           (call $tell32 (call $"process#demonitor" (i64.load (i32.const 520)) (i32.const 1)))
           (call $"process#set-label" (i32.const 3008) (i32.const 7) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $tell32 (call $"process#own-priority"))
           (call $"process#info" (global.get $parent) (i32.const 512)) (call $tell_result (i32.const 512))
           ;; Its name and the first group.
           (call $"process#send" (global.get $parent) (i64.const 0) (i32.load (i32.const 564)) (i32.load (i32.const 568)) (i32.const 2048))
           (call $"process#send" (global.get $parent) (i64.const 0) (i32.load (i32.load (i32.const 572))) (i32.load offset=4 (i32.load (i32.const 572))) (i32.const 2048))
           (call $tell (i64.mul (i64.load8_u (i32.const 624)) (i64.load (i32.const 632))))
           (call $tell (i64.mul (i64.load8_u (i32.const 640)) (i64.load (i32.const 648))))
           (call $"process#info" (i64.const 0x7fffffff) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#list" (i64.const 0) (i32.const 100) (i32.const 512))
           (call $"process#send" (global.get $parent) (i64.const 0) (i32.load (i32.const 512)) (i32.mul (i32.const 8) (i32.load (i32.const 516))) (i32.const 2048))
           (local.set $a (call $"process#now")) (call $"process#sleep" (i64.const 2000000)) (call $"process#yield")
           (call $tell (i64.sub (call $"process#now") (local.get $a)))
           (call $tell (call $"process#self"))"#,
    );
    beside_components(
        &[(looking, Profile::trusted())],
        |mut ctx, guests| async move {
            let me = ctx.pid();
            ctx.node().register("the parent", me).unwrap();
            ctx.node().join("a group", me).unwrap();
            let (guest, monitor) = start(&mut ctx, &guests[0]);
            // Nobody has that name: down at once, by its name.
            for expected in [0, 2, 1] {
                assert_eq!(told(&mut ctx).await, expected);
            }
            assert_eq!(said(&mut ctx).await.bytes(), b"cashier");
            for expected in [0, 1, 0, 0, 0, 0] {
                assert_eq!(told(&mut ctx).await, expected);
            }
            for expected in [&b"the parent"[..], b"a group"] {
                assert_eq!(said(&mut ctx).await.bytes(), expected);
            }
            // How long its turns took, and since when it waits.
            for most in [info(me).unwrap().cpu.unwrap(), rusm_sched::now()] {
                let most = most.as_nanos() as i64;
                assert!((1..most).contains(&told(&mut ctx).await));
            }
            assert_eq!(told(&mut ctx).await, -1, "nobody");
            let mut both = [me.to_bits(), guest.to_bits()];
            both.sort_unstable();
            let both: Vec<u8> = both.iter().flat_map(|pid| pid.to_le_bytes()).collect();
            assert_eq!(said(&mut ctx).await.bytes(), both);
            assert!(told(&mut ctx).await >= 2_000_000);
            assert_eq!(told(&mut ctx).await as u64, guest.to_bits());
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        },
    );
}

#[test]
fn a_component_has_a_name_joins_groups_starts_timers_and_logs() {
    let data = r#"(data (i32.const 3000) "till")"#;
    let name = "(i32.const 3000) (i32.const 4)";
    let busy = actor(
        data,
        &format!(
            r#"(call $"registry#register" {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"registry#whereis" {name} (i32.const 512)) (call $tell (i64.sub (i64.load (i32.const 520)) (call $"process#self")))
           (call $"registry#send" {name} (i64.const 3) {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $next) (call $tell (call $tag))
           (call $"registry#unregister" {name} (i32.const 512)) (call $tell_result (i32.const 512)) (call $tell32 (i32.load8_u (i32.const 520)))
           (call $"registry#send" {name} (i64.const 3) {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"group#watch" {name} (i32.const 512)) (call $tell_result (i32.const 512)) (call $tell32 (i32.load (i32.const 532)))
           (call $"group#join" {name} (i32.const 560)) (call $tell_result (i32.const 560))
           (call $next) (call $tell32 (call $event)) (call $tell32 (i32.load8_u (i32.const 40)))
           (call $"group#publish" {name} (i64.const 6) {name} (i32.const 560)) (call $tell_result (i32.const 560)) (call $tell32 (i32.load (i32.const 568)))
           (call $next) (call $tell (call $tag))
           (call $"group#members" {name} (i32.const 560)) (call $tell32 (i32.load (i32.const 564)))
           (call $tell32 (call $"group#leave" {name})) (call $tell32 (call $"group#leave" {name}))
           (call $next)
           (call $tell32 (call $"group#unwatch" (i64.load (i32.const 520)))) (call $tell32 (call $"group#unwatch" (i64.load (i32.const 520))))
           (call $"timer#start" (i64.const 1000) (i64.const 9) {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $want (i32.const 2) (i64.load (i32.const 520)) (i64.const -1)) (call $tell32 (call $event)) (call $tell (i64.load (i32.const 24)))
           (call $"timer#send-after" (i64.const 3600000000000) (global.get $parent) (i64.const 9) {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"timer#read" (i64.load (i32.const 520)) (i32.const 560)) (call $tell32 (i32.load8_u (i32.const 560)))
           (call $"timer#cancel" (i64.load (i32.const 520)) (i32.const 560)) (call $tell32 (i32.load8_u (i32.const 560)))
           (call $"timer#cancel" (i64.load (i32.const 520)) (i32.const 560)) (call $tell32 (i32.load8_u (i32.const 560)))
           (call $"log#write" (i32.const 2) {name} (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"group#join" {name} (i32.const 560))
           (call $"group#kill" {name} (i32.const 560)) (call $next)"#
        ),
    );
    beside_components(
        &[(busy, Profile::trusted())],
        |mut ctx, guests| async move {
            let (_, monitor) = start(&mut ctx, &guests[0]);
            let registry = [0, 0, 0, 3, 0, 1, -9];
            let groups = [0, 0, 0, 4, 1, 0, 1, 6, 1, 1, 0, 1, 0];
            let timers = [0, 3, 9, 0, 1, 1, 0];
            for expected in registry.into_iter().chain(groups).chain(timers).chain([0]) {
                assert_eq!(told(&mut ctx).await, expected);
            }
            assert_eq!(
                ended(&mut ctx, monitor).await,
                ExitReason::Killed,
                "by its group"
            );
        },
    );
}

#[test]
fn what_is_not_granted_is_denied_with_the_line_that_would_grant_it() {
    let data = r#"(data (i32.const 3000) "1")"#;
    let asking = actor(
        data,
        r#"(call $"process#spawn-link" (i32.const 3000) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#send" (global.get $parent) (i64.const 0) (i32.load (i32.const 528)) (i32.load (i32.const 532)) (i32.const 2048))
           (call $"process#kill" (global.get $parent) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#exit-process" (global.get $parent) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#info" (global.get $parent) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"registry#register" (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"registry#unregister" (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"group#join" (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"group#kill" (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"log#write" (i32.const 4) (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"process#list" (i64.const 0) (i32.const 100) (i32.const 512)) (call $tell32 (i32.load (i32.const 516)))"#,
    );
    beside_components(
        &[(asking, Profile::sandboxed())],
        |mut ctx, guests| async move {
            let (_, monitor) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, -11);
            let line = said(&mut ctx).await;
            let line = str::from_utf8(line.bytes()).unwrap();
            assert!(line.contains(r#"spawn = ["1"]"#), "{line}");
            for _ in 0..8 {
                assert_eq!(told(&mut ctx).await, -11);
            }
            assert_eq!(told(&mut ctx).await, 1, "only itself");
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        },
    );
}

#[test]
fn run_is_given_the_arguments_and_its_error_is_the_reason() {
    let failing = actor(
        "",
        r#"(i32.store8 (i32.const 2000) (i32.const 1))
           (i32.store (i32.const 2004) (i32.load (global.get $arguments)))
           (i32.store (i32.const 2008) (i32.load offset=4 (global.get $arguments)))"#,
    );
    beside_components(
        &[(failing, Profile::trusted())],
        |mut ctx, guests| async move {
            let (_, monitor) = start(&mut ctx, &guests[0]);
            let reason = ended(&mut ctx, monitor).await;
            assert_eq!(reason, ExitReason::error("own argument"));
        },
    );
}
