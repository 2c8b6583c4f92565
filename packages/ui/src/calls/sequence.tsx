/**
 * The call chain as a sequence: a column an actor, an arrow a hand-over, durations as bars to scale on the right.
 *
 * Knows: rows from layout.ts. Does not know: payloads.
 */
import type { Actor, CallChain, CallRow } from '@slipway/journal';
import { type CSSProperties, type KeyboardEvent, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { formatCount, formatDuration, visible } from '../base/format.ts';
import { Icon } from '../base/icons.tsx';
import { ACTORS, actorKind } from '../base/kinds.ts';
import { useVisibleRows } from '../base/windowed.ts';
import { sequenceRows } from './layout.ts';

const ROW = 30;
/** Width of an actor's column; on a phone there is room for a letter. */
const COLUMN = { wide: 52, narrow: 22 } as const;

export interface SequenceProps {
  readonly chain: CallChain;
  readonly selected: string | undefined;
  readonly filter: string;
  readonly onSelect: (span: string) => void;
}

export function Sequence({ chain, selected, filter, onSelect }: SequenceProps) {
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => sequenceRows(chain, open, filter), [chain, open, filter]);
  const actors = useMemo(() => ACTORS.map((actor) => actor.name).filter((name) => chain.actors.includes(name)), [chain.actors]);
  const actorOf = useMemo(() => new Map(chain.rows.map((row) => [row.span.id, row.span.actor])), [chain]);
  const range = useVisibleRows(box, ROW, rows.length);
  const toggle = (id: string) =>
    setOpen((before) => (before.has(id) ? new Set([...before].filter((other) => other !== id)) : new Set([...before, id])));
  const narrow = useNarrow();
  const column = narrow ? COLUMN.narrow : COLUMN.wide;
  const lanes = actors.length * column;
  return (
    <div ref={box} className="sequence scroll" style={{ '--lanes': `${lanes}px`, '--column': `${column}px` } as CSSProperties}>
      <div className="seq-heads" aria-hidden="true">
        {actors.map((actor) => (
          <span key={actor} style={{ '--kind': actorKind(actor).color } as CSSProperties} title={actorKind(actor).does}>
            {narrow ? actorKind(actor).letter : actorKind(actor).title}
          </span>
        ))}
      </div>
      <div className="seq-body" style={{ height: rows.length * ROW }} role="listbox" aria-label="Calls in order" onKeyDown={listKeys}>
        <div className="seq-lanes" aria-hidden="true">
          {actors.map((actor) => (
            <i key={actor} style={{ '--kind': actorKind(actor).color } as CSSProperties} />
          ))}
        </div>
        {rows.slice(range.from, range.to).map((entry, index) => {
          const at = range.from + index;
          if (entry.kind === 'more')
            return <MoreRow key={`more:${entry.parent}`} at={at} count={entry.count} onOpen={() => toggle(entry.parent)} />;
          return (
            <CallRowView
              key={entry.row.span.id}
              at={at}
              row={entry.row}
              chain={chain}
              actors={actors}
              column={column}
              from={actorOf.get(entry.row.span.parent ?? '')}
              selected={selected === entry.row.span.id}
              focusable={selected === entry.row.span.id || (selected === undefined && at === 0)}
              onSelect={onSelect}
            />
          );
        })}
      </div>
    </div>
  );
}

function MoreRow({ at, count, onOpen }: { readonly at: number; readonly count: number; readonly onOpen: () => void }) {
  return (
    <div
      className="seq-row more"
      style={{ top: at * ROW }}
      role="option"
      aria-selected="false"
      tabIndex={-1}
      onClick={onOpen}
      onKeyDown={(event) => event.key === 'Enter' && onOpen()}
    >
      <span className="seq-label">
        <Icon name="chevron" size={12} /> {formatCount(count, 'operation')} of the birth, one system call or a few each: open
      </span>
    </div>
  );
}

function CallRowView(props: {
  readonly at: number;
  readonly row: CallRow;
  readonly chain: CallChain;
  readonly actors: readonly Actor[];
  readonly column: number;
  readonly from: Actor | undefined;
  readonly selected: boolean;
  readonly focusable: boolean;
  readonly onSelect: (span: string) => void;
}) {
  const { row, chain, actors, from, selected } = props;
  const { span } = row;
  const to = actors.indexOf(span.actor);
  const start = from === undefined || from === span.actor ? to : actors.indexOf(from);
  const kind = actorKind(span.actor);
  const length = Math.max(chain.durationMs, 1e-6);
  const label = `${span.operation ? `${span.operation.index}. ` : ''}${visible(span.name)}`;
  return (
    <div
      className={`seq-row ${selected ? 'selected' : ''} ${span.error ? 'failed' : ''} ${row.open ? 'open' : ''}`}
      style={{ top: props.at * ROW, '--kind': kind.color } as CSSProperties}
      role="option"
      aria-selected={selected}
      tabIndex={props.focusable ? 0 : -1}
      onClick={() => props.onSelect(span.id)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        props.onSelect(span.id);
      }}
    >
      <svg className="seq-arrow" width={actors.length * props.column} height={ROW} aria-hidden="true">
        <Arrow column={props.column} from={start} to={to} operation={span.operation !== undefined} failed={span.error !== undefined} />
      </svg>
      <span className="seq-label" title={label}>
        <span className="sr-only">{kind.title}: </span>
        {label}
        {span.protocol ? <small>{visible(span.protocol)}</small> : null}
        {span.error ? <em>{visible(span.error.code)}</em> : null}
      </span>
      <span className="seq-time">
        <span className="num">{row.open ? 'running' : formatDuration(row.durationMs)}</span>
        <span className="seq-scale">
          <i style={{ insetInlineStart: `${(row.offsetMs / length) * 100}%`, width: `max(2px, ${(row.durationMs / length) * 100}%)` }} />
        </span>
      </span>
    </div>
  );
}

function Arrow({
  column,
  from,
  to,
  operation,
  failed,
}: {
  readonly column: number;
  readonly from: number;
  readonly to: number;
  readonly operation: boolean;
  readonly failed: boolean;
}) {
  const y = ROW / 2;
  const x = to * column + column / 2;
  if (from === to) {
    return operation ? (
      <rect x={x - 4} y={y - 4} width="8" height="8" rx="1.5" className={failed ? 'bad' : ''} />
    ) : (
      <circle cx={x} cy={y} r="5" className={failed ? 'bad' : ''} />
    );
  }
  const start = from * column + column / 2;
  const direction = x > start ? 1 : -1;
  return (
    <>
      <path d={`M${start} ${y}H${x - direction * 9}`} fill="none" />
      <path d={`M${x - direction * 12} ${y - 4.5}l${direction * 8} 4.5l${-direction * 8} 4.5z`} className="head" />
      <circle cx={x} cy={y} r="3.5" className={failed ? 'bad' : ''} />
    </>
  );
}

const NARROW = '(max-width: 760px)';

function useNarrow(): boolean {
  return useSyncExternalStore(
    watchNarrow,
    () => matchMedia(NARROW).matches,
    () => false,
  );
}

function watchNarrow(changed: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

function listKeys(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="option"]')].sort((a, b) => a.offsetTop - b.offsetTop);
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at + (event.key === 'ArrowDown' ? 1 : -1)];
  next?.focus();
  if (next && !next.classList.contains('more')) next.click();
  event.preventDefault();
}
