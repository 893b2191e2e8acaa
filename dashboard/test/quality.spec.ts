//! What holds for all views: no accessibility rule is broken, nothing is wider than a small phone, and frames are fast.

import { readFileSync } from "node:fs";
import { expect, open, test } from "./browser.ts";

const VIEWS = ["observer", "bench", "fairness", "lab"];
const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

declare global {
  interface Window {
    axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`no accessibility rule is broken in the ${colorScheme} theme`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const view of [...VIEWS, "observer?pid="]) {
      await open(page, view === "observer?pid=" ? "observer" : view);
      // The drawer, with a process that is there.
      if (view === "observer?pid=") await page.getByTestId("process-row").first().locator(".pid").click();
      await page.waitForTimeout(1500);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => window.axe.run());
      const told = violations.map((it) => `${view}: ${it.id}: ${it.nodes.map((node) => `${node.html}\n${node.failureSummary}`).join("\n")}`);
      expect(told).toEqual([]);
    }
  });
}

test("nothing is wider than 360 pixels", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const view of VIEWS) {
    await open(page, view);
    await page.waitForTimeout(1000);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  }
});

for (const view of ["observer", "fairness"]) {
  test(`frames come fast while ticks come twenty times a second: ${view}`, async ({ page }) => {
    await open(page, view);
    if (view === "fairness" && (await page.getByTestId("run-button").isEnabled())) await page.getByTestId("run-button").click();
    await page.waitForTimeout(2000);
    const gaps = await page.evaluate(() => new Promise<number[]>((done) => {
      const gaps: number[] = [];
      const start = performance.now();
      let before = start;
      const frame = (now: number) => {
        gaps.push(now - before);
        before = now;
        if (now - start < 3000) requestAnimationFrame(frame);
        else done(gaps.slice(1).sort((a, b) => a - b));
      };
      requestAnimationFrame(frame);
    }));
    const at = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? Infinity;
    const [median, p95, longest] = [0.5, 0.95, 1].map((share) => `${at(share).toFixed(1)} ms`);
    console.log(`${view}: ${gaps.length} frames in 3 s, median ${median}, p95 ${p95}, longest ${longest}`);
    const stop = page.getByTestId("stop-button");
    if ((await stop.count()) > 0 && (await stop.isEnabled())) await stop.click();
    // Machines that run tests are busy; slower than this the page itself is at fault.
    expect(1000 / at(0.5)).toBeGreaterThan(20);
  });
}
