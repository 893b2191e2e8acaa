//! The course of the ticks over time, in ring buffers: what the charts draw. Knows no React and no DOM.

import type { Run, Tick } from "./protocol.ts";

/** Ticks that are kept: a minute at 20 a second, 20 seconds at 60. */
export const LENGTH = 1200;

/**
 * Columns of equal length which forget their oldest entries. Each value is written twice, half the buffer apart, so that
 * the latest `length` entries always lie side by side and a chart takes them without a copy.
 */
export class Rings {
  readonly columns: Float64Array[];
  /** Grows with each push: whoever draws compares it with what was drawn. */
  version = 0;
  private head = 0;
  private filled = 0;

  constructor(width: number, private readonly length = LENGTH) {
    this.columns = Array.from({ length: width }, () => new Float64Array(2 * length));
  }

  push(values: readonly (number | null | undefined)[]): void {
    const at = this.head % this.length;
    this.columns.forEach((column, index) => {
      const value = values[index] ?? NaN;
      column[at] = value;
      column[at + this.length] = value;
    });
    this.head += 1;
    this.filled = Math.min(this.filled + 1, this.length);
    this.version += 1;
  }

  /** The entries of a column, the oldest first. */
  column(index: number): Float64Array {
    const end = this.filled < this.length ? this.filled : (this.head % this.length) + this.length;
    return (this.columns[index] as Float64Array).subarray(end - this.filled, end);
  }

  /** The same for a chart, to which what is not known must be `null`: it takes NaN for a number. */
  line(index: number): ArrayLike<number | null> {
    const column = this.column(index);
    return column.some(Number.isNaN) ? Array.from(column, (value) => (Number.isNaN(value) ? null : value)) : column;
  }

  get size(): number {
    return this.filled;
  }

  /** Of the latest entries: a single one of twenty a second jumps too much to be read. */
  mean(index: number, entries = 20): number {
    const latest = this.column(index).slice(-entries);
    return latest.reduce((sum, value) => sum + value, 0) / latest.length;
  }

  clear(): void {
    this.head = 0;
    this.filled = 0;
    this.version += 1;
  }
}

/** The columns of `History.node`; the first is the time in seconds. */
export const NODE = {
  time: 0, alive: 1, running: 2, runnable: 3, resident: 4, cpu: 5, spawns: 6, turns: 7, steals: 8, parks: 9,
  reductions: 10, p50: 11, p95: 12, p99: 13, max: 14, timers: 15, exits: 16,
} as const;

/** The columns of `History.run`; the first is the time in seconds since the run began. */
export const RUN = { time: 0, throughput: 1, alive: 2, p50: 3, p99: 4, max: 5, jain: 6, jainPeer: 7 } as const;

/** Rows of the wake-up heat map: powers of two of a microsecond, from 1 to 2^(WAKE_ROWS - 1), about eight seconds. */
export const WAKE_ROWS = 24;

/** Everything that is drawn over time. */
export class History {
  readonly node = new Rings(Object.keys(NODE).length);
  readonly run = new Rings(Object.keys(RUN).length);
  readonly wake = new Rings(WAKE_ROWS);
  workers = new Rings(0);
  workerCount = 0;
  /** What the rates are counted from; `null` after a gap. */
  private before: Tick | null = null;
  private target: string | null = null;
  private at = 0;
  private runId: number | null = null;
  /** Of the run's throughput: what the run comes to in the end may be of something else. */
  runUnit = "";

  /** Rates need two ticks of one target: the first after a change only starts the count. */
  take(tick: Tick): void {
    const before = this.before;
    this.before = tick;
    if (tick.workers.length !== this.workerCount) {
      this.workerCount = tick.workers.length;
      this.workers = new Rings(this.workerCount);
    }
    if (this.target !== tick.target || tick.at < this.at) this.clearNode();
    else if (before && tick.at > before.at) this.takeNode(before, tick);
    this.target = tick.target;
    this.at = tick.at;
    this.takeRun(tick.run);
  }

  /** After a gap in the connection: a rate over the gap would be a flat lie. */
  interrupt(): void {
    this.before = null;
  }

  private clearNode(): void {
    this.node.clear();
    this.wake.clear();
    this.workers.clear();
  }

  private takeNode(before: Tick, tick: Tick): void {
    const span = tick.at - before.at;
    const rate = (name: keyof Tick["counters"]) => ((tick.counters[name] - before.counters[name]) * 1e6) / span;
    const cpu = difference(tick.system.cpu_seconds, before.system.cpu_seconds);
    const wake = tick.wake_to_run;
    this.node.push([
      tick.at / 1e6, tick.processes.alive, tick.processes.running, tick.processes.runnable,
      tick.system.resident_bytes, cpu === null ? null : (cpu * 1e6) / span,
      rate("spawns"), rate("turns"), rate("steals"), rate("parks"), rate("reductions"),
      wake.p50, wake.p95, wake.p99, wake.max, tick.gauges.timers, rate("exits"),
    ]);
    this.workers.push(tick.workers.map((worker, index) => busyShare(before, worker.busy, index, span)));
    this.wake.push(wakeColumn(wake.buckets));
  }

  private takeRun(run: Run | null): void {
    if (!run) return;
    const seconds = run.elapsed_ms / 1000;
    // A node that was started again counts its runs from one again.
    if (run.id !== this.runId || seconds < (this.run.column(RUN.time).at(-1) ?? 0)) {
      this.runId = run.id;
      this.runUnit = run.unit;
      this.run.clear();
    }
    if (run.state !== "running") return;
    this.runUnit = run.unit;
    const [ours, peer] = run.sides;
    this.run.push([
      seconds, run.throughput, run.alive,
      run.latency?.p50, run.latency?.p99, run.latency?.max, ours?.jain, peer?.jain,
    ]);
  }
}

function busyShare(before: Tick, busy: number, index: number, span: number): number {
  const earlier = before.workers[index]?.busy ?? busy;
  return Math.min(1, Math.max(0, (busy - earlier) / span));
}

function difference(now: number | null, before: number | null): number | null {
  return now === null || before === null ? null : now - before;
}

/** Counts by row of the heat map. */
export function wakeColumn(buckets: readonly [number, number][]): number[] {
  const column = new Array<number>(WAKE_ROWS).fill(0);
  for (const [longest, count] of buckets) {
    const row = Math.min(WAKE_ROWS - 1, Math.max(0, Math.ceil(Math.log2(Math.max(longest, 1)))));
    column[row] = (column[row] ?? 0) + count;
  }
  return column;
}
