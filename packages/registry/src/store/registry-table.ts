/**
 * Who has what: repositories, their blobs, manifests and tags.
 *
 * Knows: rows, and that a manifest, its references and its tag change together or not at all.
 * Does not know: bytes.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { inTransaction } from '@slipway/kernel';
import { type Digest, isObject, parseDigest } from '@slipway/oci';
import type { Referrer, StoredManifest } from '../backend.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS blobs (
    repository TEXT NOT NULL, digest TEXT NOT NULL, linked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS blobs_by_digest ON blobs (digest);
  CREATE TABLE IF NOT EXISTS manifests (
    repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, depth INTEGER NOT NULL,
    subject TEXT, artifact_type TEXT, annotations TEXT,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS manifests_by_subject ON manifests (repository, subject, digest);
  CREATE INDEX IF NOT EXISTS manifests_by_digest ON manifests (digest);
  CREATE TABLE IF NOT EXISTS manifest_blobs (
    repository TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL,
    PRIMARY KEY (repository, digest, manifest),
    FOREIGN KEY (repository, manifest) REFERENCES manifests (repository, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS manifest_blobs_by_manifest ON manifest_blobs (repository, manifest);
  CREATE TABLE IF NOT EXISTS tags (
    repository TEXT NOT NULL, tag TEXT NOT NULL, manifest TEXT NOT NULL,
    PRIMARY KEY (repository, tag),
    FOREIGN KEY (repository, manifest) REFERENCES manifests (repository, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tags_by_manifest ON tags (repository, manifest);
`;

/** Of a link `b`: no manifest of its repository needs it, and nobody has asked for it since a time. */
const IS_IDLE = `linked_at_ms < ?
  AND NOT EXISTS (SELECT 1 FROM manifest_blobs AS m WHERE m.repository = b.repository AND m.digest = b.digest)`;

/** A manifest to be recorded. */
export interface ManifestRow extends StoredManifest {
  /** 1 for an image, one more than its deepest manifest for an index. */
  readonly depth: number;
  readonly blobs: readonly Digest[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export class RegistryTable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    this.#db.exec(SCHEMA);
  }

  /** When the link was made or last confirmed; undefined: the blob is not the repository's. */
  blobLinkedAt(repository: string, digest: Digest): number | undefined {
    const row = this.#get('SELECT linked_at_ms FROM blobs WHERE repository = ? AND digest = ?', repository, digest);
    return row && Number(row['linked_at_ms']);
  }

  linkBlob(repository: string, digest: Digest, nowMs: number): void {
    this.#run(
      'INSERT INTO blobs VALUES (?, ?, ?) ON CONFLICT (repository, digest) DO UPDATE SET linked_at_ms = excluded.linked_at_ms',
      ...[repository, digest, nowMs],
    );
  }

  /** False when there was no link. */
  unlinkBlob(repository: string, digest: Digest): boolean {
    return this.#run('DELETE FROM blobs WHERE repository = ? AND digest = ?', repository, digest) > 0;
  }

  /** As {@link unlinkBlob}, of a link that is still as {@link idleLinks} found it: neither confirmed nor needed by a manifest since. */
  unlinkIdleBlob(repository: string, digest: Digest, beforeMs: number): boolean {
    return this.#run(`DELETE FROM blobs AS b WHERE repository = ? AND digest = ? AND ${IS_IDLE}`, repository, digest, beforeMs) > 0;
  }

  /** Whether any repository has these bytes, as blob or as manifest. */
  isWanted(digest: Digest): boolean {
    const sql = 'SELECT 1 FROM blobs WHERE digest = ?1 UNION ALL SELECT 1 FROM manifests WHERE digest = ?1 LIMIT 1';
    return this.#get(sql, digest) !== undefined;
  }

  hasBlobAnywhere(digest: Digest): boolean {
    return this.#get('SELECT 1 FROM blobs WHERE digest = ? LIMIT 1', digest) !== undefined;
  }

  /** Links that no manifest of their repository has needed since `beforeMs`. */
  idleLinks(beforeMs: number): { readonly repository: string; readonly digest: Digest }[] {
    return this.#all(`SELECT repository, digest FROM blobs AS b WHERE ${IS_IDLE}`, beforeMs).map((row) => ({
      repository: String(row['repository']),
      digest: parseDigest(String(row['digest'])),
    }));
  }

  findManifest(repository: string, digest: Digest): (StoredManifest & { readonly depth: number }) | undefined {
    const row = this.#get('SELECT * FROM manifests WHERE repository = ? AND digest = ?', repository, digest);
    return row && { ...toManifest(row), depth: Number(row['depth']) };
  }

  resolveTag(repository: string, tag: string): Digest | undefined {
    const row = this.#get('SELECT manifest FROM tags WHERE repository = ? AND tag = ?', repository, tag);
    return row && parseDigest(String(row['manifest']));
  }

  recordManifest(repository: string, manifest: ManifestRow, tag: string | undefined): void {
    const { digest, mediaType, sizeBytes, depth, subject, artifactType, annotations } = manifest;
    inTransaction(this.#db, () => {
      this.#run(
        'INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type',
        ...[repository, digest, mediaType, sizeBytes, depth, subject ?? null, artifactType ?? null],
        annotations === undefined ? null : JSON.stringify(annotations),
      );
      for (const blob of manifest.blobs) this.#run('INSERT OR IGNORE INTO manifest_blobs VALUES (?, ?, ?)', repository, blob, digest);
      if (tag !== undefined) {
        const sql = 'INSERT INTO tags VALUES (?, ?, ?) ON CONFLICT (repository, tag) DO UPDATE SET manifest = excluded.manifest';
        this.#run(sql, repository, tag, digest);
      }
    });
  }

  deleteTag(repository: string, tag: string): boolean {
    return this.#run('DELETE FROM tags WHERE repository = ? AND tag = ?', repository, tag) > 0;
  }

  /** Its tags go with it. */
  deleteManifest(repository: string, digest: Digest): boolean {
    return this.#run('DELETE FROM manifests WHERE repository = ? AND digest = ?', repository, digest) > 0;
  }

  isRepository(repository: string): boolean {
    const sql = 'SELECT 1 FROM manifests WHERE repository = ?1 UNION ALL SELECT 1 FROM blobs WHERE repository = ?1 LIMIT 1';
    return this.#get(sql, repository) !== undefined;
  }

  tags(repository: string, after: string, limit: number): string[] {
    const sql = 'SELECT tag FROM tags WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?';
    return this.#all(sql, repository, after, limit).map((row) => String(row['tag']));
  }

  repositories(after: string, limit: number): string[] {
    const sql = 'SELECT DISTINCT repository FROM manifests WHERE repository > ? ORDER BY repository LIMIT ?';
    return this.#all(sql, after, limit).map((row) => String(row['repository']));
  }

  /** By digest, after the one given. */
  referrers(repository: string, subject: Digest, page: { artifactType?: string; after: string; limit: number }): Referrer[] {
    const sql = `SELECT * FROM manifests WHERE repository = ?1 AND subject = ?2 AND digest > ?3 AND (?4 IS NULL OR artifact_type = ?4)
      ORDER BY digest LIMIT ?5`;
    return this.#all(sql, repository, subject, page.after, page.artifactType ?? null, page.limit).map(toReferrer);
  }

  close(): void {
    this.#db.close();
  }

  #get(sql: string, ...values: SQLInputValue[]) {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]) {
    return this.#statement(sql).all(...values);
  }

  /** How many rows changed. */
  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

function toManifest(row: Record<string, unknown>): StoredManifest {
  return {
    digest: parseDigest(String(row['digest'])),
    mediaType: String(row['media_type']),
    sizeBytes: Number(row['size_bytes']),
  };
}

function toReferrer(row: Record<string, unknown>): Referrer {
  const { digest, mediaType, sizeBytes } = toManifest(row);
  const annotations: unknown = row['annotations'] === null ? undefined : JSON.parse(String(row['annotations']));
  return {
    mediaType,
    digest,
    size: sizeBytes,
    ...(row['artifact_type'] === null ? {} : { artifactType: String(row['artifact_type']) }),
    ...(isObject(annotations) ? { annotations: annotations as Record<string, string> } : {}),
  };
}
