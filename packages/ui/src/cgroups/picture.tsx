/**
 * Control groups as rows of gauges: memory, cpu, pids, each with its last minute and its limit line.
 *
 * Knows: gauges from model.ts. Does not know: controllers beyond these three.
 */
import type { CgroupRow } from '@slipway/journal';
import { type RefObject, useEffect, useRef } from 'react';
import { formatBytes, formatDuration, formatShare, shortenId, visible } from '../base/format.ts';
import { LongName } from '../base/long-name.tsx';
import { MarkNote, markText } from '../base/mark-note.tsx';
import type { Selection } from '../base/selection.ts';
import { Sparkline } from '../base/sparkline.tsx';
import { DataTable } from '../base/table.tsx';
import { useVisibleRows } from '../base/windowed.ts';
import { type Gauge, gaugesOf, gaugeTop } from './model.ts';

export interface CgroupViewProps {
  readonly rows: readonly CgroupRow[];
  readonly nowMs: number;
  readonly container: string | undefined;
  readonly onSelect: (selection: Selection) => void;
  /** Paths without a container are selected by their path. */
  readonly onSelectPath: (path: string) => void;
  readonly path: string | undefined;
}

const ROW_HEIGHT = 84;
/** A minute is some 200 pixels wide: moving the line oftener than this shows nothing. */
const REDRAW_MS = 500;

export function CgroupPicture(props: CgroupViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const range = useVisibleRows(box, ROW_HEIGHT, props.rows.length);
  const { rows, container, path } = props;
  useShown(
    box,
    rows.findIndex((row) => isSelected(row, container, path)),
  );
  return (
    <div ref={box} className="scroll cg-picture">
      <ul style={{ height: props.rows.length * ROW_HEIGHT }}>
        {props.rows.slice(range.from, range.to).map((row, index) => (
          <li key={row.path} style={{ translate: `0 ${(range.from + index) * ROW_HEIGHT}px` }}>
            <Row row={row} {...props} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function isSelected({ sample, path }: CgroupRow, container: string | undefined, chosen: string | undefined): boolean {
  return sample.container === undefined ? chosen === path : container === sample.container;
}

/** The chosen row stays in sight when its cockpit takes room below. */
function useShown(box: RefObject<HTMLElement | null>, index: number): void {
  useEffect(() => {
    if (index < 0) return;
    const frame = requestAnimationFrame(() => {
      const element = box.current;
      if (!element) return;
      const top = index * ROW_HEIGHT;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + ROW_HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = top + ROW_HEIGHT - element.clientHeight;
    });
    return () => cancelAnimationFrame(frame);
  }, [box, index]);
}

function Row({ row, nowMs, container, path, onSelect, onSelectPath }: CgroupViewProps & { readonly row: CgroupRow }) {
  const own = row.sample.container;
  const selected = isSelected(row, container, path);
  const gone = row.mark?.change === 'gone';
  const events = eventsText(row);
  return (
    <button
      type="button"
      className={`cg-row ${selected ? 'selected' : ''} ${row.mark?.change ?? ''}`}
      style={{ paddingInlineStart: 12 + Math.min(row.depth, 4) * 14 }}
      aria-pressed={selected}
      onClick={() => (own === undefined ? onSelectPath(row.path) : onSelect({ kind: 'container', id: own }))}
    >
      <span className="cg-name">
        <strong>
          <LongName name={cgroupTitle(row)} />
        </strong>
        <code title={row.path}>{visible(shortPath(row.path))}</code>
        {row.mark ? <MarkNote mark={row.mark} /> : events ? <span className="cg-events">{events}</span> : null}
      </span>
      {gone
        ? null
        : gaugesOf(row).map((gauge) => <GaugeView key={gauge.name} gauge={gauge} nowMs={Math.ceil(nowMs / REDRAW_MS) * REDRAW_MS} />)}
    </button>
  );
}

function GaugeView({ gauge, nowMs }: { readonly gauge: Gauge; readonly nowMs: number }) {
  const share = gauge.value !== undefined && gauge.limit ? gauge.value / gauge.limit : 0;
  return (
    <span className={`gauge ${gauge.name} ${share > 0.9 ? 'full' : ''}`}>
      <span className="gauge-text">
        <span className="gauge-title">{gauge.title}</span>
        <span className="gauge-value num">{gauge.text}</span>
        <span className="gauge-limit num">{gauge.limitText}</span>
      </span>
      <Sparkline points={gauge.points} nowMs={nowMs} top={gaugeTop(gauge)} {...(gauge.limit === undefined ? {} : { limit: gauge.limit })} />
    </span>
  );
}

/** The engine makes the next container's group ahead of it, and renames it then. */
const SPARE = /^next-[0-9a-f]{8}$/;

export function cgroupTitle(row: CgroupRow): string {
  if (row.containerName !== undefined) return visible(row.containerName);
  if (SPARE.test(row.name)) return 'for the next container';
  return row.path === '/' ? 'the machine' : visible(row.name);
}

/** `/slipway/3f2a9c…81d0`: long ids shortened in the middle. */
export function shortPath(path: string): string {
  return path
    .split('/')
    .map((part) => (/^[0-9a-f]{20,}$/.test(part) ? shortenId(part) : part))
    .join('/');
}

function eventsText(row: CgroupRow): string {
  const parts: string[] = [];
  if (row.sample.oomKills) parts.push(`${row.sample.oomKills}× out of memory`);
  if (row.sample.throttledUs) parts.push(`throttled for ${formatDuration(row.sample.throttledUs / 1000)}`);
  return parts.join(' · ');
}

export function CgroupText(props: CgroupViewProps) {
  const { rows, container, path, onSelect, onSelectPath } = props;
  return (
    <DataTable
      caption="Control groups, parents before children"
      columns={['cgroup', 'container', 'memory', 'limit', 'peak', 'cpu', 'quota', 'pids', 'limit of pids', 'change']}
      rows={rows.map((row) => {
        const { sample } = row;
        const own = sample.container;
        const bytes = (value: number | undefined) => (value === undefined ? '—' : formatBytes(value));
        return {
          key: row.path,
          selected: own === undefined ? path === row.path : container === own,
          onSelect: () => (own === undefined ? onSelectPath(row.path) : onSelect({ kind: 'container', id: own })),
          cells: [
            <code key="path">{visible(shortPath(row.path))}</code>,
            visible(row.containerName ?? ''),
            bytes(sample.memoryBytes),
            sample.memoryLimitBytes === undefined ? 'none' : bytes(sample.memoryLimitBytes),
            bytes(sample.memoryPeakBytes),
            sample.cpuFraction === undefined ? '—' : formatShare(sample.cpuFraction),
            sample.cpuQuota === undefined ? 'none' : formatShare(sample.cpuQuota),
            sample.pids ?? '—',
            sample.pidsLimit ?? 'none',
            row.mark ? markText(row.mark) : eventsText(row),
          ],
        };
      })}
    />
  );
}
