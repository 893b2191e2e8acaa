//! Frames as the protocol's page shows them, for tests.

import type { FinishedRun, Hello, Run, Sweep, Tick } from "../app/protocol.ts";

export const HELLO: Hello = {
  type: "hello", protocol: 1,
  node: {
    name: "rusm", version: "0.1.0", os_pid: 4242, started_unix_ms: 1_789_000_000_000, workers: 2, cpus: 2, cpu: "a processor",
    os: "linux x86_64",
  },
  rights: ["read", "act"],
  config: [{ field: "budget", value: "4000", default: "4000", live: true }],
  lab: {
    commit: "d0b28c6", profile: "balanced",
    profiles: [{ name: "balanced", about: "as the peers are measured" }],
    scenarios: [{
      name: "ping-pong", about: "pairs that send to and fro", source: "bench/src/scenario/ping_pong.rs", lanes: false,
      choices: [{ name: "pairs", default: "1", about: "pairs" }],
    }],
  },
  limits: { hz_max: 60, rows_max: 1000, frame_bytes_max: 65_536, backlog_bytes_max: 2_097_152 },
};

export const TICK: Tick = {
  type: "tick", seq: 7, at: 1_500_000, target: "node",
  processes: { alive: 12, running: 1, runnable: 0, waiting: 11 },
  counters: {
    spawns: 40, exits: 28, panics: 0, turns: 900, reductions: 4000, steals: 3, stolen: 9, searches: 50, parks: 45, overflows: 0,
    overruns: 0, overruns_refused: 0, ticks: 1000, messages_shed: 0, blocking_jobs: 3, blocking_refused: 0, io_polls: 60, io_events: 20,
  },
  gauges: { injected: 0, timers: 2, stuck: 0, blocking_threads: 1, blocking_queued: 0, io_sources: 3 },
  workers: [{ busy: 120_000, turns: 450, reductions: 2000, steals: 2, parks: 20, queued: 0, overflows: 0 }],
  wake_to_run: { count: 5, p50: 1.2, p95: 3.4, p99: 8, p999: 8, max: 8, buckets: [[1.3, 4], [8.2, 1]] },
  system: { resident_bytes: 9e6, virtual_bytes: 8e7, cpu_seconds: 0.4, threads: 5, fds: 20, fds_max: 1024, load_1m: 0.5 },
  run: null, sweep: null,
};

export const RUN: Run = {
  id: 3, scenario: "fairness", settings: { hogs: "4" }, profile: "balanced", seed: 1, state: "running", elapsed_ms: 1200,
  span_ms: 10_000, alive: 14, peak: 14, throughput: 3400, unit: "wakes/s",
  latency: { count: 10, p50: 10, p95: 20, p99: 30, p999: 30, max: 31 },
  sides: [{
    name: "rusm", jain: 0.98,
    lanes: [{ name: "hog 1", kind: "hog", done: 4000, late: null }, { name: "bystander 1", kind: "bystander", done: 900, late: 350 }],
  }],
  error: null,
};

export const FINISHED: FinishedRun = {
  ...RUN, state: "ended", value: 1, figures: { peak_alive: 12 }, curve: [[0.5, 10], [0.99, 30]], series: [[100, 81_000], [200, 82_000]],
  series_unit: "turns/s",
  commit: "d0b28c6", machine: "a processor, 2 CPUs", config: { budget: "4000" },
};

export const SWEEP: Sweep = {
  id: 4, scenario: "spawn-storm", axes: { budget: ["100", "4000"] }, repeats: 2, warmup: 1, seconds: 0.5, seed: 1, state: "running",
  done: 3, total: 6,
  points: [{ settings: { budget: "100" }, runs: 1, unit: "spawns/s", min: 1, median: 1, max: 1, figures: { peak_alive: 12 } }],
  best: null, error: null,
};
