//! The supervision tree, drawn: squares supervise, circles work.

import { useMemo } from "react";
import { Empty, Panel } from "../../parts/panel.tsx";
import { useStore } from "../../store.ts";
import { processHref } from "../observer.tsx";
import { layout, type Spot } from "./layout.ts";

const LINE = 24;
const STEP = 28;
const DRAWN_MAX = 200;

export function Tree({ chosen }: { chosen: string | null }) {
  const section = useStore((state) => state.sections.tree);
  const spots = useMemo(() => layout(section?.items ?? [], DRAWN_MAX), [section]);
  const depth = spots.reduce((most, spot) => Math.max(most, spot.depth), 0);
  const hidden = (section?.total ?? 0) - spots.length;
  return (
    <Panel title="Supervision" testid="tree" about="Squares supervise, circles work.">
      {spots.length === 0 ? <Empty>Nothing is supervised.</Empty> : (
        <div className="scroll tall">
          <svg width={depth * STEP + 330} height={spots.length * LINE + 4} className="tree" role="group" aria-label="Supervision tree">
            {spots.map((spot) => <Branch key={spot.item.pid} spot={spot} />)}
            {spots.map((spot) => <Leaf key={spot.item.pid} spot={spot} chosen={spot.item.pid === chosen} />)}
          </svg>
        </div>
      )}
      {hidden > 0 && <p className="note">{hidden} more are not drawn.</p>}
    </Panel>
  );
}

const x = (depth: number) => depth * STEP + 12;
const y = (line: number) => line * LINE + LINE / 2;

function Branch({ spot }: { spot: Spot }) {
  if (spot.parentLine === null) return null;
  const from = x(spot.depth - 1);
  return <path className="branch" d={`M${from} ${y(spot.parentLine) + 6}V${y(spot.line) - 6}q0 6 6 6H${x(spot.depth) - 6}`} />;
}

function Leaf({ spot, chosen }: { spot: Spot; chosen: boolean }) {
  const { item } = spot;
  const at = { x: x(spot.depth), y: y(spot.line) };
  return (
    <a href={processHref(item.pid)} className={chosen ? "leaf chosen" : "leaf"}>
      <rect className="target" x={at.x - 10} y={at.y - LINE / 2 + 1} width="300" height={LINE - 2} rx="4" />
      {item.kind === "supervisor"
        ? <rect className="mark" x={at.x - 5.5} y={at.y - 5.5} width="11" height="11" rx="2" />
        : <circle className="mark" cx={at.x} cy={at.y} r="5" />}
      <text x={at.x + 13} y={at.y + 4}>
        {item.name ?? item.id ?? item.kind}{" "}
        <tspan className="faint" dx="7">{item.pid}</tspan>
        {item.state !== "running" && <tspan className="odd" dx="7">{item.state}</tspan>}
      </text>
    </a>
  );
}
