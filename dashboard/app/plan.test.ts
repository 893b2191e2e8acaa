//! Forms, permalinks and commands.

import { expect, test } from "bun:test";
import { HELLO, SWEEP } from "../test/frames.ts";
import {
  fault, originNote, originOf, runFrame, runPlan, runQuery, scenarioOf, sweepCommand, sweepFault, sweepFrame, sweepPlan, sweepQuery, sweepRuns,
} from "./plan.ts";
import { parse, print } from "./router.ts";

const SCENARIO = HELLO.lab!.scenarios[0]!;
const HERE = originOf(HELLO);

test("the scenario that is named is chosen, or else the first one that fits", () => {
  const other = { ...SCENARIO, name: "race", lanes: true };
  const lab = { ...HELLO.lab!, scenarios: [SCENARIO, other] };
  expect(scenarioOf(lab, "race")?.name).toBe("race");
  expect(scenarioOf(lab, "gone")?.name).toBe(SCENARIO.name);
  expect(scenarioOf(lab, undefined, (it) => it.lanes)?.name).toBe("race");
  expect(scenarioOf(null, "race")).toBeUndefined();
});

test("a permalink brings back the same run", () => {
  const plan = { scenario: "ping-pong", settings: { pairs: "4 & 5" }, seconds: "2.5", seed: "7" };
  const place = { view: "bench" as const, query: runQuery(plan, HERE) };
  const back = parse(print(place));
  expect(back).toEqual(place);
  expect(runPlan(back.query, SCENARIO)).toEqual(plan);
  expect(back.query.commit).toBe("d0b28c6");
});

test("a permalink brings back the same sweep, its axes in their order", () => {
  const axes: [string, string][] = [["tick", "250,1000"], ["budget", "100"]];
  const plan = { scenario: "ping-pong", axes, repeats: "2", warmup: "0", seconds: "1", seed: "3" };
  expect(sweepPlan(parse(print({ view: "lab", query: sweepQuery(plan, HERE) })).query, SCENARIO)).toEqual(plan);
});

test("settings at their default are not sent", () => {
  const plan = runPlan({ seconds: "3" }, SCENARIO);
  expect(runFrame(plan, SCENARIO)).toEqual({ type: "run", scenario: "ping-pong", settings: {}, seconds: 3, seed: 1 });
  const changed = { ...plan, settings: { pairs: "4" } };
  expect(runFrame(changed, SCENARIO)).toMatchObject({ settings: { pairs: "4" } });
});

test("a sweep's values are split at commas", () => {
  const plan = sweepPlan({ "axis.budget": "100, 4000,", "axis.tick": "250", repeats: "2" }, SCENARIO);
  expect(sweepFrame(plan)).toMatchObject({ axes: { budget: ["100", "4000"], tick: ["250"] }, repeats: 2, warmup: 1 });
  expect(sweepRuns(plan)).toBe(6);
});

test("the command repeats the sweep", () => {
  expect(sweepCommand(SWEEP)).toBe("rusm-bench sweep spawn-storm budget=100,4000 repeats=2 warmup=1 seconds=0.5 seed=1");
  const odd = { ...SWEEP, axes: { kind: ["it's", "b c"] } };
  expect(sweepCommand(odd)).toContain(` 'kind=it'\\''s,b c' `);
});

test("what cannot be run is refused before it is sent", () => {
  expect(fault({ seconds: "1", seed: "1" })).toBeNull();
  for (const [seconds, seed] of [["0", "1"], ["x", "1"], ["1", "-1"], ["1", "1.5"]] as const) expect(fault({ seconds, seed })).not.toBeNull();
  const plan = sweepPlan({}, SCENARIO);
  expect(sweepFault(plan)).toBeNull();
  expect(sweepFault({ ...plan, axes: [["budget", " , "]] })).toContain("budget");
  expect(sweepFault({ ...plan, repeats: "0" })).toContain("Repeats");
});

test("a link from elsewhere says so", () => {
  expect(originNote({}, HERE)).toBeNull();
  expect(originNote({ commit: "d0b28c6", machine: "a processor, 2 CPUs" }, HERE)).toBeNull();
  expect(originNote({ commit: "abc" }, HERE)).toContain("commit abc (this is d0b28c6)");
  expect(originNote({ machine: "another" }, HERE)).toContain("on another (this is a processor, 2 CPUs)");
});

test("an address that is none leads to the observer", () => {
  for (const hash of ["", "#", "#/", "#/nonsense?x=1"]) expect(parse(hash).view).toBe("observer");
});
