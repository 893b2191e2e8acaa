//! How the points of a sweep lie on a surface: two fields span it, each setting of the others has one of its own. Pure.

import type { Point, Sweep } from "../../protocol.ts";

export interface Sheet {
  /** What the other fields are; empty when there are two or fewer. */
  title: string;
  /** Row by row, from the last value of the second field down to its first; `null` has not run yet. */
  rows: (Cell | null)[][];
}

export interface Cell {
  /** Its place in `sweep.points`. */
  number: number;
  point: Point;
}

export interface Surface {
  x: string;
  xs: string[];
  /** `null` when there is one axis only. */
  y: string | null;
  ys: string[];
  sheets: Sheet[];
  low: number;
  high: number;
}

export function surface(sweep: Pick<Sweep, "axes" | "points">): Surface {
  const axes = Object.entries(sweep.axes);
  const [x, xs] = axes[0] ?? ["", []];
  const [y, ys] = axes[1] ?? [null, [""]];
  const up = [...ys].reverse();
  const medians = sweep.points.flatMap((point) => (point.median === null ? [] : [point.median]));
  const sheets = combinations(axes.slice(2)).map((rest) => ({
    title: rest.map(([field, value]) => `${field}=${value}`).join(" "),
    rows: up.map((yValue) => xs.map((xValue) => find(sweep.points, [[x, xValue], ...(y === null ? [] : [[y, yValue] as Setting]), ...rest]))),
  }));
  return { x, xs, y, ys: up, sheets, low: Math.min(...medians), high: Math.max(...medians) };
}

/** Where a value lies between the worst and the best, from 0 to 1. */
export function share({ low, high }: Surface, value: number): number {
  return high > low ? (value - low) / (high - low) : 1;
}

type Setting = [string, string];

function combinations(axes: [string, string[]][]): Setting[][] {
  return axes.reduce<Setting[][]>(
    (found, [field, values]) => found.flatMap((before) => values.map((value): Setting[] => [...before, [field, value]])),
    [[]],
  );
}

function find(points: Point[], settings: Setting[]): Cell | null {
  const number = points.findIndex((point) => settings.every(([field, value]) => point.settings[field] === value));
  const point = points[number];
  return point && point.runs > 0 ? { number, point } : null;
}
