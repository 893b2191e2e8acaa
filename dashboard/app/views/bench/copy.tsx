//! A button that copies a text, and says that it did.

import { type ReactNode, useEffect, useState } from "react";
import { type Place, print } from "../../router.ts";

export function Copy({ text, children, testid }: { text: () => string; children: ReactNode; testid?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setSaid("Copied");
    } catch {
      setSaid("The browser refused; copy it by hand");
    }
  };
  return (
    <button type="button" className="button" data-testid={testid} onClick={() => void copy()}>
      <span aria-live="polite">{said ?? children}</span>
    </button>
  );
}

export function CopyLink({ place }: { place: Place }) {
  return <Copy testid="permalink" text={() => location.origin + location.pathname + print(place)}>Copy link</Copy>;
}
