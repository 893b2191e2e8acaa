//! What the traced processes did, the latest first.

import { whole } from "../../format.ts";
import { Empty, Panel } from "../../parts/panel.tsx";
import { dispatch, useStore } from "../../store.ts";
import { Pids } from "./detail.tsx";

/** Rows that are rendered; the others are kept for when there are fewer. */
const SHOWN_MAX = 100;

export function Trace({ pids, stop }: { pids: string[]; stop: (pid: string) => void }) {
  const trace = useStore((state) => state.trace);
  const shown = trace.events.slice(-SHOWN_MAX).reverse();
  return (
    <Panel title="Trace" wide testid="trace" aside={trace.dropped > 0 && <span className="num">{whole(trace.dropped)} were too many</span>}>
      <div className="form">
        {pids.map((pid) => (
          <button key={pid} type="button" className="button" onClick={() => stop(pid)}>Stop {pid}</button>
        ))}
        <button type="button" className="button" onClick={() => dispatch({ kind: "forget", what: "trace" })}>Clear</button>
      </div>
      {shown.length === 0 ? <Empty>Nothing yet.</Empty> : (
        <div className="scroll tall">
          <table>
            <thead>
              <tr>
                <th scope="col" className="right">At</th><th scope="col">Process</th><th scope="col">Did</th>
                <th scope="col">With</th><th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((event, index) => (
                <tr key={trace.events.length - index}>
                  <td className="right num">{(event.at / 1e6).toFixed(3)}</td>
                  <td><Pids pids={[event.pid]} /></td>
                  <td>{event.kind}</td>
                  <td>{event.other && <Pids pids={[event.other]} />}</td>
                  <td>{event.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
