//! Nodes that refuse something, have no laboratory or go away. Each is a made-up one of its own, started here.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test as base, type Page } from "@playwright/test";
import { expect } from "./browser.ts";

const test = base;
let nodes: ChildProcess[] = [];

test.afterEach(async () => {
  for (const node of nodes) await end(node);
  nodes = [];
});

/** Starts a node, and returns when it listens. */
async function node(port: number, env: Record<string, string> = {}): Promise<{ url: string; process: ChildProcess }> {
  const child = spawn("node_modules/.bin/bun", ["test/synthetic.ts"], { env: { ...process.env, PORT: String(port), ...env } });
  nodes.push(child);
  await once(child.stdout!, "data");
  return { url: `http://127.0.0.1:${port}/`, process: child };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, "exit");
}

async function phase(page: Page, expected: string): Promise<void> {
  await expect(page.getByTestId("connection-state")).toHaveAttribute("data-phase", expected, { timeout: 15_000 });
}

test("numbers that are made up are said to be", async ({ page }) => {
  const { url } = await node(4401);
  for (const view of ["observer", "bench", "fairness", "lab"]) {
    await page.goto(`${url}#/${view}`);
    await expect(page.getByTestId("synthetic-banner")).toContainText("Made-up numbers");
  }
});

test("who may only read cannot act, and is told why", async ({ page }) => {
  const { url } = await node(4402, { RIGHTS: "read" });
  await page.goto(`${url}#/bench`);
  await expect(page.getByTestId("run-button")).toBeDisabled();
  await expect(page.getByTestId("act-refused")).toContainText("may only read");
  await expect(page.getByTestId("profile-dial").getByRole("radio").first()).toBeDisabled();
  await page.goto(`${url}#/lab`);
  await expect(page.getByTestId("sweep-run")).toBeDisabled();
  await page.goto(`${url}#/observer?pid=%3C0.9.1%3E`);
  await expect(page.getByTestId("kill-button")).toBeDisabled();
});

test("a node without scenarios says how to start one that has them", async ({ page }) => {
  const { url } = await node(4403, { LAB: "no" });
  for (const view of ["bench", "fairness", "lab"]) {
    await page.goto(`${url}#/${view}`);
    await expect(page.getByTestId("no-lab")).toContainText("rusm-bench start");
  }
});

test("a page that was refused asks for the token, and goes on with it", async ({ page }) => {
  const { url } = await node(4404, { TOKEN: "secret" });
  await page.goto(url);
  await phase(page, "refused");
  await page.getByLabel("Token").fill("secret");
  await page.getByRole("button", { name: "Connect" }).click();
  await phase(page, "open");
});

test("the page comes back by itself when the node does", async ({ page }) => {
  const first = await node(4405);
  await page.goto(`${first.url}#/observer`);
  await phase(page, "open");
  await end(first.process);
  await phase(page, "waiting");
  await expect(page.getByTestId("reconnecting")).toContainText("Trying again");
  await node(4405);
  await phase(page, "open");
  await expect(page.getByTestId("reconnecting")).toHaveCount(0);
  await expect(page.getByTestId("process-row").first()).toBeVisible();
});

test("a process is killed at the second click, and traced until it is not", async ({ page }) => {
  const { url } = await node(4406);
  await page.goto(`${url}#/observer?pid=%3C0.9.1%3E`);
  await page.getByTestId("trace-button").click();
  await expect(page.getByTestId("trace").locator("tbody tr").first()).toBeVisible();
  await page.getByTestId("trace-button").click();
  await expect(page.getByTestId("trace")).toHaveCount(0);
  await page.getByTestId("kill-button").click();
  await expect(page.getByTestId("process-detail")).not.toContainText("has ended");
  await page.getByTestId("kill-button").click();
  await expect(page.getByTestId("process-detail")).toContainText("has ended");
});
