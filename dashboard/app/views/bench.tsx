//! The bench: one scenario is chosen, run and watched; finished runs are compared and taken along.

import { ActButton, ActNote } from "../parts/act.tsx";
import { Choices, Menu, NoLab, ScenarioAbout, ScenarioSelect, Text } from "../parts/form.tsx";
import { Panel } from "../parts/panel.tsx";
import { fault, originNote, originOf, type RunPlan, runFrame, runPlan, runQuery, scenarioOf } from "../plan.ts";
import type { Hello, LabInfo, Scenario } from "../protocol.ts";
import { type Place, replace } from "../router.ts";
import { useSections } from "../sections.ts";
import { act } from "../socket.ts";
import { busy } from "../state.ts";
import { useStore } from "../store.ts";
import { CopyLink } from "./bench/copy.tsx";
import { Dial } from "./bench/dial.tsx";
import { Finished } from "./bench/finished.tsx";
import { LiveRun } from "./bench/live.tsx";

export function Bench({ place }: { place: Place }) {
  const hello = useStore((state) => state.hello);
  useSections("warnings", "runs");
  if (!hello) return null;
  const lab = hello.lab;
  const scenario = scenarioOf(lab, place.query.scenario);
  if (!lab || !scenario) return <NoLab />;
  return (
    <div className="grid">
      <h1 className="hidden">Bench</h1>
      <Setup hello={hello} lab={lab} scenario={scenario} place={place} />
      <LiveRun />
      <Finished node={hello.node} />
    </div>
  );
}

interface SetupProps {
  hello: Hello;
  lab: LabInfo;
  scenario: Scenario;
  place: Place;
}

function Setup({ hello, lab, scenario, place }: SetupProps) {
  const plan = runPlan(place.query, scenario);
  const here = originOf(hello);
  const change = (part: Partial<RunPlan>) => {
    replace({ view: "bench", query: runQuery({ ...plan, ...part }, here) });
  };
  const note = originNote(place.query, here);
  return (
    <Panel title="Scenario" wide aside={<CopyLink place={{ view: "bench", query: runQuery(plan, here) }} />}>
      <div className="setup">
        <form className="form" onSubmit={(event) => event.preventDefault()}>
          <ScenarioSelect lab={lab} value={scenario.name}
            onChange={(name) => replace({ view: "bench", query: { scenario: name, seconds: plan.seconds, seed: plan.seed } })} />
          <Choices choices={scenario.choices} settings={plan.settings}
            onChange={(name, value) => change({ settings: { ...plan.settings, [name]: value } })} />
          <Text label="Seconds" value={plan.seconds} numeric testid="seconds" onChange={(seconds) => change({ seconds })} />
          <Text label="Seed" value={plan.seed} numeric testid="seed" onChange={(seed) => change({ seed })} />
          <RunButtons plan={plan} scenario={scenario} />
        </form>
        <Dial lab={lab} />
      </div>
      <ScenarioAbout scenario={scenario} lab={lab} />
      <Menu lab={lab} chosen={scenario.name} />
      {note && <p className="note" data-testid="origin-note">{note}</p>}
      <ActNote />
    </Panel>
  );
}

/** Run and Stop; also for the fairness view. */
export function RunButtons({ plan, scenario }: { plan: RunPlan; scenario: Scenario }) {
  const runs = useStore(busy);
  const wrong = fault(plan);
  return (
    <div className="buttons">
      <ActButton kind="primary" testid="run-button" unless={wrong ?? (runs ? "Something runs. Stop it first." : null)}
        onClick={() => void act(runFrame(plan, scenario))}>Run</ActButton>
      <ActButton testid="stop-button" unless={runs ? null : "Nothing runs."} onClick={() => void act({ type: "stop" })}>Stop</ActButton>
      {wrong && <p className="note">{wrong}</p>}
    </div>
  );
}
