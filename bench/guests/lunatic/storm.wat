;; SPAWNERS processes, each starting 256 children of this same module and then hearing from every one
;; of them, again and again for NANOS. Prints how many children came and went, and the time taken.
(func (export "child") (param $parent i64)
  (call $tell (local.get $parent) (i64.const 1)))

(func (export "spawner") (param $driver i64)
  (local $end i64) (local $count i64) (local $left i32)
  (local.set $end (i64.add (call $now) (i64.const NANOS)))
  (loop $again
    (local.set $left (i32.const 256))
    (loop $more
      (call $start (i32.const 0) (i32.const 5) (call $self))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.set $left (i32.const 256))
    (loop $more
      (drop (call $hear))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.set $count (i64.add (local.get $count) (i64.const 256)))
    (br_if $again (i64.lt_u (call $now) (local.get $end))))
  (call $tell (local.get $driver) (local.get $count)))

(func (export "_start")
  (local $begun i64) (local $count i64) (local $left i32)
  (local.set $begun (call $now))
  (local.set $left (i32.const SPAWNERS))
  (loop $more
    (call $start (i32.const 16) (i32.const 7) (call $self))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (local.set $left (i32.const SPAWNERS))
  (loop $more
    (local.set $count (i64.add (local.get $count) (call $hear)))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $print (local.get $count))
  (call $print (i64.sub (call $now) (local.get $begun))))
