;; Two processes that send a message back and forth: `rusm run ping-pong.wat`.
;;
;; The program starts itself a second time, under the name of its file and linked to it; who has been
;; given an argument is the second one. What it imports from `rusm` is described in docs/guest-abi.md.
(module
  (import "rusm" "args" (func $args (param i32 i32) (result i32)))
  (import "rusm" "spawn_link" (func $spawn_link (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "now" (func $now (result i64)))
  (import "rusm" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
  (import "rusm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0: the record of the last message, its sender at 8. 64: its body. 128: the pid of the second one.
  (data (i32.const 256) "ping-pong")
  (data (i32.const 272) "\04\00\00\00pong")
  (data (i32.const 288) " ns for each of ")
  (data (i32.const 304) " round trips")
  (global $rounds i64 (i64.const 200000))
  (global $end (mut i32) (i32.const 1024))

  (func $wait (drop (call $receive
    (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 64))))

  (func $pong
    (loop $on
      (call $wait)
      ;; Back to the sender, with its tag and its eight bytes.
      (drop (call $send (i64.load (i32.const 8)) (i64.load (i32.const 16)) (i32.const 64) (i32.const 8)))
      (br $on)))

  (func $ping (local $left i64)
    (local.set $left (global.get $rounds))
    (loop $on
      (i64.store (i32.const 136) (local.get $left))
      (drop (call $send (i64.load (i32.const 128)) (i64.const 1) (i32.const 136) (i32.const 8)))
      (call $wait)
      (if (i64.ne (i64.load (i32.const 64)) (local.get $left)) (then unreachable))
      (br_if $on (i64.ne (local.tee $left (i64.sub (local.get $left) (i64.const 1))) (i64.const 0)))))

  ;; Writes a number in digits before `$end`, which moves to its first one.
  (func $digits (param $number i64)
    (loop $on
      (global.set $end (i32.sub (global.get $end) (i32.const 1)))
      (i64.store8 (global.get $end) (i64.add (i64.const 48) (i64.rem_u (local.get $number) (i64.const 10))))
      (br_if $on (i64.ne (local.tee $number (i64.div_u (local.get $number) (i64.const 10))) (i64.const 0)))))

  ;; Writes bytes before `$end`.
  (func $words (param $at i32) (param $len i32)
    (global.set $end (i32.sub (global.get $end) (local.get $len)))
    (memory.copy (global.get $end) (local.get $at) (local.get $len)))

  (func (export "_start") (local $began i64)
    (if (call $args (i32.const 0) (i32.const 0)) (then (call $pong) (return)))
    (if (call $spawn_link (i32.const 256) (i32.const 9) (i32.const 272) (i32.const 8) (i32.const 128))
      ;; It has been refused: that, in words, is why it ends.
      (then (drop (call $exit (i32.const 8) (i32.const 0) (i32.const 1024)
        (call $refusal (i32.const 1024) (i32.const 1024)))) (return)))
    (local.set $began (call $now))
    (call $ping)
    (call $words (i32.const 304) (i32.const 12))
    (call $digits (global.get $rounds))
    (call $words (i32.const 288) (i32.const 16))
    (call $digits (i64.div_u (i64.sub (call $now) (local.get $began)) (global.get $rounds)))
    (drop (call $log (i32.const 2) (global.get $end) (i32.sub (i32.const 1024) (global.get $end))))))
