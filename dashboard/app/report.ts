//! Finished runs as files: JSON, CSV, and a page that needs nothing but itself. Pure.

import type { Theme } from "./colours.ts";
import { count, micros, percentile } from "./format.ts";
import { type FinishedRun, type NodeInfo, SYNTHETIC } from "./protocol.ts";
import { escaped, plot, type PlotLine } from "./svg.ts";

/** Where the percentile curve is labelled, as shares. */
const CURVE_TICKS = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];

export function runName(run: FinishedRun): string {
  return `run ${run.id}, ${run.scenario}`;
}

function settingsText(run: FinishedRun): string {
  const settings = Object.entries(run.settings).map(([name, value]) => `${name}=${value}`);
  return [...settings, `seed=${run.seed}`].join(" ");
}

export function json(runs: FinishedRun[], node: NodeInfo): string {
  return `${JSON.stringify({ node, runs }, null, 2)}\n`;
}

/** One line a number: run, what, at, value. A long table is what plotting programs like best. */
export function csv(runs: FinishedRun[]): string {
  const lines = ["run,scenario,seed,settings,what,at,value"];
  for (const run of runs) {
    const head = [run.id, run.scenario, run.seed, settingsText(run)].map(cell).join(",");
    const add = (what: string, at: string | number, value: number | null) => {
      lines.push([head, cell(what), at, value ?? ""].join(","));
    };
    add(run.unit, "", run.value);
    for (const [name, value] of Object.entries(run.figures)) add(name, "", value);
    for (const [at, value] of run.series) add("throughput by ms", at, value);
    for (const [share, value] of run.curve) add("latency in us by share", share, value);
  }
  return `${lines.join("\n")}\n`;
}

/** A cell of a spreadsheet: quoted where it must be, and never a formula. */
function cell(value: string | number): string {
  const text = String(value);
  const safe = typeof value === "string" && /^[=+@-]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function seriesPlot(runs: FinishedRun[], theme: Theme, width: number): string {
  return plot({
    title: `Throughput over time, ${runs[0]?.series_unit ?? ""}`,
    lines: lines(runs, (run) => run.series),
    formatX: (value) => `${value / 1000} s`,
    formatY: count,
    theme, width, height: 230,
  });
}

/** The x axis is 1/(1-q): each nine takes as much room as the one before it, so the tail can be seen. */
export function curvePlot(runs: FinishedRun[], theme: Theme, width: number): string {
  return plot({
    title: "Latency by percentile",
    lines: lines(runs, (run) => run.curve.filter(([share]) => share < 1).map(([share, value]) => [1 / (1 - share), value])),
    formatX: (value) => percentile(1 - 1 / value),
    formatY: micros,
    ticksX: CURVE_TICKS.map((share) => 1 / (1 - share)),
    logX: true, logY: true, theme, width, height: 230,
  });
}

function lines(runs: FinishedRun[], points: (run: FinishedRun) => [number, number][]): PlotLine[] {
  return runs.map((run, index) => ({ label: `${"AB"[index]}: ${runName(run)}`, points: points(run), ink: index }));
}

/** A page with the numbers, the charts and the raw data inside. */
export function html(runs: FinishedRun[], node: NodeInfo): string {
  const title = runs.map(runName).join(" and ");
  const head = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`
    + `<title>RUSM: ${escaped(title)}</title><style>${REPORT_STYLE}</style>`;
  const made = node.name === SYNTHETIC ? "<p><strong>Made-up numbers: no program was measured.</strong></p>" : "";
  // `</script` in a value would end the element.
  const data = JSON.stringify({ node, runs }).replaceAll("<", "\\u003c");
  return `${head}<main><h1>${escaped(title)}</h1>${made}`
    + runs.map((run, index) => section(run, "AB"[index] ?? "")).join("")
    + `<figure>${seriesPlot(runs, "light", 860)}</figure><figure>${curvePlot(runs, "light", 860)}</figure>`
    + `<p>RUSM ${escaped(node.version)}, ${node.workers} workers, ${escaped(node.os)}.</p>`
    + `<script type="application/json" id="data">${data}</script></main></html>\n`;
}

const REPORT_STYLE = "body{margin:0;background:#f8f6f1;color:#1c2422;font:15px/1.5 system-ui,sans-serif}"
  + "main{max-width:880px;margin:2rem auto;padding:0 1rem}"
  + "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
  + "td,th{padding:.15rem 1.2rem .15rem 0;text-align:left;border-bottom:1px solid #e4e0d6;font-weight:400}figure{margin:2rem 0;overflow-x:auto}";

function section(run: FinishedRun, letter: string): string {
  const rows: [string, string][] = [
    ["state", run.state],
    [run.unit, count(run.value)],
    ["most alive", count(run.peak)],
    ["latency p50, p99, max", [run.latency?.p50, run.latency?.p99, run.latency?.max].map(micros).join(", ")],
    ["settings", settingsText(run)],
    ["profile", run.profile ?? "none"],
    ["commit", run.commit ?? "unknown"],
    ["machine", run.machine ?? "unknown"],
    ...Object.entries(run.figures).map(([name, value]): [string, string] => [name, count(value)]),
    ["configuration", Object.entries(run.config).map(([field, value]) => `${field}=${value}`).join(" ")],
  ];
  const cells = rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`);
  return `<h2>${letter}: ${escaped(runName(run))}</h2><table>${cells.join("")}</table>`;
}
