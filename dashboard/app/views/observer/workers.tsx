//! One lane a worker: what share of its time it was busy, over the last half minute.

import { percent } from "../../format.ts";
import { Heat, HeatKey } from "../../parts/heat.tsx";
import { Panel } from "../../parts/panel.tsx";
import { history, useStore } from "../../store.ts";

const COLUMNS = 600;
const LANE_HEIGHT = 26;
/** With more workers than this the lanes grow thin instead of long. */
const TALL_MAX = 10;

export function Workers() {
  const workers = useStore((state) => state.tick?.workers) ?? [];
  useStore((state) => state.tick?.seq);
  const height = workers.length <= TALL_MAX ? LANE_HEIGHT : Math.max(6, (TALL_MAX * LANE_HEIGHT) / workers.length);
  const shown = workers.length <= TALL_MAX;
  return (
    <Panel
      title="Workers" wide testid="workers"
      about="Each lane is a scheduler thread; the brighter it is, the more of its time it ran processes."
      aside={<HeatKey from="idle" to="busy" />}
    >
      <div className="lanes">
        <div className="lane-names">
          {shown && workers.map((_, index) => <span key={index} style={{ height }}>{`worker ${index}`}</span>)}
        </div>
        <Heat
          label={`How busy each of ${workers.length} workers was over time`}
          rings={() => history.workers} rows={() => history.workerCount}
          scale={(share) => share} columns={COLUMNS} height={Math.max(height, height * workers.length)}
        />
        <div className="lane-values num">
          {shown && workers.map((worker, index) => (
            <span key={index} style={{ height }} title={`${worker.queued} queued`}>
              {percent(index < history.workerCount ? history.workers.mean(index) : null)}
            </span>
          ))}
        </div>
      </div>
    </Panel>
  );
}
