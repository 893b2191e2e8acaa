//! A titled part of a view, and small pieces that many views use.

import type { ReactNode } from "react";

interface Props {
  title: string;
  /** One sentence for who sees this for the first time. */
  about?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  testid?: string;
  wide?: boolean;
}

export function Panel({ title, about, aside, children, testid, wide }: Props) {
  return (
    <section className={`panel${wide ? " wide" : ""}`} data-testid={testid} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {about && <p className="about">{about}</p>}
        {aside && <div className="aside">{aside}</div>}
      </header>
      <div className="body">{children}</div>
    </section>
  );
}

export function Figure({ label, value, testid }: { label: string; value: string; testid?: string }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd className="num" data-testid={testid}>{value}</dd>
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
