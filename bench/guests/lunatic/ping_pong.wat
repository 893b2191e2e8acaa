;; One pair of processes that bounce eight bytes for NANOS. Prints the messages sent and the time taken.
(func (export "child") (param $pinger i64)
  (loop $again
    (call $tell (local.get $pinger) (i64.add (call $hear) (i64.const 1)))
    (br $again)))

(func (export "_start")
  (local $begun i64) (local $messages i64) (local $ponger i64) (local $ball i64) (local $left i32)
  (call $start (i32.const 0) (i32.const 5) (call $self))
  (local.set $ponger (i64.load (i32.const 72)))
  (local.set $begun (call $now))
  (loop $again
    (local.set $left (i32.const 64))
    (loop $more
      (call $tell (local.get $ponger) (local.get $ball))
      (local.set $ball (call $hear))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.set $messages (i64.add (local.get $messages) (i64.const 128)))
    (br_if $again (i64.lt_u (i64.sub (call $now) (local.get $begun)) (i64.const NANOS))))
  (call $print (local.get $messages))
  (call $print (i64.sub (call $now) (local.get $begun))))
