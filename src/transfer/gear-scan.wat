;; Finds where the gear hash of the last 64 bytes falls below a limit. Compiled by bench/make-gear-wasm.ts into
;; src/transfer/gear-wasm.ts; gear-scan.ts is the same in JavaScript and says what the parameters mean.
;;
;; Memory: 0 the gear table (256 x u64), 4096 the bytes (at most 256 KiB), 266240 the positions found (u32 each).
;;
;; The hash of one byte waits for that of the byte before, which leaves a processor idle. The value depends on no
;; more than 64 bytes, so four quarters of a full input are hashed at once; each begins 64 bytes early to be right. That
;; they are 65536 bytes apart costs nothing as an offset. Shorter inputs, once a file, are hashed byte by byte.
(module
  (memory (export "memory") 21)

  ;; The hash after the bytes from $at up to $end.
  (func $roll (param $at i32) (param $end i32) (param $hash i64) (result i64)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $more)))
    (local.get $hash))

  ;; Scans $length bytes; gives the number of positions found and the hash to go on with.
  (func (export "scan") (param $length i32) (param $hash i64) (param $limit i64) (result i32 i64)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64)
    (local $at i32) (local $end i32) (local $last i32)
    (local $foundA i32) (local $foundB i32) (local $foundC i32) (local $foundD i32)
    (local.set $last (i32.add (i32.const 4096) (local.get $length)))
    (local.set $at (i32.const 4096))
    (local.set $foundA (i32.const 266240))
    (local.set $a (local.get $hash))
    (if (i32.eq (local.get $length) (i32.const 262144))
      (then
        (local.set $end (i32.const 69632))
        (local.set $b (call $roll (i32.const 69568) (i32.const 69632) (i64.const 0)))
        (local.set $c (call $roll (i32.const 135104) (i32.const 135168) (i64.const 0)))
        (local.set $d (call $roll (i32.const 200640) (i32.const 200704) (i64.const 0)))
        ;; Each quarter lists its positions in a room of its own, so that the rooms together are in order.
        (local.set $foundB (i32.const 528384))
        (local.set $foundC (i32.const 790528))
        (local.set $foundD (i32.const 1052672))
        (loop $resume
          ;; The loop that all the time goes into: what is found, once in many bytes, is written down outside of it.
          (block $found
            (loop $more
              (local.set $a (i64.add (i64.shl (local.get $a) (i64.const 1))
                (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
              (local.set $b (i64.add (i64.shl (local.get $b) (i64.const 1))
                (i64.load (i32.shl (i32.load8_u offset=65536 (local.get $at)) (i32.const 3)))))
              (local.set $c (i64.add (i64.shl (local.get $c) (i64.const 1))
                (i64.load (i32.shl (i32.load8_u offset=131072 (local.get $at)) (i32.const 3)))))
              (local.set $d (i64.add (i64.shl (local.get $d) (i64.const 1))
                (i64.load (i32.shl (i32.load8_u offset=196608 (local.get $at)) (i32.const 3)))))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $found (i64.lt_u (local.get $a) (local.get $limit)))
              (br_if $found (i64.lt_u (local.get $b) (local.get $limit)))
              (br_if $found (i64.lt_u (local.get $c) (local.get $limit)))
              (br_if $found (i64.lt_u (local.get $d) (local.get $limit)))
              (br_if $more (i32.lt_u (local.get $at) (local.get $end)))))
          (if (i64.lt_u (local.get $a) (local.get $limit)) (then
            (i32.store (local.get $foundA) (i32.sub (local.get $at) (i32.const 4096)))
            (local.set $foundA (i32.add (local.get $foundA) (i32.const 4)))))
          (if (i64.lt_u (local.get $b) (local.get $limit)) (then
            (i32.store (local.get $foundB) (i32.add (local.get $at) (i32.const 61440)))
            (local.set $foundB (i32.add (local.get $foundB) (i32.const 4)))))
          (if (i64.lt_u (local.get $c) (local.get $limit)) (then
            (i32.store (local.get $foundC) (i32.add (local.get $at) (i32.const 126976)))
            (local.set $foundC (i32.add (local.get $foundC) (i32.const 4)))))
          (if (i64.lt_u (local.get $d) (local.get $limit)) (then
            (i32.store (local.get $foundD) (i32.add (local.get $at) (i32.const 192512)))
            (local.set $foundD (i32.add (local.get $foundD) (i32.const 4)))))
          (br_if $resume (i32.lt_u (local.get $at) (local.get $end))))
        ;; Close the gaps between the rooms.
        (local.set $foundA (call $append (local.get $foundA) (i32.const 528384) (local.get $foundB)))
        (local.set $foundA (call $append (local.get $foundA) (i32.const 790528) (local.get $foundC)))
        (local.set $foundA (call $append (local.get $foundA) (i32.const 1052672) (local.get $foundD)))
        (local.set $a (local.get $d))
        (local.set $at (local.get $last))))
    ;; All of a shorter input.
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $at) (local.get $last)))
        (local.set $a (i64.add (i64.shl (local.get $a) (i64.const 1))
          (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i64.lt_u (local.get $a) (local.get $limit)) (then
          (i32.store (local.get $foundA) (i32.sub (local.get $at) (i32.const 4096)))
          (local.set $foundA (i32.add (local.get $foundA) (i32.const 4)))))
        (br $more)))
    (i32.shr_u (i32.sub (local.get $foundA) (i32.const 266240)) (i32.const 2))
    (local.get $a))

  ;; Moves the list from $from up to $end down to $to; gives the end of the list there.
  (func $append (param $to i32) (param $from i32) (param $end i32) (result i32)
    (local $bytes i32)
    (local.set $bytes (i32.sub (local.get $end) (local.get $from)))
    (memory.copy (local.get $to) (local.get $from) (local.get $bytes))
    (i32.add (local.get $to) (local.get $bytes))))
