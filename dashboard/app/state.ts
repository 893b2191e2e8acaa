//! What the page knows: a pure reducer from frames and events to state. Knows no socket, no clock and no DOM.
//!
//! Ticks are kept here only as the latest one; their course over time is in `history.ts`, which is drawn outside React.

import type {
  Detail, Field, FinishedRun, Hello, NodeFrame, Phase, Rows, Run, SectionName, Sections, Sweep, Tick, TraceEvent, Warning,
} from "./protocol.ts";

/** Events of a trace that are kept: enough to scroll through, few enough to render. */
export const TRACE_MAX = 500;
/** Notices that are shown at once. The oldest give way. */
export const NOTICES_MAX = 4;

export type Connection =
  | { phase: "connecting"; attempt: number }
  | { phase: "open" }
  | { phase: "waiting"; attempt: number; retryAt: number; why: string }
  | { phase: "refused"; code: string; why: string };

export interface Notice {
  number: number;
  kind: "error" | "info";
  text: string;
}

export interface State {
  connection: Connection;
  hello: Hello | null;
  tick: Tick | null;
  /** The latest run and sweep that a tick told of: they stay when the ticks have none. */
  run: Run | null;
  sweep: Sweep | null;
  rows: Rows | null;
  detail: Detail | null;
  sections: { [S in SectionName]?: { total: number; items: Sections[S][] } };
  warnings: Warning[];
  trace: { events: TraceEvent[]; dropped: number };
  notices: Notice[];
  noticed: number;
  /** The profile chosen here; runs tell which one they had. */
  profile: string | null;
}

export type Event =
  | { kind: "frame"; frame: NodeFrame }
  | { kind: "connection"; connection: Connection }
  | { kind: "notice"; notice: Omit<Notice, "number"> }
  | { kind: "dismiss"; number: number }
  | { kind: "config"; field: string; value: string }
  | { kind: "profile"; profile: string }
  | { kind: "forget"; what: "rows" | "detail" | "trace" };

export const START: State = {
  connection: { phase: "connecting", attempt: 0 },
  hello: null,
  tick: null,
  run: null,
  sweep: null,
  rows: null,
  detail: null,
  sections: {},
  warnings: [],
  trace: { events: [], dropped: 0 },
  notices: [],
  noticed: 0,
  profile: null,
};

export function reduce(state: State, event: Event): State {
  switch (event.kind) {
    case "frame":
      return onFrame(state, event.frame);
    case "connection":
      return { ...state, connection: event.connection };
    case "notice":
      return notice(state, event.notice.kind, event.notice.text);
    case "dismiss":
      return { ...state, notices: state.notices.filter((it) => it.number !== event.number) };
    case "config":
      return withConfig(state, event.field, event.value);
    case "profile":
      return { ...state, profile: event.profile };
    case "forget":
      return { ...state, [event.what]: START[event.what] };
  }
}

/** Whether the node lets this page act; why not, if it does not. `null` is yes. */
export function actsRefused(state: State): string | null {
  if (state.connection.phase !== "open") return "There is no connection to the node.";
  if (state.hello?.rights.includes("act")) return null;
  return "This page may only read. To act, it needs the control token: add #token=… to its address, or type it here.";
}

/** Whether the laboratory has something in progress. */
export function busy({ tick }: State): boolean {
  return [tick?.run, tick?.sweep].some((it) => it?.state === "starting" || it?.state === "running");
}

function onFrame(state: State, frame: NodeFrame): State {
  switch (frame.type) {
    case "hello":
      return onHello(state, frame);
    case "tick":
      return { ...state, tick: frame, run: frame.run ?? over(state.run), sweep: frame.sweep ?? over(state.sweep) };
    case "rows":
      return { ...state, rows: frame };
    case "detail":
      return { ...state, detail: frame };
    case "snapshot":
      return onSnapshot(state, frame.section, frame.total, frame.items);
    case "warning":
      return { ...state, warnings: withWarning(state.warnings, frame) };
    case "trace": {
      const events = [...state.trace.events, ...frame.events].slice(-TRACE_MAX);
      return { ...state, trace: { events, dropped: state.trace.dropped + frame.dropped } };
    }
    case "error":
      // One that answers a frame is told by whoever sent that frame.
      return frame.id === null ? notice(state, "error", frame.message) : state;
    case "done":
      return state;
    default:
      // A newer node may say more than this page knows.
      return state;
  }
}

/** Of a run that ticks no longer tell of, only its end was missed. */
function over<T extends { state: Phase }>(it: T | null): T | null {
  return it?.state === "running" || it?.state === "starting" ? { ...it, state: "ended" } : it;
}

/** After a reconnection to the same node its numbers go on; another node begins with nothing. */
function onHello(state: State, hello: Hello): State {
  const before = state.hello?.node;
  const same = before?.os_pid === hello.node.os_pid && before.started_unix_ms === hello.node.started_unix_ms;
  const kept = same ? state : { ...START, notices: state.notices, noticed: state.noticed };
  return { ...kept, hello, connection: { phase: "open" } };
}

function onSnapshot(state: State, section: SectionName, total: number, items: unknown[]): State {
  if (section === "config") {
    return state.hello ? { ...state, hello: { ...state.hello, config: items as Field[] } } : state;
  }
  const sections = { ...state.sections, [section]: { total, items } };
  if (section !== "warnings") return { ...state, sections };
  return { ...state, sections, warnings: items as Warning[] };
}

function withWarning(warnings: Warning[], warning: Warning): Warning[] {
  const others = warnings.filter((it) => it.kind !== warning.kind || it.subject !== warning.subject);
  return warning.active ? [...others, warning] : others;
}

function withConfig(state: State, field: string, value: string): State {
  if (!state.hello) return state;
  const config = state.hello.config.map((it) => (it.field === field ? { ...it, value } : it));
  return { ...state, hello: { ...state.hello, config } };
}

function notice(state: State, kind: Notice["kind"], text: string): State {
  const number = state.noticed + 1;
  const others = state.notices.filter((it) => it.text !== text);
  return { ...state, noticed: number, notices: [...others, { number, kind, text }].slice(-NOTICES_MAX) };
}

/** The finished runs, the latest first. */
export function finishedRuns(state: State): FinishedRun[] {
  return state.sections.runs?.items ?? NO_RUNS;
}

const NO_RUNS: FinishedRun[] = [];
