/**
 * What a container uses at this moment.
 *
 * Knows: where its cgroups are.
 * Does not know: control files (packages/cgroups).
 */
import { type CgroupStats, readStats as readCgroupStats } from '@slipway/cgroups';
import { hostControlFiles, monotonicMs } from '@slipway/kernel';
import type { LiveContainer } from './live-container.ts';

export interface ContainerStats {
  /** When it was read, CLOCK_MONOTONIC milliseconds. */
  readonly atMs: number;
  /** Wall clock, RFC 3339. */
  readonly readAt: string;
  /** Absent when no process lives. */
  readonly usage?: Omit<CgroupStats, 'files'>;
}

export function readStats(container: LiveContainer): ContainerStats {
  const when = { atMs: monotonicMs(), readAt: new Date().toISOString() };
  if (container.cgroups === undefined) return when;
  const { files: _files, ...usage } = readCgroupStats(container.cgroups, hostControlFiles);
  return { ...when, usage };
}
