//! What the browser tests share: a page that is connected, and fails when the console has an error.

import { test as base, expect, type Page } from "@playwright/test";

export { expect };

/** A page on which any error of the console fails the test. */
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    await use(page);
    expect(errors).toEqual([]);
  },
});

/** Opens a view; TOKEN is the control token of a node that wants one. */
export async function open(page: Page, view: string): Promise<void> {
  const token = process.env.TOKEN;
  if (token) {
    await page.goto(`#token=${encodeURIComponent(token)}`);
    await connected(page);
  }
  await page.goto(`#/${view}`);
  await connected(page);
}

export async function connected(page: Page): Promise<void> {
  await expect(page.getByTestId("connection-state")).toHaveAttribute("data-phase", "open");
}

/** Waits until nothing runs: another test may have left something. */
export async function idle(page: Page): Promise<void> {
  const stop = page.getByTestId("stop-button");
  // The page hears of a run with the first tick.
  await page.waitForTimeout(400);
  if (await stop.isEnabled()) await stop.click();
  await expect(stop).toBeDisabled({ timeout: 30_000 });
}

export async function runOnce(page: Page, seconds: string): Promise<void> {
  await idle(page);
  await page.getByTestId("seconds").fill(seconds);
  await page.getByTestId("run-button").click();
  await expect(page.getByTestId("stop-button")).toBeEnabled();
  await expect(page.getByTestId("stop-button")).toBeDisabled({ timeout: 30_000 });
  await expect(page.getByTestId("run-state")).toHaveAttribute("data-state", "ended");
}
