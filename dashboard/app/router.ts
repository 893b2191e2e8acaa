//! Where in the page the reader is: `#/view?key=value`. A permalink is such a hash, and so can be bookmarked.

import { useSyncExternalStore } from "react";

export type View = "observer" | "bench" | "fairness" | "lab";

export interface Place {
  view: View;
  query: Record<string, string>;
}

const VIEWS: readonly View[] = ["observer", "bench", "fairness", "lab"];

export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const view = VIEWS.find((it) => it === path) ?? "observer";
  return { view, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function print(place: Place): string {
  const query = new URLSearchParams(place.query).toString();
  return `#/${place.view}${query ? `?${query}` : ""}`;
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return parse(hash);
}

/** Changes the address without a step in the browser's history: for what follows the reader's typing. */
export function replace(place: Place): void {
  const hash = print(place);
  if (hash === location.hash) return;
  window.history.replaceState(null, "", hash);
  // The browser tells of steps only, and the views follow the address.
  dispatchEvent(new HashChangeEvent("hashchange"));
}
