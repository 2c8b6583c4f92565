/**
 * The record of build steps' results, in a file of its own: losing it costs a build its time and nothing else.
 *
 * Knows: rows, and which go first.
 * Does not know: what an entry says (step-cache.ts).
 */
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS steps (
    key TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    used_at_ms INTEGER NOT NULL
  ) STRICT;
`;

export class StepTable {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
  }

  /** Looking counts as use. */
  find(key: string, nowMs: number): string | undefined {
    const row = this.#db.prepare('UPDATE steps SET used_at_ms = ? WHERE key = ? RETURNING entry').get(nowMs, key);
    return row && String(row['entry']);
  }

  /** Keeps at most `most` entries, those used last. */
  put(key: string, entry: string, { nowMs, most }: { readonly nowMs: number; readonly most: number }): void {
    this.#db.prepare('INSERT OR REPLACE INTO steps (key, entry, used_at_ms) VALUES (?, ?, ?)').run(key, entry, nowMs);
    this.#db.prepare('DELETE FROM steps WHERE key NOT IN (SELECT key FROM steps ORDER BY used_at_ms DESC LIMIT ?)').run(most);
  }

  list(): string[] {
    return this.#db
      .prepare('SELECT entry FROM steps')
      .all()
      .map((row) => String(row['entry']));
  }

  clear(): void {
    this.#db.exec('DELETE FROM steps');
  }

  close(): void {
    this.#db.close();
  }
}

/** The entries, for who only looks; none where no build ever ran. */
export function readSteps(path: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    return db
      .prepare('SELECT entry FROM steps')
      .all()
      .map((row) => String(row['entry']));
  } finally {
    db.close();
  }
}
