//! Bench, fairness and laboratory in a browser: everything is run once, for a short time.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { expect, idle, open, runOnce, test } from "./browser.ts";

/** A scenario that all laboratories have. */
const SCENARIO = "ping-pong";

async function downloaded(page: Page, button: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(button).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

test("a scenario runs, and its numbers are shown", async ({ page }) => {
  await open(page, "bench");
  await page.getByTestId("scenario-select").selectOption(SCENARIO);
  await expect(page.locator(".source")).toContainText("bench/src/scenario/");
  await runOnce(page, "1");
  await expect(page.getByTestId("throughput")).toHaveText(/^\d/);
  await expect(page).toHaveURL(new RegExp(`scenario=${SCENARIO}`));
});

test("a run can be stopped", async ({ page }) => {
  await open(page, `bench?scenario=${SCENARIO}&seconds=30`);
  await idle(page);
  await page.getByTestId("run-button").click();
  await expect(page.getByTestId("stop-button")).toBeEnabled();
  await page.getByTestId("stop-button").click();
  await expect(page.getByTestId("run-state")).toHaveAttribute("data-state", "stopped");
});

test("two finished runs are laid over each other and saved in four forms", async ({ page }) => {
  await open(page, `bench?scenario=${SCENARIO}`);
  await runOnce(page, "1");
  await runOnce(page, "1");
  await expect(page.getByTestId("run-row").nth(1)).toBeVisible();
  await page.getByTestId("choose-b").nth(1).check();
  await expect(page.getByTestId("overlay").locator("svg")).toHaveCount(2);
  await expect(page.getByTestId("overlay")).toContainText("B: run");
  const json = await downloaded(page, "export-json");
  expect(JSON.parse(json.bytes.toString()).runs.length).toBe(2);
  const csv = await downloaded(page, "export-csv");
  expect(csv.bytes.toString()).toContain("run,scenario,seed");
  const png = await downloaded(page, "export-png");
  expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
  const html = await downloaded(page, "export-html");
  expect(html.name).toMatch(/\.html$/);
  expect(html.bytes.toString()).toContain("<svg");
});

test("a permalink brings settings and seed, and says when it is from elsewhere", async ({ page }) => {
  await open(page, `bench?scenario=${SCENARIO}&seconds=2&seed=77&set.pairs=3&commit=elsewhere`);
  await expect(page.getByTestId("seed")).toHaveValue("77");
  await expect(page.getByTestId("choice-pairs")).toHaveValue("3");
  await expect(page.getByTestId("origin-note")).toContainText("elsewhere");
});

test("the profile is chosen on the dial", async ({ page }) => {
  await open(page, "bench");
  const dial = page.getByTestId("profile-dial");
  for (const profile of ["max", "balanced"]) {
    await dial.getByLabel(profile).click();
    await expect(dial.getByLabel(profile)).toBeChecked();
  }
});

test("fairness shows both sides, and the sliders act while it runs", async ({ page }) => {
  await open(page, "fairness");
  await idle(page);
  await page.getByTestId("seconds").fill("20");
  await page.getByTestId("run-button").click();
  await expect(page.getByTestId("lane").first()).toBeVisible();
  await expect(page.getByTestId("jain-rusm")).toHaveText(/^[01]\.\d/);
  await expect(page.getByTestId("jain-fifo")).toHaveText(/^[01]\.\d/);
  for (const slider of ["slider-budget", "slider-tick"]) {
    const before = Number(await page.getByTestId(slider).inputValue());
    await page.getByTestId(slider).focus();
    for (let press = 0; press < 5; press += 1) await page.keyboard.press("ArrowRight");
    // The node agreed, or the slider would have gone back.
    await page.waitForTimeout(500);
    expect(Number(await page.getByTestId(slider).inputValue())).toBeGreaterThan(before);
    await page.locator(".knob", { has: page.getByTestId(slider) }).getByText("back to").click();
    await expect(page.getByTestId(slider)).toHaveValue(String(before));
  }
  await page.getByTestId("stop-button").click();
  await expect(page.getByTestId("run-state")).toHaveAttribute("data-state", "stopped");
  await expect(page.getByTestId("notice")).toHaveCount(0);
});

/** What the bystanders on our side have done so far, all together. */
async function bystandersDone(page: Page): Promise<number> {
  const texts = await page.locator(".side.rusm li.bystander .bar-done").allTextContents();
  const factors: Record<string, number> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };
  return texts.reduce((sum, text) => {
    const [number, unit = ""] = text.split(/\s/);
    return sum + Number(number) * (factors[unit] ?? NaN);
  }, 0);
}

async function bystandersAdd(page: Page): Promise<number> {
  await page.waitForTimeout(500);
  const before = await bystandersDone(page);
  await page.waitForTimeout(2_000);
  return (await bystandersDone(page)) - before;
}

// The made-up node has no scheduler that could be slowed down.
test("bystanders fall behind when the budget grows, and recover when it shrinks", async ({ page }) => {
  test.skip(!process.env.DASHBOARD_URL, "needs a real node");
  await open(page, "fairness");
  await idle(page);
  await page.getByTestId("choice-kind").fill("reductions");
  await page.getByTestId("choice-hogs").fill("8");
  await page.getByTestId("seconds").fill("30");
  await page.getByTestId("run-button").click();
  await expect(page.locator(".side.rusm li.bystander").first()).toBeVisible();
  const before = await bystandersAdd(page);
  const budget = page.getByTestId("slider-budget");
  await budget.focus();
  await page.keyboard.press("End");
  const behind = await bystandersAdd(page);
  await page.locator(".knob", { has: budget }).getByText("back to").click();
  const recovered = await bystandersAdd(page);
  console.log(`bystanders in 2 s: ${before}, with the greatest budget ${behind}, after it ${recovered}`);
  expect(behind).toBeLessThan(before / 2);
  expect(recovered).toBeGreaterThan(behind * 2);
  await page.getByTestId("stop-button").click();
  await expect(page.getByTestId("run-state")).toHaveAttribute("data-state", "stopped");
});

test("a sweep runs, and its best point and its command are told", async ({ page }) => {
  await open(page, "lab");
  await page.getByTestId("scenario-select").selectOption(SCENARIO);
  await idle(page);
  await page.getByTestId("axis-values-0").fill("100,4000");
  await page.getByTestId("axis-add").click();
  await page.getByTestId("axis-field-1").selectOption("hand_off");
  await page.getByTestId("axis-values-1").fill("true,false");
  await page.getByLabel("Repeats").fill("1");
  await page.getByTestId("seconds").fill("0.2");
  await page.getByTestId("sweep-run").click();
  await expect(page.getByTestId("sweep-state")).toHaveAttribute("data-state", "running");
  await expect(page.getByTestId("best-point")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByTestId("sweep-table").locator("tbody tr")).toHaveCount(4);
  await expect(page.getByTestId("sweep-command")).toContainText(`sweep ${SCENARIO} budget=100,4000 hand_off=true,false repeats=1`);
});
