/**
 * Who shares which namespace with whom, for many at once: a row each, a column a kind.
 *
 * Knows: equal inodes are one namespace, shown as the same letter and colour; the machine's are hollow.
 * Does not know: what a namespace isolates.
 */
import type { NamespaceName, World } from '@slipway/journal';
import { type CSSProperties, useMemo } from 'react';
import { KindMark } from '../base/controls.tsx';
import { visible } from '../base/format.ts';
import { NAMESPACE_KINDS } from '../base/kinds.ts';
import type { Selection } from '../base/selection.ts';
import type { Subject } from './model.ts';

export function NamespaceMatrix(props: {
  readonly world: World;
  readonly subjects: readonly Subject[];
  readonly container: string | undefined;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}) {
  const { world, subjects } = props;
  const machine = world.processes.find((entry) => entry.fact.pid === 1)?.fact.namespaces ?? {};
  const groups = useMemo(() => sharedGroups(subjects), [subjects]);
  return (
    <div className="scroll ns-matrix-box">
      <table className="ns-matrix">
        <caption className="sr-only">Namespaces of containers and of processes with namespaces of their own</caption>
        <thead>
          <tr>
            <th scope="col">container or process</th>
            {NAMESPACE_KINDS.map((kind) => (
              <th key={kind.name} scope="col" title={kind.isolates}>
                <KindMark letter={kind.letter} color={kind.color} title={kind.title} /> {kind.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="machine">
            <th scope="row">the machine</th>
            {NAMESPACE_KINDS.map((kind) => (
              <td key={kind.name}>
                <span className="num cell machine">{machine[kind.name] ?? '—'}</span>
              </td>
            ))}
          </tr>
          {subjects.map((subject) => (
            <tr key={subject.key} className={props.container !== undefined && subject.container === props.container ? 'related' : ''}>
              <th scope="row">
                <button
                  type="button"
                  className="plain-link"
                  onClick={() =>
                    props.onSelect(
                      subject.container === undefined
                        ? { kind: 'process', pid: subject.process.fact.pid, startTime: subject.process.fact.startTime }
                        : { kind: 'container', id: subject.container },
                    )
                  }
                >
                  {visible(subject.label)}
                </button>
              </th>
              {NAMESPACE_KINDS.map(({ name, title, color }) => (
                <td key={name}>
                  <Cell
                    inode={subject.process.fact.namespaces[name]}
                    machine={machine[name]}
                    group={groups.get(`${name}:${subject.process.fact.namespaces[name]}`)}
                    {...{ name, title, color }}
                    selected={props.selection?.kind === 'namespace' && props.selection.inode === subject.process.fact.namespaces[name]}
                    onSelect={props.onSelect}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell(props: {
  readonly inode: number | undefined;
  readonly machine: number | undefined;
  readonly group: string | undefined;
  readonly name: NamespaceName;
  readonly title: string;
  readonly color: string;
  readonly selected: boolean;
  readonly onSelect: (selection: Selection) => void;
}) {
  const { inode, name } = props;
  if (inode === undefined) return <span className="cell none">—</span>;
  const shared = inode === props.machine;
  return (
    <button
      type="button"
      className={`cell num ${shared ? 'machine' : 'own'} ${props.selected ? 'selected' : ''}`}
      style={{ '--kind': props.color } as CSSProperties}
      onClick={() => props.onSelect({ kind: 'namespace', name, inode })}
    >
      <span className="sr-only">
        {props.title} namespace {inode}
      </span>
      <span aria-hidden={!shared}>{shared ? 'machine’s' : `…${String(inode).slice(-4)}`}</span>
      {props.group && !shared ? <sup>{props.group}</sup> : null}
    </button>
  );
}

/** Namespaces that several subjects share get a letter each: a, b, c … */
function sharedGroups(subjects: readonly Subject[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const subject of subjects) {
    for (const { name } of NAMESPACE_KINDS) {
      const key = `${name}:${subject.process.fact.namespaces[name]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const several = [...counts].filter(([, count]) => count > 1).map(([key]) => key);
  return new Map(several.map((key, index) => [key, String.fromCodePoint(97 + (index % 26))]));
}
