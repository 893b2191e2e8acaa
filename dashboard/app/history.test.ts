//! Rings, and what ticks become in them.

import { expect, test } from "bun:test";
import { RUN as RUN_FRAME, TICK } from "../test/frames.ts";
import { History, NODE, Rings, RUN, wakeColumn } from "./history.ts";

test("a ring keeps the latest entries in their order, whatever its fill", () => {
  const rings = new Rings(1, 4);
  for (let pushed = 1; pushed <= 11; pushed += 1) {
    rings.push([pushed]);
    const expected = Array.from({ length: Math.min(pushed, 4) }, (_, index) => Math.max(1, pushed - 3) + index);
    expect([...rings.column(0)]).toEqual(expected);
  }
  expect(rings.mean(0, 2)).toBe(10.5);
  expect(rings.line(0)).toBeInstanceOf(Float64Array);
  rings.push([null]);
  expect([...(rings.line(0) as number[])]).toEqual([9, 10, 11, null as never]);
  rings.clear();
  expect(rings.size).toBe(0);
});

function later(steps: number, more: Partial<typeof TICK> = {}): typeof TICK {
  const counters = { ...TICK.counters, spawns: TICK.counters.spawns + 5 * steps };
  const workers = TICK.workers.map((worker) => ({ ...worker, busy: worker.busy + 25_000 * steps }));
  return { ...TICK, at: TICK.at + 50_000 * steps, counters, workers, ...more };
}

test("rates and shares come from two ticks", () => {
  const history = new History();
  history.take(TICK);
  expect(history.node.size).toBe(0);
  history.take(later(1));
  expect(history.node.column(NODE.spawns)[0]).toBeCloseTo(100);
  expect(history.workers.column(0)[0]).toBeCloseTo(0.5);
});

test("another target and a node that was started again begin anew", () => {
  for (const next of [later(3, { target: "run 3" }), { ...TICK, at: 10 }]) {
    const history = new History();
    for (const tick of [TICK, later(1), later(2)]) history.take(tick);
    expect(history.node.size).toBe(2);
    history.interrupt();
    history.take(next);
    expect(history.node.size).toBe(0);
  }
});

test("no rate is counted over a gap in the connection", () => {
  const history = new History();
  for (const tick of [TICK, later(1)]) history.take(tick);
  history.interrupt();
  history.take(later(1000));
  expect(history.node.size).toBe(1);
  history.take(later(1001));
  expect(history.node.size).toBe(2);
});

test("a run has a course of its own, which ends with it and gives way to the next", () => {
  const history = new History();
  const at = (elapsed_ms: number, more = {}) => history.take(later(elapsed_ms / 50, { run: { ...RUN_FRAME, elapsed_ms, ...more } }));
  at(50);
  at(100);
  at(100, { state: "ended", unit: "kills/s" });
  expect(history.runUnit).toBe("wakes/s");
  expect([...history.run.column(RUN.time)]).toEqual([0.05, 0.1]);
  expect(history.run.column(RUN.jain)[0]).toBe(0.98);
  expect(history.run.column(RUN.jainPeer)[0]).toBeNaN();
  at(50, { id: 4 });
  expect(history.run.size).toBe(1);
  at(20, { id: 4 });
  expect([...history.run.column(RUN.time)]).toEqual([0.02]);
});

test("buckets fall into powers of two, and none falls off the map", () => {
  const column = wakeColumn([[0.2, 1], [1, 2], [1.5, 4], [1000, 8], [1e12, 16]]);
  expect([column[0], column[1], column[10], column.at(-1)]).toEqual([3, 4, 8, 16]);
  expect(column.reduce((a, b) => a + b)).toBe(31);
});
