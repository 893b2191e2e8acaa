//! The made-up laboratory: runs that climb, sweeps with a best point, and the two sides of fairness.

import type { FinishedRun, Lane, Point, Run, Side, Sweep } from "../../app/protocol.ts";
import { around, noise, quantiles } from "./noise.ts";
import { STEP_MS, type World } from "./world.ts";

const UNITS: Record<string, [string, number]> = {
  "spawn-storm": ["spawns/s", 1_900_000], "ping-pong": ["msgs/s", 4_100_000], timers: ["timers/s", 98_000], fairness: ["wakes/s", 3400],
};
/** Steps that a run of a sweep takes, whatever its seconds say: the tests are in a hurry. */
const SWEEP_STEPS = 2;

export class Lab {
  run: Run | null = null;
  sweep: Sweep | null = null;
  finished: FinishedRun[] = [];
  profile = "balanced";
  private ids = 0;
  private steps = 0;
  private series: [number, number][] = [];

  constructor(private readonly world: World) {}

  get active(): boolean {
    return this.run?.state === "running";
  }

  get busy(): boolean {
    return this.active || this.sweep?.state === "running";
  }

  startRun(scenario: string, settings: Record<string, string>, seconds: number, seed: number): number {
    this.ids += 1;
    this.steps = 0;
    this.series = [];
    this.run = {
      id: this.ids, scenario, settings, profile: this.profile, seed, state: "running", elapsed_ms: 0, span_ms: seconds * 1000,
      alive: 0, peak: 0, throughput: null, unit: UNITS[scenario]?.[0] ?? "turns/s", latency: null, sides: [], error: null,
    };
    return this.ids;
  }

  startSweep(plan: Pick<Sweep, "scenario" | "axes" | "repeats" | "warmup" | "seconds" | "seed">): number {
    this.ids += 1;
    this.steps = 0;
    this.run = null;
    const unit = UNITS[plan.scenario]?.[0] ?? "turns/s";
    const points = grid(plan.axes).map((settings): Point => ({ settings, runs: 0, unit, min: null, median: null, max: null, figures: {} }));
    const total = points.length * (plan.repeats + plan.warmup);
    this.sweep = { ...plan, id: this.ids, state: "running", done: 0, total, points, best: null, error: null };
    return this.ids;
  }

  stop(): void {
    if (this.active) this.finish("stopped");
    if (this.sweep?.state === "running") this.sweep = { ...this.sweep, state: "stopped" };
  }

  step(): void {
    this.steps += 1;
    if (this.active) this.stepRun();
    if (this.sweep?.state === "running" && this.steps % SWEEP_STEPS === 0) this.stepSweep();
  }

  private stepRun(): void {
    const run = this.run as Run;
    const elapsed = this.steps * STEP_MS;
    const base = UNITS[run.scenario]?.[1] ?? 10_000;
    const throughput = base * Math.min(1, 0.6 + this.steps / 20) * around(this.steps, run.id, 0.05);
    const alive = Math.round(1000 * around(this.steps, run.id + 3, 0.3));
    this.series.push([elapsed, throughput]);
    this.run = {
      ...run, elapsed_ms: elapsed, throughput, alive, peak: Math.max(run.peak ?? 0, alive),
      latency: quantiles(this.world.typicalWake(), this.steps * 500, run.id),
      sides: run.scenario === "fairness" ? this.sides(run) : [],
    };
    if (elapsed >= run.span_ms) this.finish("ended");
  }

  private finish(state: "ended" | "stopped"): void {
    const run = { ...(this.run as Run), state };
    const typical = this.world.typicalWake() * around(run.id, 9, 0.3);
    const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999];
    this.run = run;
    this.finished.push({
      ...run, value: this.series.reduce((sum, [, value]) => sum + value, 0) / Math.max(1, this.series.length),
      figures: { peak_alive: run.peak }, curve: shares.map((share) => [share, typical * (1 / (1 - share)) ** 0.55]),
      series: this.series, series_unit: run.unit, commit: "0000000", machine: "made up, 4 CPUs",
      config: Object.fromEntries(this.world.config.map((it) => [it.field, it.value])),
    });
  }

  private stepSweep(): void {
    const sweep = this.sweep as Sweep;
    const number = sweep.done % sweep.points.length;
    const warm = sweep.done < sweep.warmup * sweep.points.length;
    const points = sweep.points.map((point, index) => (index === number && !warm ? measured(point, sweep.done) : point));
    const done = sweep.done + 1;
    const over = done >= sweep.total;
    const medians = points.map((point) => point.median ?? 0);
    const best = over ? medians.indexOf(Math.max(...medians)) : null;
    this.sweep = { ...sweep, done, points, best, state: over ? "ended" : "running" };
  }

  /** With us everybody runs; in the model whoever came first keeps the workers. */
  private sides(run: Run): Side[] {
    const hogs = Number(run.settings.hogs ?? 8);
    const bystanders = Number(run.settings.bystanders ?? 8);
    const seconds = this.steps / 20;
    const late = this.world.typicalWake() * hogs * 1.5;
    const pace = 900 / (1 + late / 3000);
    const workers = this.world.number("workers");
    const names = (kind: string, count: number) => Array.from({ length: count }, (_, index) => `${kind} ${index + 1}`);
    const ours: Lane[] = [
      ...names("hog", hogs).map((name, i) => ({ name, kind: "hog", done: Math.round(40_000 * seconds * around(i, 1, 0.03)), late: null })),
      ...names("bystander", bystanders).map((name, i) => ({
        name, kind: "bystander", done: Math.round(pace * seconds * around(i, 2, 0.02)), late: late * around(this.steps, i, 0.5),
      })),
    ];
    const starved = hogs >= workers;
    const peer: Lane[] = [
      ...names("hog", hogs).map((name, i) => ({ name, kind: "hog", done: i < workers ? Math.round(80_000 * seconds) : 0, late: null })),
      ...names("bystander", bystanders).map((name, i) => ({
        name, kind: "bystander", done: starved ? (i === 0 ? 45 : Math.round(2 * noise(i, 4))) : Math.round(950 * seconds),
        late: starved ? seconds * 1e6 * around(i, 5, 0.02) : 40,
      })),
    ];
    return [{ name: "rusm", jain: jain(ours), lanes: ours }, { name: "fifo", jain: jain(peer), lanes: peer }];
  }
}

function measured(point: Point, done: number): Point {
  const settings = Object.values(point.settings);
  const made = settings.reduce((product, value, axis) => product * bump(Number(value) || value.length * 700, axis), 2e6);
  const value = made * around(done, 1, 0.02);
  return {
    ...point, runs: point.runs + 1, min: Math.min(point.min ?? made, value), max: Math.max(point.max ?? made, value), median: made,
    figures: { peak_alive: Math.round(900 * around(done, 2, 0.2)) },
  };
}

/** Best in the middle. */
function bump(value: number, axis: number): number {
  return Math.exp(-((Math.log(value + 1) - 8 + axis) ** 2) / 40);
}

function jain(lanes: Lane[]): number {
  const done = lanes.filter((lane) => lane.kind === "bystander").map((lane) => lane.done);
  const sum = done.reduce((a, b) => a + b, 0);
  const squares = done.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 / Math.max(1, done.length) : (sum * sum) / (done.length * squares);
}

function grid(axes: Record<string, string[]>): Record<string, string>[] {
  return Object.entries(axes).reduce<Record<string, string>[]>(
    (points, [field, values]) => points.flatMap((point) => values.map((value) => ({ ...point, [field]: value }))),
    [{}],
  );
}
