//! The process table. The node sorts, filters and cuts; this only says what it wants and shows what comes.

import { useEffect, useRef, useState } from "react";
import { bytes, count, micros } from "../../format.ts";
import type { Row, Rows, RowsBy } from "../../protocol.ts";
import { Empty, Panel } from "../../parts/panel.tsx";
import { wantRows } from "../../socket.ts";
import { useStore } from "../../store.ts";
import { processHref } from "../observer.tsx";

const PAGE = 25;
const TYPING_PAUSE = 200;

export function Processes({ chosen }: { chosen: string | null }) {
  const [by, setBy] = useState<RowsBy>("reductions");
  const [window, setWindow] = useState(true);
  const [filter, setFilter] = useState("");
  const [page, setPage] = useState(0);
  const [paused, setPaused] = useState(false);
  const live = useStore((state) => state.rows);
  const limitMax = useStore((state) => state.hello?.limits.rows_max) ?? 1000;
  // While the table is paused the node is not asked: walking over its processes costs it something.
  const limit = Math.min(PAGE * (page + 1), limitMax);

  // Memory and mailboxes are there, and are not spent: the node ranks them as they are.
  const spent = by === "reductions" || by === "cpu";

  useEffect(() => {
    if (paused) return;
    const timer = setTimeout(() => wantRows({ by, window, limit, filter }), TYPING_PAUSE);
    return () => clearTimeout(timer);
  }, [by, window, limit, filter, paused]);
  useEffect(() => {
    if (paused) wantRows(null);
  }, [paused]);
  useEffect(() => () => wantRows(null), []);

  const rows = live?.rows.slice(page * PAGE, (page + 1) * PAGE) ?? [];
  const again = (change: () => void) => {
    change();
    setPage(0);
  };
  return (
    <Panel title="Processes" wide testid="processes" aside={<Counted rows={live} paused={paused} />}>
      <div className="form">
        <label>
          Most
          <select value={by} onChange={(event) => again(() => setBy(event.target.value as RowsBy))}>
            <option value="reductions">reductions</option>
            <option value="memory">memory</option>
            <option value="mailbox">mailbox</option>
            <option value="cpu">CPU time</option>
          </select>
        </label>
        <label className="check">
          <input type="checkbox" checked={window && spent} disabled={!spent} onChange={(event) => again(() => setWindow(event.target.checked))} />
          since the last look
        </label>
        <label>
          Filter
          <input type="search" value={filter} placeholder="pid, name, body, state" data-testid="process-filter"
            onChange={(event) => again(() => setFilter(event.target.value))} />
        </label>
        <button type="button" className="button" aria-pressed={paused} data-testid="process-pause" onClick={() => setPaused(!paused)}>
          {paused ? "Go on" : "Pause"}
        </button>
      </div>
      <Table rows={rows} chosen={chosen} />
      <Pages page={page} last={Math.ceil(Math.min(live?.matched ?? 0, limitMax) / PAGE) - 1} go={setPage} />
    </Panel>
  );
}

function Counted({ rows, paused }: { rows: Rows | null; paused: boolean }) {
  if (!rows) return null;
  return <span className="num">{paused ? "paused, " : ""}{count(rows.matched)} of {count(rows.alive)} match</span>;
}

function Table({ rows, chosen }: { rows: Row[]; chosen: string | null }) {
  if (rows.length === 0) return <Empty>No process matches.</Empty>;
  return (
    <div className="scroll">
      <table data-testid="process-table">
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">State</th>
            <th scope="col" className="right">Mailbox</th>
            <th scope="col" className="right">Reductions</th>
            <th scope="col" className="right">since last look</th>
            <th scope="col" className="right">CPU</th>
            <th scope="col" className="right">Memory</th>
            <th scope="col" className="spare">Started at</th>
          </tr>
        </thead>
        <tbody>{rows.map((row) => <ProcessRow key={row.pid} row={row} chosen={row.pid === chosen} />)}</tbody>
      </table>
    </div>
  );
}

function ProcessRow({ row, chosen }: { row: Row; chosen: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  return (
    <tr className={chosen ? "chosen" : undefined} data-testid="process-row" data-pid={row.pid} onClick={() => link.current?.click()}>
      <td>
        <a ref={link} href={processHref(row.pid)} className="pid" onClick={(event) => event.stopPropagation()}>{row.pid}</a>
        {" "}<span>{row.name ?? ""}</span>
        <small>{row.body}</small>
      </td>
      <td><StateMark state={row.state} waitsFor={row.waits_for} /></td>
      <td className="right num">{count(row.mailbox)}</td>
      <td className="right num">{count(row.reductions)}</td>
      <td className="right num">{count(row.reductions_window)}</td>
      <td className="right num">{micros(row.cpu)}</td>
      <td className="right num">{bytes(row.memory_bytes)}</td>
      <td className="spare"><small>{row.place}</small></td>
    </tr>
  );
}

const MARKS: Record<string, string> = { running: "▶", runnable: "◆", waiting: "◌" };

export function StateMark({ state, waitsFor }: { state: string; waitsFor: string | null }) {
  return (
    <span className={`state ${state}`}>
      <span aria-hidden="true">{MARKS[state] ?? "•"}</span> {state}{waitsFor ? `, ${waitsFor}` : ""}
    </span>
  );
}

function Pages({ page, last, go }: { page: number; last: number; go: (page: number) => void }) {
  if (last < 1) return null;
  return (
    <nav className="pages" aria-label="Pages of the process table">
      <button type="button" className="button" disabled={page === 0} onClick={() => go(page - 1)}>Before</button>
      <span className="num">{page * PAGE + 1} to {(page + 1) * PAGE}</span>
      <button type="button" className="button" disabled={page >= last} onClick={() => go(page + 1)}>After</button>
    </nav>
  );
}
