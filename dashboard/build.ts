//! Bundles the page into `dist/`: four files with fixed names, no source map, nothing from elsewhere. Fails when it grows.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** What the whole page may weigh over a wire. */
const GZIPPED_MAX = 250_000;

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
const built = await Bun.build({
  entrypoints: ["app/main.tsx"],
  outdir: "dist",
  naming: "app.[ext]",
  target: "browser",
  format: "iife",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
});
for (const log of built.logs) console.error(log);
if (!built.success) process.exit(1);
for (const name of ["index.html", "favicon.svg"]) copyFileSync(`app/${name}`, `dist/${name}`);

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
