/**
 * The process tree as a picture: a row a process, lines for parents, an enclosure around each container.
 *
 * Knows: rows and enclosures from layout.ts; only what is in view is drawn. Does not know: where processes come from.
 */
import type { NamespaceName, ProcessNode } from '@slipway/journal';
import { type CSSProperties, type KeyboardEvent, memo, useRef } from 'react';
import { formatCommand, formatCount, visible } from '../base/format.ts';
import { Icon } from '../base/icons.tsx';
import { LongName } from '../base/long-name.tsx';
import { MarkNote } from '../base/mark-note.tsx';
import { NamespaceStrip } from '../base/namespace-strip.tsx';
import { type Selection, sameSelection } from '../base/selection.ts';
import { useWidth } from '../base/use-width.ts';
import { useVisibleRows } from '../base/windowed.ts';
import type { Enclosure, ProcessLayout, ProcessRow } from './layout.ts';

/** Pixels of a row and of a step inwards. On a narrow pane a row has two lines, so that names are read whole. */
interface Scale {
  readonly row: number;
  readonly indent: number;
}
const WIDE: Scale = { row: 34, indent: 26 };
const NARROW: Scale = { row: 56, indent: 16 };
const NARROW_BELOW = 520;

export interface ProcessPictureProps {
  readonly layout: ProcessLayout;
  readonly selection: Selection | undefined;
  /** Container of the selection: its enclosure is lit wherever the selection came from. */
  readonly container: string | undefined;
  readonly onSelect: (selection: Selection) => void;
  readonly onFold: (key: string, folded: boolean) => void;
}

export function ProcessPicture({ layout, selection, container, onSelect, onFold }: ProcessPictureProps) {
  const box = useRef<HTMLDivElement>(null);
  const { rows, enclosures } = layout;
  const width = useWidth(box);
  const scale = width > 0 && width < NARROW_BELOW ? NARROW : WIDE;
  const range = useVisibleRows(box, scale.row, rows.length);
  const titles = new Map(enclosures.map((enclosure) => [enclosure.from, enclosure.name]));
  const shown = rows.slice(range.from, range.to);
  const inView = (from: number, to: number) => to >= range.from && from < range.to;
  return (
    <div
      ref={box}
      className={`proc-picture scroll ${scale === NARROW ? 'narrow' : ''}`}
      role="tree"
      aria-label="Process tree"
      onKeyDown={(event) => treeKeys(event)}
    >
      <div className="proc-canvas" style={{ height: rows.length * scale.row + 24 }}>
        {enclosures
          .filter((enclosure) => inView(enclosure.from, enclosure.to))
          .map((enclosure) => (
            <EnclosureBox
              key={`${enclosure.container}:${rows[enclosure.from]?.key}`}
              enclosure={enclosure}
              scale={scale}
              lit={enclosure.container === container}
            />
          ))}
        <Lines rows={rows} from={range.from} to={range.to} scale={scale} />
        {shown.map((row, index) => (
          <RowButton
            key={row.key}
            row={row}
            at={range.from + index}
            scale={scale}
            selected={sameSelection(selection, processSelection(row.node))}
            related={container !== undefined && row.node.fact.container === container}
            focusable={
              sameSelection(selection, processSelection(row.node)) ||
              (index === 0 && !rows.some((other) => sameSelection(selection, processSelection(other.node))))
            }
            title={titles.get(range.from + index)}
            onSelect={onSelect}
            onFold={onFold}
          />
        ))}
      </div>
    </div>
  );
}

export function processSelection(node: ProcessNode): Selection {
  return { kind: 'process', pid: node.fact.pid, startTime: node.fact.startTime };
}

function EnclosureBox({ enclosure, lit, scale }: { readonly enclosure: Enclosure; readonly lit: boolean; readonly scale: Scale }) {
  const style = {
    '--y': `${enclosure.from * scale.row + 1}px`,
    '--x': `${enclosure.depth * scale.indent + 8}px`,
    height: (enclosure.to - enclosure.from + 1) * scale.row - 2,
  } as CSSProperties;
  return <div className={`enclosure ${lit ? 'lit' : ''}`} style={style} aria-hidden="true" />;
}

/** Elbows from parent to child; those that only pass through the view are drawn too. */
function Lines({
  rows,
  from,
  to,
  scale,
}: {
  readonly rows: readonly ProcessRow[];
  readonly from: number;
  readonly to: number;
  readonly scale: Scale;
}) {
  const paths: string[] = [];
  rows.forEach((row, index) => {
    if (row.parent === undefined || index < from || row.parent >= to) return;
    const x = (row.depth - 1) * scale.indent + (scale === NARROW ? 18 : 28);
    const parentY = (Math.max(row.parent, from - 1) + 0.5) * scale.row + 11;
    const y = (Math.min(index, to) + 0.5) * scale.row;
    paths.push(`M${x} ${parentY}V${y - 5}q0 5 5 5h${row.foldable ? 2 : scale.indent - 13}`);
  });
  return (
    <svg className="proc-lines" aria-hidden="true" width="100%" height={rows.length * scale.row}>
      <path d={paths.join('')} fill="none" />
    </svg>
  );
}

interface RowProps {
  readonly row: ProcessRow;
  readonly at: number;
  readonly scale: Scale;
  readonly selected: boolean;
  readonly related: boolean;
  readonly focusable: boolean;
  /** Name of the container whose enclosure begins with this row. */
  readonly title: string | undefined;
  readonly onSelect: (selection: Selection) => void;
  readonly onFold: (key: string, folded: boolean) => void;
}

const ROLE_WORDS = {
  init: 'container’s init',
  exec: 'exec',
  shim: 'shim',
  spare: 'engine’s spare: waits for the next container',
  engine: 'engine',
  shell: 'your shell',
  workbench: 'answers this page’s questions',
} as const;
const ALL_KINDS = new Set<NamespaceName>(['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']);

const RowButton = memo(
  function RowButton({ row, at, scale, selected, related, focusable, title, onSelect, onFold }: RowProps) {
    const { fact, mark } = row.node;
    const gone = mark?.change === 'gone';
    const style = { '--y': `${at * scale.row}px`, '--x': `${row.depth * scale.indent}px` } as CSSProperties;
    const command = commandText(row.node, scale === NARROW);
    const role = roleText(row);
    return (
      <div
        className={`proc-row ${fact.role ?? ''} ${selected ? 'selected' : ''} ${related ? 'related' : ''} ${mark?.change ?? ''}`}
        style={style}
        role="treeitem"
        aria-level={row.depth + 1}
        aria-selected={selected}
        {...(row.foldable ? { 'aria-expanded': !row.folded } : {})}
        tabIndex={focusable ? 0 : -1}
        data-key={row.key}
        onClick={() => onSelect(processSelection(row.node))}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === ' ') onSelect(processSelection(row.node));
          else if (event.key === 'ArrowRight' && row.folded) onFold(row.key, false);
          else if (event.key === 'ArrowLeft' && row.foldable && !row.folded) onFold(row.key, true);
          else return;
          event.preventDefault();
        }}
      >
        {row.foldable ? (
          <button
            type="button"
            tabIndex={-1}
            className={`fold ${row.folded ? '' : 'open'}`}
            aria-hidden="true"
            title={row.folded ? 'Unfold' : 'Fold'}
            onClick={(event) => {
              event.stopPropagation();
              onFold(row.key, !row.folded);
            }}
          >
            <Icon name="chevron" size={12} />
          </button>
        ) : (
          <span className="fold" aria-hidden="true" />
        )}
        <span className="proc-node">
          <span className="pid num">
            <span className="sr-only">pid </span>
            {fact.pid}
          </span>
          <span className="comm">{command}</span>
          {fact.innerPid !== undefined && fact.innerPid !== fact.pid ? <span className="inner num">{fact.innerPid} inside</span> : null}
          {role ? <span className={`role ${fact.role}`}>{role}</span> : null}
          {row.hidden > 0 ? <span className="hidden-count">{formatCount(row.hidden, 'process', 'processes')} inside</span> : null}
        </span>
        <span className="proc-side">
          {role ? <span className={`role ${fact.role}`}>{role}</span> : null}
          {mark ? <MarkNote mark={mark} /> : null}
          {title === undefined ? null : (
            <span className="enclosure-name">
              <LongName name={title} />
            </span>
          )}
          {gone ? null : <NamespaceStrip own={row.own} known={ALL_KINDS} />}
        </span>
      </div>
    );
  },
  (before, after) =>
    before.at === after.at &&
    before.scale === after.scale &&
    before.selected === after.selected &&
    before.related === after.related &&
    before.focusable === after.focusable &&
    before.title === after.title &&
    before.row.node.fact === after.row.node.fact &&
    before.row.depth === after.row.depth &&
    before.row.folded === after.row.folded &&
    before.row.foldable === after.row.foldable &&
    before.row.hidden === after.row.hidden &&
    before.row.node.mark === undefined &&
    after.row.node.mark === undefined,
);

/** What it runs; short: without the directory of the program. A spare's command line says only what its role says better. */
export function commandText({ fact }: ProcessNode, short = false): string {
  const [program, ...rest] = fact.role === 'spare' ? fact.argv.slice(0, 1) : fact.argv;
  if (program === undefined) return visible(`[${fact.comm}]`);
  return visible(formatCommand([short ? program.slice(program.lastIndexOf('/') + 1) : program, ...rest]));
}

/** A shim stands for its container when that is folded away: it says whose it is. */
export function roleText({ node }: ProcessRow): string {
  const { role } = node.fact;
  if (role === undefined) return '';
  return role === 'shim' && node.containerName !== undefined ? `shim of ${visible(node.containerName)}` : ROLE_WORDS[role];
}

/** Up and down move through the rows as in any tree. */
function treeKeys(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp' && event.key !== 'Home' && event.key !== 'End') return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="treeitem"]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  items[next]?.focus();
  event.preventDefault();
}
