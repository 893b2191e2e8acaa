//! The page's one animation loop. Charts draw here, outside React, and only when their numbers have changed.

import { useEffect, useRef } from "react";

type Painter = () => void;

const painters = new Set<Painter>();
let running = false;

function loop(): void {
  for (const paint of painters) paint();
  running = painters.size > 0;
  if (running) requestAnimationFrame(loop);
}

/** Calls `paint` once a frame for as long as the component is there. Painters look first whether anything is new. */
export function usePainter(paint: Painter): void {
  const current = useRef(paint);
  current.current = paint;
  useEffect(() => {
    const painter = () => current.current();
    painters.add(painter);
    if (!running) {
      running = true;
      requestAnimationFrame(loop);
    }
    return () => {
      painters.delete(painter);
    };
  }, []);
}
