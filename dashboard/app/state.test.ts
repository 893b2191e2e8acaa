//! What each frame and event makes of the state.

import { expect, test } from "bun:test";
import { HELLO, RUN, SWEEP, TICK } from "../test/frames.ts";
import type { NodeFrame, Warning } from "./protocol.ts";
import { actsRefused, busy, finishedRuns, NOTICES_MAX, reduce, START, type State, TRACE_MAX } from "./state.ts";

function after(...frames: NodeFrame[]): State {
  return frames.reduce((state, frame) => reduce(state, { kind: "frame", frame }), START);
}

const WARNING: Warning = { at: 1, kind: "mailbox", subject: "<0.1.2>", active: true, since: 1, evidence: "5000 messages wait" };

test("a hello opens the connection and brings the configuration", () => {
  const state = after(HELLO);
  expect(state.connection.phase).toBe("open");
  expect(state.hello?.config[0]?.value).toBe("4000");
});

test("numbers of the same node outlive a reconnection, those of another one do not", () => {
  const before = after(HELLO, { ...TICK, run: RUN });
  expect(reduce(before, { kind: "frame", frame: HELLO }).run?.id).toBe(3);
  const other = { ...HELLO, node: { ...HELLO.node, started_unix_ms: 1 } };
  expect(reduce(before, { kind: "frame", frame: other }).run).toBeNull();
});

test("a run and a sweep stay when ticks tell of none", () => {
  const state = after(HELLO, { ...TICK, run: RUN, sweep: SWEEP }, TICK);
  expect(state.tick?.run).toBeNull();
  expect([state.run?.id, state.sweep?.id]).toEqual([3, 4]);
  // They are not on any more, whatever their last tick said.
  expect([state.run?.state, state.sweep?.state]).toEqual(["ended", "ended"]);
});

test("the laboratory is busy while a run or a sweep is on", () => {
  const cases = [
    [null, null, false], [RUN, null, true], [{ ...RUN, state: "ended" as const }, null, false],
    [{ ...RUN, state: "ended" as const }, SWEEP, true], [{ ...RUN, state: "starting" as const }, null, true],
  ] as const;
  for (const [run, sweep, expected] of cases) expect(busy(after({ ...TICK, run, sweep }))).toBe(expected);
});

test("a warning is there until it is over, once for each kind and subject", () => {
  const again = { ...WARNING, evidence: "6000 messages wait" };
  const both = after({ type: "warning", ...WARNING }, { type: "warning", ...again }, { type: "warning", ...WARNING, kind: "hog" });
  expect(both.warnings.map((it) => it.evidence)).toEqual(["6000 messages wait", "5000 messages wait"]);
  const over = reduce(both, { kind: "frame", frame: { type: "warning", ...again, active: false } });
  expect(over.warnings.map((it) => it.kind)).toEqual(["hog"]);
});

test("a snapshot of the warnings replaces those that are known", () => {
  const state = after({ type: "warning", ...WARNING }, { type: "snapshot", at: 2, section: "warnings", total: 0, items: [] });
  expect(state.warnings).toEqual([]);
});

test("sections are kept side by side", () => {
  const state = after(
    { type: "snapshot", at: 1, section: "names", total: 1, items: [{ name: "counter", pid: "<0.1.2>" }] },
    { type: "snapshot", at: 1, section: "wasm", total: 0, items: [] },
  );
  expect(state.sections.names?.items[0]?.name).toBe("counter");
  expect(state.sections.wasm?.total).toBe(0);
  expect(finishedRuns(state)).toEqual([]);
});

test("a trace keeps its latest events and adds up what was dropped", () => {
  const event = { at: 1, kind: "send" as const, pid: "<0.1.2>", other: null, text: null };
  const many = Array.from({ length: TRACE_MAX }, (_, at) => ({ ...event, at }));
  const state = after({ type: "trace", dropped: 2, events: many }, { type: "trace", dropped: 3, events: [{ ...event, at: 9999 }] });
  expect(state.trace.events.length).toBe(TRACE_MAX);
  expect(state.trace.events.at(-1)?.at).toBe(9999);
  expect(state.trace.dropped).toBe(5);
  expect(reduce(state, { kind: "forget", what: "trace" }).trace).toEqual(START.trace);
});

test("an error that answers no frame is a notice; one that does is told by who asked", () => {
  const error = { type: "error" as const, code: "failed", message: "no", fatal: false };
  expect(after({ ...error, id: null }).notices.map((it) => it.text)).toEqual(["no"]);
  expect(after({ ...error, id: 3 }).notices).toEqual([]);
});

test("notices are few, are not repeated and can be dismissed", () => {
  let state = START;
  for (const text of ["a", "b", "b", "c", "d", "e"]) state = reduce(state, { kind: "notice", notice: { kind: "error", text } });
  expect(state.notices.length).toBe(NOTICES_MAX);
  expect(state.notices.map((it) => it.text)).toEqual(["b", "c", "d", "e"]);
  const number = state.notices[0]?.number ?? 0;
  expect(reduce(state, { kind: "dismiss", number }).notices.map((it) => it.text)).toEqual(["c", "d", "e"]);
});

test("why the page may not act is said", () => {
  expect(actsRefused(START)).toContain("no connection");
  expect(actsRefused(after(HELLO))).toBeNull();
  expect(actsRefused(after({ ...HELLO, rights: ["read"] }))).toContain("control token");
});

test("a field that was set has its new value", () => {
  const state = reduce(after(HELLO), { kind: "config", field: "budget", value: "100" });
  expect(state.hello?.config).toEqual([{ field: "budget", value: "100", default: "4000", live: true }]);
});

test("a frame of a newer node changes nothing", () => {
  const state = after(HELLO);
  expect(reduce(state, { kind: "frame", frame: { type: "news" } as unknown as NodeFrame })).toBe(state);
});
