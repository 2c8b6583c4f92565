/**
 * Committed snapshots in the making: directories that are filled one above the other, and rows that come with one sync for many of them.
 *
 *     add('', a) ── fill ── add(a, b) ── fill ── add(b, c) ── fill …
 *                              └─ commit([a, b]): syncfs, one transaction       (meanwhile c is being filled)
 *
 * Knows: which of them have no row yet, and that their directories go with the stack.
 * Does not know: how a directory begins (directory-snapshotter.ts), or what it is filled with.
 */
import { type FileSystemSync, failPoint, openFileSystemSync } from '@slipway/kernel';
import { placeOf, type SnapshotRow } from './snapshot-row.ts';
import { exists, parentMissing, type SnapshotTable } from './snapshot-table.ts';
import type { SnapshotDirectories, SnapshotStack } from './snapshotter.ts';

/** A stack of snapshot directories, `own` on top. */
export interface DirectoryStack {
  /** `<root>/<n>` of the snapshot itself. */
  readonly own: string;
  /** `<root>/<n>` of the snapshots below, nearest first. */
  readonly below: readonly string[];
  readonly readOnly: boolean;
}

export interface StackParts {
  readonly root: string;
  readonly table: SnapshotTable;
  /** A name that no other directory of the root has. */
  readonly newDirectory: () => string;
  readonly make: (stack: DirectoryStack) => Promise<void>;
  readonly removeDirectory: (path: string) => Promise<void>;
  readonly directories: (stack: DirectoryStack) => SnapshotDirectories;
}

export class DirectorySnapshotStack implements SnapshotStack {
  readonly #parts: StackParts;
  /** Those without a row, by name. */
  readonly #pending = new Map<string, SnapshotRow>();
  /** Started with the first directory, so that it is there when that one is full. */
  #sync: FileSystemSync | undefined;

  constructor(parts: StackParts) {
    this.#parts = parts;
  }

  async add(parent: string, name: string): Promise<SnapshotDirectories> {
    const { root, table, newDirectory, make, directories } = this.#parts;
    if (this.#pending.has(name) || table.find(name) !== undefined) throw exists(name, 'snapshot.add');
    const below = this.#ancestors(parent).map((each) => placeOf(root, each));
    const row: SnapshotRow = { name, kind: 'committed', parent, directory: newDirectory(), createdAtMs: Date.now() };
    this.#pending.set(name, row);
    const stack = { own: `${root}/${row.directory}`, below, readOnly: false };
    this.#sync ??= openFileSystemSync(root);
    await make(stack);
    failPoint('snapshot.made');
    return directories(stack);
  }

  async commit(names: readonly string[]): Promise<void> {
    const { root, table } = this.#parts;
    // Files first: a committed snapshot with empty files in it would be believed for ever.
    this.#sync ??= openFileSystemSync(root);
    await this.#sync.run();
    failPoint('snapshot.synced');
    const rows = names.flatMap((name) => this.#pending.get(name) ?? []);
    table.insertCommitted(rows.filter(({ name }) => table.find(name) === undefined));
    failPoint('snapshot.committed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { root, table, removeDirectory } = this.#parts;
    try {
      for (const { name, directory } of [...this.#pending.values()].reverse()) {
        if (table.find(name)?.directory !== directory) await removeDirectory(`${root}/${directory}`);
      }
    } finally {
      this.#pending.clear();
      await this.#sync?.close();
    }
  }

  /** `parent` and what is below it, nearest first. */
  #ancestors(parent: string): SnapshotRow[] {
    const rows: SnapshotRow[] = [];
    for (let name = parent; name !== ''; name = rows.at(-1)?.parent ?? '') {
      const row = this.#pending.get(name) ?? this.#parts.table.find(name);
      if (row?.kind !== 'committed') throw parentMissing(name, 'snapshot.add');
      rows.push(row);
    }
    return rows;
  }
}
