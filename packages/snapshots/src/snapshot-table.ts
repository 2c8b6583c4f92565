/**
 * The record of snapshots: which exist, on top of what, in which directory.
 *
 * Committed ones stand in SQLite rather than in a JSON file: a change is one small durable write however many there are. Writable ones and
 * views stand in their own directories (writable-record.ts). Both belong to one process, which keeps the rows in memory, reads them there and
 * checks the rules there (unique names, a parent that is committed, no removal under a child): every container's start looks at some eight.
 *
 * Knows: rows and rules.
 * Does not know: what is in the directories.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EngineError } from '@slipway/errors';
import { inTransaction } from '@slipway/kernel';
import type { SnapshotRow } from './snapshot-row.ts';
import type { SnapshotKind } from './snapshotter.ts';
import { findWritable, listSnapshotDirectories, removeWritable, writeWritable } from './writable-record.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS snapshots (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
    parent TEXT REFERENCES snapshots (name),
    directory TEXT NOT NULL UNIQUE,
    created_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS snapshots_by_parent ON snapshots (parent);
`;

export class SnapshotTable {
  readonly #root: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** By name, oldest first. */
  readonly #rows: Map<string, SnapshotRow>;

  /** Opens what `root` has on record; makes an empty record where it has none. */
  constructor(root: string) {
    this.#root = root;
    this.#db = new DatabaseSync(databaseOf(root), { timeout: 5000 });
    // NORMAL: no change waits for the disk, and after a power cut the record is whole, if a moment old; but see #lasting.
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
    this.#db.exec(SCHEMA);
    const rows = this.#db.prepare('SELECT * FROM snapshots ORDER BY created_at_ms, rowid').all().map(toRow);
    this.#rows = new Map(rows.map((row) => [row.name, row]));
  }

  /** Writable ones and views that an older engine made have rows; those whose directory is among `present` get a record of their own. */
  async moveWritableOut(present: readonly string[]): Promise<void> {
    for (const row of this.list()) {
      if (row.kind === 'committed') continue;
      if (present.includes(row.directory) && (await findWritable(this.#root, row.directory)) === undefined) writeWritable(this.#root, row);
      this.#statement('DELETE FROM snapshots WHERE name = ?').run(row.name);
      this.#rows.delete(row.name);
    }
  }

  /** Takes up the writable snapshot of a directory by its own record. False where that has none, or one that does not fit the others. */
  async takeUp(directory: string): Promise<boolean> {
    const row = await findWritable(this.#root, directory);
    if (row === undefined || this.#rows.has(row.name)) return false;
    if (row.parent !== '' && this.find(row.parent)?.kind !== 'committed') return false;
    this.#rows.set(row.name, row);
    return true;
  }

  find(name: string): SnapshotRow | undefined {
    return this.#rows.get(name);
  }

  get(name: string, op: string): SnapshotRow {
    const row = this.find(name);
    if (row !== undefined) return row;
    throw new EngineError('not-found', `no snapshot ${JSON.stringify(name)}`, { code: 'E_SNAPSHOT_NOT_FOUND', op, subject: name });
  }

  list(): SnapshotRow[] {
    return [...this.#rows.values()].toSorted((one, other) => one.createdAtMs - other.createdAtMs);
  }

  /** The snapshots below `name`, nearest first. */
  ancestors(row: SnapshotRow): SnapshotRow[] {
    const rows: SnapshotRow[] = [];
    for (let at = row; at.parent !== ''; ) {
      at = this.get(at.parent, 'snapshot.ancestors');
      rows.push(at);
    }
    return rows;
  }

  /** @throws `not-found` unless `parent` is `''` or committed; `already-exists` */
  requireRoom(parent: string, key: string, op: string): void {
    if (parent !== '' && this.find(parent)?.kind !== 'committed') throw parentMissing(parent, op);
    if (this.find(key) !== undefined) throw exists(key, op);
  }

  /** A writable one or a view, whose directory is there. */
  insert(row: SnapshotRow, op: string): void {
    this.requireRoom(row.parent, row.name, op);
    writeWritable(this.#root, row);
    this.#rows.set(row.name, row);
  }

  /** All of them or none, parents first, in one durable write. */
  insertCommitted(rows: readonly SnapshotRow[]): void {
    this.#lasting(() =>
      inTransaction(this.#db, () => {
        for (const row of rows) this.#insert(row);
      }),
    );
    for (const row of rows) this.#rows.set(row.name, row);
  }

  commit(name: string, key: string): void {
    const row = this.get(key, 'snapshot.commit');
    if (row.kind !== 'active')
      throw precondition(`snapshot ${JSON.stringify(key)} is ${row.kind}, only an active one can be committed`, 'snapshot.commit', key);
    if (this.find(name) !== undefined) throw exists(name, 'snapshot.commit');
    this.insertCommitted([{ ...row, name, kind: 'committed' }]);
    this.#rows.delete(key);
    removeWritable(this.#root, row); // left by a crash, it is a record beside a row of the same directory, which counts
  }

  /** Forgets a snapshot and says where its files are. */
  remove(name: string): SnapshotRow {
    const row = this.get(name, 'snapshot.remove');
    if (row.kind === 'committed') this.#removeCommitted(name);
    else removeWritable(this.#root, row);
    this.#rows.delete(name);
    return row;
  }

  #removeCommitted(name: string): void {
    const child = this.list().find(({ parent }) => parent === name);
    if (child !== undefined) {
      throw new EngineError('failed-precondition', `snapshot ${JSON.stringify(name)} is the parent of ${JSON.stringify(child.name)}`, {
        code: 'E_SNAPSHOT_HAS_CHILDREN',
        op: 'snapshot.remove',
        subject: name,
      });
    }
    this.#lasting(() => this.#statement('DELETE FROM snapshots WHERE name = ?').run(name));
  }

  close(): void {
    this.#db.close();
  }

  /**
   * A change that survives a power cut once it was reported, with all changes before it: committed layers are believed for ever.
   */
  #lasting(change: () => unknown): void {
    this.#db.exec('PRAGMA synchronous = FULL');
    try {
      change();
    } finally {
      this.#db.exec('PRAGMA synchronous = NORMAL');
    }
  }

  #insert({ name, kind, parent, directory, createdAtMs }: SnapshotRow): void {
    const statement = this.#statement('INSERT INTO snapshots (name, kind, parent, directory, created_at_ms) VALUES (?, ?, ?, ?, ?)');
    statement.run(name, kind, parent === '' ? null : parent, directory, createdAtMs);
  }

  /** Compiled once; every container's start asks a dozen of them. */
  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

function databaseOf(root: string): string {
  return `${root}/metadata.db`;
}

export interface SnapshotRows {
  readonly rows: readonly SnapshotRow[];
  /** What SQLite finds wrong with its file; empty when nothing. */
  readonly faults: readonly string[];
}

/** The rows, for who only looks: nothing is made or changed. */
export async function readSnapshotRows(root: string): Promise<SnapshotRows> {
  const { rows, faults } = readCommittedRows(root);
  const known = new Set(rows.map(({ directory }) => directory));
  const others = (await listSnapshotDirectories(root)).filter((directory) => !known.has(directory));
  const writable = await Promise.all(others.map((directory) => findWritable(root, directory)));
  return { rows: [...rows, ...writable.filter((row) => row !== undefined)], faults };
}

function readCommittedRows(root: string): SnapshotRows {
  const db = new DatabaseSync(databaseOf(root), { readOnly: true, timeout: 5000 });
  try {
    const faults = ['integrity_check', 'foreign_key_check'].flatMap((pragma) => db.prepare(`PRAGMA ${pragma}`).all());
    const rows = db.prepare('SELECT * FROM snapshots ORDER BY created_at_ms, rowid').all().map(toRow);
    return { rows, faults: faults.map((fault) => Object.values(fault).join(' ')).filter((text) => text !== 'ok') };
  } finally {
    db.close();
  }
}

export function precondition(message: string, op: string, subject: string): EngineError {
  return new EngineError('failed-precondition', message, { code: 'E_SNAPSHOT_COMMITTED', op, subject });
}

export function parentMissing(parent: string, op: string): EngineError {
  const message = `no committed snapshot ${JSON.stringify(parent)}`;
  return new EngineError('not-found', message, { code: 'E_SNAPSHOT_NOT_FOUND', op, subject: parent });
}

export function exists(name: string, op: string): EngineError {
  return new EngineError('already-exists', `snapshot ${JSON.stringify(name)} exists`, { code: 'E_SNAPSHOT_EXISTS', op, subject: name });
}

function toRow(row: Record<string, unknown>): SnapshotRow {
  return {
    name: String(row['name']),
    kind: String(row['kind']) as SnapshotKind,
    parent: row['parent'] === null ? '' : String(row['parent']),
    directory: String(row['directory']),
    createdAtMs: Number(row['created_at_ms']),
  };
}
