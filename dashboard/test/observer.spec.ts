//! The observer in a browser, and what surrounds all views.

import { expect, open, test } from "./browser.ts";

test("every view opens from the navigation", async ({ page }) => {
  await open(page, "observer");
  for (const view of ["bench", "fairness", "lab", "observer"]) {
    await page.getByTestId(`nav-${view}`).click();
    await expect(page.getByTestId(`nav-${view}`)).toHaveAttribute("aria-current", "page");
    await expect(page).toHaveURL(new RegExp(`#/${view}`));
  }
});

test("the observer shows processes, a tree and warnings, and its numbers move", async ({ page }) => {
  await open(page, "observer");
  await expect(page.getByTestId("process-row").first()).toBeVisible();
  await expect(page.getByTestId("tree")).toBeVisible();
  await expect(page.getByTestId("warnings")).toBeVisible();
  for (const list of ["sockets", "wasm", "kv", "streams", "names", "groups"]) {
    await expect(page.getByTestId(`list-${list}`)).toBeVisible();
  }
  await expect(page.getByTestId("alive")).toHaveText(/^\d/);
  const up = page.getByTestId("vitals").locator(".aside");
  const before = await up.textContent();
  await expect(up).not.toHaveText(before ?? "");
});

test("a click on a process shows it, and links lead on", async ({ page }) => {
  await open(page, "observer");
  const row = page.getByTestId("process-row").first();
  const pid = (await row.locator(".pid").textContent()) ?? "";
  // By the keyboard, as a mouse is not everybody's.
  await row.locator(".pid").focus();
  await page.keyboard.press("Enter");
  const detail = page.getByTestId("process-detail");
  await expect(detail.locator("h2 .pid")).toBeVisible();
  await expect(page).toHaveURL(/pid=/);
  expect(pid).toMatch(/^<.+>$/);
  await page.keyboard.press("Escape");
  await expect(detail).toHaveCount(0);
});

test("the table is filtered, sorted and paused", async ({ page }) => {
  await open(page, "observer");
  const rows = page.getByTestId("process-row");
  await expect(rows.first()).toBeVisible();
  await page.getByTestId("process-filter").fill("no process is called so");
  await expect(rows).toHaveCount(0);
  await page.getByTestId("process-filter").fill("");
  await expect(rows.first()).toBeVisible();
  await page.getByLabel("Most").selectOption("memory");
  await page.getByTestId("process-pause").click();
  await expect(page.getByTestId("processes")).toContainText("paused");
  await page.getByTestId("process-pause").click();
  await expect(page.getByTestId("processes")).not.toContainText("paused");
});

test("the theme is toggled, and kept", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "observer");
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  expect(await theme()).toBe("light");
  await page.getByTestId("theme-toggle").click();
  expect(await theme()).toBe("dark");
  await page.reload();
  expect(await theme()).toBe("dark");
});

test("a token in the address is taken out of it", async ({ page }) => {
  await page.goto("#token=abc");
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem("rusm-token"))).toBe("abc");
  expect(page.url()).not.toContain("abc");
});

test("the first thing that the keyboard reaches skips to the content", async ({ page }) => {
  await open(page, "observer");
  await page.keyboard.press("Tab");
  await expect(page.locator(".skip")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
});

test("the first paint is within a second", async ({ page }) => {
  await page.goto("");
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity);
  console.log(`first contentful paint after ${paint.toFixed(0)} ms`);
  expect(paint).toBeLessThan(1000);
});
