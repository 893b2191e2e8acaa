//! The frames of the control protocol, version 1, as types. Decides nothing; `socket.ts` reads and writes them.

export const PROTOCOL = 1;
/** A node of this name makes its numbers up, for work on this page. */
export const SYNTHETIC = "synthetic";

export interface Field {
  field: string;
  value: string;
  default: string;
  live: boolean;
}

export interface Choice {
  name: string;
  default: string;
  about: string;
}

export interface Scenario {
  name: string;
  about: string;
  source: string;
  lanes: boolean;
  choices: Choice[];
}

export interface LabInfo {
  commit: string | null;
  profile: string;
  profiles: { name: string; about: string }[];
  scenarios: Scenario[];
}

export interface NodeInfo {
  name: string;
  version: string;
  os_pid: number;
  started_unix_ms: number;
  workers: number;
  cpus: number;
  cpu: string | null;
  os: string;
}

export interface Hello {
  type: "hello";
  protocol: number;
  node: NodeInfo;
  rights: string[];
  config: Field[];
  lab: LabInfo | null;
  limits: { hz_max: number; rows_max: number; frame_bytes_max: number; backlog_bytes_max: number };
}

export interface Worker {
  busy: number;
  turns: number;
  reductions: number;
  steals: number;
  parks: number;
  queued: number;
  overflows: number;
}

export interface Quantiles {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

/** The longest time a bucket takes, and how many it holds. */
export type Bucket = [number, number];

export interface Lane {
  name: string;
  kind: string;
  done: number;
  late: number | null;
}

export interface Side {
  name: string;
  jain: number | null;
  lanes: Lane[];
}

export type Phase = "starting" | "running" | "ended" | "failed" | "stopped";

export interface Run {
  id: number;
  scenario: string;
  settings: Record<string, string>;
  profile: string | null;
  seed: number;
  state: Phase;
  elapsed_ms: number;
  span_ms: number;
  alive: number | null;
  peak: number | null;
  throughput: number | null;
  unit: string;
  latency: Quantiles | null;
  sides: Side[];
  error: string | null;
}

export interface FinishedRun extends Run {
  value: number | null;
  figures: Record<string, number | null>;
  /** Latency by share of the wake-ups. */
  curve: [number, number][];
  /** Throughput by milliseconds since the start. */
  series: [number, number][];
  series_unit: string;
  commit: string | null;
  machine: string | null;
  config: Record<string, string>;
}

export interface Point {
  settings: Record<string, string>;
  runs: number;
  unit: string;
  min: number | null;
  median: number | null;
  max: number | null;
  figures: Record<string, number | null>;
}

export interface Sweep {
  id: number;
  scenario: string;
  axes: Record<string, string[]>;
  repeats: number;
  warmup: number;
  seconds: number;
  seed: number;
  state: Phase;
  done: number;
  total: number;
  points: Point[];
  best: number | null;
  error: string | null;
}

export type CounterName =
  | "spawns" | "exits" | "panics" | "turns" | "reductions" | "steals" | "stolen" | "searches" | "parks"
  | "overflows" | "overruns" | "overruns_refused" | "ticks" | "messages_shed" | "blocking_jobs"
  | "blocking_refused" | "io_polls" | "io_events";

export type GaugeName = "injected" | "timers" | "stuck" | "blocking_threads" | "blocking_queued" | "io_sources";

export interface System {
  resident_bytes: number | null;
  virtual_bytes: number | null;
  cpu_seconds: number | null;
  threads: number | null;
  fds: number | null;
  fds_max: number | null;
  load_1m: number | null;
}

export interface Tick {
  type: "tick";
  seq: number;
  at: number;
  target: string;
  processes: { alive: number; running: number; runnable: number; waiting: number };
  counters: Record<CounterName, number>;
  gauges: Record<GaugeName, number>;
  workers: Worker[];
  wake_to_run: Quantiles & { buckets: Bucket[] };
  system: System;
  run: Run | null;
  sweep: Sweep | null;
}

export interface Row {
  pid: string;
  name: string | null;
  body: string | null;
  state: string;
  waits_for: string | null;
  since: number | null;
  priority: string;
  parent: string | null;
  mailbox: number;
  reductions: number;
  reductions_window: number;
  cpu: number | null;
  cpu_window: number | null;
  memory_bytes: number;
  groups: string[];
  place: string | null;
}

export type RowsBy = "reductions" | "memory" | "mailbox" | "cpu";

export interface Rows {
  type: "rows";
  at: number;
  by: RowsBy;
  window: boolean;
  filter: string;
  alive: number;
  matched: number;
  rows: Row[];
}

export interface Process extends Row {
  label: string | null;
  traps_exits: boolean;
  supervisor: string | null;
  oldest: { from: string | null; text: string } | null;
  links: string[];
  monitors: string[];
  monitored_by: string[];
  aliases: number;
  last_call: string | null;
  answered: boolean;
}

export interface Detail {
  type: "detail";
  at: number;
  pid: string;
  process: Process | null;
}

export interface Warning {
  at: number;
  kind: string;
  subject: string;
  active: boolean;
  since: number;
  evidence: string;
}

export interface TraceEvent {
  at: number;
  kind: "send" | "receive" | "spawn" | "exit";
  pid: string;
  other: string | null;
  text: string | null;
}

export interface TreeItem {
  pid: string;
  parent: string | null;
  id: string | null;
  name: string | null;
  kind: string;
  state: string;
}

/** A bucket of the node's store, or its file. `null` is not known. */
export interface Kept {
  kind: "file" | "bucket";
  name: string;
  keys: number | null;
  bytes: number | null;
}

/** A stream between two processes of the app. */
export interface Stream {
  writer: string | null;
  reader: string | null;
  state: string;
  waits: "writer" | "reader" | null;
  waiting: number;
  capacity: number;
  passed: number;
}

/** What each section of `snapshot` lists. */
export interface Sections {
  names: { name: string; pid: string };
  groups: { name: string; pids: string[]; members: number };
  tree: TreeItem;
  sockets: { kind: string; address: string; open: number };
  wasm: { component: string; instances: number };
  kv: Kept;
  streams: Stream;
  warnings: Warning;
  runs: FinishedRun;
  config: Field;
}

export type SectionName = keyof Sections;

export interface Snapshot {
  type: "snapshot";
  at: number;
  section: SectionName;
  total: number;
  items: unknown[];
}

export interface Fault {
  type: "error";
  id: number | null;
  code: string;
  message: string;
  fatal: boolean;
}

export type NodeFrame =
  | Hello | Tick | Snapshot | Rows | Detail | Fault
  | ({ type: "warning" } & Warning)
  | { type: "trace"; dropped: number; events: TraceEvent[] }
  | { type: "done"; id: number; result: Record<string, unknown> | null };

export interface RowsWanted {
  by: RowsBy;
  window: boolean;
  limit: number;
  filter: string;
}

export type ClientFrame =
  | { type: "set_observer_detail"; hz: number }
  | { type: "select"; rows?: RowsWanted | null; detail?: string | null; sections?: SectionName[] }
  | { type: "run"; scenario: string; settings: Record<string, string>; seconds: number; seed: number }
  | { type: "stop" }
  | {
      type: "sweep"; scenario: string; axes: Record<string, string[]>;
      repeats: number; warmup: number; seconds: number; seed: number;
    }
  | { type: "set_resource_profile"; profile: string }
  | { type: "set_config"; field: string; value: string }
  | { type: "kill"; pid: string }
  | { type: "trace"; pids: string[]; per_second?: number };
