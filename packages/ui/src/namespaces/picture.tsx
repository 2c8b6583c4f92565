/**
 * Namespaces as enclosures: per kind, the machine's and the subject's own; shared is visibly one enclosure around both.
 *
 * Knows: rows from model.ts. Does not know: where inodes come from.
 */
import type { NamespaceSet, ProcessNode } from '@slipway/journal';
import type { CSSProperties } from 'react';
import { KindMark } from '../base/controls.tsx';
import { formatCount, visible } from '../base/format.ts';
import { MarkNote } from '../base/mark-note.tsx';
import type { Selection } from '../base/selection.ts';
import type { KindRow, Subject } from './model.ts';

export interface NamespacePictureProps {
  readonly subject: Subject;
  readonly rows: readonly KindRow[];
  readonly members: ReadonlyMap<string, ProcessNode>;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}

export function NamespacePicture({ subject, rows, members, selection, onSelect }: NamespacePictureProps) {
  // They came together: said once, above; each room then carries the dot alone.
  const born = rows.find((row) => !row.shared && row.own?.mark)?.own?.mark;
  return (
    <div className="ns-picture scroll">
      <div className="ns-heads" aria-hidden="true">
        <span />
        <span>the machine</span>
        <span>
          {visible(subject.label)} {born ? <MarkNote mark={born} /> : null}
        </span>
      </div>
      <ul>
        {rows.map((row) => (
          <li key={row.kind.name} className="ns-row" style={{ '--kind': row.kind.color } as CSSProperties}>
            <div className="ns-kind">
              <KindMark letter={row.kind.letter} color={row.kind.color} title={row.kind.title} />
              <span>
                <strong>{row.kind.title}</strong>
                <small>{row.kind.isolates}</small>
              </span>
            </div>
            <Rooms row={row} subject={subject} members={members} selection={selection} onSelect={onSelect} />
          </li>
        ))}
      </ul>
    </div>
  );
}

type RoomsProps = Omit<NamespacePictureProps, 'rows'> & { readonly row: KindRow };

function Rooms({ row, subject, members, selection, onSelect }: RoomsProps) {
  if (!row.own) return <p className="ns-unknown">not reported by this kernel</p>;
  const shared = { kind: row.kind.title, subject, members, selection, onSelect };
  if (row.shared) return <Room {...shared} set={row.own} className="both" note={`shared with the machine`} />;
  return (
    <>
      {row.machine ? <Room {...shared} set={row.machine} className="machine" note="the machine’s" /> : <span />}
      <Room {...shared} set={row.own} className="own" note={row.own.shared ? 'shared with others' : 'its own'} />
    </>
  );
}

function Room(props: {
  readonly set: NamespaceSet;
  readonly kind: string;
  readonly className: string;
  readonly note: string;
  readonly subject: Subject;
  readonly members: ReadonlyMap<string, ProcessNode>;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}) {
  const { set, members, subject, selection } = props;
  const selected = selection?.kind === 'namespace' && selection.inode === set.inode && selection.name === set.kind;
  const MOST = 14;
  return (
    <button
      type="button"
      className={`ns-room ${props.className} ${selected ? 'selected' : ''}`}
      aria-pressed={selected}
      onClick={() => props.onSelect({ kind: 'namespace', name: set.kind, inode: set.inode })}
    >
      <span className="ns-inode num">
        <span className="sr-only">{props.kind} namespace </span>
        {set.inode}
      </span>
      <span className="ns-members">
        <span className="sr-only">{formatCount(set.members.length, 'process', 'processes')} in it, </span>
        {set.members.slice(0, MOST).map((key) => {
          const me = isSubjects(subject, key, members.get(key));
          return <i key={key} className={me ? 'me' : ''} title={memberName(members.get(key))} />;
        })}
        {set.members.length > MOST ? <small>+{set.members.length - MOST}</small> : null}
      </span>
      <span className="ns-note">{props.note}</span>
      {set.mark ? <MarkNote mark={set.mark} /> : null}
    </button>
  );
}

/** The subject itself, and what else runs inside of the same container; the shim stands outside. */
function isSubjects(subject: Subject, key: string, node: ProcessNode | undefined): boolean {
  if (key === subject.process.key) return true;
  return subject.container !== undefined && node?.fact.container === subject.container && node.fact.role !== 'shim';
}

function memberName(node: ProcessNode | undefined): string {
  return node ? `${visible(node.fact.comm)} (pid ${node.fact.pid})` : '';
}
