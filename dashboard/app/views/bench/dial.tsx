//! The resource profile as a dial: how hard runs from now on drive the node.

import type { LabInfo } from "../../protocol.ts";
import { actsRefused } from "../../state.ts";
import { act } from "../../socket.ts";
import { dispatch, useStore } from "../../store.ts";

/** From the first profile to the last, in degrees from straight up. */
const SWEEP = 110;

export function Dial({ lab }: { lab: LabInfo }) {
  const { profiles } = lab;
  const chosen = useStore((state) => state.profile ?? lab.profile);
  const refused = useStore(actsRefused);
  const place = Math.max(0, profiles.findIndex((it) => it.name === chosen));
  const angle = (index: number) => (profiles.length < 2 ? 0 : -SWEEP / 2 + (SWEEP * index) / (profiles.length - 1));
  const choose = async (profile: string) => {
    if (await act({ type: "set_resource_profile", profile })) dispatch({ kind: "profile", profile });
  };
  return (
    <fieldset className="dial" data-testid="profile-dial" disabled={refused !== null}>
      <legend>Resource profile</legend>
      <svg viewBox="-60 -56 120 66" aria-hidden="true">
        <path className="dial-arc" d={arc(-SWEEP / 2, SWEEP / 2, 44)} />
        {profiles.map((it, index) => (
          <line key={it.name} className="dial-mark" x1="0" x2="0" y1="-50" y2="-39" transform={`rotate(${angle(index)})`} />
        ))}
        <path className="dial-needle" d="M-4 0L0 -36L4 0Z" style={{ transform: `rotate(${angle(place)}deg)` }} />
        <circle className="dial-hub" r="6" />
      </svg>
      <div className="dial-choices">
        {profiles.map((it) => (
          <label key={it.name} title={it.about}>
            <input type="radio" name="profile" checked={it.name === chosen} onChange={() => void choose(it.name)} />
            <span>{it.name}</span>
          </label>
        ))}
      </div>
      <p className="about">{profiles[place]?.about}</p>
    </fieldset>
  );
}

function arc(from: number, to: number, radius: number): string {
  const point = (degrees: number) => {
    const turn = (degrees * Math.PI) / 180;
    return `${(radius * Math.sin(turn)).toFixed(2)} ${(-radius * Math.cos(turn)).toFixed(2)}`;
  };
  return `M${point(from)}A${radius} ${radius} 0 0 1 ${point(to)}`;
}
