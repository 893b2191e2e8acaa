;; An oven: bakes the loaf whose number it was given, and sends it to the counter. It was granted
;; nothing but some memory and time; sending needs no grant.
(module
  (import "rusm" "args" (func $args (param i32 i32) (result i32)))
  (import "rusm" "sleep" (func $sleep (param i64)))
  (import "rusm" "send_name" (func $send_name (param i32 i32 i64 i32 i32) (result i32)))
  (import "rusm" "log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 256) "counter")
  (data (i32.const 272) "baked: loaf ?")
  (func (export "run")
    (drop (call $args (i32.const 0) (i32.const 16)))
    ;; 20 ms for each number, so that they come in their order.
    (call $sleep (i64.mul (i64.const 20000000)
      (i64.extend_i32_u (i32.sub (i32.load8_u (i32.const 4)) (i32.const 48)))))
    (i32.store8 (i32.const 284) (i32.load8_u (i32.const 4)))
    (drop (call $log (i32.const 2) (i32.const 272) (i32.const 13)))
    (drop (call $send_name (i32.const 256) (i32.const 7) (i64.const 0) (i32.const 4) (i32.const 1)))))
