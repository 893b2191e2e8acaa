//! Where the nodes of the supervision tree stand: depth to the right, one line a process. Pure.

import type { TreeItem } from "../../protocol.ts";

export interface Spot {
  item: TreeItem;
  depth: number;
  line: number;
  /** The line of the supervisor; `null` at a root. */
  parentLine: number | null;
}

/**
 * Depth first, children in the order in which the node lists them. An item whose supervisor is not in the list, which
 * may have been cut, is a root; a circle, which should not be, is cut where it is met.
 */
export function layout(items: readonly TreeItem[], max: number): Spot[] {
  const known = new Set(items.map((item) => item.pid));
  const children = new Map<string | null, TreeItem[]>();
  for (const item of items) {
    const parent = item.parent !== null && known.has(item.parent) ? item.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), item]);
  }
  const spots: Spot[] = [];
  const placed = new Set<string>();
  const place = (item: TreeItem, depth: number, parentLine: number | null): void => {
    if (spots.length >= max || placed.has(item.pid)) return;
    placed.add(item.pid);
    const line = spots.length;
    spots.push({ item, depth, line, parentLine });
    for (const child of children.get(item.pid) ?? []) place(child, depth + 1, line);
  };
  for (const root of children.get(null) ?? []) place(root, 0, null);
  for (const item of items) place(item, 0, null);
  return spots;
}
