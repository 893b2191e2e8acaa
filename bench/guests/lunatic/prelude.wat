;; What all guests of the head to head begin with. Only what Lunatic 0.13 and WASI preview 1 have.
(import "lunatic::process" "spawn" (func $spawn (param i64 i64 i64 i32 i32 i32 i32 i32) (result i32)))
(import "lunatic::process" "process_id" (func $self (result i64)))
(import "lunatic::process" "sleep_ms" (func $sleep_ms (param i64)))
(import "lunatic::message" "create_data" (func $create (param i64 i64)))
(import "lunatic::message" "write_data" (func $write (param i32 i32) (result i32)))
(import "lunatic::message" "read_data" (func $read (param i32 i32) (result i32)))
(import "lunatic::message" "send" (func $send (param i64) (result i32)))
(import "lunatic::message" "receive" (func $receive (param i32 i32 i64) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

(memory (export "memory") 1)
(data (i32.const 0) "child")
(data (i32.const 16) "spawner")

;; Nanoseconds of the monotonic clock.
(func $now (result i64)
  (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 64)))
  (i64.load (i32.const 64)))

;; Starts the function named at $name with one argument; its number is at 72.
(func $start (param $name i32) (param $length i32) (param $argument i64)
  (i32.store8 (i32.const 96) (i32.const 0x7e))
  (i64.store (i32.const 97) (local.get $argument))
  (i64.store (i32.const 105) (i64.const 0))
  (if (call $spawn (i64.const 0) (i64.const -1) (i64.const -1)
        (local.get $name) (local.get $length) (i32.const 96) (i32.const 17) (i32.const 72))
    (then unreachable)))

;; Sends eight bytes.
(func $tell (param $to i64) (param $number i64)
  (i64.store (i32.const 80) (local.get $number))
  (call $create (i64.const 0) (i64.const 8))
  (drop (call $write (i32.const 80) (i32.const 8)))
  (drop (call $send (local.get $to))))

;; Receives them.
(func $hear (result i64)
  (drop (call $receive (i32.const 0) (i32.const 0) (i64.const -1)))
  (drop (call $read (i32.const 88) (i32.const 8)))
  (i64.load (i32.const 88)))

;; Writes a number and a line's end.
(func $print (param $number i64)
  (local $at i32)
  (local.set $at (i32.const 255))
  (i32.store8 (i32.const 255) (i32.const 10))
  (loop $digit
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at)
      (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
    (br_if $digit (i64.ne (i64.const 0)
      (local.tee $number (i64.div_u (local.get $number) (i64.const 10))))))
  (i32.store (i32.const 128) (local.get $at))
  (i32.store (i32.const 132) (i32.sub (i32.const 256) (local.get $at)))
  (drop (call $fd_write (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 136))))
