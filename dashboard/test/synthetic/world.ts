//! The made-up node: counters that grow by themselves, and processes that come and go.

import type { Bucket, Field, LabInfo, Row, Tick, TraceEvent, TreeItem, Warning } from "../../app/protocol.ts";
import { Lab } from "./lab.ts";
import { around, noise, quantiles } from "./noise.ts";
import { LAB } from "./scenarios.ts";

export const STEP_MS = 50;
const WORKERS = 4;
const PROCESSES = 420;
const BODIES = ["shop::clerk", "shop::till", "web::connection", "store::writer", "timer::heartbeat", "guest oven"];
const GROUPS = ["workers", "listeners", "ovens"];

function field(name: string, value: string, live: boolean): Field {
  return { field: name, value, default: value, live };
}

export class World {
  steps = 0;
  config: Field[] = [
    field("workers", String(WORKERS), false), field("budget", "4000", true), field("hand_off", "true", true),
    field("urgent_lane", "true", true), field("queue", "ring", false), field("steal", "half", true),
    field("spin", "10", true), field("tick", "1000", true), field("turn_limit", "10000", true),
    field("maintain_turns", "64", true),
  ];
  readonly labInfo: LabInfo | null;
  readonly lab = new Lab(this);
  private killed = new Set<string>();
  private grown = { spawns: 0, turns: 0, steals: 0, parks: 0, reductions: 0, busy: new Array<number>(WORKERS).fill(0) };

  constructor({ lab }: { lab: boolean }) {
    this.labInfo = lab ? LAB : null;
  }

  get at(): number {
    return this.steps * STEP_MS * 1000;
  }

  number(name: string): number {
    return Number(this.config.find((it) => it.field === name)?.value);
  }

  setConfig(name: string, value: string): boolean {
    const found = this.config.find((it) => it.field === name && it.live);
    if (found) this.config = this.config.map((it) => (it === found ? { ...it, value } : it));
    return found !== undefined;
  }

  kill(pid: string): void {
    this.killed.add(pid);
  }

  step(): void {
    this.steps += 1;
    this.lab.step();
    const n = this.steps;
    const load = this.load(n);
    const { grown } = this;
    grown.spawns += Math.round(600 * load * around(n, 1, 0.2));
    grown.turns += Math.round(40_000 * load * around(n, 2, 0.1));
    grown.reductions += Math.round(900_000 * load * around(n, 3, 0.1));
    grown.steals += Math.round(30 * noise(n, 4));
    grown.parks += Math.round(400 * (1.2 - load) * around(n, 5, 0.3));
    grown.busy = grown.busy.map((busy, worker) => busy + STEP_MS * 1000 * Math.min(1, load * around(n >> 2, worker + 20, 0.35)));
  }

  private load(n: number): number {
    return this.lab.active ? 0.92 : 0.45 + 0.3 * Math.sin(n / 70) + 0.1 * Math.sin(n / 11);
  }

  tick(seq: number): Tick {
    const { grown, steps } = this;
    const worker = (busy: number, index: number) => ({
      busy: Math.round(busy), turns: Math.round(grown.turns / WORKERS), reductions: Math.round(grown.reductions / WORKERS),
      steals: Math.round(grown.steals / WORKERS), parks: Math.round(grown.parks / WORKERS),
      queued: Math.round(6 * noise(steps, index + 40)), overflows: 0,
    });
    const runnable = Math.round(30 * this.load(steps) * around(steps, 6, 0.6));
    return {
      type: "tick", seq, at: this.at, target: this.lab.active ? `run ${this.lab.run?.id}` : "node",
      processes: { alive: this.pids().length, running: WORKERS, runnable, waiting: this.pids().length - runnable - WORKERS },
      counters: {
        spawns: grown.spawns, exits: Math.round(grown.spawns * 0.98), panics: 1, turns: grown.turns, reductions: grown.reductions,
        steals: grown.steals, stolen: grown.steals * 4, searches: grown.parks * 2, parks: grown.parks, overflows: 0, overruns: 2,
        overruns_refused: 0, ticks: steps * 50, messages_shed: 0, blocking_jobs: steps, blocking_refused: 0,
        io_polls: steps * 30, io_events: steps * 12,
      },
      gauges: { injected: 0, timers: 61, stuck: 0, blocking_threads: 2, blocking_queued: 0, io_sources: 14 },
      workers: grown.busy.map(worker),
      wake_to_run: this.wakes(),
      system: {
        resident_bytes: 48e6 + 6e6 * Math.sin(steps / 90), virtual_bytes: 400e6, cpu_seconds: grown.busy.reduce((a, b) => a + b) / 1e6,
        threads: 9, fds: 37, fds_max: 65_536, load_1m: 1.9,
      },
      run: this.lab.run, sweep: this.lab.sweep,
    };
  }

  /** The larger the budget, the longer the others wait. */
  typicalWake(): number {
    return 1.5 + this.number("budget") / (this.lab.active ? 60 : 900);
  }

  /** Now and then nobody wakes, and then there are no quantiles. */
  private wakes(): Tick["wake_to_run"] {
    if (noise(this.steps, 8) > 0.97) return { count: 0, p50: null, p95: null, p99: null, p999: null, max: null, buckets: [] };
    return { ...quantiles(this.typicalWake(), 400, this.steps), buckets: this.buckets() };
  }

  private buckets(): Bucket[] {
    const typical = this.typicalWake();
    return Array.from({ length: 9 }, (_, index): Bucket => {
      const center = Math.log2(typical);
      const spread = Math.exp(-((index - 3) ** 2) / 4);
      return [2 ** (center + index - 3), Math.round(300 * spread * around(this.steps, index + 60, 0.4))];
    }).filter(([, count]) => count > 0);
  }

  pids(): string[] {
    return Array.from({ length: PROCESSES }, (_, index) => `<0.${index + 1}.1>`).filter((pid) => !this.killed.has(pid));
  }

  process(pid: string): Row | null {
    const number = Number(pid.split(".")[1]);
    if (!this.pids().includes(pid)) return null;
    const pace = Math.floor(4000 * noise(number, 1) ** 6) + 1;
    const state = number === 2 ? "running" : noise(number, this.steps >> 4) > 0.93 ? "runnable" : "waiting";
    const parent = number === 1 ? null : `<0.${number <= 6 ? 1 : 2 + (number % 5)}.1>`;
    return {
      pid, name: number <= 6 ? ["root", "shop", "till", "web", "store", "ovens"][number - 1] ?? null : null,
      body: number <= 6 ? "supervisor" : BODIES[number % BODIES.length] ?? null, state, waits_for: state === "waiting" ? "message" : null,
      since: this.at - 40_000, priority: number % 17 === 0 ? "high" : "normal", parent,
      mailbox: number === 9 ? 1200 + this.steps : Math.floor(6 * noise(number, 3) ** 8),
      reductions: pace * this.steps, reductions_window: pace * 10, cpu: pace * this.steps * 0.02, cpu_window: pace * 0.2,
      memory_bytes: 144 + Math.floor(9000 * noise(number, 4) ** 3), groups: number > 6 ? [GROUPS[number % 3] ?? ""] : [],
      place: `shop.rs:${10 + (number % 200)}`,
    };
  }

  tree(): TreeItem[] {
    return this.pids().slice(0, 40).flatMap((pid) => {
      const row = this.process(pid);
      if (!row) return [];
      const kind = row.body === "supervisor" ? "supervisor" : "worker";
      return [{ pid, parent: row.parent, id: row.body, name: row.name, kind, state: pid === "<0.23.1>" ? "restarting" : "running" }];
    });
  }

  warnings(): Warning[] {
    const since = 4_000_000;
    return [{
      at: this.at, kind: "mailbox", subject: "<0.9.1>", active: true, since,
      evidence: `${1200 + this.steps} messages wait for <0.9.1>, 200 more than 5 s ago`,
    }];
  }

  trace(pids: string[]): TraceEvent[] {
    return pids.map((pid, index) => ({
      at: this.at, kind: index + this.steps % 2 === 0 ? "send" : "receive", pid, other: "<0.2.1>", text: `${16 + (this.steps % 48)} bytes`,
    }));
  }
}
