/**
 * The record of a writable snapshot or a view: a file in its directory that says which it is.
 *
 *     <root>/<n>/snapshot.json    ["active", "<key>", "<parent's name>", <made at, ms>]
 *
 * Every container's start makes one and every removal takes one away: some thirty microseconds, where a row in SQLite takes a
 * quarter of a millisecond of a processor that has just done something else. It need not outlive a power cut, as its files would not.
 *
 * Knows: how a record is written and read.
 * Does not know: committed snapshots (snapshot-table.ts).
 */
import { findText, listNames, removeFile, writeNewFile } from '@slipway/kernel';
import type { SnapshotRow } from './snapshot-row.ts';

/** Names that a snapshotter gives its directories. */
const DIRECTORY = /^[0-9a-z]+$/;
const MAX_BYTES = 4096;

function recordOf(root: string, directory: string): string {
  return `${root}/${directory}/snapshot.json`;
}

export function writeWritable(root: string, { directory, kind, name, parent, createdAtMs }: SnapshotRow): void {
  writeNewFile(recordOf(root, directory), JSON.stringify([kind, name, parent, createdAtMs]));
}

/** Quiet when it is missing. */
export function removeWritable(root: string, { directory }: SnapshotRow): void {
  removeFile(recordOf(root, directory));
}

/** Of a directory below `root`; undefined where it has none, or one that was never written to its end. */
export async function findWritable(root: string, directory: string): Promise<SnapshotRow | undefined> {
  const text = await findText(recordOf(root, directory), { maxBytes: MAX_BYTES });
  return text === undefined ? undefined : parseRecord(text, directory);
}

function parseRecord(text: string, directory: string): SnapshotRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [kind, name, parent, createdAtMs]: unknown[] = value;
  if ((kind !== 'active' && kind !== 'view') || typeof name !== 'string' || typeof parent !== 'string') return undefined;
  return typeof createdAtMs === 'number' ? { name, kind, parent, directory, createdAtMs } : undefined;
}

/** Names of a snapshotter's directories, sorted. */
export async function listSnapshotDirectories(root: string): Promise<readonly string[]> {
  return (await listNames(root)).filter((name) => DIRECTORY.test(name));
}
