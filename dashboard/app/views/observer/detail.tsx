//! One process, with everything that the node tells of it, and what can be done to it.

import { type ReactNode, useEffect, useRef } from "react";
import { bytes, micros, whole } from "../../format.ts";
import type { Process } from "../../protocol.ts";
import { ActButton, ActNote, SureButton } from "../../parts/act.tsx";
import { Empty } from "../../parts/panel.tsx";
import { act } from "../../socket.ts";
import { useStore } from "../../store.ts";
import { processHref } from "../observer.tsx";
import { StateMark } from "./processes.tsx";

interface Props {
  pid: string;
  traced: boolean;
  trace: () => void;
}

const CLOSED = "#/observer";

export function ProcessDetail({ pid, traced, trace }: Props) {
  const detail = useStore((state) => state.detail);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [pid]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape") location.hash = CLOSED;
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);

  const process = detail?.pid === pid ? detail.process : undefined;
  return (
    <aside className="drawer" data-testid="process-detail" aria-label={`Process ${pid}`}>
      <header>
        <h2 ref={heading} tabIndex={-1}>
          <span className="pid">{pid}</span> {process?.name}
        </h2>
        <a className="button" href={CLOSED} data-testid="detail-close">Close</a>
      </header>
      {process === undefined && <Empty>Asking the node…</Empty>}
      {process === null && <Empty>This process has ended.</Empty>}
      {process && <Fields process={process} now={detail?.at ?? 0} />}
      {process && (
        <div className="form">
          <ActButton onClick={trace} testid="trace-button">{traced ? "Stop the trace" : "Trace"}</ActButton>
          <SureButton sure="Sure? It ends at once" testid="kill-button" onClick={() => void act({ type: "kill", pid })}>Kill</SureButton>
        </div>
      )}
      <ActNote />
    </aside>
  );
}

function Fields({ process, now }: { process: Process; now: number }) {
  return (
    <dl className="fields">
      <Field name="Runs">{process.body}</Field>
      <Field name="Label">{process.label}</Field>
      <Field name="State"><StateMark state={process.state} waitsFor={process.waits_for} /></Field>
      <Field name="For">{process.since === null ? null : micros(now - process.since)}</Field>
      <Field name="Host call">{process.last_call}</Field>
      <Field name="Priority">{process.priority}</Field>
      <Field name="Mailbox">{whole(process.mailbox)}</Field>
      <Field name="Oldest message">{process.oldest?.text}</Field>
      {process.oldest?.from && <Field name="Written by"><Pids pids={[process.oldest.from]} /></Field>}
      <Field name="Reductions">{`${whole(process.reductions)}, ${whole(process.reductions_window)} a second lately`}</Field>
      <Field name="CPU">{process.cpu === null ? null : `${micros(process.cpu)}, ${micros(process.cpu_window)} a second lately`}</Field>
      <Field name="Memory">{bytes(process.memory_bytes)}</Field>
      <Field name="Parent"><Pids pids={process.parent ? [process.parent] : []} /></Field>
      <Field name="Supervisor"><Pids pids={process.supervisor ? [process.supervisor] : []} /></Field>
      <Field name="Links"><Pids pids={process.links} /></Field>
      <Field name="Monitors"><Pids pids={process.monitors} /></Field>
      <Field name="Monitored by"><Pids pids={process.monitored_by} /></Field>
      <Field name="Groups">{process.groups.join(", ")}</Field>
      <Field name="Traps exits">{process.traps_exits ? "yes" : "no"}</Field>
      <Field name="Aliases">{String(process.aliases)}</Field>
      <Field name="Started at">{process.place}</Field>
      {!process.answered && (
        <p className="note">It did not answer within a second: links, monitors and what else only it knows is missing.</p>
      )}
    </dl>
  );
}

function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children || <span className="faint">–</span>}</dd>
    </div>
  );
}

export function Pids({ pids }: { pids: string[] }) {
  if (pids.length === 0) return <span className="faint">none</span>;
  return (
    <span className="pids">
      {pids.map((pid) => <a key={pid} className="pid" href={processHref(pid)}>{pid}</a>)}
    </span>
  );
}
