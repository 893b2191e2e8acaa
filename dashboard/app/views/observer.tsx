//! The observer: what the node does now. Decides which sections are asked of the node while it is looked at.

import { useEffect, useState } from "react";
import { useSections } from "../sections.ts";
import { wantDetail, wantTrace } from "../socket.ts";
import type { Place } from "../router.ts";
import { Vitals } from "./observer/vitals.tsx";
import { Workers } from "./observer/workers.tsx";
import { Processes } from "./observer/processes.tsx";
import { ProcessDetail } from "./observer/detail.tsx";
import { Tree } from "./observer/tree.tsx";
import { Groups, Kept, Names, Sockets, Streams, Warnings, Wasm } from "./observer/lists.tsx";
import { Trace } from "./observer/trace.tsx";

/** Where a process is shown: a link, so that the browser's back button works. */
export function processHref(pid: string): string {
  return `#/observer?pid=${encodeURIComponent(pid)}`;
}

export function Observer({ place }: { place: Place }) {
  const pid = place.query.pid ?? null;
  const [traced, setTraced] = useState<string[]>([]);

  useSections("warnings", "tree", "names", "groups", "sockets", "wasm", "kv", "streams");
  useEffect(() => {
    wantDetail(pid);
    return () => wantDetail(null);
  }, [pid]);
  useEffect(() => {
    if (traced.length === 0) return;
    wantTrace(traced);
    return () => wantTrace([]);
  }, [traced]);

  const trace = (of: string) => setTraced(traced.includes(of) ? traced.filter((it) => it !== of) : [...traced, of]);
  return (
    <div className="grid">
      <h1 className="hidden">Observer</h1>
      <Workers />
      <Vitals />
      <Warnings />
      <Processes chosen={pid} />
      {traced.length > 0 && <Trace pids={traced} stop={trace} />}
      <Tree chosen={pid} />
      <div className="stack">
        <Sockets />
        <Wasm />
        <Kept />
        <Streams />
        <Names />
        <Groups />
      </div>
      {pid !== null && <ProcessDetail pid={pid} traced={traced.includes(pid)} trace={() => trace(pid)} />}
    </div>
  );
}
