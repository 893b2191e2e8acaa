//! The menu of the made-up laboratory.

import type { LabInfo } from "../../app/protocol.ts";

export const LAB: LabInfo = {
  commit: "0000000",
  profile: "balanced",
  profiles: [
    { name: "light", about: "one spawner: most of the node stays free" },
    { name: "balanced", about: "a spawner for each worker, as the peers are measured" },
    { name: "max", about: "two spawners a worker, and bodies that carry state" },
  ],
  scenarios: [
    {
      name: "spawn-storm", about: "processes that are started and end at once", source: "bench/src/scenario/spawn_storm.rs", lanes: false,
      choices: [
        { name: "spawners", default: "workers", about: "processes that start others" },
        { name: "batch", default: "16", about: "started between two yields" },
      ],
    },
    {
      name: "ping-pong", about: "pairs that send to and fro", source: "bench/src/scenario/ping_pong.rs", lanes: false,
      choices: [{ name: "pairs", default: "1", about: "pairs that play at once" }],
    },
    { name: "timers", about: "sleepers, and how late they wake", source: "bench/src/scenario/timers.rs", lanes: false, choices: [] },
    {
      name: "fairness", about: "bystanders beside hogs, here and on a model without preemption", source: "bench/src/scenario/fairness.rs",
      lanes: true,
      choices: [
        { name: "hogs", default: "8", about: "processes that compute all the time" },
        { name: "bystanders", default: "8", about: "processes that sleep and wake" },
        { name: "kind", default: "native", about: "what the hogs are: native or guest" },
        { name: "priority", default: "normal", about: "of the bystanders: low, normal or high" },
      ],
    },
  ],
};
