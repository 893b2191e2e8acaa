//! Finished runs: a list to choose A and B from, both in one picture, and files of them.

import { useEffect, useRef, useState } from "react";
import { count, micros } from "../../format.ts";
import { type FinishedRun, type NodeInfo, SYNTHETIC } from "../../protocol.ts";
import { Empty, Panel } from "../../parts/panel.tsx";
import { csv, curvePlot, html, json, runName, seriesPlot } from "../../report.ts";
import { png, save } from "../../save.ts";
import { finishedRuns } from "../../state.ts";
import { dispatch, useStore } from "../../store.ts";
import { useTheme } from "../../theme.ts";

const LISTED_MAX = 20;
const PICTURE_WIDTH = 860;

export function Finished({ node }: { node: NodeInfo }) {
  const runs = useStore(finishedRuns);
  const [a, setA] = useState<number | null>(null);
  const [b, setB] = useState<number | null>(null);
  const latest = [...runs].sort((one, other) => other.id - one.id).slice(0, LISTED_MAX);
  const first = latest.find((run) => run.id === a) ?? latest[0];
  const second = latest.find((run) => run.id === b && run !== first);
  const chosen = [first, second].filter((run) => run !== undefined);
  if (!first) {
    return <Panel title="Finished runs" wide><Empty>Runs are listed here when they have ended.</Empty></Panel>;
  }
  return (
    <Panel title="Finished runs" wide testid="finished"
      about="A is drawn alone, or with B laid over it." aside={<Exports runs={chosen} node={node} />}>
      <Overlay runs={chosen} />
      <div className="scroll">
        <table data-testid="runs-table">
          <thead>
            <tr>
              <th scope="col">A</th><th scope="col">B</th><th scope="col">Run</th><th scope="col">Settings</th>
              <th scope="col" className="right">Result</th><th scope="col">Unit</th><th scope="col" className="right">p50</th>
              <th scope="col" className="right">p99</th><th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {latest.map((run) => (
              <RunRow key={run.id} run={run} isA={run === first} isB={run === second}
                chooseA={() => setA(run.id)} chooseB={() => setB(run === second ? null : run.id)} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

interface RunRowProps {
  run: FinishedRun;
  isA: boolean;
  isB: boolean;
  chooseA: () => void;
  chooseB: () => void;
}

function RunRow({ run, isA, isB, chooseA, chooseB }: RunRowProps) {
  const settings = Object.entries(run.settings).map(([name, value]) => `${name}=${value}`).join(" ");
  return (
    <tr data-testid="run-row">
      <td><input type="radio" name="a" checked={isA} aria-label={`${runName(run)} as A`} onChange={chooseA} /></td>
      <td><input type="checkbox" checked={isB} disabled={isA} aria-label={`${runName(run)} as B`} data-testid="choose-b" onChange={chooseB} /></td>
      <td>{runName(run)}</td>
      <td><small>{settings || "defaults"}, seed {run.seed}{run.profile && `, ${run.profile}`}</small></td>
      <td className="right num">{count(run.value)}</td>
      <td>{run.unit}</td>
      <td className="right num">{micros(run.latency?.p50)}</td>
      <td className="right num">{micros(run.latency?.p99)}</td>
      <td title={run.error ?? undefined}>{run.state}</td>
    </tr>
  );
}

/** The charts of the chosen runs, as wide as there is room. */
function Overlay({ runs }: { runs: FinishedRun[] }) {
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useTheme();
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(host.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);
  const each = width > 760 ? Math.floor((width - 24) / 2) : width;
  // The pictures are text of our own making, with everything from the node escaped.
  return (
    <div ref={host} className="overlay" data-testid="overlay">
      {each > 0 && <div dangerouslySetInnerHTML={{ __html: seriesPlot(runs, theme, each) }} />}
      {each > 0 && <div dangerouslySetInnerHTML={{ __html: curvePlot(runs, theme, each) }} />}
    </div>
  );
}

function Exports({ runs, node }: { runs: FinishedRun[]; node: NodeInfo }) {
  const theme = useTheme();
  // A picture cannot say by itself that its numbers are made up; its name can.
  const name = `${node.name === SYNTHETIC ? "made-up" : "rusm"}-${runs.map((run) => `${run.scenario}-${run.id}`).join("-and-")}`;
  const picture = async () => {
    try {
      const drawn = [seriesPlot(runs, theme, PICTURE_WIDTH), curvePlot(runs, theme, PICTURE_WIDTH)];
      save(`${name}.png`, "image/png", await png(drawn));
    } catch (why) {
      dispatch({ kind: "notice", notice: { kind: "error", text: `There is no picture: ${String(why)}` } });
    }
  };
  return (
    <div className="buttons" role="group" aria-label="Save the chosen runs">
      <button type="button" className="button" data-testid="export-json"
        onClick={() => save(`${name}.json`, "application/json", json(runs, node))}>JSON</button>
      <button type="button" className="button" data-testid="export-csv"
        onClick={() => save(`${name}.csv`, "text/csv", csv(runs))}>CSV</button>
      <button type="button" className="button" data-testid="export-png" onClick={() => void picture()}>PNG</button>
      <button type="button" className="button" data-testid="export-html"
        onClick={() => save(`${name}.html`, "text/html", html(runs, node))}>Report</button>
    </div>
  );
}
