//! Messages: what is written is read, tags choose, and times end waits.

use crate::guest::{holds, run};

#[test]
fn processes_have_numbers_from_one_and_exchange_messages() {
    let (reason, output) = run(r#"(func (export "child") (param $parent i64)
             (call $tell (local.get $parent) (i64.const 0) (call $process_id)))
           (func (export "_start") (local $child i64)
             (call $check (i64.eq (call $process_id) (i64.const 1)) (i32.const 1))
             (call $check (i64.eq (call $environment_id) (i64.const 1)) (i32.const 2))
             (local.set $child (call $start (i32.const 0) (i64.const 0) (call $process_id)))
             (call $check (i64.eq (call $number) (local.get $child)) (i32.const 3))
             (call $print (i32.wrap_i64 (local.get $child))))"#);
    assert_eq!((reason.to_string(), output), ("normal".into(), "2".into()));
}

#[test]
fn a_message_is_written_and_read_in_pieces() {
    holds(
        r#"(func (export "_start")
             (i64.store (i32.const 2000) (i64.const 0x0807060504030201))
             (call $create_data (i64.const 7) (i64.const -1))
             (drop (call $write_data (i32.const 2000) (i32.const 3)))
             (drop (call $write_data (i32.const 2003) (i32.const 5)))
             (call $check (i64.eq (call $data_size) (i64.const 8)) (i32.const 1))
             (drop (call $send (call $process_id)))
             (call $check (i32.eqz (call $receive (i32.const 0) (i32.const 0) (i64.const -1))) (i32.const 2))
             (call $check (i64.eq (call $get_tag) (i64.const 7)) (i32.const 3))
             (call $check (i64.eqz (call $get_process_id)) (i32.const 4))
             (call $check (i32.eq (call $read_data (i32.const 2100) (i32.const 6)) (i32.const 6)) (i32.const 5))
             (call $check (i32.eq (call $read_data (i32.const 2106) (i32.const 6)) (i32.const 2)) (i32.const 6))
             (call $check (i32.eqz (call $read_data (i32.const 2106) (i32.const 6))) (i32.const 7))
             (call $check (i64.eq (i64.load (i32.const 2100)) (i64.const 0x0807060504030201)) (i32.const 8))
             (call $seek_data (i64.const 4))
             (call $check (i32.eq (call $read_data (i32.const 2200) (i32.const 8)) (i32.const 4)) (i32.const 9))
             (call $check (i32.eq (i32.load (i32.const 2200)) (i32.const 0x08070605)) (i32.const 10))
             ;; What was received may go on to somebody else.
             (call $seek_data (i64.const 0))
             (drop (call $send (call $process_id)))
             (call $check (i32.eqz (call $hear (i64.const 7) (i64.const -1))) (i32.const 11))
             (call $check (i64.eq (i64.load (i32.const 1100)) (i64.const 0x0807060504030201)) (i32.const 12)))"#,
    );
}

#[test]
fn a_receive_takes_the_oldest_message_with_one_of_its_tags() {
    holds(
        r#"(func $expect (param $tag i64) (param $number i64) (param $line i32)
             (call $check (i32.eqz (call $hear (local.get $tag) (i64.const 0))) (local.get $line))
             (call $check (i64.eq (i64.load (i32.const 1100)) (local.get $number)) (local.get $line)))
           (func (export "_start") (local $me i64)
             (local.set $me (call $process_id))
             (call $tell (local.get $me) (i64.const 1) (i64.const 10))
             (call $tell (local.get $me) (i64.const 2) (i64.const 20))
             (call $tell (local.get $me) (i64.const 0) (i64.const 30))
             (call $tell (local.get $me) (i64.const 2) (i64.const 40))
             (call $tell (local.get $me) (i64.const -3) (i64.const 50))
             (call $expect (i64.const 2) (i64.const 20) (i32.const 1))
             ;; Two tags at once.
             (i64.store (i32.const 2000) (i64.const -3))
             (i64.store (i32.const 2008) (i64.const 2))
             (call $check (i32.eqz (call $receive (i32.const 2000) (i32.const 2) (i64.const -1))) (i32.const 2))
             (drop (call $read_data (i32.const 1100) (i32.const 8)))
             (call $check (i64.eq (i64.load (i32.const 1100)) (i64.const 40)) (i32.const 3))
             ;; The rest in its order.
             (call $expect (i64.const 0) (i64.const 10) (i32.const 4))
             (call $expect (i64.const 0) (i64.const 30) (i32.const 5))
             (call $expect (i64.const 0) (i64.const 50) (i32.const 6))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const 0)) (i32.const 9027)) (i32.const 7))
             (call $check (i32.eq (call $hear (i64.const 5) (i64.const 20)) (i32.const 9027)) (i32.const 8)))"#,
    );
}

#[test]
fn a_request_waits_for_the_answer_with_its_tag() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $check (i32.eqz (call $hear (i64.const 5) (i64.const -1))) (i32.const 1))
             (call $tell (local.get $parent) (i64.const 0) (i64.const 1))
             (call $tell (local.get $parent) (i64.const 6) (i64.add (i64.load (i32.const 1100)) (i64.const 1))))
           (func (export "_start") (local $child i64)
             (local.set $child (call $start (i32.const 0) (i64.const 1) (call $process_id)))
             (call $prepare (i64.const 5) (i64.const 41))
             (call $check (i32.eqz (call $request (local.get $child) (i64.const 6) (i64.const -1))) (i32.const 1))
             (drop (call $read_data (i32.const 1100) (i32.const 8)))
             (call $check (i64.eq (i64.load (i32.const 1100)) (i64.const 42)) (i32.const 2))
             ;; Nobody answers: the child has ended.
             (call $prepare (i64.const 5) (i64.const 41))
             (call $check (i32.eq (call $request (local.get $child) (i64.const 6) (i64.const 10)) (i32.const 9027)) (i32.const 3))
             (call $check (i64.eq (call $number) (i64.const 1)) (i32.const 4)))"#,
    );
}

#[test]
fn a_name_stands_for_whoever_was_given_it_last() {
    holds(
        r#"(data (i32.const 3000) "name")
           (func $get_name (result i32)
             (call $get (i32.const 3000) (i32.const 4) (i32.const 3016) (i32.const 3024)))
           (func (export "_start")
             (call $check (i32.eq (call $get_name) (i32.const 1)) (i32.const 1))
             (call $put (i32.const 3000) (i32.const 4) (i64.const 0) (i64.const 7))
             (call $put (i32.const 3000) (i32.const 4) (i64.const 3) (i64.const 8))
             (call $check (i32.eqz (call $get_name)) (i32.const 2))
             (call $check (i64.eq (i64.load (i32.const 3016)) (i64.const 3)) (i32.const 3))
             (call $check (i64.eq (i64.load (i32.const 3024)) (i64.const 8)) (i32.const 4))
             (call $remove (i32.const 3000) (i32.const 4))
             (call $remove (i32.const 3000) (i32.const 4))
             (call $check (i32.eq (call $get_name) (i32.const 1)) (i32.const 5)))"#,
    );
}
