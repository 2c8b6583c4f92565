/**
 * Which entries of a writable layer nobody in the container wrote: files and directories made so that something can be mounted there.
 *
 * Knows: the container's mounts, and that a mount point brings the directories above it into the layer.
 * Does not know: the layer on disk (packages/kernel). Pure.
 */
import type { UpperEntry } from '@slipway/journal';
import type { HostRequest } from './container.ts';
import { planMounts } from './plan-mounts.ts';

/** Absolute paths inside the container that something is mounted on. */
export function mountDestinations(host: HostRequest): ReadonlySet<string> {
  return new Set(planMounts(host, { hosts: '/', hostname: '/', resolvConf: '/' }).map((mount) => mount.destination));
}

/** The same entries; those made for a mount, and the directories that hold nothing else, say so. */
export function markMountPoints(entries: readonly UpperEntry[], destinations: ReadonlySet<string>): readonly UpperEntry[] {
  const made = new Set(entries.flatMap(({ path }) => (destinations.has(path) ? [path] : [])));
  const written = entries.filter(({ path, kind }) => kind !== 'directory' && !made.has(path));
  for (const { path, kind } of entries) {
    const holds = (other: string): boolean => other.startsWith(`${path}/`);
    const forMounts = kind === 'directory' && [...destinations].some((path) => holds(path) && made.has(path));
    if (forMounts && !written.some((entry) => holds(entry.path))) made.add(path);
  }
  return entries.map((entry) => (made.has(entry.path) ? { ...entry, mountPoint: true } : entry));
}
