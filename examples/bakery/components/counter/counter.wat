;; The counter: takes its name, starts an oven for each loaf, and waits for the bread.
;; What it imports from `rusm` is described in docs/guest-abi.md.
(module
  (import "rusm" "args" (func $args (param i32 i32) (result i32)))
  (import "rusm" "register" (func $register (param i32 i32) (result i32)))
  (import "rusm" "spawn_monitor" (func $spawn_monitor (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
  (import "rusm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0: the record of what came. 64: its body. 128: the argument, behind its length. 160: the arguments
  ;; of an oven, which are its number. 192: its pid and monitor.
  (data (i32.const 160) "\01\00\00\00?")
  (data (i32.const 256) "counter")
  (data (i32.const 272) "oven")
  (data (i32.const 288) "sold: ? loaves")
  (data (i32.const 320) "an oven has broken")

  ;; Whatever was refused ends it, in the words of the refusal; its supervisor starts it again.
  (func $ok (param $refused i32)
    (if (i32.lt_s (local.get $refused) (i32.const 0)) (then
      (drop (call $exit (i32.const 8) (i32.const 0) (i32.const 1024)
        (call $refusal (i32.const 1024) (i32.const 1024)))))))

  (func (export "run") (local $loaves i32) (local $left i32) (local $sold i32)
    (drop (call $args (i32.const 128) (i32.const 16)))
    (local.set $loaves (i32.sub (i32.load8_u (i32.const 132)) (i32.const 48)))
    (call $ok (call $register (i32.const 256) (i32.const 7)))
    (local.set $left (local.get $loaves))
    (loop $bake
      (i32.store8 (i32.const 164) (i32.add (i32.const 48) (local.get $left)))
      (call $ok (call $spawn_monitor
        (i32.const 272) (i32.const 4) (i32.const 160) (i32.const 5) (i32.const 192)))
      (br_if $bake (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    ;; A loaf is a message (1); an oven that ends is a down (3), which comes after its loaf.
    (loop $wait
      (drop (call $receive
        (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 64)))
      (if (i32.eq (i32.load (i32.const 0)) (i32.const 1)) (then
        (local.set $sold (i32.add (local.get $sold) (i32.const 1)))))
      (if (i32.eq (i32.load (i32.const 0)) (i32.const 3)) (then
        (local.set $left (i32.add (local.get $left) (i32.const 1)))))
      (br_if $wait (i32.lt_u (local.get $left) (local.get $loaves))))
    (if (i32.lt_u (local.get $sold) (local.get $loaves))
      (then (drop (call $log (i32.const 1) (i32.const 320) (i32.const 18)))))
    (i32.store8 (i32.const 294) (i32.add (i32.const 48) (local.get $sold)))
    (drop (call $log (i32.const 2) (i32.const 288) (i32.const 14)))))
