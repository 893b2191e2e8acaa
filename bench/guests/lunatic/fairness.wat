;; HOGS processes that compute without end, and one that sleeps a millisecond at a time for NANOS. Prints
;; how often it woke, by how many nanoseconds it was late altogether, and by how many at worst.
(func (export "child") (param i64)
  (loop $again (br $again)))

(func (export "_start")
  (local $end i64) (local $wakes i64) (local $late i64) (local $sum i64) (local $worst i64) (local $left i32)
  (local.set $left (i32.const HOGS))
  (loop $more
    (call $start (i32.const 0) (i32.const 5) (i64.const 0))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (local.set $end (i64.add (call $now) (i64.const NANOS)))
  (loop $again
    (local.set $late (call $now))
    (call $sleep_ms (i64.const 1))
    (local.set $late (i64.sub (i64.sub (call $now) (local.get $late)) (i64.const 1000000)))
    (if (i64.lt_s (local.get $late) (i64.const 0)) (then (local.set $late (i64.const 0))))
    (local.set $sum (i64.add (local.get $sum) (local.get $late)))
    (if (i64.gt_u (local.get $late) (local.get $worst)) (then (local.set $worst (local.get $late))))
    (local.set $wakes (i64.add (local.get $wakes) (i64.const 1)))
    (br_if $again (i64.lt_u (call $now) (local.get $end))))
  (call $print (local.get $wakes))
  (call $print (local.get $sum))
  (call $print (local.get $worst)))
