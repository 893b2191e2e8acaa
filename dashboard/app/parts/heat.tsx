//! A heat strip over time on a canvas: columns are ticks, rows are workers or buckets. Redrawn in the animation loop.

import { useRef } from "react";
import { CIVIDIS_PIXELS } from "../colours.ts";
import { usePainter } from "../frame.ts";
import type { Rings } from "../history.ts";

interface Props {
  label: string;
  rings: () => Rings;
  rows: () => number;
  /** From a value to a share of the colour scale; before the first tick there is nothing. */
  scale: (value: number) => number;
  /** Ticks that are shown. */
  columns: number;
  height: number;
  /** Whether row 0 is at the bottom, as on an axis. */
  upward?: boolean;
}

export function Heat({ label, rings, rows, scale, columns, height, upward }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<{ rings: Rings | null; version: number }>({ rings: null, version: -1 });

  usePainter(() => {
    const source = rings();
    const element = canvas.current;
    if (!element || (source === drawn.current.rings && source.version === drawn.current.version)) return;
    drawn.current = { rings: source, version: source.version };
    paint(element, source, rows(), columns, scale, upward ?? false);
  });

  return <canvas ref={canvas} className="heat" role="img" aria-label={label} style={{ height }} />;
}

/** One pixel a value; the browser stretches them. The latest column is at the right edge. */
function paint(
  element: HTMLCanvasElement, source: Rings, rows: number, columns: number, scale: (value: number) => number, upward: boolean,
): void {
  if (element.width !== columns || element.height !== rows) {
    element.width = columns;
    element.height = Math.max(rows, 1);
  }
  const context = element.getContext("2d");
  if (!context || rows === 0) return;
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    const column = source.column(row);
    const y = upward ? rows - 1 - row : row;
    for (let x = 0; x < columns; x += 1) {
      const value = column[column.length - columns + x];
      if (value === undefined) continue;
      const step = Math.round(255 * Math.min(1, Math.max(0, scale(value))));
      pixels[y * columns + x] = CIVIDIS_PIXELS[step] as number;
    }
  }
  context.putImageData(image, 0, 0);
}

/** What the colours of a heat strip mean, from left to right. */
export function HeatKey({ from, to }: { from: string; to: string }) {
  return (
    <span className="heat-key">
      {from}
      <i aria-hidden="true" />
      {to}
    </span>
  );
}
