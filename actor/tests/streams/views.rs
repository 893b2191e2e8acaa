//! What those see of a stream who hold none of its ends.

use rusm_actor::{Pid, StreamEnd, StreamInfo, StreamState};

use super::everywhere::everywhere;

#[test]
fn a_stream_tells_from_outside_who_is_in_it_and_how_full_it_is() {
    everywhere(|mut ctx| async move {
        let (me, other) = (ctx.pid(), Pid::from_bits(77));
        let (mut writer, mut reader) = ctx.open_stream(10).expect("a capacity");
        let view = reader.view();
        let mut expected = StreamInfo {
            writer: Some(me),
            reader: None,
            state: StreamState::Offered,
            waits: None,
            waiting: 0,
            capacity: 10,
            passed: 0,
        };
        assert_eq!(writer.view().info(), Some(expected.clone()));
        assert_eq!(reader.offered_to(other), None);
        assert_eq!(reader.offered_to(me), Some(other));
        writer.write_all(b"seven b").await.expect("there is room");
        (expected.reader, expected.waiting) = (Some(me), 7);
        assert_eq!(view.info(), Some(expected.clone()));
        assert_eq!(reader.read(&mut [0; 5]).await, Ok(5));
        (expected.state, expected.waiting, expected.passed) = (StreamState::Open, 2, 5);
        assert_eq!(view.info(), Some(expected.clone()));
        let writing = ctx.spawn(move |_| async move {
            let _ = writer.write_all(&[1; 20]).await;
        });
        while view.info().and_then(|info| info.waits) != Some(StreamEnd::Writer) {
            rusm_sched::yield_now().await;
        }
        (expected.waits, expected.waiting) = (Some(StreamEnd::Writer), 10);
        assert_eq!(view.info(), Some(expected.clone()));
        ctx.monitor(writing);
        rusm_actor::kill(writing);
        ctx.receive_match(|message| message.down().is_some()).await;
        (expected.waits, expected.state) = (None, StreamState::Ended);
        assert_eq!(view.info(), Some(expected));
        drop(reader);
        assert_eq!((view.info(), view.is_held()), (None, false));
    });
}

#[test]
fn a_reader_that_waits_and_one_that_is_gone_are_seen() {
    everywhere(|ctx| async move {
        let (writer, mut reader) = ctx.open_stream(10).expect("a capacity");
        let view = writer.view();
        let reading = ctx.spawn(move |_| async move {
            let _ = reader.read(&mut [0; 1]).await;
        });
        while view.info().and_then(|info| info.waits) != Some(StreamEnd::Reader) {
            rusm_sched::yield_now().await;
        }
        rusm_actor::kill(reading);
        let broken = |info: StreamInfo| info.state == StreamState::Broken && info.waits.is_none();
        while !view.info().is_some_and(broken) {
            rusm_sched::yield_now().await;
        }
    });
}
