//! The browser tests: against DASHBOARD_URL, or against the made-up node, which is started for them.
//! CHROMIUM is the browser to use; none is downloaded.

import { defineConfig } from "@playwright/test";

const given = process.env.DASHBOARD_URL;
const port = 4399;

export default defineConfig({
  testDir: "test",
  // One node is looked at by all tests, and has one laboratory.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    baseURL: given ?? `http://127.0.0.1:${port}/`,
    viewport: { width: 1280, height: 800 },
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
  ...(given ? {} : { webServer: { command: `PORT=${port} bun test/synthetic.ts`, url: `http://127.0.0.1:${port}/` } }),
});
