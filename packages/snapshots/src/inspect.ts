/**
 * Snapshots as they lie on the disk, looked at without touching them, also beside the process that they belong to.
 *
 * Knows: the record, the directories, and how they must agree.
 * Does not know: images.
 */
import { statStored } from '@slipway/kernel';
import { placeOf, type SnapshotRow } from './snapshot-row.ts';
import { readSnapshotRows } from './snapshot-table.ts';
import { listSnapshotDirectories } from './writable-record.ts';

export interface SnapshotListing {
  /** By name. */
  readonly snapshots: ReadonlyMap<string, SnapshotRow>;
  /** What SQLite finds wrong with its file; empty when nothing. */
  readonly recordFaults: readonly string[];
  /** Names of snapshots whose directory is not there, or is none. */
  readonly withoutDirectory: readonly string[];
  /** Directories that no snapshot has. */
  readonly strangers: readonly string[];
}

export async function listSnapshots(root: string): Promise<SnapshotListing> {
  const { rows, faults } = await readSnapshotRows(root);
  const withoutDirectory: string[] = [];
  for (const row of rows) {
    if ((await statStored(`${placeOf(root, row)}/fs`))?.isDirectory !== true) withoutDirectory.push(row.name);
  }
  const known = new Set(rows.map(({ directory }) => directory));
  const strangers = (await listSnapshotDirectories(root)).filter((name) => !known.has(name));
  return { snapshots: new Map(rows.map((row) => [row.name, row])), recordFaults: faults, withoutDirectory, strangers };
}
