//! The node's numbers: figures of now, and charts of the last minute.

import type { AlignedData } from "uplot";
import { bytes, clock, count, micros, percent } from "../../format.ts";
import { NODE } from "../../history.ts";
import { Chart, type Line } from "../../parts/chart.tsx";
import { Figure, Panel } from "../../parts/panel.tsx";
import { history, useStore } from "../../store.ts";

type Column = keyof typeof NODE;

export function Vitals() {
  return (
    <>
      <Now />
      <Panel title="Course" wide about={COURSE}>
        <div className="charts">
          <NodeChart label="Load" columns={["runnable", "running"]} lines={["runnable", "running"]} format={count} />
          <NodeChart label="Resident memory" columns={["resident"]} lines={["resident"]} format={bytes} binary />
          <NodeChart label="CPU of the program" columns={["cpu"]} lines={["CPUs used"]} format={count} />
          <NodeChart label="Come and go" columns={["spawns", "exits"]} lines={["spawns", "exits"]} format={count} />
          <NodeChart label="Turns" columns={["turns"]} lines={["turns"]} format={count} />
          <NodeChart label="Steals" columns={["steals"]} lines={["steals"]} format={count} />
          <NodeChart label="Parks" columns={["parks"]} lines={["parks"]} format={count} />
          <NodeChart label="Wake to run" columns={["p50", "p95", "p99", "max"]} lines={["p50", "p95", "p99", "max"]} format={micros} log double />
        </div>
      </Panel>
    </>
  );
}

const COURSE = "The last minute. Spawns, exits, turns, steals and parks are counts a second; wake to run is how long a woken "
  + "process waited for its turn, on a logarithmic axis.";

interface NodeChartProps {
  label: string;
  columns: Column[];
  lines: string[];
  format: (value: number) => string;
  log?: boolean;
  binary?: boolean;
  double?: boolean;
}

function NodeChart(props: NodeChartProps) {
  const rings = history.node;
  const lines: Line[] = props.lines.map((label) => ({ label }));
  return (
    <Chart
      label={props.label} lines={lines} format={props.format} logY={props.log ?? false} binary={props.binary ?? false} double={props.double ?? false}
      version={() => rings.version}
      data={() => [rings.line(NODE.time), ...props.columns.map((column) => rings.line(NODE[column]))] as AlignedData}
    />
  );
}

function Now() {
  const tick = useStore((state) => state.tick);
  const mean = (column: Column) => history.node.mean(NODE[column]);
  const wake = tick?.wake_to_run;
  const system = tick?.system;
  const alive = tick?.processes.alive;
  return (
    <Panel title="Now" wide testid="vitals" aside={tick && <span className="num">up {clock(tick.at / 1e6)}</span>}>
      <dl className="figures">
        <Figure label="processes" value={count(alive)} testid="alive" />
        <Figure label="runnable" value={count(tick?.processes.runnable)} />
        <Figure label="spawns / s" value={count(mean("spawns"))} />
        <Figure label="turns / s" value={count(mean("turns"))} />
        <Figure label="steals / s" value={count(mean("steals"))} />
        <Figure label="parks / s" value={count(mean("parks"))} />
        <Figure label="wake to run, p50" value={micros(wake?.p50)} />
        <Figure label="p99" value={micros(wake?.p99)} />
        <Figure label="memory" value={bytes(system?.resident_bytes)} />
        <Figure label="descriptors" value={count(system?.fds)} />
        <Figure label="panics" value={count(tick?.counters.panics)} />
        <Figure label="blocking pool" value={tick ? `${tick.gauges.blocking_threads} + ${tick.gauges.blocking_queued}` : "–"} />
        <Figure label="timers" value={count(tick?.gauges.timers)} />
        <Figure label="CPUs used" value={count(mean("cpu"))} />
        <Figure label="machine load" value={count(system?.load_1m)} />
        <Figure label="busy" value={percent(meanOfWorkers())} />
      </dl>
    </Panel>
  );
}

function meanOfWorkers(): number {
  let sum = 0;
  for (let worker = 0; worker < history.workerCount; worker += 1) sum += history.workers.mean(worker);
  return history.workerCount === 0 ? NaN : sum / history.workerCount;
}
