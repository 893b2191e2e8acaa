//! Light or dark: as the system says, until the reader says otherwise.

import { useSyncExternalStore } from "react";
import type { Theme } from "./colours.ts";

const KEY = "rusm-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function stored(): Theme | null {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : null;
}

export function theme(): Theme {
  return stored() ?? (system.matches ? "dark" : "light");
}

/** Writes the theme where the style sheet looks for it, before the first paint and at each change. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

export function toggleTheme(): void {
  localStorage.setItem(KEY, theme() === "dark" ? "light" : "dark");
  applyTheme();
}

system.addEventListener("change", applyTheme);

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
