//! The run that is on, or the one before: figures and charts as the ticks bring them.

import type { AlignedData } from "uplot";
import { clock, count, micros } from "../../format.ts";
import { RUN } from "../../history.ts";
import { Chart } from "../../parts/chart.tsx";
import { Empty, Figure, Panel } from "../../parts/panel.tsx";
import type { Run } from "../../protocol.ts";
import { history, useStore } from "../../store.ts";

export function LiveRun() {
  const run = useStore((state) => state.run);
  if (!run) {
    return <Panel title="Run" wide><Empty>Nothing has run yet. Choose a scenario and press Run.</Empty></Panel>;
  }
  return (
    <Panel title={`Run ${run.id}: ${run.scenario}`} wide testid="live-run" aside={<Progress run={run} />}>
      {run.error && <p className="note" role="alert">{run.error}</p>}
      <dl className="figures">
        <Figure label={run.unit || "throughput"} value={count(run.throughput)} testid="throughput" />
        <Figure label="alive" value={count(run.alive)} />
        <Figure label="peak" value={count(run.peak)} />
        <Figure label="p50" value={micros(run.latency?.p50)} />
        <Figure label="p95" value={micros(run.latency?.p95)} />
        <Figure label="p99" value={micros(run.latency?.p99)} />
        <Figure label="p99.9" value={micros(run.latency?.p999)} />
        <Figure label="slowest" value={micros(run.latency?.max)} />
      </dl>
      <div className="charts">
        <RunChart label={`Throughput, ${history.runUnit}`} columns={[RUN.throughput]} lines={["throughput"]} format={count} />
        <RunChart label="Processes alive" columns={[RUN.alive]} lines={["alive"]} format={count} />
        <RunChart label="Latency" columns={[RUN.p50, RUN.p99, RUN.max]} lines={["p50", "p99", "slowest"]} format={micros} log />
      </div>
    </Panel>
  );
}

export function Progress({ run }: { run: Run }) {
  return (
    <span className="progress num" data-testid="run-state" data-state={run.state}>
      <progress value={run.elapsed_ms} max={run.span_ms} aria-label="How much of the run is over" />
      {run.state}, {clock(run.elapsed_ms / 1000)} of {clock(run.span_ms / 1000)}
    </span>
  );
}

interface RunChartProps {
  label: string;
  columns: number[];
  lines: string[];
  format: (value: number) => string;
  log?: boolean;
  height?: number;
}

/** A chart over the time of the run. */
export function RunChart({ label, columns, lines, format, log, height }: RunChartProps) {
  const rings = history.run;
  return (
    <Chart
      label={label} lines={lines.map((it) => ({ label: it }))} format={format} logY={log ?? false}
      {...(height ? { height } : {})}
      version={() => rings.version}
      data={() => [rings.line(RUN.time), ...columns.map((column) => rings.line(column))] as AlignedData}
    />
  );
}
