//! Sliders for what can be set while the node runs. They act at once, on the run that is on.

import { useEffect, useMemo, useState } from "react";
import { micros, whole } from "../../format.ts";
import { knob, placeOf, scale } from "../../knobs.ts";
import { Panel } from "../../parts/panel.tsx";
import type { Field } from "../../protocol.ts";
import { setConfig } from "../../socket.ts";
import { actsRefused } from "../../state.ts";
import { useStore } from "../../store.ts";

/** What matters most for fairness comes first; the others are behind a click. */
const FIRST = ["budget", "tick", "steal", "hogs", "bystanders", "hand_off", "urgent_lane"];
/** While a slider is dragged the node is told this often, in milliseconds. */
const TELL_EVERY = 80;
const NONE: Field[] = [];

export function Knobs() {
  const config = useStore((state) => state.hello?.config) ?? NONE;
  const live = config.filter((field) => field.live);
  const first = FIRST.flatMap((name) => live.filter((field) => field.field === name));
  const others = live.filter((field) => !FIRST.includes(field.field));
  if (live.length === 0) return null;
  return (
    <Panel title="Turn the knobs" testid="knobs" about="They act at once, while it runs. Watch the bystanders when the budget grows.">
      <div className="knobs">{first.map((field) => <KnobOf key={field.field} field={field} />)}</div>
      {others.length > 0 && (
        <details>
          <summary>{others.length} more</summary>
          <div className="knobs">{others.map((field) => <KnobOf key={field.field} field={field} />)}</div>
        </details>
      )}
    </Panel>
  );
}

function KnobOf({ field }: { field: Field }) {
  const refused = useStore(actsRefused);
  const shape = knob(field);
  const set = (value: string) => void setConfig(field.field, value);
  const id = `knob-${field.field}`;
  return (
    <div className="knob">
      <label htmlFor={id}>
        {field.field}
        <small>{shape.about}</small>
      </label>
      {shape.kind === "slider" && (
        <Slider id={id} field={field} low={shape.low} high={shape.high} micro={shape.unit === "µs"} disabled={refused !== null} set={set} />
      )}
      {shape.kind === "words" && (
        <select
          id={id} value={field.value} disabled={refused !== null} data-testid={`slider-${field.field}`}
          onChange={(event) => set(event.target.value)}
        >
          {shape.words.map((word) => <option key={word}>{word}</option>)}
        </select>
      )}
      {shape.kind === "text" && (
        <input id={id} defaultValue={field.value} disabled={refused !== null} onBlur={(event) => set(event.target.value)} />
      )}
      {field.value !== field.default && (
        <button type="button" className="quiet" disabled={refused !== null} onClick={() => set(field.default)}>back to {field.default}</button>
      )}
    </div>
  );
}

interface SliderProps {
  id: string;
  field: Field;
  low: number;
  high: number;
  micro: boolean;
  disabled: boolean;
  set: (value: string) => void;
}

/** What the reader drags is shown at once; the node hears of it a little later, and others' changes come back. */
function Slider({ id, field, low, high, micro, disabled, set }: SliderProps) {
  const [dragged, setDragged] = useState<number | null>(null);
  useEffect(() => {
    if (dragged === null) return;
    const timer = setTimeout(() => {
      set(String(dragged));
      setDragged(null);
    }, TELL_EVERY);
    return () => clearTimeout(timer);
    // `set` is made anew by each render and always does the same.
  }, [dragged]);
  const values = useMemo(() => scale(low, high), [low, high]);
  const value = dragged ?? Number(field.value);
  const text = micro ? micros(value) : whole(value);
  return (
    <>
      <input id={id} type="range" min="0" max={values.length - 1} value={placeOf(value, values)} disabled={disabled} aria-valuetext={text}
        data-testid={`slider-${field.field}`} onChange={(event) => setDragged(values[Number(event.target.value)] as number)} />
      <output htmlFor={id} className="num">{text}</output>
    </>
  );
}
