//! What a sweep has found so far: the surface, the best point, the table, and the command that repeats it.

import { css, cividis, inkOn } from "../../colours.ts";
import { count } from "../../format.ts";
import { HeatKey } from "../../parts/heat.tsx";
import { Panel } from "../../parts/panel.tsx";
import { sweepCommand } from "../../plan.ts";
import type { Point, Sweep } from "../../protocol.ts";
import { Copy } from "../bench/copy.tsx";
import { type Cell, share, type Surface, surface } from "./surface.ts";

export function Results({ sweep }: { sweep: Sweep }) {
  const found = surface(sweep);
  const unit = sweep.points[0]?.unit ?? "";
  return (
    <>
      <Panel title={`Sweep ${sweep.id}: ${sweep.scenario}`} wide testid="sweep-results" aside={<SweepProgress sweep={sweep} />}>
        {sweep.error && <p className="note" role="alert">{sweep.error}</p>}
        <Best sweep={sweep} />
        <div className="command">
          <code data-testid="sweep-command">{sweepCommand(sweep)}</code>
          <Copy text={() => sweepCommand(sweep)}>Copy</Copy>
        </div>
      </Panel>
      <Panel title="Surface" wide about={`The median of each point, ${unit}. Hatched points have not run yet; the best one has a star.`}
        aside={<HeatKey from={count(finite(found.low))} to={count(finite(found.high))} />}>
        <div className="sheets">
          {found.sheets.map((sheet) => <SheetTable key={sheet.title} surface={found} rows={sheet.rows} title={sheet.title} best={sweep.best} />)}
        </div>
      </Panel>
      <Panel title="Points" wide><PointTable sweep={sweep} /></Panel>
    </>
  );
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function SweepProgress({ sweep }: { sweep: Sweep }) {
  return (
    <span className="progress num" data-testid="sweep-state" data-state={sweep.state}>
      <progress value={sweep.done} max={sweep.total} aria-label="How much of the sweep is over" />
      {sweep.state}, {sweep.done} of {sweep.total} runs
    </span>
  );
}

function settingsText(point: Point): string {
  return Object.entries(point.settings).map(([field, value]) => `${field}=${value}`).join("  ");
}

function Best({ sweep }: { sweep: Sweep }) {
  const best = sweep.best === null ? undefined : sweep.points[sweep.best];
  if (!best) return <p className="about">The best point is known once all have run.</p>;
  return (
    <p className="best" data-testid="best-point">
      <span aria-hidden="true">★</span> Best: <b className="num">{count(best.median)}</b> {best.unit} at <code>{settingsText(best)}</code>
    </p>
  );
}

interface SheetProps {
  surface: Surface;
  rows: (Cell | null)[][];
  title: string;
  best: number | null;
}

/** A heat map that is a table: each colour has its number in it. */
function SheetTable({ surface: found, rows, title, best }: SheetProps) {
  return (
    <div className="scroll">
      <table className="surface">
        {title && <caption>{title}</caption>}
        <tbody>
          {rows.map((cells, row) => (
            <tr key={found.ys[row]}>
              {found.y !== null && <th scope="row">{found.ys[row]}</th>}
              {cells.map((cell, column) => <SurfaceCell key={found.xs[column]} cell={cell} surface={found} best={best} />)}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            {found.y !== null && <th scope="row" className="faint">{found.y} ↑ {found.x} →</th>}
            {found.xs.map((value) => <th key={value} scope="col">{found.y === null ? `${found.x}=${value}` : value}</th>)}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function SurfaceCell({ cell, surface: found, best }: { cell: Cell | null; surface: Surface; best: number | null }) {
  if (!cell || cell.point.median === null) return <td className="unrun" aria-label="has not run yet" />;
  const place = share(found, cell.point.median);
  return (
    <td className="num" style={{ background: css(cividis(place)), color: inkOn(place) }} title={settingsText(cell.point)}>
      {cell.number === best ? "★ " : ""}{count(cell.point.median)}
    </td>
  );
}

function PointTable({ sweep }: { sweep: Sweep }) {
  const fields = Object.keys(sweep.axes);
  const figures = [...new Set(sweep.points.flatMap((point) => Object.keys(point.figures)))];
  const ranked = sweep.points.map((point, number) => ({ point, number })).sort((a, b) => (b.point.median ?? 0) - (a.point.median ?? 0));
  return (
    <div className="scroll">
      <table data-testid="sweep-table">
        <thead>
          <tr>
            {fields.map((field) => <th key={field} scope="col">{field}</th>)}
            <th scope="col" className="right">Runs</th>
            <th scope="col" className="right">Least</th>
            <th scope="col" className="right">Median</th>
            <th scope="col" className="right">Most</th>
            <th scope="col">Unit</th>
            {figures.map((name) => <th key={name} scope="col" className="right">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {ranked.map(({ point, number }) => (
            <tr key={number} className={number === sweep.best ? "chosen" : undefined}>
              {fields.map((field) => <td key={field}>{point.settings[field]}</td>)}
              <td className="right num">{point.runs}</td>
              <td className="right num">{count(point.min)}</td>
              <td className="right num">{number === sweep.best ? "★ " : ""}{count(point.median)}</td>
              <td className="right num">{count(point.max)}</td>
              <td>{point.unit}</td>
              {figures.map((name) => <td key={name} className="right num">{count(point.figures[name])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
