//! Bundles the page into `dist/`: four files with fixed names, no source map, nothing from elsewhere. Fails when it grows.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** What the whole page may weigh over a wire. */
const GZIPPED_MAX = 250_000;

const fresh = mkdtempSync(join(tmpdir(), "dashboard-"));
const built = await Bun.build({
  entrypoints: ["app/main.tsx"],
  outdir: fresh,
  naming: "app.[ext]",
  target: "browser",
  format: "iife",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
});
for (const log of built.logs) console.error(log);
if (!built.success) process.exit(1);
for (const name of ["index.html", "favicon.svg"]) copyFileSync(`app/${name}`, join(fresh, name));
// A file that is the same stays as it is: a new date would have the programs that embed it built again.
mkdirSync("dist", { recursive: true });
for (const name of readdirSync("dist")) if (!existsSync(join(fresh, name))) rmSync(`dist/${name}`);
for (const name of readdirSync(fresh)) {
  const [from, to] = [join(fresh, name), `dist/${name}`];
  if (!existsSync(to) || !readFileSync(to).equals(readFileSync(from))) copyFileSync(from, to);
}
rmSync(fresh, { recursive: true });

let total = 0;
for (const name of readdirSync("dist").sort()) {
  const bytes = readFileSync(`dist/${name}`);
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  total += gzipped;
  console.log(`${name.padEnd(12)} ${String(bytes.length).padStart(8)} bytes ${String(gzipped).padStart(8)} gzipped`);
}
console.log(`${"total".padEnd(27)} ${String(total).padStart(8)} gzipped, of ${GZIPPED_MAX} allowed`);
if (total > GZIPPED_MAX) {
  console.error("The page is too large. Find what made it grow with `bun build --analyze`, or argue for a new limit.");
  process.exit(1);
}
