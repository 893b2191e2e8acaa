//! Which sections a view asks of the node while it is looked at. Nobody asks for any between two views.

import { useEffect } from "react";
import type { SectionName } from "./protocol.ts";
import { wantSections } from "./socket.ts";

/** These sections come for as long as the component is there. */
export function useSections(...sections: SectionName[]): void {
  // A new array with the same names in it is no news.
  const names = sections.join();
  useEffect(() => {
    wantSections(sections);
    return () => wantSections([]);
  }, [names]);
}
