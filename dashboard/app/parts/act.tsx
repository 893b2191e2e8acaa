//! Buttons that act on the node: disabled with the reason where the page may not act.

import { type ReactNode, useEffect, useState } from "react";
import { actsRefused } from "../state.ts";
import { useStore } from "../store.ts";
import { TokenForm } from "./token.tsx";

interface Props {
  children: ReactNode;
  onClick: () => void;
  kind?: "primary" | "danger";
  testid?: string;
  /** A reason of its own for which the button does nothing now. */
  unless?: string | null;
}

export function ActButton({ children, onClick, kind, testid, unless }: Props) {
  const refused = useStore(actsRefused) ?? unless ?? null;
  return (
    <button
      type="button" className={`button ${kind ?? ""}`} data-testid={testid}
      disabled={refused !== null} title={refused ?? undefined} onClick={onClick}
    >
      {children}
    </button>
  );
}

/** The reason as text, as a disabled button shows no title to a keyboard; and the way out of it. */
export function ActNote() {
  const refused = useStore(actsRefused);
  const reads = useStore((state) => state.connection.phase === "open");
  if (refused === null) return null;
  return (
    <div className="note" data-testid="act-refused">
      <p>{refused}</p>
      {reads && <TokenForm button="Use it" />}
    </div>
  );
}

/** Asks once more: what it does cannot be undone. */
export function SureButton({ children, sure, onClick, testid }: Omit<Props, "kind"> & { sure: string }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), 4000);
    return () => clearTimeout(timer);
  }, [asked]);
  const click = () => {
    setAsked(!asked);
    if (asked) onClick();
  };
  return (
    <ActButton kind="danger" testid={testid} onClick={click}>{asked ? sure : children}</ActButton>
  );
}
