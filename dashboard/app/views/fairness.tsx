//! Fairness: hogs and bystanders on our scheduler, and beside it on a model of one that does not preempt.

import { index } from "../format.ts";
import { RUN, WAKE_ROWS } from "../history.ts";
import { ActNote } from "../parts/act.tsx";
import { Choices, NoLab, ScenarioAbout, Text } from "../parts/form.tsx";
import { Heat, HeatKey } from "../parts/heat.tsx";
import { Empty, Panel } from "../parts/panel.tsx";
import { originOf, type RunPlan, runPlan, runQuery, scenarioOf } from "../plan.ts";
import type { Hello, LabInfo, Scenario } from "../protocol.ts";
import { type Place, replace } from "../router.ts";
import { useSections } from "../sections.ts";
import { history, useStore } from "../store.ts";
import { RunButtons } from "./bench.tsx";
import { CopyLink } from "./bench/copy.tsx";
import { Progress, RunChart } from "./bench/live.tsx";
import { Knobs } from "./fairness/knobs.tsx";
import { SideLanes } from "./fairness/lanes.tsx";

const SCENARIO = "fairness";
const HEAT_COLUMNS = 400;
/** Rows of the heat map with their times: row n is 2^n microseconds. */
const MARKS: [number, string][] = [[0, "1 µs"], [7, "128 µs"], [10, "1 ms"], [13, "8 ms"], [17, "131 ms"], [20, "1 s"], [23, "8 s"]];

export function Fairness({ place }: { place: Place }) {
  const hello = useStore((state) => state.hello);
  useSections("warnings", "config");
  if (!hello) return null;
  const lab = hello.lab;
  const scenario = scenarioOf(lab, SCENARIO, (it) => it.lanes);
  if (!lab || !scenario) return <NoLab />;
  return (
    <div className="grid">
      <h1 className="hidden">Fairness</h1>
      <Setup hello={hello} lab={lab} scenario={scenario} place={place} />
      <Race />
      <Knobs />
      <div className="stack">
        <Panel title="Jain's index over time" about="1: all bystanders get the same. 1/n: one of them gets everything.">
          <RunChart
            label="Of what the bystanders did" columns={[RUN.jain, RUN.jainPeer]} lines={["RUSM", "FIFO model"]}
            format={index} height={170}
          />
        </Panel>
        <WakeHeat />
      </div>
    </div>
  );
}

function Setup({ hello, lab, scenario, place }: { hello: Hello; lab: LabInfo; scenario: Scenario; place: Place }) {
  const plan = runPlan({ seconds: "30", ...place.query }, scenario);
  const here = originOf(hello);
  const change = (part: Partial<RunPlan>) => {
    replace({ view: "fairness", query: runQuery({ ...plan, ...part }, here) });
  };
  return (
    <Panel
      title="What preemption buys" wide aside={<CopyLink place={{ view: "fairness", query: runQuery(plan, here) }} />}
      about="Hogs compute and never wait. Bystanders sleep a moment, do a little and sleep again. Who lets the bystanders in?"
    >
      <form className="form" onSubmit={(event) => event.preventDefault()}>
        <RunButtons plan={plan} scenario={scenario} />
        <Choices choices={scenario.choices} settings={plan.settings}
          onChange={(name, value) => change({ settings: { ...plan.settings, [name]: value } })} />
        <Text label="Seconds" value={plan.seconds} numeric testid="seconds" onChange={(seconds) => change({ seconds })} />
        <Text label="Seed" value={plan.seed} numeric testid="seed" onChange={(seed) => change({ seed })} />
      </form>
      <ScenarioAbout scenario={scenario} lab={lab} />
      <ActNote />
    </Panel>
  );
}

/** Both sides, once a run with lanes is there. */
function Race() {
  const sides = useStore((state) => (state.run?.sides ?? []).map((side) => side.name).join(","));
  const run = useStore((state) => (state.run?.sides.length ? state.run : null));
  return (
    <Panel title="Side by side" wide testid="race" aside={run && <Progress run={run} />}
      about="A bar is what a process has done. It is full if no process of its kind has done more, here or there.">
      {sides === "" ? <Empty>Press Run: ten seconds are enough to see it.</Empty> : (
        <div className="sides">{sides.split(",").map((name) => <SideLanes key={name} name={name} />)}</div>
      )}
    </Panel>
  );
}

/** Counts span several powers of ten, so the colour follows their logarithm. */
function WakeHeat() {
  return (
    <Panel title="Wake to run" about="Time runs to the right. The higher, the longer a woken process waited; the brighter, the more did."
      aside={<HeatKey from="none" to="1,000+ a tick" />}>
      <div className="heat-plot">
        <div className="heat-axis num" aria-hidden="true">
          {MARKS.map(([row, text]) => <span key={row} style={{ bottom: `${(100 * (row + 0.5)) / WAKE_ROWS}%` }}>{text}</span>)}
        </div>
        <Heat label="How long woken processes waited, over time" rings={() => history.wake} rows={() => WAKE_ROWS}
          scale={(wakes) => Math.log10(wakes + 1) / 3} columns={HEAT_COLUMNS} height={216} upward />
      </div>
    </Panel>
  );
}
