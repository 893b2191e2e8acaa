//! Streams of components: to each other, to core modules, to native processes, and every way to end.

mod support;

use rusm_actor::{Context, ExitReason, Message, Pid, open_stream};
use rusm_wasm::StreamOffer;
use rusm_wasm::grant::Profile;
use support::actor::{MOMENT, beside_components, ended, give, start, told, told_by};
use support::runtime::actor;
use support::services::{guest, told_bytes, words};

/// Memory for 100,000 bytes at 65536.
const GROWN: &str = "(drop (memory.grow (i32.const 2)))";

/// Opens a stream of 1,000 bytes to the process it is given; the handle is `$s`.
const OPEN: &str = r#"
  (call $"stream#open" (call $given) (i64.const 7) (i32.const 1000) (i32.const 512))
  (local.set $s (i32.load (i32.const 520)))"#;

/// Accepts what came; the handle is `$s`.
const ACCEPT: &str = r#"
  (call $want (i32.const 1) (i64.const 7) (i64.const -1))
  (call $"stream#[static]offer.accept" (call $came) (i32.const 512))
  (local.set $s (i32.load (i32.const 520)))"#;

/// Opens a stream and writes 100,000 bytes, 3,000 at a time, each of which is the last eight bits of its
/// number; tells the error if there is one.
fn writer(end: &str) -> Vec<u8> {
    let code = r#"
      (loop $fill
        (i32.store8 (i32.add (i32.const 65536) (local.get $i)) (local.get $i))
        (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
      (local.set $i (i32.const 0))
      (loop $write
        (local.set $n (i32.sub (i32.const 100000) (local.get $i)))
        (if (i32.gt_u (local.get $n) (i32.const 3000)) (then (local.set $n (i32.const 3000))))
        (call $"stream#[method]writer.write" (local.get $s) (i32.add (i32.const 65536) (local.get $i)) (local.get $n) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (call $tell_result (i32.const 512)) (return (i32.const 2000))))
        (br_if $write (i32.lt_u (local.tee $i (i32.add (local.get $i) (local.get $n))) (i32.const 100000))))"#;
    actor("", &format!("{GROWN} {OPEN} {code} {end}"))
}

const CLOSE: &str = r#"(call $"stream#drop writer" (local.get $s))"#;

/// Accepts a stream, reads it to its end, 777 bytes at a time, gives what it read and tells how that
/// ended; if by an abort, gives what was the trap's text, and else nothing.
fn reader() -> Vec<u8> {
    let code = r#"
      (call $tell32 (call $event))
      (loop $read
        (global.set $free (i32.const 16384))
        (call $"stream#[method]reader.read" (local.get $s) (i32.const 777) (i32.const 512))
        (if (i32.eqz (i32.load8_u (i32.const 512))) (then
          (local.set $n (i32.load (i32.const 524)))
          (if (i32.gt_u (local.get $n) (i32.const 777)) (then (unreachable)))
          (memory.copy (i32.add (i32.const 65536) (local.get $i)) (i32.load (i32.const 520)) (local.get $n))
          (local.set $i (i32.add (local.get $i) (local.get $n)))
          (br_if $read (local.get $n)))))
      (call $give (i32.const 65536) (local.get $i))
      (call $tell_result (i32.const 512))
      ;; The reason: which, and its first text.
      (if (i32.load8_u (i32.const 512)) (then
        (call $tell32 (i32.load8_u (i32.const 528)))
        (if (i32.eq (i32.load8_u (i32.const 528)) (i32.const 12)) (then
          (call $give (i32.load (i32.const 532)) (i32.load (i32.const 536)))))))
      (call $"stream#drop reader" (local.get $s))"#;
    actor("", &format!("{GROWN} {ACCEPT} {code}"))
}

fn expected() -> Vec<u8> {
    (0..100_000_u32).map(|n| n as u8).collect()
}

fn trusted(guests: Vec<Vec<u8>>) -> Vec<(Vec<u8>, Profile)> {
    let granted = |guest| (guest, Profile::trusted());
    guests.into_iter().map(granted).collect()
}

/// Sends a guest somebody's pid.
fn introduce(ctx: &Context, to: Pid, who: Pid) {
    give(ctx, to, 1, &who.to_bits().to_le_bytes());
}

#[test]
fn bytes_go_from_component_to_component_in_their_order_and_then_comes_the_end() {
    let guests = trusted(vec![writer(CLOSE), writer(""), reader()]);
    beside_components(&guests, |mut ctx, guests| async move {
        for sends in 0..2 {
            let (to, reading) = start(&mut ctx, &guests[2]);
            let (from, writing) = start(&mut ctx, &guests[sends]);
            introduce(&ctx, from, to);
            assert_eq!(told_by(&mut ctx, to).await, 7, "the event's case");
            assert_eq!(told_bytes(&mut ctx, to).await.bytes(), expected());
            assert_eq!(told_by(&mut ctx, to).await, 0, "the end");
            assert_eq!(ended(&mut ctx, reading).await, ExitReason::Normal);
            assert_eq!(ended(&mut ctx, writing).await, ExitReason::Normal);
        }
    });
}

/// A core module that accepts a stream, opens one back to its sender under the tag 7, and sends what
/// it reads back, 500 bytes at a time.
fn core_echo() -> Vec<u8> {
    let code = r#"
      (call $tagged (i64.const 7))
      (local.set $p (i64.load (i32.const 8)))
      (local.set $s (call $stream_accept (call $came)))
      (local.set $t (call $stream_open (local.get $p) (i64.const 7) (i32.const 300)))
      (loop $echo
        (local.set $n (call $stream_read (local.get $s) (i32.const 65536) (i32.const 500)))
        (if (i32.gt_s (local.get $n) (i32.const 0)) (then
          (drop (call $stream_write (local.get $t) (i32.const 65536) (local.get $n)))
          (br $echo))))"#;
    guest("", code).into_bytes()
}

#[test]
fn a_component_and_a_core_module_speak_both_ways() {
    // It writes 50 pieces of 200 bytes, its number in each, and reads 200 bytes back after each of them.
    let talks = actor(
        "",
        &format!(
            r#"{OPEN} (call $tell_result (i32.const 512))
          (loop $talk
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (memory.fill (i32.const 8192) (local.get $i) (i32.const 200))
            (call $"stream#[method]writer.write" (local.get $s) (i32.const 8192) (i32.const 200) (i32.const 512))
            (if (i32.eqz (local.get $t)) (then
              (call $want (i32.const 1) (i64.const 7) (i64.const -1))
              (call $"stream#[static]offer.accept" (call $came) (i32.const 512))
              (local.set $t (i32.load (i32.const 520)))))
            (local.set $n (i32.const 200))
            (loop $answer
              (global.set $free (i32.const 16384))
              (call $"stream#[method]reader.read" (local.get $t) (local.get $n) (i32.const 512))
              (if (i32.ne (i32.load8_u (i32.load (i32.const 520))) (local.get $i)) (then (unreachable)))
              (local.set $n (i32.sub (local.get $n) (i32.load (i32.const 524))))
              (br_if $answer (local.get $n)))
            (br_if $talk (i32.lt_u (local.get $i) (i32.const 50))))
          (call $"stream#drop writer" (local.get $s))
          (call $"stream#[method]reader.read" (local.get $t) (i32.const 9) (i32.const 512))
          (call $tell_result (i32.const 512)) (call $tell32 (i32.load (i32.const 524)))"#
        ),
    );
    beside_components(
        &trusted(vec![talks, core_echo()]),
        |mut ctx, guests| async move {
            let (echo, _) = start(&mut ctx, &guests[1]);
            let (talks, talking) = start(&mut ctx, &guests[0]);
            introduce(&ctx, talks, echo);
            // Opened; the end after the end.
            for expected in [0, 0, 0] {
                assert_eq!(told_by(&mut ctx, talks).await, expected);
            }
            assert_eq!(ended(&mut ctx, talking).await, ExitReason::Normal);
        },
    );
}

async fn offer_to(ctx: &mut Context) -> StreamOffer {
    let native = ctx.receive_match_within(support::PATIENCE, Message::is_native);
    StreamOffer::from_message(native.await.expect("an offer")).unwrap()
}

#[test]
fn a_component_that_writes_faster_than_others_read_waits() {
    let piece = r#"(call $"stream#[method]writer.write" (local.get $s) (i32.const 8192)"#;
    let fast = actor(
        "",
        &format!(
            r#"{OPEN} {piece} (i32.const 1000) (i32.const 512)) (call $tell_result (i32.const 512))
               {piece} (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))"#
        ),
    );
    beside_components(&trusted(vec![fast]), |mut ctx, guests| async move {
        let (fast, _) = start(&mut ctx, &guests[0]);
        introduce(&ctx, fast, ctx.pid());
        let StreamOffer {
            from,
            tag,
            mut reader,
        } = offer_to(&mut ctx).await;
        assert_eq!((from, tag, reader.capacity()), (fast, 7, 1000));
        assert_eq!(told(&mut ctx).await, 0, "what there is room for");
        let early = ctx.receive_match_within(MOMENT, |m| m.envelope().is_some());
        assert!(early.await.is_none(), "there is no room for one more");
        assert_eq!(reader.read(&mut [0]).await, Ok(1));
        assert_eq!(told(&mut ctx).await, 0, "now there is");
    });
}

#[test]
fn a_writer_that_traps_or_is_killed_aborts_the_stream_and_the_reader_is_told_why() {
    let guests = vec![
        reader(),
        writer("(unreachable)"),
        writer("(loop (br 0))"),
        writer("(call $next)"),
    ];
    beside_components(&trusted(guests), |mut ctx, guests| async move {
        for (sends, why) in [(1, 12), (2, 3), (3, 3)] {
            let (to, _) = start(&mut ctx, &guests[0]);
            let (from, _) = start(&mut ctx, &guests[sends]);
            introduce(&ctx, from, to);
            assert_eq!(told_by(&mut ctx, to).await, 7);
            if why == 3 {
                ctx.sleep(MOMENT).await;
                rusm_actor::kill(from);
            }
            let read = told_bytes(&mut ctx, to).await;
            assert!(expected().starts_with(read.bytes()));
            assert_eq!(told_by(&mut ctx, to).await, -18, "aborted");
            assert_eq!(told_by(&mut ctx, to).await, why, "trapped or killed");
            if why == 12 {
                let text = told_bytes(&mut ctx, to).await;
                assert!(words(&text).contains("unreachable"), "{}", words(&text));
            }
        }
    });
}

/// By refusing it, by dropping the end, by ending, by never having been.
#[test]
fn a_writer_is_told_when_nobody_reads() {
    let refuses = actor(
        "",
        r#"(call $next) (call $"stream#drop offer" (call $came)) (call $next)"#,
    );
    let drops = actor(
        "",
        &format!(r#"{ACCEPT} (call $"stream#drop reader" (local.get $s)) (call $next)"#),
    );
    let ends = actor("", "(call $next)");
    let guests = vec![writer(CLOSE), refuses, drops, ends];
    beside_components(&trusted(guests), |mut ctx, guests| async move {
        for reader in &guests[1..] {
            let (to, _) = start(&mut ctx, reader);
            let (from, _) = start(&mut ctx, &guests[0]);
            introduce(&ctx, from, to);
            assert_eq!(told_by(&mut ctx, from).await, -17);
        }
        let (from, _) = start(&mut ctx, &guests[0]);
        introduce(&ctx, from, Pid::from_bits(u64::MAX));
        assert_eq!(told_by(&mut ctx, from).await, -17);
    });
}

#[test]
fn handles_that_a_component_does_not_hold_end_it() {
    let write = r#"(call $"stream#[method]writer.write" (local.get $s) (i32.const 0) (i32.const 1) (i32.const 512))"#;
    let read =
        r#"(call $"stream#[method]reader.read" (local.get $s) (i32.const 1) (i32.const 512))"#;
    let accept = r#"(call $"stream#[static]offer.accept" (local.get $s) (i32.const 512))"#;
    let wrong = [
        // Never had, of another kind, dropped, accepted before.
        write.to_string(),
        format!("(local.set $s (i32.const 77)) {accept}"),
        format!("{OPEN} {read}"),
        format!("{OPEN} {CLOSE} {write}"),
        format!("{OPEN} {CLOSE} {CLOSE}"),
        format!("{ACCEPT} (local.set $s (call $came)) {accept} {accept}"),
        format!("{ACCEPT} {write}"),
    ];
    let guests = wrong.iter().map(|code| actor("", code)).collect();
    beside_components(&trusted(guests), |mut ctx, guests| async move {
        for (number, guest) in guests.iter().enumerate() {
            let (pid, monitor) = start(&mut ctx, guest);
            introduce(&ctx, pid, ctx.pid());
            let (_writer, reader) = open_stream(10).unwrap();
            let from = ctx.pid();
            ctx.send(
                pid,
                StreamOffer {
                    from,
                    tag: 7,
                    reader,
                },
            );
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(reason.contains("handle"), "{number}: {reason}");
        }
    });
}

fn open(capacity: &str) -> String {
    format!(
        r#"(call $"stream#open" (i64.const -1) (i64.const 0) (i32.const {capacity}) (i32.const 512))"#
    )
}

/// Opens streams until one is refused; tells how many it tried and what was said of the last one.
fn open_until_refused(capacity: &str) -> String {
    format!(
        r#"(loop $on {} (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $on (i32.eqz (i32.load8_u (i32.const 512)))))
        (call $tell32 (local.get $i)) (call $tell_result (i32.const 512))
        (call $give (i32.load (i32.const 528)) (i32.load (i32.const 532)))"#,
        open(capacity)
    )
}

#[test]
fn a_component_holds_so_many_streams_and_an_offer_beyond_them_is_refused() {
    let came = "(call $want (i32.const 1) (i64.const 7) (i64.const -1)) (call $tell32 (i32.load8_u (i32.const 32)))";
    let many = actor(
        "",
        &format!(
            r#"{} {came}
            (call $"stream#drop writer" (i32.const 9)) {} (call $tell_result (i32.const 512))
            (call $"stream#drop writer" (i32.const 8)) {came}"#,
            open_until_refused("1"),
            open("1")
        ),
    );
    beside_components(&trusted(vec![many]), |mut ctx, guests| async move {
        let (many, _) = start(&mut ctx, &guests[0]);
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (1025, -3));
        let why = told_bytes(&mut ctx, many).await;
        assert!(words(&why).contains("1024 streams"), "{}", words(&why));
        let offer = || StreamOffer {
            from: Pid::from_bits(1),
            tag: 7,
            reader: open_stream(1).unwrap().1,
        };
        ctx.send(many, offer());
        assert_eq!(told(&mut ctx).await, 0, "refused");
        assert_eq!(told(&mut ctx).await, 0, "there is room again");
        ctx.send(many, offer());
        assert_eq!(told(&mut ctx).await, 1);
    });
}

#[test]
fn there_is_so_much_room_in_streams_and_a_piece_is_so_long_and_no_more() {
    let large = actor(
        "",
        &format!(
            r#"(drop (memory.grow (i32.const 20)))
            {} (call $tell_result (i32.const 512)) {}
            (call $"stream#[method]writer.write" (i32.const 1) (i32.const 65536) (i32.const 1048577) (i32.const 512)) (call $tell_result (i32.const 512))
            (call $give (i32.load (i32.const 528)) (i32.load (i32.const 532)))"#,
            open("4194305"),
            open_until_refused("4194304")
        ),
    );
    beside_components(&trusted(vec![large]), |mut ctx, guests| async move {
        let (large, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, -4, "too long");
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (17, -3));
        let why = told_bytes(&mut ctx, large).await;
        assert!(words(&why).contains("67108864 bytes"), "{}", words(&why));
        assert_eq!(told_by(&mut ctx, large).await, -4);
        let why = told_bytes(&mut ctx, large).await;
        assert!(words(&why).contains("1048576 is the most"));
    });
}

#[test]
fn a_component_reads_64_kib_at_a_time_at_most_and_nothing_if_it_asks_for_nothing() {
    let asks = actor(
        "",
        &format!(
            r#"{GROWN} {ACCEPT}
            (call $"stream#[method]reader.read" (local.get $s) (i32.const 0) (i32.const 512))
            (call $tell_result (i32.const 512)) (call $tell32 (i32.load (i32.const 524)))
            (call $"stream#[method]reader.read" (local.get $s) (i32.const -1) (i32.const 512))
            (call $tell_result (i32.const 512)) (call $tell32 (i32.load (i32.const 524)))"#
        ),
    );
    beside_components(&trusted(vec![asks]), |mut ctx, guests| async move {
        let (pid, _) = start(&mut ctx, &guests[0]);
        let (mut writer, reader) = open_stream(1 << 20).unwrap();
        writer.write_all(&vec![1; 1 << 20]).await.unwrap();
        let from = ctx.pid();
        ctx.send(
            pid,
            StreamOffer {
                from,
                tag: 7,
                reader,
            },
        );
        for expected in [0, 0, 0, 64 << 10] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}
