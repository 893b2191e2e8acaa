//! A node that makes its numbers up, for work on the page and for its tests. It measures nothing and says so: its name is
//! `synthetic`, for which the page shows a banner. All numbers follow from a count of steps, and not from a clock.
//!
//! PORT=4321 RIGHTS=read LAB=no TOKEN=secret bun test/synthetic.ts

import { Session } from "./synthetic/session.ts";
import { STEP_MS, World } from "./synthetic/world.ts";

const world = new World({ lab: process.env.LAB !== "no" });
const rights = process.env.RIGHTS === "read" ? ["read"] : ["read", "act"];
const token = process.env.TOKEN ?? null;
const sessions = new Set<Session>();

const server = Bun.serve<{ session: Session | null }>({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 4321),
  async fetch(request, server) {
    const path = new URL(request.url).pathname;
    if (path === "/control") {
      return server.upgrade(request, { data: { session: null } }) ? undefined : new Response("not a WebSocket", { status: 400 });
    }
    const name = path === "/" ? "index.html" : path.slice(1);
    if (!/^[a-z]+\.(html|js|css|svg)$/.test(name)) return new Response("not found", { status: 404 });
    const file = Bun.file(`${import.meta.dir}/../dist/${name}`);
    if (!(await file.exists())) return new Response("not found", { status: 404 });
    // As strict as a real server may be: nothing inline, nothing from elsewhere.
    const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";
    return new Response(file, { headers: { "content-security-policy": policy } });
  },
  websocket: {
    open(socket) {
      socket.data.session = new Session(world, rights, token, (frame) => socket.send(JSON.stringify(frame)), () => socket.close());
      sessions.add(socket.data.session);
    },
    message(socket, text) {
      socket.data.session?.receive(String(text));
    },
    close(socket) {
      if (socket.data.session) sessions.delete(socket.data.session);
    },
  },
});

setInterval(() => {
  world.step();
  for (const session of sessions) session.step();
}, STEP_MS);

console.log(`http://127.0.0.1:${server.port}/ (made-up numbers)`);
