//! Line charts as SVG text, for finished runs: on the page, in reports and in pictures alike. Pure.

import { dash, ink, type Theme } from "./colours.ts";

export interface PlotLine {
  label: string;
  points: readonly (readonly [number, number])[];
  ink: number;
}

export interface Plot {
  title: string;
  lines: PlotLine[];
  formatX: (value: number) => string;
  formatY: (value: number) => string;
  /** Where the x axis is labelled; evenly unless given. */
  ticksX?: number[];
  logX?: boolean;
  logY?: boolean;
  theme: Theme;
  width: number;
  height: number;
}

const EDGE = { left: 64, right: 30, top: 46, bottom: 26 };

interface Axis {
  place: (value: number) => number;
  ticks: number[];
}

export function plot(it: Plot): string {
  const { paper, text, faint } = SHADES[it.theme];
  const points = it.lines.flatMap((line) => line.points);
  const x = axis(points.map(([at]) => at), it.logX ?? false, [EDGE.left, it.width - EDGE.right], false, it.ticksX);
  const y = axis(points.map(([, value]) => value), it.logY ?? false, [it.height - EDGE.bottom, EDGE.top], true);
  const right = it.width - EDGE.right;
  const bottom = it.height - EDGE.bottom;
  const rows = y.ticks.map((tick) => {
    const at = y.place(tick).toFixed(1);
    return `<path stroke="${faint}" d="M${EDGE.left} ${at}H${right}"/>`
      + `<text x="${EDGE.left - 8}" y="${at}" dy="4" text-anchor="end">${escaped(it.formatY(tick))}</text>`;
  });
  const columns = x.ticks.map((tick) => {
    const at = x.place(tick).toFixed(1);
    return `<path stroke="${faint}" d="M${at} ${EDGE.top}V${bottom}"/>`
      + `<text x="${at}" y="${it.height - 8}" text-anchor="middle">${escaped(it.formatX(tick))}</text>`;
  });
  const nothing = points.length === 0 ? `<text x="${EDGE.left}" y="${EDGE.top + 16}">Nothing was measured.</text>` : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${it.width}" height="${it.height}" viewBox="0 0 ${it.width} ${it.height}"`
    + ` role="img" aria-label="${escaped(it.title)}" font-family="system-ui, sans-serif" font-size="11" fill="${text}">`
    + `<rect width="100%" height="100%" fill="${paper}"/><text x="${EDGE.left}" y="16" font-size="13">${escaped(it.title)}</text>`
    + key(it) + rows.join("") + columns.join("") + nothing
    + it.lines.map((line) => path(line, x, y, it.theme)).join("") + "</svg>";
}

const SHADES: Record<Theme, { paper: string; text: string; faint: string }> = {
  light: { paper: "#fffdf9", text: "#545c58", faint: "#e4e0d6" },
  dark: { paper: "#161d20", text: "#a3b0b0", faint: "#2a3338" },
};

function key({ lines, theme }: Plot): string {
  let left = EDGE.left;
  return lines.map((line) => {
    const at = left;
    left += 44 + line.label.length * 6.2;
    return `<path stroke="${ink(line.ink, theme)}" stroke-width="2" stroke-dasharray="${dash(line.ink).join(" ")}" d="M${at} 31h22"/>`
      + `<text x="${at + 28}" y="35">${escaped(line.label)}</text>`;
  }).join("");
}

function path(line: PlotLine, x: Axis, y: Axis, theme: Theme): string {
  const steps = line.points.map(([at, value], index) => `${index === 0 ? "M" : "L"}${x.place(at).toFixed(1)} ${y.place(value).toFixed(1)}`);
  if (steps.length === 0) return "";
  return `<path fill="none" stroke="${ink(line.ink, theme)}" stroke-width="2" stroke-linejoin="round"`
    + ` stroke-dasharray="${dash(line.ink).join(" ")}" d="${steps.join("")}"/>`;
}

function axis(values: number[], log: boolean, [from, to]: [number, number], zero: boolean, ticks?: number[]): Axis {
  const positive = log ? values.filter((value) => value > 0) : values;
  let low = positive.length > 0 ? Math.min(...positive) : log ? 1 : 0;
  let high = positive.length > 0 ? Math.max(...positive) : 1;
  if (zero && !log) low = 0;
  if (zero && log) [low, high] = [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))];
  if (high <= low) high = log ? low * 10 : low + 1;
  if (zero && !log) high *= 1.05;
  const along = log
    ? (value: number) => Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value: number) => (value - low) / (high - low);
  const inside = (tick: number) => tick >= low && tick <= high * 1.000001;
  const chosen = ticks ?? (log ? powers(low, high) : even(low, high));
  return { place: (value) => from + along(value) * (to - from), ticks: chosen.filter(inside) };
}

function powers(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) ticks.push(10 ** power);
  return ticks;
}

/** About five round numbers. */
function even(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((it) => it * size).find((it) => it >= rough) ?? rough;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
