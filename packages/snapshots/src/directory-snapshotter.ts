/**
 * The part that all snapshotters with one directory per snapshot have in common.
 *
 *     <root>/metadata.db          the committed ones: who is whose parent
 *     <root>/<n>/snapshot.json    which one this is, of a writable one or a view
 *     <root>/<n>/fs               a snapshot's files
 *     <root>/<n>/work             overlay's own scratch
 *
 * Somebody may serve a committed snapshot's files by a file system mounted on its `fs`; removing it takes that off first.
 *
 * A directory is complete before its record exists and outlives it only by a crash, so whatever has none when the store is
 * opened is left over and goes.
 *
 * Knows: directories, rows and their order.
 * Does not know: how a stack of directories becomes mounts; that is the form's (overlay.ts, native.ts).
 */
import { EngineError } from '@slipway/errors';
import {
  copyDirectoryMetadata,
  delay,
  ensurePrivateDirectory,
  failPoint,
  isErrno,
  removeTree,
  setMode,
  statStored,
  syncFileSystem,
  type TreeUsage,
  treeUsage,
  uncover,
} from '@slipway/kernel';
import type { Mount } from './mount.ts';
import { isAdopted, placeOf, type SnapshotRow } from './snapshot-row.ts';
import { DirectorySnapshotStack, type DirectoryStack } from './snapshot-stack.ts';
import { precondition, SnapshotTable } from './snapshot-table.ts';
import type { SnapshotDirectories, SnapshotInfo, SnapshotStack, Snapshotter } from './snapshotter.ts';
import { listSnapshotDirectories } from './writable-record.ts';

const NOTHING: TreeUsage = { sizeBytes: 0, inodes: 0 };

/** Of mount(2). */
function canStandInOptions(path: string): boolean {
  return path.startsWith('/') && !/[:,\\"\s]/.test(path);
}

/** What tells one snapshotter from another. */
export interface SnapshotForm {
  readonly driver: Snapshotter['driver'];
  /** Whether a layer's directory is all that a snapshot needs of it. */
  readonly adopts: boolean;
  /** Fills a new snapshot's `fs` directory. */
  populate(stack: DirectoryStack): Promise<void>;
  mounts(stack: DirectoryStack): readonly Mount[];
  directories(stack: DirectoryStack): SnapshotDirectories;
}

/** Opens (and makes, 0700) a snapshotter below `root`, an absolute path. @throws `invalid-argument` / `E_SNAPSHOT_ROOT` */
export async function openDirectorySnapshotter(root: string, form: SnapshotForm): Promise<Snapshotter> {
  if (!canStandInOptions(root)) {
    throw new EngineError('invalid-argument', `snapshot directory ${JSON.stringify(root)} cannot stand in mount options`, {
      code: 'E_SNAPSHOT_ROOT',
      op: 'snapshot.open',
      subject: root,
      hint: 'Use an absolute path without spaces, commas, colons, quotes and backslashes.',
    });
  }
  await ensurePrivateDirectory(root);
  const table = new SnapshotTable(root);
  const present = await listSnapshotDirectories(root);
  await table.moveWritableOut(present);
  const committed = new Set(table.list().map((row) => row.directory));
  for (const name of present) {
    if (committed.has(name) || (await table.takeUp(name))) continue;
    await uncover(`${root}/${name}/fs`);
    await removeSettling(`${root}/${name}`);
  }
  const own = table.list().filter((row) => !isAdopted(row));
  const highest = Math.max(0, ...own.map(({ directory }) => Number.parseInt(directory, 36)));
  return new DirectorySnapshotter(root, form, table, highest);
}

/**
 * Where the files of a committed snapshot and of those below it are, topmost first; for a process beside the snapshotter's owner,
 * which only reads. They stay as long as nobody removes the snapshot.
 *
 * @throws `not-found` / `E_SNAPSHOT_NOT_FOUND`
 */
export function committedDirectories(root: string, name: string): readonly string[] {
  const table = new SnapshotTable(root);
  try {
    const row = table.get(name, 'snapshot.directories');
    return [row, ...table.ancestors(row)].map((each) => `${placeOf(root, each)}/fs`);
  } finally {
    table.close();
  }
}

class DirectorySnapshotter implements Snapshotter {
  readonly driver: Snapshotter['driver'];
  readonly #root: string;
  readonly #form: SnapshotForm;
  readonly #table: SnapshotTable;
  #counter: number;

  constructor(root: string, form: SnapshotForm, table: SnapshotTable, counter: number) {
    this.#root = root;
    this.#form = form;
    this.driver = form.driver;
    this.#table = table;
    this.#counter = counter;
  }

  prepare(parent: string, key: string): Promise<readonly Mount[]> {
    return this.#open(parent, key, 'active');
  }

  view(parent: string, key: string): Promise<readonly Mount[]> {
    return this.#open(parent, key, 'view');
  }

  async mounts(key: string): Promise<readonly Mount[]> {
    const row = this.#table.get(key, 'snapshot.mounts');
    if (row.kind === 'committed')
      throw precondition(`snapshot ${JSON.stringify(key)} is committed and has no mounts`, 'snapshot.mounts', key);
    return this.#form.mounts(await this.#stack(row));
  }

  async commit(name: string, key: string): Promise<void> {
    const row = this.#table.get(key, 'snapshot.commit');
    // Files first: a committed snapshot with empty files in it would be believed for ever.
    await syncFileSystem(`${this.#root}/${row.directory}`);
    failPoint('snapshot.synced');
    this.#table.commit(name, key);
    failPoint('snapshot.committed');
  }

  stack(): SnapshotStack {
    return new DirectorySnapshotStack({
      root: this.#root,
      table: this.#table,
      newDirectory: () => this.#newDirectory(),
      make: (stack) => this.#make(stack),
      removeDirectory: removeSettling,
      directories: this.#form.directories,
    });
  }

  async adopt(name: string, parent: string, directory: string): Promise<void> {
    if (!this.#form.adopts || !canStandInOptions(directory)) {
      throw new EngineError('unsupported', `snapshot ${JSON.stringify(name)} cannot be taken from ${JSON.stringify(directory)}`, {
        code: 'E_SNAPSHOT_ADOPT',
        op: 'snapshot.adopt',
        subject: name,
      });
    }
    this.#table.requireRoom(parent, name, 'snapshot.adopt');
    this.#table.insertCommitted([{ name, kind: 'committed', parent, directory, createdAtMs: Date.now() }]);
  }

  async remove(keyOrName: string): Promise<void> {
    const { directory, kind } = this.#table.remove(keyOrName);
    failPoint('snapshot.forgotten');
    if (isAdopted({ directory })) return;
    if (kind === 'committed') await uncover(`${this.#root}/${directory}/fs`);
    await removeSettling(`${this.#root}/${directory}`);
  }

  async stat(keyOrName: string): Promise<SnapshotInfo> {
    return toInfo(this.#table.get(keyOrName, 'snapshot.stat'));
  }

  async find(keyOrName: string): Promise<SnapshotInfo | undefined> {
    const row = this.#table.find(keyOrName);
    return row && toInfo(row);
  }

  async list(): Promise<readonly SnapshotInfo[]> {
    return this.#table.list().map(toInfo);
  }

  async usage(keyOrName: string): Promise<TreeUsage> {
    const row = this.#table.get(keyOrName, 'snapshot.usage');
    return isAdopted(row) ? NOTHING : await treeUsage(`${placeOf(this.#root, row)}/fs`);
  }

  async directories(keyOrName: string): Promise<SnapshotDirectories> {
    return this.#form.directories(await this.#stack(this.#table.get(keyOrName, 'snapshot.directories')));
  }

  async close(): Promise<void> {
    this.#table.close();
  }

  async #open(parent: string, key: string, kind: 'active' | 'view'): Promise<readonly Mount[]> {
    const op = kind === 'view' ? 'snapshot.view' : 'snapshot.prepare';
    if (key === '' || key.length > 255)
      throw new EngineError('invalid-argument', `snapshot key ${JSON.stringify(key.slice(0, 80))} is empty or too long`, {
        code: 'E_SNAPSHOT_KEY',
        op,
      });
    this.#table.requireRoom(parent, key, op);
    const row: SnapshotRow = { name: key, kind, parent, directory: this.#newDirectory(), createdAtMs: Date.now() };
    const stack = await this.#stack(row);
    try {
      // Refused before anything is made, where the options would not fit.
      const mounts = this.#form.mounts(stack);
      await this.#make(stack);
      failPoint('snapshot.made');
      this.#table.insert(row, op);
      failPoint('snapshot.prepared');
      return mounts;
    } catch (error) {
      if (this.#table.find(key)?.directory === row.directory) this.#table.remove(key);
      await removeTree(stack.own);
      throw error;
    }
  }

  #newDirectory(): string {
    return (++this.#counter).toString(36);
  }

  async #make(stack: DirectoryStack): Promise<void> {
    await ensurePrivateDirectory(stack.own);
    await ensurePrivateDirectory(`${stack.own}/fs`);
    const [parent] = stack.below;
    // Overlay shows the topmost directory's own mode and owner as those of "/".
    if (parent !== undefined) await copyDirectoryMetadata(`${parent}/fs`, `${stack.own}/fs`);
    else await setMode(`${stack.own}/fs`, 0o755);
    await this.#form.populate(stack);
  }

  /** @throws failed-precondition / E_SNAPSHOT_ADOPTED_GONE when what it stands on is not where its owner had it */
  async #stack(row: SnapshotRow): Promise<DirectoryStack> {
    const ancestors = this.#table.ancestors(row);
    for (const { directory } of ancestors.filter(isAdopted)) {
      if ((await statStored(`${directory}/fs`)) === undefined) throw adoptedGone(directory, row.name);
    }
    const below = ancestors.map((each) => placeOf(this.#root, each));
    return { own: placeOf(this.#root, row), below, readOnly: row.kind !== 'active' };
  }
}

function adoptedGone(directory: string, subject: string): EngineError {
  return new EngineError(
    'failed-precondition',
    `the image’s layer ${JSON.stringify(directory)} is not there: what was mounted there is not any more`,
    {
      code: 'E_SNAPSHOT_ADOPTED_GONE',
      op: 'snapshot.stack',
      subject,
      hint: 'mount it there again; a lab machine has it again after a reset',
    },
  );
}

function toInfo({ name, kind, parent, createdAtMs, directory }: SnapshotRow): SnapshotInfo {
  return { name, kind, parent, createdAtMs, isAdopted: isAdopted({ directory }) };
}

/**
 * Removes a directory that a worker of a killed process may still be filling for a moment: it ends when it notices, and
 * until then a directory that was just emptied can have a file again.
 */
async function removeSettling(path: string): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      await removeTree(path);
      return;
    } catch (error) {
      if (attempts === 40 || !isErrno(error, 'ENOTEMPTY')) throw error;
      await delay(50);
    }
  }
}
