//! What surrounds every view: navigation, connection, theme, notices.

import { type ReactNode, useEffect, useRef, useState } from "react";
import { TokenForm } from "./parts/token.tsx";
import { SYNTHETIC } from "./protocol.ts";
import { type Place, usePlace, type View } from "./router.ts";
import { connectNow } from "./socket.ts";
import { dispatch, useStore } from "./store.ts";
import { toggleTheme, useTheme } from "./theme.ts";
import { Bench } from "./views/bench.tsx";
import { Fairness } from "./views/fairness.tsx";
import { Lab } from "./views/lab.tsx";
import { Observer } from "./views/observer.tsx";

const VIEWS: { view: View; title: string; Body: (props: { place: Place }) => ReactNode }[] = [
  { view: "observer", title: "Observer", Body: Observer },
  { view: "bench", title: "Bench", Body: Bench },
  { view: "fairness", title: "Fairness", Body: Fairness },
  { view: "lab", title: "Lab", Body: Lab },
];

export function Page() {
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  const frame = useHeight();
  const synthetic = useStore((state) => state.hello?.node.name === SYNTHETIC);
  const current = VIEWS.find((it) => it.view === place.view) as (typeof VIEWS)[number];
  useEffect(() => {
    document.title = `${current.title} · RUSM`;
    scrollTo(0, 0);
  }, [current]);
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => {
        // The address belongs to the views; only the focus moves.
        event.preventDefault();
        main.current?.focus();
      }}>Skip to the content</a>
      <div className="frame" ref={frame}>
        <header className="top">
          <a className="brand" href="#/observer" aria-label="RUSM, observer"><Mark />RUSM</a>
          <nav aria-label="Views">
            {VIEWS.map(({ view, title }) => (
              <a key={view} href={`#/${view}`} data-testid={`nav-${view}`} aria-current={view === place.view ? "page" : undefined}>{title}</a>
            ))}
          </nav>
          <NodeName />
          <ThemeToggle />
        </header>
        {synthetic && (
          <section className="banner" data-testid="synthetic-banner" aria-label="About the numbers">
            <b>Made-up numbers.</b> No program runs behind this page.
          </section>
        )}
        <ConnectionBar />
      </div>
      <main ref={main} id="main" tabIndex={-1}><current.Body place={place} /></main>
      <Notices />
    </>
  );
}

/** Tells the style sheet how high the frame above the views is: the drawer begins below it. */
function useHeight() {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = frame.current as HTMLDivElement;
    const observer = new ResizeObserver(() => {
      document.documentElement.style.setProperty("--frame", `${element.offsetHeight}px`);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return frame;
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <g fill="none" strokeWidth="3.4" strokeLinecap="round">
        <path className="ink0" d="M4 9h15" /><path className="ink1" d="M4 16h8m6 0h10" /><path className="ink2" d="M4 23h4m5 0h11" />
      </g>
    </svg>
  );
}

const SAYS = { connecting: "connecting", open: "connected", waiting: "not connected", refused: "refused" };

function NodeName() {
  const phase = useStore((state) => state.connection.phase);
  const node = useStore((state) => state.hello?.node);
  const target = useStore((state) => state.tick?.target ?? "node");
  return (
    <div className="node">
      {node && <span className="node-name" title={`${node.cpu ?? "unknown processor"}, ${node.cpus} CPUs, ${node.os}, process ${node.os_pid}`}>
        {node.name} {node.version}<small>{node.workers} {node.workers === 1 ? "worker" : "workers"}{target !== "node" && `, numbers of ${target}`}</small>
      </span>}
      <span className={`connection ${phase}`} data-testid="connection-state" data-phase={phase} role="status">{SAYS[phase]}</span>
    </div>
  );
}

function ThemeToggle() {
  const theme = useTheme();
  return (
    <button
      type="button" className="button icon" data-testid="theme-toggle" onClick={toggleTheme}
      aria-label={theme === "dark" ? "Light theme" : "Dark theme"}
    >
      <span aria-hidden="true">{theme === "dark" ? "☀" : "☾"}</span>
    </button>
  );
}

/** Says what is wrong with the connection, and what the page does about it. */
function ConnectionBar() {
  const connection = useStore((state) => state.connection);
  const known = useStore((state) => state.hello !== null);
  if (connection.phase === "waiting") {
    return (
      <div className="bar-note" data-testid="reconnecting">
        <span>{connection.why} {known && "The numbers below are old. "}Trying again <Countdown until={connection.retryAt} />.</span>
        <button type="button" className="button" onClick={connectNow}>Try now</button>
      </div>
    );
  }
  if (connection.phase === "refused") return <Refused code={connection.code} why={connection.why} />;
  return null;
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1000);
  return <>{seconds > 0 ? `in ${seconds} s` : "now"}</>;
}

function Refused({ code, why }: { code: string; why: string }) {
  return (
    <div className="bar-note">
      <span>The node refused: {why}</span>
      {code === "not_allowed" && <TokenForm button="Connect" />}
    </div>
  );
}

function Notices() {
  const notices = useStore((state) => state.notices);
  return (
    <div className="notices" aria-live="assertive">
      {notices.map((it) => (
        <div key={it.number} className={`notice ${it.kind}`} data-testid="notice">
          <span>{it.text}</span>
          <button type="button" className="button" onClick={() => dispatch({ kind: "dismiss", number: it.number })}>Dismiss</button>
        </div>
      ))}
    </div>
  );
}
