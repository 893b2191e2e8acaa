//! Form fields that the views share: what a scenario lets one choose, and plain numbers.

import type { Choice, LabInfo, Scenario } from "../protocol.ts";
import { Panel } from "./panel.tsx";

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  testid?: string;
  /** What a number pad on a phone is good for. */
  numeric?: boolean;
}

export function Text({ label, value, onChange, testid, numeric }: TextProps) {
  return (
    <label>
      {label}
      <input type="text" inputMode={numeric ? "decimal" : "text"} value={value} data-testid={testid} autoComplete="off"
        spellCheck={false} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

export function ScenarioSelect({ lab, value, onChange }: { lab: LabInfo; value: string; onChange: (name: string) => void }) {
  return (
    <label>
      Scenario
      <select value={value} data-testid="scenario-select" onChange={(event) => onChange(event.target.value)}>
        {lab.scenarios.map((it) => <option key={it.name}>{it.name}</option>)}
      </select>
    </label>
  );
}

/** What the chosen scenario measures, and where its engine is. */
export function ScenarioAbout({ scenario, lab }: { scenario: Scenario; lab: LabInfo }) {
  return (
    <p className="about">
      {scenario.about} <span className="source">Engine: <code>{scenario.source}</code>{lab.commit && <> at <code>{lab.commit}</code></>}</span>
    </p>
  );
}

/** All scenarios, with what each measures. */
export function Menu({ lab, chosen }: { lab: LabInfo; chosen: string }) {
  return (
    <details data-testid="scenario-menu">
      <summary>All {lab.scenarios.length} scenarios</summary>
      <div className="scroll tall">
        <table className="menu">
          <thead><tr><th scope="col">Scenario</th><th scope="col">Measures</th><th scope="col">Engine</th></tr></thead>
          <tbody>
            {lab.scenarios.map((it) => (
              <tr key={it.name} className={it.name === chosen ? "chosen" : undefined}>
                <td><a href={`#/${it.lanes ? "fairness" : "bench"}?scenario=${encodeURIComponent(it.name)}`}>{it.name}</a></td>
                <td>{it.about}</td>
                <td><code>{it.source}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

interface ChoicesProps {
  choices: Choice[];
  settings: Record<string, string>;
  onChange: (name: string, value: string) => void;
}

export function Choices({ choices, settings, onChange }: ChoicesProps) {
  return choices.map((choice) => (
    <label key={choice.name} title={choice.about}>
      {choice.name}
      <input type="text" value={settings[choice.name] ?? ""} data-testid={`choice-${choice.name}`} autoComplete="off"
        spellCheck={false} aria-describedby={`about-${choice.name}`} onChange={(event) => onChange(choice.name, event.target.value)} />
      <small id={`about-${choice.name}`}>{choice.about}</small>
    </label>
  ));
}

/** Instead of a view that needs scenarios. */
export function NoLab() {
  return (
    <Panel title="No scenarios" wide testid="no-lab">
      <p>
        This node runs a program and has no scenarios to measure. A node that has them is started with{" "}
        <code>make dashboard</code> or <code>rusm-bench start</code>; open the address that it prints.
      </p>
    </Panel>
  );
}
