;; Prints 0 and waits to be looked at, then starts PARKED children, each waiting for a message that never
;; comes. Prints their number once every one has said hello, and the time that took; then it waits to be
;; looked at again, and ends.
(func (export "child") (param $parent i64)
  (call $tell (local.get $parent) (i64.const 1))
  (drop (call $hear)))

(func (export "_start")
  (local $begun i64) (local $left i32)
  (call $print (i64.const 0))
  (call $sleep_ms (i64.const 300))
  (local.set $begun (call $now))
  (local.set $left (i32.const PARKED))
  (loop $more
    (call $start (i32.const 0) (i32.const 5) (call $self))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (local.set $left (i32.const PARKED))
  (loop $more
    (drop (call $hear))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $print (i64.const PARKED))
  (call $print (i64.sub (call $now) (local.get $begun)))
  (call $sleep_ms (i64.const 1000)))
