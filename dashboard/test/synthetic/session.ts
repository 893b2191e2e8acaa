//! One client of the made-up node: what it has selected, and the answers to what it says.

import type { ClientFrame, Row, RowsWanted, SectionName } from "../../app/protocol.ts";
import type { World } from "./world.ts";

type Send = (frame: unknown) => void;
type Asked = ClientFrame & { id?: number };

const LIMITS = { hz_max: 60, rows_max: 1000, frame_bytes_max: 65_536, backlog_bytes_max: 2_097_152 };
/** Steps between ticks of one client are counted in whole steps: 20 a second at most. */
const STEPS_A_SECOND = 20;

export class Session {
  private greeted = false;
  private seq = 0;
  private hz = 10;
  private rows: RowsWanted | null = null;
  private detail: string | null = null;
  private sections: SectionName[] = [];
  private traced: string[] = [];

  constructor(
    private readonly world: World,
    private readonly rights: string[],
    private readonly token: string | null,
    private readonly send: Send,
    private readonly close: () => void,
  ) {}

  receive(text: string): void {
    const frame = JSON.parse(text) as Asked;
    if (!this.greeted) return this.greet(frame as { type: string; token?: string });
    const error = this.refusal(frame);
    if (error) return this.send({ type: "error", id: frame.id ?? null, ...error, fatal: false });
    const result = this.obey(frame);
    if (frame.id !== undefined) this.send({ type: "done", id: frame.id, result });
  }

  private greet(frame: { type: string; token?: string }): void {
    if (this.token !== null && frame.token !== this.token) {
      this.send({ type: "error", id: null, code: "not_allowed", message: "the token is missing or wrong", fatal: true });
      return this.close();
    }
    this.greeted = true;
    this.send({
      type: "hello", protocol: 1,
      node: {
        name: "synthetic", version: "0.1.0", os_pid: 1, started_unix_ms: 0, workers: 4, cpus: 4, cpu: "made up", os: "none",
      },
      rights: this.rights, config: this.world.config, lab: this.world.labInfo, limits: LIMITS,
    });
  }

  private refusal(frame: Asked): { code: string; message: string } | null {
    const reads = ["set_observer_detail", "select"].includes(frame.type);
    if (!reads && !this.rights.includes("act")) return { code: "not_allowed", message: "this needs the right to act" };
    const starts = frame.type === "run" || frame.type === "sweep";
    if (starts && this.world.lab.busy) return { code: "busy", message: "the laboratory is running something" };
    if (frame.type === "kill" && !this.world.process(frame.pid)) {
      return { code: "unknown_process", message: `there is no process ${frame.pid}: it has ended, or never was` };
    }
    return null;
  }

  private obey(frame: Asked): Record<string, unknown> | null {
    const { world } = this;
    switch (frame.type) {
      case "set_observer_detail":
        this.hz = frame.hz;
        return null;
      case "select":
        return this.select(frame);
      case "run":
        return { run: world.lab.startRun(frame.scenario, frame.settings, frame.seconds, frame.seed) };
      case "sweep":
        return { sweep: world.lab.startSweep(frame) };
      case "stop":
        world.lab.stop();
        return null;
      case "set_resource_profile":
        world.lab.profile = frame.profile;
        return null;
      case "set_config":
        world.setConfig(frame.field, frame.value);
        return null;
      case "kill":
        world.kill(frame.pid);
        return null;
      case "trace":
        this.traced = frame.pids;
        return null;
    }
  }

  private select(frame: Extract<ClientFrame, { type: "select" }>): null {
    if (frame.rows !== undefined) {
      this.rows = frame.rows;
      this.sendRows();
    }
    if (frame.detail !== undefined) {
      this.detail = frame.detail;
      this.sendDetail();
    }
    if (frame.sections !== undefined) {
      this.sections = frame.sections;
      this.sendSections();
    }
    return null;
  }

  step(): void {
    if (!this.greeted) return;
    const { steps } = this.world;
    if (this.hz > 0 && steps % Math.max(1, Math.round(STEPS_A_SECOND / this.hz)) === 0) this.send(this.world.tick(++this.seq));
    if (steps % 10 === 0) {
      this.sendRows();
      this.sendDetail();
    }
    if (steps % 20 === 0) this.sendSections();
    if (this.traced.length > 0 && steps % 2 === 0) this.send({ type: "trace", dropped: 0, events: this.world.trace(this.traced) });
  }

  private sendRows(): void {
    if (!this.rows) return;
    const { by, window, limit, filter } = this.rows;
    const all = this.world.pids().flatMap((pid) => this.world.process(pid) ?? []);
    const matched = all.filter((row) => [row.pid, row.name, row.body, row.state].some((text) => text?.includes(filter)));
    const rows = matched.sort((a, b) => rank(b, by, window) - rank(a, by, window)).slice(0, limit);
    this.send({ type: "rows", at: this.world.at, by, window, filter, alive: all.length, matched: matched.length, rows });
  }

  private sendDetail(): void {
    if (this.detail === null) return;
    const row = this.world.process(this.detail);
    const more = {
      label: "clerk ada", traps_exits: false, supervisor: "<0.1.1>",
      oldest: { from: null, text: "5 bytes \"order\"" }, links: row?.parent ? [row.parent] : [], monitors: ["<0.3.1>"], monitored_by: ["<0.1.1>"],
      aliases: 0, last_call: row?.body === "guest oven" ? "rusm receive" : null, answered: true,
    };
    this.send({ type: "detail", at: this.world.at, pid: this.detail, process: row && { ...row, ...more } });
  }

  private sendSections(): void {
    for (const section of this.sections) {
      const items = this.items(section);
      this.send({ type: "snapshot", at: this.world.at, section, total: items.length, items });
    }
  }

  private items(section: SectionName): unknown[] {
    const { world } = this;
    const members = (name: string) => world.pids().filter((pid) => world.process(pid)?.groups.includes(name));
    switch (section) {
      case "names":
        return world.pids().slice(0, 6).map((pid) => ({ name: world.process(pid)?.name ?? "", pid }));
      case "groups":
        return ["workers", "listeners", "ovens"].map((name) => ({ name, pids: members(name), members: members(name).length }));
      case "tree":
        return world.tree();
      case "sockets":
        return [{ kind: "http", address: "127.0.0.1:4000", open: 12 }, { kind: "tcp", address: "127.0.0.1:4001", open: 3 }];
      case "wasm":
        return [{ component: "oven", instances: 70 }];
      case "kv":
        return [
          { kind: "file", name: "data/app.redb", keys: null, bytes: 1_589_248 }, { kind: "bucket", name: "stock", keys: 12, bytes: 3400 },
          { kind: "bucket", name: "events", keys: 2_000_000, bytes: null },
        ];
      case "streams":
        return [
          { writer: "<0.2.1>", reader: "<0.3.1>", state: "open", waits: "writer", waiting: 262_144, capacity: 262_144, passed: 9e6 },
          { writer: null, reader: "<0.2.1>", state: "offered", waits: null, waiting: 0, capacity: 1000, passed: 0 },
        ];
      case "warnings":
        return world.warnings();
      case "runs":
        return world.lab.finished;
      case "config":
        return world.config;
    }
  }
}

function rank(row: Row, by: RowsWanted["by"], window: boolean): number {
  switch (by) {
    case "reductions":
      return window ? row.reductions_window : row.reductions;
    case "cpu":
      return (window ? row.cpu_window : row.cpu) ?? 0;
    case "memory":
      return row.memory_bytes;
    case "mailbox":
      return row.mailbox;
  }
}
