//! The page's one store: the state of `state.ts` for React, and the history of `history.ts` for the charts.
//!
//! Ticks come twenty times a second and more. The history has each of them at once; React is told a few times a
//! second, and then only those components render whose part has changed.

import { useSyncExternalStore } from "react";
import { History } from "./history.ts";
import { type Event, reduce, START, type State } from "./state.ts";

/** How often React is told of ticks, in milliseconds: as often as a person can read a number. */
const PUBLISH_EVERY = 200;

export const history = new History();

let state: State = START;
let published: State = START;
let timer: ReturnType<typeof setTimeout> | null = null;
const listeners = new Set<() => void>();

/** The latest of everything, ticks included: for painters. */
export function latest(): State {
  return state;
}

export function dispatch(event: Event): void {
  state = reduce(state, event);
  if (event.kind === "frame" && event.frame.type === "tick") {
    history.take(event.frame);
    timer ??= setTimeout(publish, PUBLISH_EVERY);
    return;
  }
  if (event.kind === "connection") history.interrupt();
  publish();
}

function publish(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  published = state;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the state; `select` must return the same value for the same state. */
export function useStore<T>(select: (state: State) => T): T {
  return useSyncExternalStore(subscribe, () => select(published));
}
