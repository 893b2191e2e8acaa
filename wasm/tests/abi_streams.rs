//! Streams between core modules, and between them and native processes, through the flat functions.

mod support;

use rusm_actor::{Context, Message, StreamEnd, StreamInfo, StreamState, open_stream};
use rusm_wasm::{Catalog, StreamOffer};
use support::actor::{beside, ended, give, start, told, told_by};
use support::services::{guest, words};

/// Opens a stream with room for 1,000 bytes to the process it is given, writes 100,000 bytes to it,
/// 3,000 at a time, each of which is the last eight bits of its number, and closes it.
fn writer(end: &str) -> String {
    let code = r#"
      (local.set $s (call $stream_open (call $given) (i64.const 7) (i32.const 1000)))
      (loop $fill
        (i32.store8 (i32.add (i32.const 65536) (local.get $i)) (local.get $i))
        (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
      (local.set $i (i32.const 0))
      (loop $write
        (local.set $n (i32.sub (i32.const 100000) (local.get $i)))
        (if (i32.gt_u (local.get $n) (i32.const 3000)) (then (local.set $n (i32.const 3000))))
        (if (i32.ne (i32.const 0) (local.tee $t
              (call $stream_write (local.get $s) (i32.add (i32.const 65536) (local.get $i)) (local.get $n))))
          (then (call $tell (local.get $t)) (call $why) (return)))
        (br_if $write (i32.lt_u (local.tee $i (i32.add (local.get $i) (local.get $n))) (i32.const 100000))))"#;
    guest("", &format!("{code} {end}"))
}

const CLOSE: &str = "(call $tell (call $stream_close (local.get $s)))";

/// Accepts a stream and reads it, 777 bytes at a time; gives what it read, and tells the last result.
fn reader(before: &str) -> String {
    let code = r#"
      (call $tagged (i64.const 7))
      (call $tell (i32.load (i32.const 0)))
      (local.set $s (call $stream_accept (call $came)))
      (loop $read
        (local.set $n (call $stream_read (local.get $s) (i32.add (i32.const 65536) (local.get $i)) (i32.const 777)))
        (if (i32.gt_s (local.get $n) (i32.const 0))
          (then (local.set $i (i32.add (local.get $i) (local.get $n))) (br $read))))
      (call $give (i32.const 65536) (local.get $i))
      (call $tell (local.get $n))
      (call $why)"#;
    guest("", &format!("{before} {code}"))
}

fn expected() -> Vec<u8> {
    (0..100_000_u32).map(|n| n as u8).collect()
}

async fn bytes_of(ctx: &mut Context, from: rusm_actor::Pid) -> Message {
    let of = |m: &Message| m.envelope().is_some_and(|e| e.from == from) && !m.bytes().is_empty();
    ctx.receive_match_within(support::PATIENCE, of)
        .await
        .expect("bytes come")
}

#[test]
fn bytes_go_from_guest_to_guest_in_their_order_and_then_comes_the_end() {
    beside(&[writer(CLOSE), reader("")], |mut ctx, guests| async move {
        let (to, _) = start(&mut ctx, &guests[1]);
        let (from, _) = start(&mut ctx, &guests[0]);
        give(&ctx, from, 1, &to.to_bits().to_le_bytes());
        assert_eq!(told_by(&mut ctx, to).await, 8, "the kind of the event");
        assert_eq!(bytes_of(&mut ctx, to).await.bytes(), expected());
        assert_eq!(told_by(&mut ctx, to).await, 0, "the end");
        assert_eq!(told_by(&mut ctx, from).await, 1, "it was closed");
    });
}

#[test]
fn an_offer_waits_in_the_mailbox_while_something_else_is_wanted() {
    let choosy = reader("(call $tagged (i64.const 9))");
    beside(&[writer(CLOSE), choosy], |mut ctx, guests| async move {
        let (to, _) = start(&mut ctx, &guests[1]);
        let (from, _) = start(&mut ctx, &guests[0]);
        give(&ctx, from, 1, &to.to_bits().to_le_bytes());
        give(&ctx, to, 9, b"");
        assert_eq!(told_by(&mut ctx, to).await, 8);
        assert_eq!(bytes_of(&mut ctx, to).await.bytes(), expected());
    });
}

/// The streams of the guests, as soon as `holds`.
async fn seen(
    ctx: &Context,
    catalog: &Catalog,
    holds: impl Fn(&[StreamInfo]) -> bool,
) -> Vec<StreamInfo> {
    let deadline = rusm_sched::now() + support::PATIENCE;
    loop {
        let views = catalog.streams();
        let infos: Vec<_> = views.iter().filter_map(|view| view.info()).collect();
        if holds(&infos) {
            return infos;
        }
        assert!(rusm_sched::now() < deadline, "{infos:?}");
        ctx.sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[test]
fn streams_of_guests_are_seen_from_their_opening_to_their_end() {
    let choosy = reader("(call $tagged (i64.const 9))");
    beside(&[writer(CLOSE), choosy], |mut ctx, guests| async move {
        let catalog = &guests[0].catalog;
        assert!(catalog.streams().is_empty());
        let (to, _) = start(&mut ctx, &guests[1]);
        let (from, _) = start(&mut ctx, &guests[0]);
        give(&ctx, from, 1, &to.to_bits().to_le_bytes());
        let waits = |infos: &[StreamInfo]| infos.first().is_some_and(|it| it.waits.is_some());
        let full = seen(&ctx, catalog, waits).await;
        let mut expected = StreamInfo {
            writer: Some(from),
            reader: Some(to),
            state: StreamState::Offered,
            waits: Some(StreamEnd::Writer),
            waiting: 1_000,
            capacity: 1_000,
            passed: 0,
        };
        assert_eq!(full, [expected.clone()]);
        give(&ctx, to, 9, b"");
        bytes_of(&mut ctx, to).await;
        seen(&ctx, catalog, <[StreamInfo]>::is_empty).await;

        // One of native code is listed once a guest has it.
        let (mut writer, reader) = open_stream(10).unwrap();
        let (tag, me) = (7, ctx.pid());
        let (to, _) = start(&mut ctx, &guests[1]);
        give(&ctx, to, 9, b"");
        let from = me;
        ctx.send(to, StreamOffer { from, tag, reader });
        writer.write_all(b"native").await.unwrap();
        let read = |infos: &[StreamInfo]| infos.first().is_some_and(|it| it.passed == 6);
        let waits = |infos: &[StreamInfo]| read(infos) && infos[0].waits.is_some();
        let open = seen(&ctx, catalog, waits).await;
        (expected.writer, expected.reader) = (Some(me), Some(to));
        (expected.state, expected.waits) = (StreamState::Open, Some(StreamEnd::Reader));
        (expected.waiting, expected.capacity, expected.passed) = (0, 10, 6);
        assert_eq!(open, [expected]);
        drop(writer);
        assert_eq!(bytes_of(&mut ctx, to).await.bytes(), b"native");
    });
}

#[test]
fn a_native_process_reads_from_a_guest_and_writes_to_one() {
    beside(&[writer(CLOSE), reader("")], |mut ctx, guests| async move {
        let (from, _) = start(&mut ctx, &guests[0]);
        give(&ctx, from, 1, &ctx.pid().to_bits().to_le_bytes());
        let native = ctx.receive_match_within(support::PATIENCE, Message::is_native);
        let offer = StreamOffer::from_message(native.await.unwrap()).unwrap();
        assert_eq!(
            (offer.from, offer.tag, offer.reader.capacity()),
            (from, 7, 1000)
        );
        let (mut reader, mut all, mut piece) = (offer.reader, Vec::new(), [0; 500]);
        loop {
            match reader.read(&mut piece).await.unwrap() {
                0 => break,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
        assert_eq!(all, expected());

        let (to, _) = start(&mut ctx, &guests[1]);
        let (mut writer, reader) = open_stream(10).unwrap();
        let offer = StreamOffer {
            from: ctx.pid(),
            tag: 7,
            reader,
        };
        ctx.send(to, offer);
        writer
            .write_all(b"more than there is room for at once")
            .await
            .unwrap();
        drop(writer);
        let read = bytes_of(&mut ctx, to).await;
        assert_eq!(read.bytes(), b"more than there is room for at once");
    });
}

#[test]
fn a_writer_that_does_not_come_to_its_end_aborts_the_stream_and_the_reader_is_told_why() {
    for (end, says) in [
        ("(unreachable)", "unreachable"),
        ("(loop (br 0))", "killed"),
        ("(call $next)", "killed"),
    ] {
        beside(
            &[writer(end), reader("")],
            move |mut ctx, guests| async move {
                let (to, _) = start(&mut ctx, &guests[1]);
                let (from, _) = start(&mut ctx, &guests[0]);
                give(&ctx, from, 1, &to.to_bits().to_le_bytes());
                assert_eq!(told_by(&mut ctx, to).await, 8);
                if says == "killed" {
                    ctx.sleep(support::actor::MOMENT).await;
                    rusm_actor::kill(from);
                }
                let read = bytes_of(&mut ctx, to).await;
                assert!(expected().starts_with(read.bytes()));
                assert_eq!(told_by(&mut ctx, to).await, -22);
                let why = bytes_of(&mut ctx, to).await;
                assert!(words(&why).contains(says), "{}", words(&why));
            },
        );
    }
}

#[test]
fn a_guest_that_ends_in_order_has_come_to_the_end_of_what_it_wrote() {
    beside(&[writer(""), reader("")], |mut ctx, guests| async move {
        let (to, _) = start(&mut ctx, &guests[1]);
        let (from, _) = start(&mut ctx, &guests[0]);
        give(&ctx, from, 1, &to.to_bits().to_le_bytes());
        assert_eq!(told_by(&mut ctx, to).await, 8);
        assert_eq!(bytes_of(&mut ctx, to).await.bytes(), expected());
        assert_eq!(told_by(&mut ctx, to).await, 0);
    });
}

/// By closing it, by not accepting it, by ending, by never having been.
#[test]
fn a_writer_is_told_when_nobody_reads() {
    let refuses = guest(
        "",
        "(call $next) (call $tell (call $stream_close (call $came))) (call $next)",
    );
    let ends = guest("", "(call $next)");
    let closes = guest(
        "",
        "(call $next) (call $tell (call $stream_close (call $stream_accept (call $came)))) (call $next)",
    );
    beside(
        &[writer(CLOSE), refuses, ends, closes],
        |mut ctx, guests| async move {
            for reader in &guests[1..] {
                let (to, _) = start(&mut ctx, reader);
                let (from, _) = start(&mut ctx, &guests[0]);
                give(&ctx, from, 1, &to.to_bits().to_le_bytes());
                assert_eq!(told_by(&mut ctx, from).await, -21);
                let why = bytes_of(&mut ctx, from).await;
                assert!(words(&why).contains("nobody reads"), "{}", words(&why));
            }
            let (from, _) = start(&mut ctx, &guests[0]);
            give(&ctx, from, 1, &[0xff; 8]);
            assert_eq!(told_by(&mut ctx, from).await, -21);
        },
    );
}

#[test]
fn numbers_that_stand_for_nothing_or_for_the_other_end_are_refused() {
    let code = r#"
      (call $tell (call $stream_read (i32.const 0) (i32.const 0) (i32.const 1)))
      (call $tell (call $stream_write (i32.const -1) (i32.const 0) (i32.const 1)))
      (call $tell (call $stream_accept (i32.const 5)))
      (call $tell (call $stream_close (i32.const 1)))
      (local.set $s (call $stream_open (global.get $parent) (i64.const 7) (i32.const 0)))
      (call $tell (local.get $s))
      (call $tell (call $stream_read (local.get $s) (i32.const 0) (i32.const 1)))
      (call $tell (call $stream_accept (local.get $s)))
      (call $next)
      (local.set $t (call $came))
      (call $tell (call $stream_read (local.get $t) (i32.const 0) (i32.const 1)))
      (call $tell (call $stream_accept (local.get $t)))
      (call $tell (call $stream_accept (local.get $t)))
      (call $tell (call $stream_write (local.get $t) (i32.const 0) (i32.const 1)))
      (call $tell (call $stream_read (local.get $t) (i32.const 0) (i32.const 0)))
      (call $tell (call $stream_close (local.get $t)))
      (call $tell (call $stream_close (local.get $t)))"#;
    beside(&[guest("", code)], |mut ctx, guests| async move {
        let (pid, _) = start(&mut ctx, &guests[0]);
        for expected in [-5, -5, -5, 0, 1, -5, -5] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        let (_writer, reader) = open_stream(10).unwrap();
        let from = ctx.pid();
        ctx.send(
            pid,
            StreamOffer {
                from,
                tag: 0,
                reader,
            },
        );
        for expected in [-5, 2, -5, -5, 0, 1, 0] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_guest_holds_so_many_streams_and_so_much_room_in_them_and_no_more() {
    let many = r#"
      (loop $on (local.set $t (call $stream_open (i64.const -1) (i64.const 0) (i32.const 1)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $on (i32.gt_s (local.get $t) (i32.const 0))))
      (call $tell (local.get $i)) (call $tell (local.get $t)) (call $why)
      (call $tell (call $stream_close (i32.const 9)))
      (call $tell (call $stream_open (i64.const -1) (i64.const 0) (i32.const 1)))"#;
    let large = r#"
      (call $tell (call $stream_open (i64.const -1) (i64.const 0) (i32.const 4194305))) (call $why)
      (loop $on (local.set $t (call $stream_open (i64.const -1) (i64.const 0) (i32.const 4194304)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $on (i32.gt_s (local.get $t) (i32.const 0))))
      (call $tell (local.get $i)) (call $tell (local.get $t)) (call $why)"#;
    beside(
        &[guest("", many), guest("", large)],
        |mut ctx, guests| async move {
            let (many, _) = start(&mut ctx, &guests[0]);
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (1025, -3));
            assert!(
                words(&bytes_of(&mut ctx, many).await)
                    .contains("1024 streams, modules and supervisors")
            );
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (1, 9));
            let (large, _) = start(&mut ctx, &guests[1]);
            assert_eq!(told(&mut ctx).await, -4);
            assert!(words(&bytes_of(&mut ctx, large).await).contains("4194304 is the most"));
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (17, -3));
            assert!(words(&bytes_of(&mut ctx, large).await).contains("67108864 bytes of capacity"));
        },
    );
}

#[test]
fn a_range_outside_of_the_memory_ends_the_guest() {
    let calls = ["stream_read", "stream_write"].map(|name| {
        guest(
            "",
            &format!("(drop (call ${name} (i32.const 1) (i32.const 4194300) (i32.const 5)))"),
        )
    });
    beside(&calls, |mut ctx, guests| async move {
        for guest in &guests {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(reason.contains("not within the guest's memory"), "{reason}");
        }
    });
}
