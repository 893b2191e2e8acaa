//! What the page knows of the scheduler's fields beyond their values: words, and the range of a slider. Pure.

import type { Field } from "./protocol.ts";

interface Known {
  about: string;
  unit?: string;
  range?: [number, number];
  words?: string[];
}

const KNOWN: Record<string, Known> = {
  budget: { about: "reductions of one turn: less is fairer, more is faster", range: [10, 10_000_000] },
  tick: { about: "how often a running guest is looked at", unit: "µs", range: [100, 100_000] },
  steal: { about: "how much an idle worker takes from a busy one", words: ["half", "one", "off"] },
  hogs: { about: "processes that compute all the time", range: [1, 100] },
  bystanders: { about: "processes that sleep and wake", range: [1, 100] },
  hand_off: { about: "the receiver of a message runs next" },
  urgent_lane: { about: "those woken by timers and I/O run before others" },
  urgent_run_max: { about: "urgent turns in a row", range: [1, 256] },
  claim: { about: "tasks a worker claims at once", range: [1, 16] },
  spin: { about: "how long a worker looks for work before it sleeps", unit: "µs", range: [1, 1000] },
  injector_share: { about: "tasks taken from the injector at once", range: [1, 1024] },
  maintain_turns: { about: "turns between looks at timers and readiness", range: [1, 4096] },
  maintain_reductions: { about: "reductions between such looks", range: [10, 1_000_000] },
  turn_limit: { about: "a longer turn costs its thread the worker", unit: "µs", range: [1000, 1_000_000] },
  queue: { about: "what a worker keeps its tasks in", words: ["ring", "deque", "fifo"] },
};

export type Knob =
  | { kind: "slider"; about: string; unit: string; low: number; high: number }
  | { kind: "words"; about: string; words: string[] }
  | { kind: "text"; about: string };

/** How a field is set: by its name if it is known, else by what its value looks like. */
export function knob({ field, value, default: fallback }: Field): Knob {
  const known = KNOWN[field];
  const about = known?.about ?? "";
  if (known?.words) return { kind: "words", about, words: known.words };
  if (value === "true" || value === "false") return { kind: "words", about, words: ["true", "false"] };
  const number = Number(fallback);
  if (!Number.isFinite(number) || !Number.isFinite(Number(value))) return { kind: "text", about };
  const [low, high] = known?.range ?? [Math.max(1, Math.floor(number / 100)), Math.max(10, number * 100)];
  return { kind: "slider", about, unit: known?.unit ?? "", low, high };
}

/** Places of a slider, before those are left out that would stand for the same value. */
const PLACES = 200;

/**
 * The values of a slider, from low to high. They grow by a factor: from 10 to a million each place must feel alike. Two
 * digits that matter are enough, and each value is there once, or a key press would do nothing.
 */
export function scale(low: number, high: number): number[] {
  const values = Array.from({ length: PLACES + 1 }, (_, place) => low * (high / low) ** (place / PLACES));
  return [...new Set(values.map((value) => Math.round(Number(value.toPrecision(2)))))];
}

/** The place of the value that is nearest, as a factor. */
export function placeOf(value: number, values: readonly number[]): number {
  const distance = (place: number) => Math.abs(Math.log((values[place] as number) / Math.max(value, 1)));
  return values.reduce((best, _, place) => (distance(place) < distance(best) ? place : best), 0);
}
