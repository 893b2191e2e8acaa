//! The page's colours for data: lines from Okabe and Ito, areas from cividis. Both can be told apart by colour-blind
//! readers, and a line has a dash as well: nothing is said by colour alone.

export type Theme = "light" | "dark";

interface Ink {
  light: string;
  dark: string;
  dash: number[];
}

/** Okabe-Ito, without the yellow that vanishes on paper; each darkened or lightened until it stands out. */
const INKS: readonly Ink[] = [
  { light: "#0072b2", dark: "#56b4e9", dash: [] },
  { light: "#d55e00", dark: "#ee8a3c", dash: [7, 4] },
  { light: "#00825f", dark: "#2bbd93", dash: [2, 3] },
  { light: "#a8557f", dark: "#d893ba", dash: [10, 3, 2, 3] },
  { light: "#9a6a00", dark: "#e6b23c", dash: [4, 2] },
];

export function ink(number: number, theme: Theme): string {
  return (INKS[number % INKS.length] as Ink)[theme];
}

export function dash(number: number): number[] {
  return (INKS[number % INKS.length] as Ink).dash;
}

/** Nine places of cividis, dark to bright. Between them, straight lines: the eye cannot tell. */
const CIVIDIS: readonly [number, number, number][] = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120], [165, 156, 116],
  [196, 180, 104], [254, 232, 56],
];

/** The colour of a share from 0 to 1. */
export function cividis(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (CIVIDIS.length - 1);
  const below = CIVIDIS[Math.floor(at)] as [number, number, number];
  const above = CIVIDIS[Math.ceil(at)] as [number, number, number];
  const rest = at - Math.floor(at);
  return [0, 1, 2].map((i) => Math.round(below[i]! + (above[i]! - below[i]!) * rest)) as [number, number, number];
}

/** The same in 256 steps, as a canvas stores it: red in the lowest byte on the machines that browsers run on. */
export const CIVIDIS_PIXELS = Uint32Array.from({ length: 256 }, (_, step) => {
  const [red, green, blue] = cividis(step / 255);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});

export function css([red, green, blue]: [number, number, number]): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** Ink that can be read on a place of cividis. */
export function inkOn(share: number): string {
  return share > 0.55 ? "#10141a" : "#ffffff";
}
