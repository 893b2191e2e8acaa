//! One side of the race: a bar for each process, moved in the animation loop.

import { useRef } from "react";
import { count, index, micros } from "../../format.ts";
import { usePainter } from "../../frame.ts";
import type { Lane, Run, Side } from "../../protocol.ts";
import { latest, useStore } from "../../store.ts";

/** Bars of each kind a side. More than this nobody compares by eye; the index counts all of them. */
const LANES_MAX = 16;
/** A bystander that was woken later than this is marked: a person notices a tenth of a second. */
const LATE_MARKED = 100_000;

const TITLES: Record<string, [string, string]> = {
  rusm: ["RUSM", "preempts: a turn ends when its reductions are spent"],
  fifo: ["FIFO model", "no preemption: whoever runs, runs until it waits"],
};

interface Bar {
  fill: HTMLElement | null;
  done: HTMLElement | null;
  late: HTMLElement | null;
}

export function SideLanes({ name }: { name: string }) {
  const names = useStore((state) => drawn(sideOf(state.run, name)?.lanes ?? []).map((lane) => `${lane.kind}\t${lane.name}`).join("\n"));
  const jain = useStore((state) => sideOf(state.run, name)?.jain ?? null);
  const worst = useStore((state) => worstLate(sideOf(state.run, name)));
  const all = useStore((state) => sideOf(state.run, name)?.lanes.length ?? 0);
  const shown = names === "" ? [] : names.split("\n").map((it) => it.split("\t") as [string, string]);
  const bars = useRef<Bar[]>([]);
  const seen = useRef<Run | null>(null);

  usePainter(() => {
    const run = latest().run;
    if (run === seen.current) return;
    seen.current = run;
    const side = sideOf(run, name);
    if (run && side) paint(bars.current, side.lanes, furthest(run));
  });

  const [title, about] = TITLES[name] ?? [name, ""];
  return (
    <section className={`side ${name}`} aria-label={title}>
      <header>
        <h3>{title}</h3>
        <p className="about">{about}</p>
        <div className="jain">
          <b className="num" data-testid={`jain-${name}`}>{index(jain)}</b>
          <small>Jain's index of the bystanders</small>
        </div>
        <p className="verdict">
          {worst === null ? "No bystander has run yet." : <>The slowest bystander was woken <b className="num">{micros(worst)}</b> late.</>}
        </p>
      </header>
      <ol className="bars">
        {shown.map(([kind, lane], place) => (
          <li key={lane} className={kind} data-testid="lane">
            <span className="bar-name">{lane}</span>
            <span className="bar"><i ref={(element) => { bar(bars.current, place).fill = element; }} /></span>
            <span className="bar-done num" ref={(element) => { bar(bars.current, place).done = element; }} />
            <span className="bar-late num" ref={(element) => { bar(bars.current, place).late = element; }} />
          </li>
        ))}
      </ol>
      {all > shown.length && <p className="about">{all - shown.length} more are not drawn; the index counts them.</p>}
    </section>
  );
}

function sideOf(run: Run | null, name: string): Side | undefined {
  return run?.sides.find((side) => side.name === name);
}

/** The first of each kind. */
function drawn(lanes: Lane[]): Lane[] {
  const counts: Record<string, number> = {};
  return lanes.filter(({ kind }) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
    return counts[kind] <= LANES_MAX;
  });
}

function worstLate(side: Side | undefined): number | null {
  const late = side?.lanes.flatMap((lane) => (lane.late === null ? [] : [lane.late])) ?? [];
  return late.length > 0 ? Math.max(...late) : null;
}

/** The most that a process of each kind has done on either side: full bars are the best there is, here or there. */
function furthest(run: Run): Record<string, number> {
  const most: Record<string, number> = {};
  for (const lane of run.sides.flatMap((side) => side.lanes)) most[lane.kind] = Math.max(most[lane.kind] ?? 1, lane.done);
  return most;
}

function bar(bars: Bar[], place: number): Bar {
  bars[place] ??= { fill: null, done: null, late: null };
  return bars[place];
}

function paint(bars: Bar[], lanes: Lane[], most: Record<string, number>): void {
  drawn(lanes).forEach((lane, place) => {
    const { fill, done, late } = bar(bars, place);
    if (fill) fill.style.transform = `scaleX(${lane.done / (most[lane.kind] ?? 1)})`;
    if (done) done.textContent = count(lane.done);
    if (!late) return;
    const marked = lane.late !== null && lane.late > LATE_MARKED;
    late.textContent = lane.late === null ? "" : `${marked ? "▲ " : ""}${micros(lane.late)} late`;
    late.classList.toggle("marked", marked);
  });
}
