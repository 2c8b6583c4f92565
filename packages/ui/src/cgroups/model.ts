/**
 * Numbers of a cgroup as gauges: value, limit, history, and what happens at the limit.
 *
 * Knows: which numbers belong together. Pure.
 * Does not know: how a gauge is drawn, nor control files (signals.ts, cockpit-model.ts).
 */
import type { CgroupPoint, CgroupRow } from '@slipway/journal';
import { formatBytes, formatShare } from '../base/format.ts';

export type GaugeName = 'memory' | 'cpu' | 'pids';

export interface Gauge {
  readonly name: GaugeName;
  readonly title: string;
  /** Now; absent: the controller is not there. */
  readonly value?: number;
  readonly limit?: number;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
  readonly text: string;
  readonly limitText: string;
  /** What happens at the limit. */
  readonly atLimit: string;
}

export function gaugesOf(row: CgroupRow): readonly Gauge[] {
  const { sample, history } = row;
  return [
    gauge('memory', row, {
      value: sample.memoryBytes,
      limit: sample.memoryLimitBytes,
      pick: (point) => point.memoryBytes,
      text: formatBytes,
      title: 'memory',
      atLimit: 'above the limit the kernel kills a process (OOM)',
    }),
    gauge('cpu', row, {
      value: sample.cpuFraction ?? history.at(-1)?.cpuFraction,
      limit: sample.cpuQuota,
      pick: (point) => point.cpuFraction,
      text: formatShare,
      title: 'cpu',
      atLimit: 'at the quota processes wait (throttled), nobody is killed',
    }),
    gauge('pids', row, {
      value: sample.pids,
      limit: sample.pidsLimit,
      pick: (point) => point.pids,
      text: (value) => String(Math.round(value)),
      title: 'pids',
      atLimit: 'at the limit fork fails with EAGAIN',
    }),
  ];
}

interface GaugeSource {
  readonly value: number | undefined;
  readonly limit: number | undefined;
  readonly pick: (point: CgroupPoint) => number | undefined;
  readonly text: (value: number) => string;
  readonly title: string;
  readonly atLimit: string;
}

function gauge(name: GaugeName, row: CgroupRow, source: GaugeSource): Gauge {
  const { value, limit } = source;
  return {
    name,
    title: source.title,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    points: row.history.flatMap((point) => {
      const picked = source.pick(point);
      return picked === undefined ? [] : [{ atMs: point.atMs, value: picked }];
    }),
    text: value === undefined ? '—' : source.text(value),
    limitText: limit === undefined ? 'no limit' : `limit ${source.text(limit)}`,
    atLimit: source.atLimit,
  };
}

/** Top of a gauge's scale: a little above the largest value, or the limit where it is in sight of it. */
export function gaugeTop(gauge: Pick<Gauge, 'points' | 'value' | 'limit'>): number {
  const highest = Math.max(gauge.value ?? 0, ...gauge.points.map((point) => point.value), 1e-9);
  const withRoom = highest * 1.25;
  // A limit hundreds of times away would flatten the line to nothing: it is then named, not drawn.
  return gauge.limit !== undefined && gauge.limit <= highest * 40 ? Math.max(withRoom, gauge.limit * 1.12) : withRoom;
}
