//! A line chart over time. React makes it once; new numbers reach it in the animation loop.

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { dash, ink, type Theme } from "../colours.ts";
import { clock } from "../format.ts";
import { usePainter } from "../frame.ts";
import { useTheme } from "../theme.ts";

export interface Line {
  label: string;
  /** Which of the inks; the place in the list unless given. */
  ink?: number;
}

interface Props {
  label: string;
  lines: Line[];
  /** Seconds, and the values of each line then. Called when `version` has changed. */
  data: () => uPlot.AlignedData;
  version: () => number;
  format: (value: number) => string;
  /** A logarithmic y axis: for times, which go over several powers of ten. */
  logY?: boolean;
  /** Labels at round numbers of KiB and MiB. */
  binary?: boolean;
  height?: number;
  /** As wide as two others, where there is room. */
  double?: boolean;
}

export function Chart(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const values = useRef<(HTMLElement | null)[]>([]);
  const drawn = useRef({ version: -1, legendAt: 0 });
  const theme = useTheme();
  const names = props.lines.map((line) => line.label).join("|");

  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const made = new uPlot(options(props, theme, element.clientWidth), props.data(), element);
    plot.current = made;
    drawn.current.version = -1;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: props.height ?? 130 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // The functions among the props read the same history whatever render they come from.
    // The lines' names and the theme are what a chart is made of.
  }, [names, theme, props.logY, props.height]);

  usePainter(() => {
    const version = props.version();
    if (!plot.current || version === drawn.current.version) return;
    drawn.current.version = version;
    const data = props.data();
    plot.current.setData(data);
    const now = performance.now();
    if (now - drawn.current.legendAt < 250) return;
    drawn.current.legendAt = now;
    props.lines.forEach((_, index) => writeLast(values.current[index], data[index + 1], props.format));
  });

  return (
    <figure className={props.double ? "chart double" : "chart"}>
      <figcaption>
        <span className="chart-label">{props.label}</span>
        {props.lines.map((line, index) => (
          <span className="key" key={line.label}>
            {props.lines.length > 1 && <><Swatch ink={line.ink ?? index} theme={theme} />{line.label}</>}
            <b ref={(element) => { values.current[index] = element; }} className="num">–</b>
          </span>
        ))}
      </figcaption>
      <div
        ref={host} role="img" style={{ height: props.height ?? 130 }}
        aria-label={`${props.label} over time: ${props.lines.map((it) => it.label).join(", ")}`}
      />
    </figure>
  );
}

/** A piece of the line as it is drawn, with its dash: the key must be readable without its colour. */
export function Swatch({ ink: number, theme }: { ink: number; theme: Theme }) {
  return (
    <svg className="swatch" width="22" height="8" aria-hidden="true">
      <line x1="0" x2="22" y1="4" y2="4" stroke={ink(number, theme)} strokeWidth="2" strokeDasharray={dash(number).join(" ")} />
    </svg>
  );
}

type Column = ArrayLike<number | null | undefined>;

function writeLast(element: HTMLElement | null | undefined, column: Column | undefined, format: (value: number) => string): void {
  if (!element || !column) return;
  const value = column[column.length - 1];
  element.textContent = typeof value === "number" && Number.isFinite(value) ? format(value) : "–";
}

function options(props: Props, theme: Theme, width: number): uPlot.Options {
  const faint = theme === "dark" ? "#2a3338" : "#e4e0d6";
  const text = theme === "dark" ? "#98a5a6" : "#5d655f";
  const font = "11px system-ui, sans-serif";
  const axis = { stroke: text, font, grid: { stroke: faint, width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(width, 50),
    height: props.height ?? 130,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 16, 0, 0],
    scales: {
      x: { time: false },
      y: props.logY
        ? { distr: 3, range: (_, low, high) => decades(low, high) }
        : { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 24, incrs: SECONDS, values: (_, splits) => splits.map((it) => (it === null ? "" : clock(it))) },
      {
        ...axis, size: 62, ...(props.logY ? { splits: tens } : {}), ...(props.binary ? { incrs: POWERS_OF_TWO } : {}),
        values: (_, splits) => splits.map((it) => (it === null ? "" : props.format(it))),
      },
    ],
    series: [
      {},
      ...props.lines.map((line, index) => ({
        stroke: ink(line.ink ?? index, theme),
        width: 1.75,
        dash: dash(line.ink ?? index),
        points: { show: false },
        spanGaps: true,
      })),
    ],
  };
}

/** Steps of a time axis: less than a second would give two labels one name. */
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400];
const POWERS_OF_TWO = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Labels of a log axis: the powers of ten alone, or the lines between them fill the chart. */
function tens(_plot: uPlot, _axis: number, low: number, high: number): number[] {
  const first = Math.round(Math.log10(low));
  const count = Math.round(Math.log10(high)) - first + 1;
  return Array.from({ length: Math.max(count, 1) }, (_, power) => 10 ** (first + power));
}

/** Whole powers of ten around what there is; a log axis of nothing is drawn from 1 to 1,000. */
function decades(low: number | null, high: number | null): [number, number] {
  if (!low || !high || low <= 0 || !Number.isFinite(low)) return [1, 1000];
  const from = 10 ** Math.floor(Math.log10(low));
  return [from, Math.max(10 ** Math.ceil(Math.log10(high)), from * 10)];
}
