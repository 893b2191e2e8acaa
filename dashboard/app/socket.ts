//! The connection to the node: says hello, repeats what the page has selected, and comes back by itself.

import { type ClientFrame, type NodeFrame, PROTOCOL, type RowsWanted, type SectionName } from "./protocol.ts";
import { dispatch } from "./store.ts";

/** Waits between attempts in milliseconds; the last one is repeated. */
const WAITS = [500, 1000, 2000, 4000, 8000];
/** Ticks a second: what a person sees as smooth in a strip chart. */
const HZ = 20;
const TOKEN_KEY = "rusm-token";

/** What is selected at the node. It outlives the connection. */
interface Wanted {
  rows: RowsWanted | null;
  detail: string | null;
  sections: SectionName[];
  traced: string[];
}

interface Waiter {
  done: (result: Record<string, unknown> | null) => void;
  failed: (why: Error) => void;
}

const wanted: Wanted = { rows: null, detail: null, sections: [], traced: [] };
const waiters = new Map<number, Waiter>();
let socket: WebSocket | null = null;
let open = false;
let attempt = 0;
let nextId = 1;
let timer: ReturnType<typeof setTimeout> | undefined;
let refused = false;

/** Takes the token out of the address bar, if there is one: it must not get into a bookmark. */
export function takeToken(): boolean {
  const found = /[#&?]token=([^&]*)/.exec(location.hash);
  if (!found) return false;
  sessionStorage.setItem(TOKEN_KEY, decodeURIComponent(found[1] ?? ""));
  const rest = location.hash.replace(found[0], "");
  window.history.replaceState(null, "", location.pathname + location.search + (rest.length > 1 ? rest : ""));
  return true;
}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
  connectNow();
}

/** Connects, now and not after the wait that may be on. */
export function connectNow(): void {
  clearTimeout(timer);
  refused = false;
  socket?.close();
  const fresh = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/control`);
  socket = fresh;
  dispatch({ kind: "connection", connection: { phase: "connecting", attempt } });
  fresh.onopen = () => {
    const token = sessionStorage.getItem(TOKEN_KEY);
    fresh.send(JSON.stringify({ type: "hello", protocol: PROTOCOL, ...(token ? { token } : {}) }));
  };
  fresh.onmessage = (event) => onFrame(JSON.parse(String(event.data)) as NodeFrame);
  fresh.onclose = () => {
    if (socket === fresh) onClosed();
  };
}

function onFrame(frame: NodeFrame): void {
  dispatch({ kind: "frame", frame });
  if (frame.type === "hello") onHello(Math.min(HZ, frame.limits.hz_max));
  if (frame.type === "done") settle(frame.id, (waiter) => waiter.done(frame.result));
  if (frame.type !== "error") return;
  if (frame.id !== null) settle(frame.id, (waiter) => waiter.failed(new Error(frame.message)));
  if (frame.fatal && ["not_allowed", "bad_version"].includes(frame.code)) {
    refused = true;
    dispatch({ kind: "connection", connection: { phase: "refused", code: frame.code, why: frame.message } });
  }
}

function onHello(hz: number): void {
  attempt = 0;
  open = true;
  send({ type: "set_observer_detail", hz });
  send({ type: "select", rows: wanted.rows, detail: wanted.detail, sections: wanted.sections });
  if (wanted.traced.length > 0) send({ type: "trace", pids: wanted.traced });
}

function onClosed(): void {
  socket = null;
  open = false;
  for (const waiter of waiters.values()) waiter.failed(new Error("The connection to the node was lost."));
  waiters.clear();
  if (refused) return;
  const wait = WAITS[Math.min(attempt, WAITS.length - 1)] as number;
  attempt += 1;
  const why = attempt === 1 ? "The connection was lost." : "The node does not answer.";
  dispatch({ kind: "connection", connection: { phase: "waiting", attempt, retryAt: Date.now() + wait, why } });
  timer = setTimeout(connectNow, wait);
}

function settle(id: number, tell: (waiter: Waiter) => void): void {
  const waiter = waiters.get(id);
  waiters.delete(id);
  if (waiter) tell(waiter);
}

/** Sends what needs no answer; while there is no connection it is lost, and `onHello` repeats the selections. */
function send(frame: ClientFrame): void {
  if (open) socket?.send(JSON.stringify(frame));
}

/** Sends a frame and waits for the `done` or `error` that answers it. */
export function ask(frame: ClientFrame): Promise<Record<string, unknown> | null> {
  return new Promise((done, failed) => {
    if (!open || !socket) return failed(new Error("There is no connection to the node."));
    const id = nextId++;
    waiters.set(id, { done, failed });
    socket.send(JSON.stringify({ ...frame, id }));
  });
}

/** As `ask`, and tells the reader if it failed. `false` then. */
export async function act(frame: ClientFrame): Promise<boolean> {
  try {
    await ask(frame);
    return true;
  } catch (why) {
    dispatch({ kind: "notice", notice: { kind: "error", text: why instanceof Error ? why.message : String(why) } });
    return false;
  }
}

export function wantRows(rows: RowsWanted | null): void {
  wanted.rows = rows;
  send({ type: "select", rows });
}

export function wantDetail(detail: string | null): void {
  wanted.detail = detail;
  dispatch({ kind: "forget", what: "detail" });
  send({ type: "select", detail });
}

export function wantSections(sections: SectionName[]): void {
  wanted.sections = sections;
  send({ type: "select", sections });
}

/** Which processes are traced; tracing is an act and may be refused, but its end is never news. */
export function wantTrace(pids: string[]): void {
  wanted.traced = pids;
  if (pids.length === 0) send({ type: "trace", pids });
  else void act({ type: "trace", pids });
}

export function setConfig(field: string, value: string): Promise<boolean> {
  return act({ type: "set_config", field, value }).then((ok) => {
    if (ok) dispatch({ kind: "config", field, value });
    return ok;
  });
}
