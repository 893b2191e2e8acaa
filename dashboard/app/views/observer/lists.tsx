//! The short lists: warnings, names, groups, sockets, Wasm components, the store and streams.

import type { ReactNode } from "react";
import { bytes, clock, count } from "../../format.ts";
import type { SectionName, Sections } from "../../protocol.ts";
import { Empty, Panel } from "../../parts/panel.tsx";
import { useStore } from "../../store.ts";
import { processHref } from "../observer.tsx";
import { Pids } from "./detail.tsx";

/** A warning may be about a name, too, and a name may be almost anything. */
const PID = /^<\d+\.\d+\.\d+>$/;

/** Pids that a group shows. The others are counted. */
const MEMBERS_MAX = 8;

export function Warnings() {
  const warnings = useStore((state) => state.warnings);
  return (
    <Panel title="Warnings" wide testid="warnings" aside={<span className="num">{warnings.length || "none"}</span>}>
      {warnings.length === 0 ? <Empty>Nothing that a person should look at.</Empty> : (
        <ul className="warnings">
          {warnings.map((it) => (
            <li key={`${it.kind} ${it.subject}`} data-testid="warning">
              <b><span aria-hidden="true">▲</span> {it.kind}</b>
              {PID.test(it.subject) ? <a className="pid" href={processHref(it.subject)}>{it.subject}</a> : it.subject}
              <span>{it.evidence}</span>
              <small className="num">since {clock(it.since / 1e6)}</small>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

interface ListProps<S extends SectionName> {
  section: S;
  title: string;
  head: [string, string];
  none: string;
  row: (item: Sections[S]) => [ReactNode, ReactNode];
}

function List<S extends SectionName>({ section, title, head, none, row }: ListProps<S>) {
  const items = useStore((state) => state.sections[section]);
  return (
    <Panel title={title} testid={`list-${section}`} aside={items && <span className="num">{count(items.total)}</span>}>
      {!items || items.items.length === 0 ? <Empty>{none}</Empty> : (
        <div className="scroll tall">
          <table>
            <thead><tr><th scope="col">{head[0]}</th><th scope="col" className="right">{head[1]}</th></tr></thead>
            <tbody>
              {items.items.map((item, index) => {
                const [left, right] = row(item);
                return <tr key={index}><td>{left}</td><td className="right">{right}</td></tr>;
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

export const Names = () => (
  <List section="names" title="Names" head={["Name", "Process"]} none="No process has a name."
    row={(it) => [it.name, <Pids pids={[it.pid]} />]} />
);

export const Groups = () => (
  <List section="groups" title="Groups" head={["Group", "Members"]} none="There are no groups."
    row={(it) => [
      it.name,
      <><Pids pids={it.pids.slice(0, MEMBERS_MAX)} />{it.members > MEMBERS_MAX && ` and ${it.members - MEMBERS_MAX} more`}</>,
    ]} />
);

export const Sockets = () => (
  <List section="sockets" title="Sockets" head={["Listens", "Connections"]} none="The node listens nowhere."
    row={(it) => [<>{it.kind} <span className="pid">{it.address}</span></>, <span className="num">{count(it.open)}</span>]} />
);

export const Wasm = () => (
  <List section="wasm" title="Wasm" head={["Component", "Instances"]} none="No component is loaded."
    row={(it) => [it.component, <span className="num">{count(it.instances)}</span>]} />
);

export const Kept = () => (
  <List section="kv" title="Store" head={["Bucket", "Keys and bytes"]} none="The node keeps no store."
    row={(it) => [
      it.kind === "file" ? <span className="faint">{it.name}</span> : it.name,
      <span className="num">{it.kind === "bucket" && `${count(it.keys)} keys, `}{bytes(it.bytes)}</span>,
    ]} />
);

export const Streams = () => (
  <List section="streams" title="Streams" head={["From and to", "Waiting bytes"]} none="No streams are open."
    row={(it) => [
      <><Pids pids={it.writer ? [it.writer] : []} /> to <Pids pids={it.reader ? [it.reader] : []} />, {it.state}{it.waits && `, ${it.waits} waits`}</>,
      <span className="num">{bytes(it.waiting)} of {bytes(it.capacity)}, {bytes(it.passed)} read</span>,
    ]} />
);
