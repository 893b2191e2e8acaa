//! Numbers and times as a person reads them. Pure.

const NONE = "–";

function known(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Three digits that matter: `81.0 k`, `1.42 M`, `0.98`. */
export function count(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e12) return value.toExponential(2);
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]] as const) {
    if (size >= unit) {
      const scaled = value / (name === "k" ? 1e3 : unit);
      return `${scaled.toFixed(digits(scaled))} ${name}`;
    }
  }
  return Number.isInteger(value) ? String(value) : value.toFixed(digits(value));
}

function digits(value: number): number {
  const size = Math.abs(value);
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

/** All digits, in groups. */
export function whole(value: number | null | undefined): string {
  return known(value) ? Math.round(value).toLocaleString("en") : NONE;
}

export function bytes(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled.toFixed(unit === 0 ? 0 : digits(scaled))} ${units[unit]}`;
}

/** A span given in microseconds. */
export function micros(value: number | null | undefined): string {
  if (!known(value)) return NONE;
  if (value >= 60e6) return clock(value / 1e6);
  if (value >= 1e6) return `${(value / 1e6).toFixed(digits(value / 1e6))} s`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(digits(value / 1e3))} ms`;
  return `${value.toFixed(digits(value))} µs`;
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function percent(share: number | null | undefined): string {
  return known(share) ? `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %` : NONE;
}

/** Jain's index and other shares near one. */
export function index(value: number | null | undefined): string {
  return known(value) ? value.toFixed(3) : NONE;
}

/** A share of all wake-ups as a percentile: `p99.9`. */
export function percentile(share: number): string {
  return `p${Number((share * 100).toFixed(4))}`;
}
