/**
 * The disk: every engine's bytes to one scale, what is shared once, what each container has of its own.
 *
 * Knows: rows of the model, bars. Does not know: how bytes were measured.
 */
import type { WorldDisk } from '@slipway/journal';
import type { CSSProperties } from 'react';
import { formatAgo, formatBytes, formatCount, formatShare, visible } from '../base/format.ts';
import { LongName } from '../base/long-name.tsx';
import type { Selection } from '../base/selection.ts';
import { Sparkline } from '../base/sparkline.tsx';
import { DataTable } from '../base/table.tsx';
import { containersSentence, DISK_KINDS, type DiskKind, type DiskRow, diskRows, matching, sumOf } from './disk-model.ts';

export interface DiskViewProps {
  readonly disks: readonly WorldDisk[];
  readonly nowMs: number;
  readonly filter: string;
  readonly container: string | undefined;
  readonly onSelect: (selection: Selection) => void;
}

const KINDS = Object.keys(DISK_KINDS) as DiskKind[];
const MOST = 60;
const HISTORY_MS = 5 * 60_000;
/** Above what was most in use, so that the line has its course and its peak. */
const HEADROOM = 1.25;

export function DiskPicture(props: DiskViewProps) {
  const engines = props.disks.map((disk) => ({ disk, rows: diskRows(disk.fact) }));
  const scale = Math.max(1, ...engines.map(({ rows }) => sumOf(rows)));
  return (
    <div className="scroll disk-picture">
      <WholeDisk {...props} />
      {engines.map(({ disk, rows }) => (
        <Engine key={disk.fact.root} disk={disk} rows={rows} scale={scale} />
      ))}
      {engines.map(({ disk, rows }) => (
        <Rows key={disk.fact.root} disk={disk} rows={rows} scale={scale} {...props} />
      ))}
    </div>
  );
}

/** One file system, on which all engines of the machine are. */
function WholeDisk({ disks, nowMs }: DiskViewProps) {
  const latest = disks.reduce((one, other) => (other.changedAtMs > one.changedAtMs ? other : one));
  const { totalBytes, freeBytes } = latest.fact;
  const used = totalBytes - freeBytes;
  const history = latest.history.map(({ atMs, usedBytes }) => ({ atMs, value: usedBytes }));
  const top = Math.min(totalBytes, HEADROOM * Math.max(used, ...history.map(({ value }) => value)));
  return (
    <div className="disk-whole">
      <p>
        <strong className="num">{formatBytes(used)}</strong> of {formatBytes(totalBytes)} in use (
        {formatShare(used / Math.max(1, totalBytes))}), as the file system says; measured{' '}
        {formatAgo(Math.max(0, nowMs - latest.changedAtMs))}
      </p>
      <figure className="disk-history">
        <Sparkline points={history} nowMs={nowMs} windowMs={HISTORY_MS} top={top} />
        <figcaption>in use, the last 5 minutes; its top is {formatBytes(top)}</figcaption>
      </figure>
      <div className="disk-bar whole" aria-hidden="true">
        {disks.flatMap(({ fact }) =>
          KINDS.map((kind) => (
            <i key={`${fact.root} ${kind}`} className={kind} style={{ width: share(sumOf(diskRows(fact), kind), totalBytes) }} />
          )),
        )}
      </div>
      <ul className="disk-key">
        {KINDS.map((kind) => (
          <li key={kind}>
            <Mark kind={kind} /> {DISK_KINDS[kind].title}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface EngineProps {
  readonly disk: WorldDisk;
  readonly rows: readonly DiskRow[];
  readonly scale: number;
}

/** All engines beneath one another first, so that one look compares them. */
function Engine({ disk: { fact }, rows, scale }: EngineProps) {
  return (
    <section className="disk-engine" aria-label={`Engine with ${fact.snapshotter} snapshots in ${visible(fact.root)}`}>
      <h3>
        {fact.snapshotter} <code>{visible(fact.root)}</code> <span className="num">{formatBytes(sumOf(rows))}</span>
      </h3>
      <div className="disk-bar" aria-hidden="true">
        {KINDS.map((kind) => (
          <i key={kind} className={kind} style={{ width: share(sumOf(rows, kind), scale) }} />
        ))}
      </div>
      <p className="disk-says">{containersSentence(fact)}</p>
    </section>
  );
}

function Rows({ disk: { fact }, rows, scale, ...props }: DiskViewProps & EngineProps) {
  const shown = matching(rows, props.filter);
  return (
    <section className="disk-engine" aria-label={`What the engine with ${fact.snapshotter} snapshots has on its disk`}>
      <h4>{fact.snapshotter}, one by one</h4>
      <ul className="disk-rows">
        {shown.slice(0, MOST).map((row) => (
          <Row key={row.key} row={row} scale={scale} {...props} />
        ))}
      </ul>
      {shown.length > MOST ? <p className="explorer-hint">and {shown.length - MOST} more: see the table, or filter</p> : null}
      {shown.length === 0 ? <p className="explorer-hint">Nothing of this engine matches the filter.</p> : null}
      {fact.truncated ? <p className="explorer-hint warn">There are more than are listed here.</p> : null}
    </section>
  );
}

function Row({
  row,
  scale,
  container,
  onSelect,
}: Pick<DiskViewProps, 'container' | 'onSelect'> & { readonly row: DiskRow; readonly scale: number }) {
  const content = (
    <>
      <Mark kind={row.kind} />
      <span className="disk-label">
        <LongName name={row.label} />
      </span>
      <span className="disk-detail">{visible(row.detail)}</span>
      <span className="disk-track" aria-hidden="true">
        <i className={row.kind} style={{ width: share(row.bytes, scale) } as CSSProperties} />
      </span>
      <span className="num">{formatBytes(row.bytes)}</span>
    </>
  );
  const id = row.container;
  if (id === undefined) return <li className="disk-row">{content}</li>;
  return (
    <li>
      <button
        type="button"
        className={`disk-row ${container === id ? 'selected' : ''}`}
        aria-pressed={container === id}
        onClick={() => onSelect({ kind: 'container', id })}
      >
        {content}
      </button>
    </li>
  );
}

function Mark({ kind }: { readonly kind: DiskKind }) {
  return (
    <b className={`disk-mark ${kind}`} title={DISK_KINDS[kind].title}>
      <span className="sr-only">{DISK_KINDS[kind].title}</span>
      <span aria-hidden="true">{DISK_KINDS[kind].mark}</span>
    </b>
  );
}

function share(bytes: number, whole: number): string {
  return `${Math.min(100, (bytes / Math.max(1, whole)) * 100)}%`;
}

export function DiskText({ disks, filter, container, onSelect }: DiskViewProps) {
  const rows = disks.flatMap(({ fact }) => matching(diskRows(fact), filter).map((row) => ({ ...row, fact })));
  const [first] = disks;
  const used = first
    ? `${formatBytes(first.fact.totalBytes - first.fact.freeBytes)} of ${formatBytes(first.fact.totalBytes)} in use. `
    : '';
  return (
    <>
      <p className="explorer-hint">
        {used}
        {disks.map(({ fact }) => `${fact.snapshotter}: ${containersSentence(fact)}`).join(' ')}
      </p>
      <DataTable
        caption={`What ${formatCount(disks.length, 'engine')} of this machine take on disk`}
        columns={['engine', 'what', 'name', 'detail', 'bytes on disk']}
        rows={rows.map((row) => ({
          key: `${row.fact.root} ${row.key}`,
          selected: row.container !== undefined && row.container === container,
          onSelect: () => row.container !== undefined && onSelect({ kind: 'container', id: row.container }),
          cells: [row.fact.snapshotter, DISK_KINDS[row.kind].title, visible(row.label), visible(row.detail), formatBytes(row.bytes)],
        }))}
      />
    </>
  );
}
