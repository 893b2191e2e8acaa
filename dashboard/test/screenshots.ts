//! Pictures of every view, wide and narrow, light and dark: for the documents, and to look at after a change.
//!
//! DASHBOARD_URL=http://127.0.0.1:4321/ OUT=../docs/images bun test/screenshots.ts

import { mkdirSync, statSync } from "node:fs";
import { chromium, type Page } from "@playwright/test";

const URL = process.env.DASHBOARD_URL ?? "http://127.0.0.1:4321/";
const OUT = process.env.OUT ?? "../docs/images";
const BYTES_MAX = 200_000;
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } };
const only = process.argv.slice(2);

mkdirSync(OUT, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Brings a view to where there is something to see. */
const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  observer: async (page) => page.waitForTimeout(6000),
  detail: async (page) => {
    await page.goto(`${URL}#/observer`);
    await page.getByTestId("process-row").first().locator("a").click();
    await page.waitForTimeout(1500);
  },
  bench: async (page) => {
    for (const seconds of ["2", "3"]) {
      await page.getByTestId("seconds").fill(seconds);
      await page.getByTestId("run-button").click();
      await page.locator("[data-testid=run-state][data-state=running]").waitFor({ timeout: 20_000 });
      await page.locator("[data-testid=run-state][data-state=ended]").waitFor({ timeout: 20_000 });
      await page.waitForTimeout(1300);
    }
    await page.getByTestId("choose-b").nth(1).check();
  },
  fairness: async (page) => {
    await page.getByTestId("run-button").click();
    await page.waitForTimeout(6000);
  },
  lab: async (page) => {
    await page.getByTestId("axis-add").click();
    await page.getByTestId("axis-field-1").selectOption("tick");
    await page.getByTestId("axis-values-1").fill("250,1000,4000");
    await page.getByTestId("sweep-run").click();
    await page.getByTestId("best-point").waitFor({ timeout: 60_000 });
  },
};

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [view, prepare] of Object.entries(VIEWS)) {
      const name = `dashboard-${view}-${size}-${colorScheme}`;
      if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
      const page = await browser.newPage({ viewport, colorScheme });
      page.on("console", (message) => message.type() === "error" && console.error(`${name}: ${message.text()}`));
      page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
      await page.goto(`${URL}#/${view}`);
      await page.locator("[data-testid=connection-state][data-phase=open]").waitFor();
      await prepare(page);
      await page.evaluate(() => scrollTo(0, 0));
      const path = `${OUT}/${name}.png`;
      const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(1000, await page.evaluate(() => document.body.scrollHeight)) };
      await page.screenshot({ path, ...(view === "detail" ? {} : { fullPage: true, clip }) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      const bytes = statSync(path).size;
      console.log(`${name}.png ${bytes} bytes${wide > viewport.width ? `, ${wide} px wide: TOO WIDE` : ""}${bytes > BYTES_MAX ? ": TOO LARGE" : ""}`);
      const stop = page.getByTestId("stop-button");
      if ((await stop.count()) > 0 && (await stop.isEnabled())) await stop.click();
      await page.close();
    }
  }
}
await browser.close();
