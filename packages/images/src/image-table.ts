/**
 * The record of images and their names.
 *
 * Knows: rows, and that names and images change together or not at all.
 * Does not know: blobs or snapshots.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { inTransaction } from '@slipway/kernel';
import { type Descriptor, type Digest, isObject, parseDigest } from '@slipway/oci';

export interface ImageRow {
  readonly id: Digest;
  readonly manifest: Descriptor;
  readonly loadedAtMs: number;
}

/** An image to be recorded with the names it shall have. */
export interface ImageEntry {
  readonly id: Digest;
  readonly manifest: Descriptor;
  readonly names: readonly string[];
}

/** What a layer's regular files hold. */
export interface LayerSize {
  readonly chainId: string;
  readonly fileBytes: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS images (
    id TEXT PRIMARY KEY,
    manifest TEXT NOT NULL,
    loaded_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX IF NOT EXISTS names_by_image ON names (image);
  CREATE TABLE IF NOT EXISTS layers (
    chain_id TEXT PRIMARY KEY,
    file_bytes INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS repo_digests (
    name TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX IF NOT EXISTS repo_digests_by_image ON repo_digests (image);
`;

/** A bound, since anybody may ask for names that do not exist. */
const MAX_ANSWERS = 1000;

export class ImageTable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Answers, until something changes: images come and go by the hour, and every container's start asks for one three times. */
  readonly #answers = new Map<string, unknown>();

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    this.#db.exec(SCHEMA);
  }

  list(): ImageRow[] {
    return this.#statement('SELECT * FROM images ORDER BY loaded_at_ms DESC, rowid DESC').all().map(toImageRow);
  }

  find(id: string): ImageRow | undefined {
    return this.#remember(`image ${id}`, () => {
      const row = this.#statement('SELECT * FROM images WHERE id = ?').get(id);
      return row && toImageRow(row);
    });
  }

  /** Images whose id begins so; at most two, which is enough to see that it is ambiguous. `hex` holds hex digits only. */
  findByPrefix(hex: string): ImageRow[] {
    return this.#remember(`prefix ${hex}`, () =>
      this.#statement('SELECT * FROM images WHERE id >= ? AND id < ? ORDER BY id LIMIT 2')
        .all(`sha256:${hex}`, `sha256:${hex}g`)
        .map(toImageRow),
    );
  }

  /** Id of the image a full name means. */
  resolveName(name: string): Digest | undefined {
    return this.#remember(`name ${name}`, () => {
      const row = this.#statement('SELECT image FROM names WHERE name = ?').get(name);
      return row && parseDigest(String(row['image']));
    });
  }

  namesOf(id: Digest): string[] {
    return this.#remember(`names ${id}`, () =>
      this.#statement('SELECT name FROM names WHERE image = ? ORDER BY name')
        .all(id)
        .map((row) => String(row['name'])),
    );
  }

  /** Records images and points names at them, all in one transaction. */
  record(entries: readonly ImageEntry[], nowMs: number): void {
    this.#transaction(() => {
      for (const { id, manifest, names } of entries) {
        this.#statement(
          'INSERT INTO images (id, manifest, loaded_at_ms) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest',
        ).run(id, JSON.stringify(manifest), nowMs);
        for (const name of names) this.setName(name, id);
      }
    });
  }

  setName(name: string, id: Digest): void {
    this.#answers.clear();
    this.#statement('INSERT INTO names (name, image) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image').run(name, id);
  }

  /** Removes names, and the image too when it is left without any. True when it was. */
  removeNames(names: readonly string[], id: Digest): boolean {
    return this.#transaction(() => {
      for (const name of names) this.#statement('DELETE FROM names WHERE name = ? AND image = ?').run(name, id);
      this.#answers.clear();
      if (this.namesOf(id).length > 0) return false;
      this.#statement('DELETE FROM images WHERE id = ?').run(id);
      return true;
    });
  }

  recordLayer(chainId: string, fileBytes: number): void {
    this.#statement(
      'INSERT INTO layers (chain_id, file_bytes) VALUES (?, ?) ON CONFLICT (chain_id) DO UPDATE SET file_bytes = excluded.file_bytes',
    ).run(chainId, fileBytes);
  }

  /** As {@link recordLayer}, of several in one durable write. */
  recordLayers(sizes: readonly LayerSize[]): void {
    this.#transaction(() => {
      for (const { chainId, fileBytes } of sizes) this.recordLayer(chainId, fileBytes);
    });
  }

  layerBytes(chainId: string): number {
    return Number(this.#statement('SELECT file_bytes FROM layers WHERE chain_id = ?').get(chainId)?.['file_bytes'] ?? 0);
  }

  /** Chain ids whose size is known. */
  layers(): string[] {
    return this.#statement('SELECT chain_id FROM layers')
      .all()
      .map((row) => String(row['chain_id']));
  }

  forgetLayer(chainId: string): void {
    this.#statement('DELETE FROM layers WHERE chain_id = ?').run(chainId);
  }

  /** A name with a digest, as a registry has the image. */
  setRepoDigest(name: string, id: Digest): void {
    this.#answers.clear();
    this.#statement('INSERT OR REPLACE INTO repo_digests (name, image) VALUES (?, ?)').run(name, id);
  }

  repoDigestsOf(id: Digest): string[] {
    return this.#remember(`repo digests ${id}`, () =>
      this.#statement('SELECT name FROM repo_digests WHERE image = ? ORDER BY name')
        .all(id)
        .map((row) => String(row['name'])),
    );
  }

  resolveRepoDigest(name: string): Digest | undefined {
    return this.#remember(`repo digest ${name}`, () => {
      const row = this.#statement('SELECT image FROM repo_digests WHERE name = ?').get(name);
      return row && parseDigest(String(row['image']));
    });
  }

  close(): void {
    this.#db.close();
  }

  /** Compiled once; every container's start asks a dozen of them. */
  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #transaction<T>(work: () => T): T {
    try {
      return inTransaction(this.#db, () => {
        this.#answers.clear();
        return work();
      });
    } finally {
      this.#answers.clear(); // also what was asked on the way
    }
  }

  /** Kept for what is asked often; the store belongs to one process, so nobody else changes it. */
  #remember<T>(question: string, ask: () => T): T {
    if (this.#answers.has(question)) return this.#answers.get(question) as T;
    const answer = ask();
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(question, answer);
    return answer;
  }
}

/** Everything in the record, for who only looks: nothing is made or changed. */
export interface ImageRecords {
  readonly images: readonly ImageRow[];
  readonly names: readonly { readonly name: string; readonly image: string }[];
  readonly repoDigests: readonly { readonly name: string; readonly image: string }[];
  /** Chain ids whose size is known. */
  readonly layers: readonly string[];
  /** What SQLite finds wrong with its file; empty when nothing. */
  readonly faults: readonly string[];
}

export function readImageRecords(path: string): ImageRecords {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    db.exec('BEGIN'); // one moment for all tables
    const named = (table: string) =>
      db
        .prepare(`SELECT name, image FROM ${table} ORDER BY name`)
        .all()
        .map((row) => ({ name: String(row['name']), image: String(row['image']) }));
    const faults = ['integrity_check', 'foreign_key_check'].flatMap((pragma) => db.prepare(`PRAGMA ${pragma}`).all());
    return {
      images: db.prepare('SELECT * FROM images ORDER BY id').all().map(toImageRow),
      names: named('names'),
      repoDigests: named('repo_digests'),
      layers: db
        .prepare('SELECT chain_id FROM layers')
        .all()
        .map((row) => String(row['chain_id'])),
      faults: faults.map((fault) => Object.values(fault).join(' ')).filter((text) => text !== 'ok'),
    };
  } finally {
    db.close();
  }
}

function toImageRow(row: Record<string, unknown>): ImageRow {
  const manifest: unknown = JSON.parse(String(row['manifest']));
  const { mediaType, digest, size } = isObject(manifest) ? manifest : {};
  return {
    id: parseDigest(String(row['id'])),
    manifest: { mediaType: String(mediaType), digest: parseDigest(String(digest)), size: Number(size) },
    loadedAtMs: Number(row['loaded_at_ms']),
  };
}
