//! What is to be run, as it stands in a form and in a permalink. Pure.

import type { ClientFrame, Hello, LabInfo, Scenario } from "./protocol.ts";
import type { Place } from "./router.ts";

/** Before each setting of the scenario in a permalink, so that none hides `seed` or `seconds`. */
const SETTING = "set.";
const AXIS = "axis.";

export interface RunPlan {
  scenario: string;
  settings: Record<string, string>;
  seconds: string;
  seed: string;
}

export interface SweepPlan {
  scenario: string;
  /** In the order in which they were added: the first is across, the second is upwards. */
  axes: [string, string][];
  repeats: string;
  warmup: string;
  seconds: string;
  seed: string;
}

/** Where a permalink was made. */
export interface Origin {
  commit: string | null;
  machine: string | null;
}

/** The scenario of this name, or else the first one that fits; none if the laboratory has none. */
export function scenarioOf(
  lab: LabInfo | null, name: string | undefined, fits: (scenario: Scenario) => boolean = () => true,
): Scenario | undefined {
  return lab?.scenarios.find((it) => it.name === name) ?? lab?.scenarios.find(fits);
}

export function runPlan(query: Place["query"], scenario: Scenario): RunPlan {
  const settings: Record<string, string> = {};
  for (const choice of scenario.choices) settings[choice.name] = query[SETTING + choice.name] ?? choice.default;
  return { scenario: scenario.name, settings, seconds: query.seconds ?? "10", seed: query.seed ?? "1" };
}

export function runQuery(plan: RunPlan, origin: Origin): Place["query"] {
  const query: Place["query"] = { scenario: plan.scenario, seconds: plan.seconds, seed: plan.seed };
  for (const [name, value] of Object.entries(plan.settings)) query[SETTING + name] = value;
  return { ...query, ...given(origin) };
}

export function sweepPlan(query: Place["query"], scenario: Scenario): SweepPlan {
  const axes = Object.entries(query)
    .filter(([key]) => key.startsWith(AXIS))
    .map(([key, value]): [string, string] => [key.slice(AXIS.length), value]);
  return {
    scenario: scenario.name,
    axes: axes.length > 0 ? axes : [["budget", "100,1000,4000,16000"]],
    repeats: query.repeats ?? "3",
    warmup: query.warmup ?? "1",
    seconds: query.seconds ?? "0.5",
    seed: query.seed ?? "1",
  };
}

export function sweepQuery(plan: SweepPlan, origin: Origin): Place["query"] {
  const { scenario, repeats, warmup, seconds, seed } = plan;
  const axes = plan.axes.map(([field, values]) => [AXIS + field, values]);
  return { scenario, ...Object.fromEntries(axes), repeats, warmup, seconds, seed, ...given(origin) };
}

/** Settings at their default are left out: the node knows them, and they may depend on its size. */
export function runFrame(plan: RunPlan, scenario: Scenario): ClientFrame {
  const set = scenario.choices.filter((it) => plan.settings[it.name] !== it.default);
  const settings = Object.fromEntries(set.map((it) => [it.name, plan.settings[it.name] ?? ""]));
  return { type: "run", scenario: plan.scenario, settings, seconds: Number(plan.seconds), seed: Number(plan.seed) };
}

export function sweepFrame(plan: SweepPlan): ClientFrame {
  return {
    type: "sweep",
    scenario: plan.scenario,
    axes: Object.fromEntries(plan.axes.map(([field, values]) => [field, split(values)])),
    repeats: Number(plan.repeats),
    warmup: Number(plan.warmup),
    seconds: Number(plan.seconds),
    seed: Number(plan.seed),
  };
}

/** How many runs a sweep is, warm-up and all. */
export function sweepRuns(plan: SweepPlan): number {
  const points = plan.axes.reduce((product, [, values]) => product * split(values).length, 1);
  return points * (Number(plan.repeats) + Number(plan.warmup));
}

/** The command that repeats a sweep without this page. */
export function sweepCommand(sweep: {
  scenario: string; axes: Record<string, string[]>; repeats: number; warmup: number; seconds: number; seed: number;
}): string {
  const axes = Object.entries(sweep.axes).map(([field, values]) => quoted(`${field}=${values.join(",")}`));
  const { repeats, warmup, seconds, seed } = sweep;
  const rest = [`repeats=${repeats}`, `warmup=${warmup}`, `seconds=${seconds}`, `seed=${seed}`];
  return ["rusm-bench", "sweep", quoted(sweep.scenario), ...axes, ...rest].join(" ");
}

/** What is wrong with the numbers of a form; `null` is nothing. */
export function fault(plan: { seconds: string; seed: string }): string | null {
  if (!(Number(plan.seconds) > 0)) return "Seconds must be a number above 0.";
  if (!/^\d+$/.test(plan.seed.trim())) return "The seed must be a whole number.";
  return null;
}

export function sweepFault(plan: SweepPlan): string | null {
  if (!/^[1-9]\d*$/.test(plan.repeats.trim())) return "Repeats must be a whole number above 0.";
  if (!/^\d+$/.test(plan.warmup.trim())) return "Warm-up must be a whole number.";
  const empty = plan.axes.find(([, values]) => split(values).length === 0);
  if (empty) return `The axis ${empty[0]} has no values.`;
  return fault(plan);
}

/** How the place where a link was made differs from this node; `null` if it does not. */
export function originNote(query: Place["query"], here: Origin): string | null {
  const parts: string[] = [];
  if (query.commit && query.commit !== here.commit) parts.push(`at commit ${query.commit} (this is ${here.commit ?? "unknown"})`);
  if (query.machine && query.machine !== here.machine) parts.push(`on ${query.machine} (this is ${here.machine ?? "unknown"})`);
  return parts.length > 0 ? `This link was made ${parts.join(" and ")}: expect other numbers.` : null;
}

export function originOf(hello: Hello): Origin {
  const { cpu, cpus } = hello.node;
  return { commit: hello.lab?.commit ?? null, machine: `${cpu ?? "unknown processor"}, ${cpus} CPUs` };
}

function given(origin: Origin): Record<string, string> {
  return {
    ...(origin.commit ? { commit: origin.commit } : {}),
    ...(origin.machine ? { machine: origin.machine } : {}),
  };
}

function split(values: string): string[] {
  return values.split(",").map((it) => it.trim()).filter((it) => it !== "");
}

function quoted(word: string): string {
  return /^[\w.,=:/+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
