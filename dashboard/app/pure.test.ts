//! The small pure parts: formats, colours, knobs, pictures, files, tree and surface.

import { expect, test } from "bun:test";
import { FINISHED, HELLO, SWEEP } from "../test/frames.ts";
import { cividis, CIVIDIS_PIXELS } from "./colours.ts";
import { bytes, clock, count, micros, percent, percentile } from "./format.ts";
import { knob, placeOf, scale } from "./knobs.ts";
import { csv, curvePlot, html, json, seriesPlot } from "./report.ts";
import { layout } from "./views/observer/layout.ts";
import { share, surface } from "./views/lab/surface.ts";

test("numbers are short, and what is not known is a dash", () => {
  const cases: [string, string][] = [
    [count(0), "0"], [count(9999), "9999"], [count(81_000), "81.0 k"], [count(1_420_000), "1.42 M"], [count(0.5), "0.50"],
    [count(null), "–"], [count(NaN), "–"], [bytes(512), "512 B"], [bytes(9_000_000), "8.58 MiB"], [bytes(undefined), "–"],
    [micros(1.2), "1.20 µs"], [micros(1500), "1.50 ms"], [micros(2_500_000), "2.50 s"], [micros(61e6), "1:01"],
    [clock(3661), "1:01:01"], [percent(0.5), "50 %"], [percent(0.012), "1.2 %"], [percentile(0.999), "p99.9"], [percentile(0), "p0"],
  ];
  for (const [got, expected] of cases) expect(got).toBe(expected);
});

test("cividis goes from dark to bright without a step back", () => {
  const light = (share: number) => {
    const [red, green, blue] = cividis(share);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let step = 1; step < 256; step += 1) expect(light(step / 255)).toBeGreaterThanOrEqual(light((step - 1) / 255) - 0.5);
  expect(CIVIDIS_PIXELS[0]).toBe(0xff4e2200);
  expect(cividis(7)).toEqual(cividis(1));
});

test("each place of a slider stands for a value of its own, and each value finds its place", () => {
  for (const [low, high] of [[10, 1e6], [1, 16], [100, 1e5], [1, 1]] as const) {
    const values = scale(low, high);
    expect([values[0], values.at(-1)]).toEqual([low, high]);
    values.forEach((value, place) => {
      expect(placeOf(value, values)).toBe(place);
      if (place > 0) expect(value).toBeGreaterThan(values[place - 1]!);
    });
  }
  expect(placeOf(0, scale(10, 1000))).toBe(0);
});

test("a field is set as its name or its value says", () => {
  const field = (name: string, value: string) => knob({ field: name, value, default: value, live: true });
  expect(field("steal", "half")).toMatchObject({ kind: "words", words: ["half", "one", "off"] });
  expect(field("hand_off", "true").kind).toBe("words");
  expect(field("tick", "1000")).toMatchObject({ kind: "slider", unit: "µs" });
  expect(field("news", "50")).toMatchObject({ kind: "slider", low: 1, high: 5000 });
  expect(field("news", "text").kind).toBe("text");
});

test("a file of runs holds what was measured, and no formula", () => {
  const table = csv([{ ...FINISHED, settings: { kind: 'a,"b"' }, unit: "=1+1" }]);
  expect(table.split("\n")[1]).toBe(`3,fairness,1,"kind=a,""b"" seed=1",'=1+1,,1`);
  expect(table).toContain("latency in us by share,0.99,30");
  expect(JSON.parse(json([FINISHED], HELLO.node)).runs[0].id).toBe(3);
});

test("a report escapes what came from the node, and says when numbers are made up", () => {
  const evil = { ...FINISHED, scenario: "</script><script>alert(1)</script>" };
  const page = html([evil], { ...HELLO.node, name: "synthetic" });
  expect(page).not.toContain("<script>alert");
  expect(page).toContain("Made-up numbers");
  expect(page).not.toMatch(/(src|href)=/);
  const data = /id="data">(.*)<\/script>/.exec(page)?.[1] ?? "";
  expect(JSON.parse(data).runs[0].scenario).toBe(evil.scenario);
});

test("a picture has a line for each run, and one of nothing says so", () => {
  const two = seriesPlot([FINISHED, { ...FINISHED, id: 4 }], "light", 600);
  expect(two.match(/stroke-linejoin/g)?.length).toBe(2);
  expect(two).toContain("Throughput over time, turns/s");
  expect(two).not.toContain("NaN");
  const none = curvePlot([{ ...FINISHED, curve: [] }], "dark", 600);
  expect(none).toContain("Nothing was measured");
  expect(none).not.toContain("NaN");
  expect(curvePlot([FINISHED], "dark", 600)).toContain(">p90<");
});

test("the tree is drawn depth first; orphans are roots and circles are cut", () => {
  const item = (pid: string, parent: string | null) => ({ pid, parent, id: null, name: null, kind: "worker", state: "running" });
  const spots = layout([item("a", null), item("b", "a"), item("d", "gone"), item("c", "b"), item("x", "y"), item("y", "x")], 10);
  expect(spots.map((it) => `${it.item.pid}${it.depth}`)).toEqual(["a0", "b1", "c2", "d0", "x0", "y1"]);
  expect(spots[2]?.parentLine).toBe(1);
  expect(layout([item("a", null), item("b", "a")], 1).length).toBe(1);
});

test("a surface has the first axis across, the second upwards and a sheet for each setting of the others", () => {
  const point = (a: string, b: string, c: string, median: number) => ({
    settings: { a, b, c }, runs: 1, unit: "u", min: median, median, max: median, figures: {},
  });
  const found = surface({ axes: { a: ["1", "2"], b: ["x", "y"], c: ["p", "q"] }, points: [point("1", "x", "p", 5), point("2", "y", "q", 9)] });
  expect(found.sheets.map((it) => it.title)).toEqual(["c=p", "c=q"]);
  expect(found.sheets[0]?.rows[1]?.[0]?.point.median).toBe(5);
  expect(found.sheets[1]?.rows[0]?.[1]?.number).toBe(1);
  expect([share(found, 5), share(found, 9)]).toEqual([0, 1]);
  const one = surface(SWEEP);
  expect([one.y, one.sheets.length, one.sheets[0]?.rows[0]?.[1]]).toEqual([null, 1, null]);
});
