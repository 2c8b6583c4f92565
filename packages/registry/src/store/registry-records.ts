/**
 * A registry's record as it lies on the disk, read without changing it.
 *
 * Knows: its tables.
 * Does not know: bytes, nor what is right.
 */
import { DatabaseSync } from 'node:sqlite';

export interface RegistryRecords {
  readonly links: readonly { readonly repository: string; readonly digest: string }[];
  readonly manifests: readonly {
    readonly repository: string;
    readonly digest: string;
    readonly mediaType: string;
    readonly sizeBytes: number;
  }[];
  readonly tags: number;
  /** What SQLite itself finds wrong. */
  readonly faults: readonly string[];
}

/** @throws SQLite's own errors for a record that cannot be opened */
export function readRegistryRecords(path: string): RegistryRecords {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    db.exec('BEGIN'); // one moment for all tables
    const rows = (sql: string) => db.prepare(sql).all();
    const faults = ['integrity_check', 'foreign_key_check'].flatMap((pragma) => rows(`PRAGMA ${pragma}`));
    return {
      links: rows('SELECT repository, digest FROM blobs').map(toLink),
      manifests: rows('SELECT repository, digest, media_type, size_bytes FROM manifests').map((row) => ({
        ...toLink(row),
        mediaType: String(row['media_type']),
        sizeBytes: Number(row['size_bytes']),
      })),
      tags: rows('SELECT 1 FROM tags').length,
      faults: faults.map((fault) => Object.values(fault).join(' ')).filter((text) => text !== 'ok'),
    };
  } finally {
    db.close();
  }
}

function toLink(row: Record<string, unknown>) {
  return { repository: String(row['repository']), digest: String(row['digest']) };
}
