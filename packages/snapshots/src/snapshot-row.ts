/** What is on record of a snapshot. */
import type { SnapshotInfo } from './snapshotter.ts';

export interface SnapshotRow extends Omit<SnapshotInfo, 'isAdopted'> {
  /** Directory below the snapshotter's root, and so short; absolute for one that was adopted, whose files are somebody else's. */
  readonly directory: string;
}

/** `<root>/<n>` of a snapshot; for an adopted one, where its owner keeps it. */
export function placeOf(root: string, { directory }: SnapshotRow): string {
  return isAdopted({ directory }) ? directory : `${root}/${directory}`;
}

export function isAdopted({ directory }: Pick<SnapshotRow, 'directory'>): boolean {
  return directory.startsWith('/');
}
