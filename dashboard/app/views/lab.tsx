//! The laboratory: a scenario over a grid of values, chosen, watched and repeated.

import { ActButton, ActNote } from "../parts/act.tsx";
import { NoLab, ScenarioAbout, ScenarioSelect, Text } from "../parts/form.tsx";
import { Empty, Panel } from "../parts/panel.tsx";
import { originNote, originOf, scenarioOf, type SweepPlan, sweepFault, sweepFrame, sweepPlan, sweepQuery, sweepRuns } from "../plan.ts";
import type { Hello, LabInfo, Scenario } from "../protocol.ts";
import { type Place, replace } from "../router.ts";
import { useSections } from "../sections.ts";
import { act } from "../socket.ts";
import { busy } from "../state.ts";
import { useStore } from "../store.ts";
import { CopyLink } from "./bench/copy.tsx";
import { Results } from "./lab/results.tsx";

const AXES_MAX = 4;

export function Lab({ place }: { place: Place }) {
  const hello = useStore((state) => state.hello);
  const sweep = useStore((state) => state.sweep);
  useSections("warnings");
  if (!hello) return null;
  const lab = hello.lab;
  const scenario = scenarioOf(lab, place.query.scenario);
  if (!lab || !scenario) return <NoLab />;
  return (
    <div className="grid">
      <h1 className="hidden">Lab</h1>
      <Setup hello={hello} lab={lab} scenario={scenario} place={place} />
      {sweep ? <Results sweep={sweep} /> : <Panel title="Results" wide><Empty>No sweep has run yet.</Empty></Panel>}
    </div>
  );
}

function Setup({ hello, lab, scenario, place }: { hello: Hello; lab: LabInfo; scenario: Scenario; place: Place }) {
  const plan = sweepPlan(place.query, scenario);
  const here = originOf(hello);
  const change = (part: Partial<SweepPlan>) => {
    replace({ view: "lab", query: sweepQuery({ ...plan, ...part }, here) });
  };
  const note = originNote(place.query, here);
  return (
    <Panel
      title="Sweep" wide aside={<CopyLink place={{ view: "lab", query: sweepQuery(plan, here) }} />}
      about="Runs the scenario once for each combination of values, in shuffled rounds, so that a machine that drifts hits all alike."
    >
      <form className="form" onSubmit={(event) => event.preventDefault()}>
        <ScenarioSelect lab={lab} value={scenario.name} onChange={(name) => change({ scenario: name })} />
        <Text label="Repeats" value={plan.repeats} numeric onChange={(repeats) => change({ repeats })} />
        <Text label="Warm-up" value={plan.warmup} numeric onChange={(warmup) => change({ warmup })} />
        <Text label="Seconds each" value={plan.seconds} numeric testid="seconds" onChange={(seconds) => change({ seconds })} />
        <Text label="Seed" value={plan.seed} numeric testid="seed" onChange={(seed) => change({ seed })} />
      </form>
      <Axes plan={plan} fields={fieldsOf(scenario, hello)} change={change} />
      <SweepButtons plan={plan} />
      <ScenarioAbout scenario={scenario} lab={lab} />
      {note && <p className="note">{note}</p>}
      <ActNote />
    </Panel>
  );
}

function fieldsOf(scenario: Scenario, hello: Hello): { name: string; value: string }[] {
  const choices = scenario.choices.map((it) => ({ name: it.name, value: it.default }));
  return [...choices, ...hello.config.map((it) => ({ name: it.field, value: it.default }))];
}

interface AxesProps {
  plan: SweepPlan;
  fields: { name: string; value: string }[];
  change: (part: Partial<SweepPlan>) => void;
}

function Axes({ plan, fields, change }: AxesProps) {
  const taken = (field: string) => plan.axes.some(([name]) => name === field);
  const free = fields.find((field) => !taken(field.name));
  const put = (place: number, axis: [string, string]) => change({ axes: plan.axes.map((it, index) => (index === place ? axis : it)) });
  return (
    <div className="axes">
      {plan.axes.map(([name, values], place) => (
        <div className="form axis" key={place} role="group" aria-label={`Axis ${place + 1}`}>
          <label>
            {["Across", "Upwards"][place] ?? "One sheet for each"}
            <select value={name} data-testid={`axis-field-${place}`}
              onChange={(event) => put(place, [event.target.value, fields.find((it) => it.name === event.target.value)?.value ?? ""])}>
              {fields.filter((it) => it.name === name || !taken(it.name)).map((it) => <option key={it.name}>{it.name}</option>)}
            </select>
          </label>
          <Text label="Values, with commas between" value={values} testid={`axis-values-${place}`} onChange={(text) => put(place, [name, text])} />
          {plan.axes.length > 1 && (
            <button type="button" className="button" onClick={() => change({ axes: plan.axes.filter((_, index) => index !== place) })}>Remove</button>
          )}
        </div>
      ))}
      {plan.axes.length < AXES_MAX && free && (
        <button type="button" className="button" data-testid="axis-add"
          onClick={() => change({ axes: [...plan.axes, [free.name, free.value]] })}>Add an axis</button>
      )}
    </div>
  );
}

function SweepButtons({ plan }: { plan: SweepPlan }) {
  const runs = useStore(busy);
  const wrong = sweepFault(plan);
  const total = sweepRuns(plan);
  return (
    <div className="buttons">
      <ActButton kind="primary" testid="sweep-run" unless={wrong ?? (runs ? "Something runs. Stop it first." : null)}
        onClick={() => void act(sweepFrame(plan))}>Run the sweep</ActButton>
      <ActButton testid="stop-button" unless={runs ? null : "Nothing runs."} onClick={() => void act({ type: "stop" })}>Stop</ActButton>
      <span className="num faint">{wrong ?? `${total} runs, about ${Math.ceil(total * Number(plan.seconds))} s`}</span>
    </div>
  );
}
