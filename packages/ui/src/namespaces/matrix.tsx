/**
 * Who shares which namespace with whom, for many at once: a row each, a column a kind.
 *
 * Knows: equal inodes are one namespace, shown as the same letter and colour; the machine's are hollow.
 * Does not know: what a namespace isolates.
 */
import type { NamespaceInodes, NamespaceName, World } from '@slipway/journal';
import { type CSSProperties, memo, useMemo, useRef } from 'react';
import { KindMark } from '../base/controls.tsx';
import { visible } from '../base/format.ts';
import { NAMESPACE_KINDS } from '../base/kinds.ts';
import { LongName } from '../base/long-name.tsx';
import type { Selection } from '../base/selection.ts';
import { Spacer } from '../base/table.tsx';
import { useVisibleRows } from '../base/windowed.ts';
import type { Subject } from './model.ts';

/** Pixels from row to row; namespaces.css gives them. */
const ROW_HEIGHT = 32;

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
  const box = useRef<HTMLDivElement>(null);
  const range = useVisibleRows(box, ROW_HEIGHT, subjects.length);
  return (
    <div ref={box} className="scroll ns-matrix-box">
      <table className="ns-matrix" aria-rowcount={subjects.length + 2}>
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
          <tr className="machine" aria-rowindex={2}>
            <th scope="row">the machine</th>
            {NAMESPACE_KINDS.map((kind) => (
              <td key={kind.name}>
                <span className="num cell machine">{machine[kind.name] ?? '—'}</span>
              </td>
            ))}
          </tr>
          <Spacer height={range.from * ROW_HEIGHT} />
          {subjects.slice(range.from, range.to).map((subject, index) => (
            <SubjectRow
              key={subject.key}
              rowIndex={range.from + index + 3}
              subject={subject}
              machine={machine}
              groups={groups}
              related={props.container !== undefined && subject.container === props.container}
              selected={selectedIn(subject, props.selection)}
              onSelect={props.onSelect}
            />
          ))}
          <Spacer height={(subjects.length - range.to) * ROW_HEIGHT} />
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly subject: Subject;
  /** From 1, the head's row. */
  readonly rowIndex: number;
  readonly machine: NamespaceInodes;
  readonly groups: ReadonlyMap<string, string>;
  readonly related: boolean;
  /** Inode of the selected namespace, if this row has it. */
  readonly selected: number | undefined;
  readonly onSelect: (selection: Selection) => void;
}

/** Hundreds of rows: each is drawn anew only when something of its own changed. */
const SubjectRow = memo(
  function SubjectRow({ subject, rowIndex, machine, groups, related, selected, onSelect }: RowProps) {
    const { fact } = subject.process;
    const own: Selection =
      subject.container === undefined
        ? { kind: 'process', pid: fact.pid, startTime: fact.startTime }
        : { kind: 'container', id: subject.container };
    return (
      <tr className={related ? 'related' : ''} aria-rowindex={rowIndex}>
        <th scope="row">
          <button type="button" className="plain-link" title={visible(subject.label)} onClick={() => onSelect(own)}>
            <LongName name={subject.label} />
          </button>
        </th>
        {NAMESPACE_KINDS.map(({ name, title, color }) => (
          <td key={name}>
            <Cell
              inode={fact.namespaces[name]}
              machine={machine[name]}
              group={groups.get(`${name}:${fact.namespaces[name]}`)}
              {...{ name, title, color, onSelect }}
              selected={selected !== undefined && selected === fact.namespaces[name]}
            />
          </td>
        ))}
      </tr>
    );
  },
  (before, after) =>
    before.subject.process.fact === after.subject.process.fact &&
    before.subject.label === after.subject.label &&
    before.rowIndex === after.rowIndex &&
    before.related === after.related &&
    before.selected === after.selected &&
    before.machine === after.machine &&
    rowGroups(before) === rowGroups(after),
);

function rowGroups({ subject, groups }: RowProps): string {
  return NAMESPACE_KINDS.map(({ name }) => groups.get(`${name}:${subject.process.fact.namespaces[name]}`) ?? '').join();
}

function selectedIn(subject: Subject, selection: Selection | undefined): number | undefined {
  if (selection?.kind !== 'namespace') return undefined;
  return subject.process.fact.namespaces[selection.name] === selection.inode ? selection.inode : undefined;
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
