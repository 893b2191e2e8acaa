//! Numbers that look like chance and are the same each time.

/** From 0 to 1, by two numbers. */
export function noise(a: number, b = 0): number {
  let bits = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 7, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}

/** Around 1, as far as `spread` to either side. */
export function around(a: number, b: number, spread: number): number {
  return 1 + (noise(a, b) - 0.5) * 2 * spread;
}

export interface Made {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
}

/** Quantiles of something that usually takes `typical` microseconds. */
export function quantiles(typical: number, count: number, seed: number): Made {
  const at = (factor: number, salt: number) => typical * factor * around(seed, salt, 0.2);
  const p999 = at(14, 4);
  return { count, p50: at(1, 1), p95: at(2.6, 2), p99: at(5.5, 3), p999, max: p999 * (1.2 + noise(seed, 5)) };
}
